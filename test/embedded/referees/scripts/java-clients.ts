import { answersIn } from '../support/judge.ts'
import type { Referee } from '../support/referee.ts'
import { runWithKafka } from './java.ts'

export const JAVA_CLIENTS: Referee = {
  name: "Java's producer, consumer and admin client",
  needs: ['java'],
  // 4.x does without what brokers before 2.1 have.
  since: '2.8',
  onPurpose: [
    {
      answer:
        /^(topics, (too many replicas|fewer partitions|as many partitions)|configs, (no number|out of range|appended to a number))$/,
      why: "controllers in ZooKeeper's time say it in other words",
      before: '4.4',
    },
    {
      answer: /^producing, too old$/,
      why: 'the time that 3.9 names has overflown, and 2.8 has another config for it',
      before: '4.4',
    },
    {
      answer: /^(topics, a bad name|producing, no key)$/,
      why: 'said in other words then',
      before: '3.9',
    },
    {
      answer: /^producing, a config of 3.6$/,
      why: 'topics have the configs of 4.4, whichever Kafka is presented',
      before: '3.9',
    },
  ],
  async ask({ hosts, timeMs }) {
    return answersIn(await runWithKafka('Clients.java', [hosts, String(timeMs)]))
  },
}
