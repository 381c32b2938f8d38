import { at, nameOf, byKey, sorted, done, all, only } from './forms.ts'
import type { Operation } from './operation.ts'

/** Producers and transactions. */
export const TRANSACTION_OPERATIONS: readonly Operation[] = [
  {
    java: 'fenceProducers',
    since: '0.11',
    samsa: async (admin, own) => ({
      epoch: (await only(admin.fenceProducers([own]))).producerEpoch,
    }),
  },
  {
    java: 'describeProducers',
    since: '2.8',
    samsa: async (admin) => {
      const found = await all(
        admin.describeProducers([0, 1, 2].map((partition) => at('samsa', partition))),
      )
      return byKey(
        found.map(({ partition, producers }) => [
          String(partition),
          (producers ?? []).map((one) => [
            one.producerId,
            one.producerEpoch,
            one.lastSequence ?? -1,
            one.lastTimestamp,
            one.coordinatorEpoch ?? -1,
            one.currentTransactionStartOffset ?? -1,
          ]),
        ]),
      )
    },
    words: () => ['samsa'],
  },
  {
    java: 'describeTransactions',
    since: '3.0',
    samsa: async (admin) => {
      const one = await only(admin.describeTransactions(['samsa']))
      return [
        one.state,
        one.producerId,
        one.producerEpoch,
        one.transactionTimeoutMs,
        one.startTimestamp ?? -1,
        sorted(one.partitions.map(nameOf)),
      ]
    },
    words: () => ['samsa'],
  },
  {
    java: 'listTransactions',
    since: '3.0',
    samsa: async (admin) =>
      byKey(
        (await admin.listTransactions()).transactions.map((one) => [
          one.transactionalId,
          [one.producerId, one.state],
        ]),
      ),
  },
  {
    java: 'abortTransaction',
    name: 'abortTransaction (of an older coordinator)',
    since: '0.11',
    samsa: (admin, own) =>
      done(
        admin.abortTransaction({
          ...at(own, 0),
          producerId: 123_456,
          producerEpoch: 0,
          coordinatorEpoch: 0,
        }),
      ),
    words: (own) => [own, 123_456, 0, 0],
  },
  {
    java: 'forceTerminateTransaction',
    since: '0.11',
    samsa: (admin, own) => done(admin.forceTerminateTransaction(own)),
  },
]
