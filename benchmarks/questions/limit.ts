import { caseOf, type Question } from '../runner/question.ts'

/** The null broker knows nothing of groups, which the others need. */
const WITHOUT_GROUP = ['samsa', 'bare', 'librdkafka']

export const limit: Question = {
  name: 'limit',
  title: 'The limit',
  about:
    'Against a process that only acknowledges, or serves one batch again and again, beside `bare`: a script of a socket and loops that write and read record batches. What a client costs more than that is its own.',
  clients: ['samsa', 'bare', 'kafkajs', 'platformatic', 'java', 'librdkafka'],
  cases: (scale) => [
    caseOf(scale, 'produce, one call a message', {
      task: 'produce',
      mode: 'single',
      nullBroker: true,
    }),
    caseOf(scale, 'produce, many at once', { task: 'produce', mode: 'many', nullBroker: true }),
    caseOf(scale, 'produce, many at once, 1 KiB', {
      task: 'produce',
      mode: 'many',
      nullBroker: true,
      valueBytes: 1024,
    }),
    caseOf(scale, 'consume', {
      task: 'consume',
      mode: 'batches',
      nullBroker: true,
      clients: WITHOUT_GROUP,
    }),
    caseOf(scale, 'consume, 1 KiB', {
      task: 'consume',
      mode: 'batches',
      nullBroker: true,
      clients: WITHOUT_GROUP,
      valueBytes: 1024,
    }),
    caseOf(scale, 'consume, 1 KiB, the fastest way', {
      task: 'consume',
      mode: 'best',
      nullBroker: true,
      clients: WITHOUT_GROUP,
      valueBytes: 1024,
    }),
  ],
}
