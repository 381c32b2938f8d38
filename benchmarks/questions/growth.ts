import { caseOf, type Question } from '../runner/question.ts'

const TIMES = [1, 10, 100]
/** How long a run of a hundred times as much may take: it is not to be cut short. */
const LONG_MS = 30_000

export const growth: Question = {
  name: 'growth',
  title: 'How cost grows',
  about:
    'With a hundred times the messages, bytes and topics (which are in use already). Partitions have a question of their own. A line that stays level is as it should be. That of the bytes rises: ten times the bytes cost more, but less than ten times as much. That of the topics rises where a client has a batch for each: the more there are, the fewer messages each batch has.',
  clients: ['samsa', 'kafkajs', 'platformatic'],
  curve: { over: 'times as much' },
  cases: (scale) => {
    // What slow clients can do in time, a hundred times over.
    const least = Math.floor(scale.messages / 100_000) * 1_000
    return [
      ...TIMES.map((x) =>
        caseOf(scale, `messages, ${x} times ${least}`, {
          ...{ task: 'produce', mode: 'many', messages: x * least, limitMs: LONG_MS, x },
        }),
      ),
      ...TIMES.map((x) =>
        caseOf(scale, `bytes a message, ${x} times 100`, {
          ...{ task: 'produce', mode: 'many', valueBytes: x * 100, x },
        }),
      ),
      ...TIMES.map((x) =>
        caseOf(scale, `topics, ${x}`, {
          task: 'produce',
          mode: 'many',
          topics: x,
          inUse: true,
          partitions: 1,
          x,
        }),
      ),
    ]
  },
}
