/** The requests of tools about transactions (KIP-664). */
import { describeTransactions } from '../../../protocol/apis/describe-transactions.ts'
import { listTransactions } from '../../../protocol/apis/list-transactions.ts'
import { authorize, mayDo } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { TRANSACTION_STATES, type Transaction } from '../transactions/transaction.ts'

const NOTHING = {
  transactionState: '',
  transactionTimeoutMs: 0,
  transactionStartTimeMs: 0n,
  producerId: 0n,
  producerEpoch: 0,
  topics: [],
} as const
/** States that Kafka has and this coordinator skips. */
const OTHER_STATES = ['Dead', 'PrepareEpochFence']

export const describeTransactionsHandler = handler(describeTransactions, {
  handle: (request, context) => ({
    throttleTimeMs: 0,
    transactionStates: request.transactionalIds.map((transactionalId) => {
      const outcome = outcomeOf(() => describe(transactionalId, context))
      return outcome.refused === undefined
        ? outcome.value
        : { ...NOTHING, transactionalId, errorCode: outcome.refused.errorCode }
    }),
  }),
  refuse: (errorCode, { transactionalIds }) => ({
    throttleTimeMs: 0,
    transactionStates: transactionalIds.map((transactionalId) => ({
      ...NOTHING,
      transactionalId,
      errorCode,
    })),
  }),
})

function describe(id: string, context: RequestContext) {
  const { transactions, broker } = context
  authorize(context, 'describe', 'transactionalId', id)
  transactions.checkCoordinator(id, broker.id)
  const transaction = transactions.find(id)
  if (transaction === undefined) throw new Refused('TRANSACTIONAL_ID_NOT_FOUND')
  const indexes = new Map<string, number[]>()
  for (const { topic, index } of transaction.partitions) {
    if (!mayDo(context, 'describe', 'topic', topic)) continue
    indexes.set(topic, [...(indexes.get(topic) ?? []), index])
  }
  return {
    errorCode: 0,
    transactionalId: id,
    transactionState: transaction.state,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStartTimeMs: BigInt(transaction.startedAtMs),
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    topics: [...indexes].map(([topic, partitions]) => ({ topic, partitions })),
  }
}

export const listTransactionsHandler = handler(listTransactions, {
  handle: (request, context) => {
    const { transactions, groups, broker, cluster, version } = context
    const { stateFilters, producerIdFilters } = request
    const durationMs = version >= 1 ? Number(request.durationFilter) : -1
    const pattern = version >= 2 ? request.transactionalIdPattern : null
    const outcome = outcomeOf(() => patternOf(pattern))
    if (outcome.refused !== undefined) {
      const { errorCode } = outcome.refused
      return { throttleTimeMs: 0, errorCode, unknownStateFilters: [], transactionStates: [] }
    }
    const fits = ({ id, state, producerId, startedAtMs }: Transaction) =>
      groups.coordinatorOf(id) === broker.id &&
      (stateFilters.length === 0 || stateFilters.includes(state)) &&
      (producerIdFilters.length === 0 || producerIdFilters.includes(producerId)) &&
      (durationMs < 0 || (state === 'Ongoing' && cluster.nowMs() - startedAtMs > durationMs)) &&
      (outcome.value?.test(id) ?? true) &&
      mayDo(context, 'describe', 'transactionalId', id)
    const known: readonly string[] = [...TRANSACTION_STATES, ...OTHER_STATES]
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      unknownStateFilters: stateFilters.filter((state) => !known.includes(state)),
      transactionStates: transactions.all.filter(fits).map(({ id, producerId, state }) => ({
        transactionalId: id,
        producerId,
        transactionState: state,
      })),
    }
  },
  refuse: (errorCode) => ({
    throttleTimeMs: 0,
    errorCode,
    unknownStateFilters: [],
    transactionStates: [],
  }),
})

/** The pattern has to match the whole id. Throws INVALID_REGULAR_EXPRESSION. */
function patternOf(pattern: string | null): RegExp | undefined {
  if (pattern === null || pattern === '') return undefined
  try {
    return new RegExp(`^(?:${pattern})$`)
  } catch {
    throw new Refused('INVALID_REGULAR_EXPRESSION')
  }
}
