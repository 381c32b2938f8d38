import { caseOf, type Question } from '../runner/question.ts'

const PARTITIONS = [1, 10, 100, 1000]
/** Enough for the cost of one to show. */
const MOST_MESSAGES = 1_000_000

export const partitions: Question = {
  name: 'partitions',
  title: 'Number of partitions',
  about:
    'How the cost of a message grows with the partitions of its topic. All produce to the same topics, which are in use already: in a new one a broker takes up to 20 ms for the first entries in the index of each partition.',
  clients: ['samsa', 'kafkajs', 'platformatic', 'java', 'librdkafka'],
  curve: { over: 'partitions' },
  cases: (scale) =>
    PARTITIONS.flatMap((count) => {
      const messages = Math.min(scale.messages, MOST_MESSAGES)
      const given = { partitions: count, messages, x: count }
      const name = `${count} partition${count === 1 ? '' : 's'}`
      return [
        caseOf(scale, `produce, ${name}`, { task: 'produce', mode: 'many', inUse: true, ...given }),
        caseOf(scale, `consume, ${name}`, { task: 'consume', mode: 'best', ...given }),
      ]
    }),
}
