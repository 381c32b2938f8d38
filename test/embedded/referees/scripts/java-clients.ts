import { answersIn } from '../support/judge.ts'
import type { Referee } from '../support/referee.ts'
import { runWithKafka } from './java.ts'

export const JAVA_CLIENTS: Referee = {
  name: "Java's producer, consumer and admin client",
  needs: ['java'],
  // 4.x does without what brokers before 2.1 have.
  since: '2.8',
  async ask({ hosts, timeMs }) {
    return answersIn(await runWithKafka('Clients.java', [hosts, String(timeMs)]))
  },
}
