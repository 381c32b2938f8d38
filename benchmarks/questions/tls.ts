import { caseOf, type Question } from '../runner/question.ts'

export const tls: Question = {
  name: 'tls',
  title: 'With TLS',
  about: 'The broker’s certificate is checked against its authority.',
  clients: ['samsa', 'kafkajs', 'platformatic', 'confluent', 'java', 'librdkafka'],
  cases: (scale) => [
    caseOf(scale, 'many at once', { task: 'produce', mode: 'many', tls: true }),
    caseOf(scale, 'consume', { task: 'consume', mode: 'best', tls: true }),
  ],
}
