import { caseOf, type Question } from '../runner/question.ts'

export const acks: Question = {
  name: 'acks',
  title: 'Producing with acks=all',
  about:
    'All in-sync replicas: of a topic with one replica, so that the difference to acks=1 is the client’s (idempotence, where it is on by default), not replication’s.',
  clients: ['samsa', 'kafkajs', 'platformatic', 'node-rdkafka', 'confluent', 'java', 'librdkafka'],
  cases: (scale) => [
    caseOf(scale, 'one call a message', { task: 'produce', mode: 'single', acks: -1 }),
    caseOf(scale, 'many at once', { task: 'produce', mode: 'many', acks: -1 }),
  ],
}
