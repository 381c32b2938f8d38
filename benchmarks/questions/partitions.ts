import { caseOf, type Question } from '../runner/question.ts'

const PARTITIONS = [1, 10, 100, 1000]
/** Enough for the cost of one to show. */
const MOST_MESSAGES = 1_000_000

export const partitions: Question = {
  name: 'partitions',
  title: 'Number of partitions',
  about: 'How the cost of a message grows with the partitions of its topic.',
  clients: ['samsa', 'kafkajs', 'platformatic', 'java', 'librdkafka'],
  curve: { over: 'partitions' },
  cases: (scale) =>
    PARTITIONS.flatMap((count) => {
      const messages = Math.min(scale.messages, MOST_MESSAGES)
      const given = { partitions: count, messages, x: count }
      const name = `${count} partition${count === 1 ? '' : 's'}`
      return [
        caseOf(scale, `produce, ${name}`, { task: 'produce', mode: 'many', ...given }),
        caseOf(scale, `consume, ${name}`, { task: 'consume', mode: 'best', ...given }),
      ]
    }),
}
