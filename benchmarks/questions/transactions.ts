import { caseOf, type Question } from '../runner/question.ts'

export const transactions: Question = {
  name: 'transactions',
  title: 'Transactions',
  about:
    'One transaction after the other, of this many messages each: messages a second, and for short ones the time of each transaction from its beginning to its end. An idempotent producer without transactions that flushes after as many messages is there to compare with.',
  cases: (scale) => {
    const rates = (
      [
        ['100 messages of 100 B a transaction', 'of 100', 40_000, 100],
        ['1,000 messages of 100 B a transaction', 'of 1,000', 200_000, 100],
        ['10,000 messages of 100 B a transaction', 'of 10,000', 1_000_000, 100],
        ['10,000 messages of 100 B a flush, without transactions', 'idempotent', 1_000_000, 100],
        // A transaction costs the same time whatever the size of its messages: half of a flush of 1 MB, little of 10 MB.
        ['10,000 messages of 1 KiB a transaction', 'of 10,000', 300_000, 1_024],
        ['10,000 messages of 1 KiB a flush, without transactions', 'idempotent', 300_000, 1_024],
      ] as const
    ).map(([title, mode, messages, valueBytes]) =>
      caseOf(scale, title, {
        task: 'transactions',
        ...{ mode, messages, valueBytes },
        acks: -1,
        inUse: true,
      }),
    )
    const times = (
      [
        ['an empty transaction', 'empty', 4],
        ['a transaction of one message', 'of one', 4],
        ['a transaction of ten messages in ten partitions', 'of ten', 10],
      ] as const
    ).map(([title, mode, partitions]) =>
      caseOf(scale, title, {
        task: 'transactions',
        mode,
        messages: 500,
        acks: -1,
        partitions,
        inUse: true,
      }),
    )
    return [...rates, ...times]
  },
}
