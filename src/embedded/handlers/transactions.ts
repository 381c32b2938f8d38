/**
 * The requests of transactional producers to their coordinator, and to the coordinator of a group.
 */
import { addOffsetsToTxn } from '../../../protocol/apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../../protocol/apis/add-partitions-to-txn.ts'
import { endTxn } from '../../../protocol/apis/end-txn.ts'
import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { ErrorCode, type ErrorName } from '../../../protocol/errors.ts'
import { authorize, authorizeCluster, mayDo, mayDoToAny, mayDoToCluster } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import type { Partition, ProducerOfBatch } from '../cluster/partition.ts'
import { outcomeOf, Refused } from '../refused.ts'
import type { Transaction } from '../transactions/transaction.ts'
import { fencedError } from '../transactions/transactions.ts'
import { isAtLeast } from '../versions/profiles.ts'

/** The versions from which on the response can contain PRODUCER_FENCED (KIP-588). */
const INIT_WITH_FENCED = 4
const ADD_WITH_FENCED = 2
const END_WITH_FENCED = 2
const INIT_WITH_IDENTITY = 3
/** From this version on, the request is one that brokers send to each other. */
const ADD_BY_BROKERS = 4
const END_WITH_BUMP = 5
const PRODUCE_ADDS_PARTITIONS = 12
const PRODUCE_WITH_ABORTABLE = 11

/** The error code for a Refused, in the version of the request. */
function codeOf(refused: Refused | undefined, knowsFenced: boolean): number {
  return refused === undefined ? 0 : ErrorCode[fencedError(refused.error, knowsFenced)]
}

export const initProducerIdHandler = handler(initProducerId, {
  handle: (request, context) => {
    const { transactions, broker, cluster, version } = context
    const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
    const outcome = outcomeOf(() => {
      authorizeProducer(transactionalId, context)
      if (version >= INIT_WITH_IDENTITY && producerId >= 0n !== producerEpoch >= 0) {
        throw new Refused('INVALID_REQUEST')
      }
      if (transactionalId === null) return { producerId: cluster.newProducerId(), producerEpoch: 0 }
      transactions.checkCoordinator(transactionalId, broker.id)
      const isKnown = version >= INIT_WITH_IDENTITY && producerId >= 0n
      const expected = isKnown ? { producerId, producerEpoch } : undefined
      return transactions.init(transactionalId, transactionTimeoutMs, expected)
    })
    return outcome.refused === undefined
      ? { throttleTimeMs: 0, errorCode: 0, ...outcome.value }
      : {
          throttleTimeMs: 0,
          errorCode: codeOf(outcome.refused, version >= INIT_WITH_FENCED),
          producerEpoch: -1,
        }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, producerEpoch: -1 }),
})

/** An idempotent producer only needs the right to write to any topic (KIP-679). Throws Refused. */
function authorizeProducer(transactionalId: string | null, context: RequestContext): void {
  if (transactionalId !== null) authorize(context, 'write', 'transactionalId', transactionalId)
  else if (!mayDoToCluster(context, 'idempotentWrite') && !mayDoToAny(context, 'write', 'topic')) {
    throw new Refused('CLUSTER_AUTHORIZATION_FAILED')
  }
}

interface WantedTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export const addPartitionsToTxnHandler = handler(addPartitionsToTxn, {
  handle: (request, context) => {
    if (context.version < ADD_BY_BROKERS) {
      const wanted = {
        transactionalId: request.v3AndBelowTransactionalId,
        producerId: request.v3AndBelowProducerId,
        producerEpoch: request.v3AndBelowProducerEpoch,
        verifyOnly: false,
        topics: request.v3AndBelowTopics,
      }
      return { throttleTimeMs: 0, resultsByTopicV3AndBelow: addPartitions(wanted, context) }
    }
    const { refused } = outcomeOf(() => authorizeCluster(context, 'clusterAction'))
    if (refused !== undefined) {
      return { throttleTimeMs: 0, errorCode: refused.errorCode, resultsByTransaction: [] }
    }
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      resultsByTransaction: request.transactions.map((wanted) => ({
        transactionalId: wanted.transactionalId,
        topicResults: addPartitions(wanted, context),
      })),
    }
  },
  refuse: (errorCode, request, { version }) =>
    version < ADD_BY_BROKERS
      ? { throttleTimeMs: 0, resultsByTopicV3AndBelow: failed(request.v3AndBelowTopics, errorCode) }
      : { throttleTimeMs: 0, errorCode, resultsByTransaction: [] },
})

function addPartitions(
  wanted: {
    readonly transactionalId: string
    readonly producerId: bigint
    readonly producerEpoch: number
    readonly verifyOnly: boolean
    readonly topics: readonly WantedTopic[]
  },
  context: RequestContext,
) {
  const { transactions, broker, cluster, version } = context
  const { transactionalId, topics, verifyOnly } = wanted
  if (!mayDo(context, 'write', 'transactionalId', transactionalId)) {
    return failed(topics, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  }
  const isHidden = ({ name }: WantedTopic) =>
    version < ADD_BY_BROKERS && !mayDo(context, 'write', 'topic', name)
  const exists = ({ name }: WantedTopic, index: number) =>
    cluster.topics.partition(name, index) !== undefined
  const allExist = topics.every(
    (topic) => !isHidden(topic) && topic.partitions.every((one) => exists(topic, one)),
  )
  if (!allExist) {
    // In this case no partition is added.
    return failed(topics, (topic, index) => {
      if (isHidden(topic)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
      return exists(topic, index)
        ? ErrorCode.OPERATION_NOT_ATTEMPTED
        : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    })
  }
  const partitions = topics.flatMap(({ name, partitions: indexes }) =>
    indexes.flatMap((index) => cluster.topics.partition(name, index) ?? []),
  )
  const { refused } = outcomeOf(() => {
    transactions.checkCoordinator(transactionalId, broker.id)
    const transaction = transactions.of(transactionalId, wanted)
    if (!verifyOnly) transactions.addPartitions(transaction, partitions)
    else if (!partitions.every((one) => transaction.partitions.has(one))) {
      throw new Refused('TRANSACTION_ABORTABLE')
    }
  })
  return failed(topics, codeOf(refused, version >= ADD_WITH_FENCED))
}

function failed(
  topics: readonly WantedTopic[],
  errorCode: number | ((topic: WantedTopic, index: number) => number),
) {
  return topics.map((topic) => ({
    name: topic.name,
    resultsByPartition: topic.partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode:
        typeof errorCode === 'number' ? errorCode : errorCode(topic, partitionIndex),
    })),
  }))
}

export const addOffsetsToTxnHandler = handler(addOffsetsToTxn, {
  handle: (request, context) => {
    const { transactions, broker, version } = context
    const { refused } = outcomeOf(() => {
      authorize(context, 'write', 'transactionalId', request.transactionalId)
      authorize(context, 'read', 'group', request.groupId)
      transactions.checkCoordinator(request.transactionalId, broker.id)
      transactions.addGroup(transactions.of(request.transactionalId, request), request.groupId)
    })
    return { throttleTimeMs: 0, errorCode: codeOf(refused, version >= ADD_WITH_FENCED) }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode }),
})

export const endTxnHandler = handler(endTxn, {
  handle: (request, context) => {
    const { transactions, broker, version } = context
    const { transactionalId, committed } = request
    const result = committed ? 'commit' : 'abort'
    const outcome = outcomeOf(() => {
      authorize(context, 'write', 'transactionalId', transactionalId)
      transactions.checkCoordinator(transactionalId, broker.id)
      if (version >= END_WITH_BUMP) {
        return transactions.endAndBump(transactionalId, request, result)
      }
      transactions.end(transactionalId, request, result)
      return {}
    })
    const errorCode = codeOf(outcome.refused, version >= END_WITH_FENCED)
    return { throttleTimeMs: 0, errorCode, ...(outcome.refused === undefined ? outcome.value : {}) }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode }),
})

/**
 * Accepts records of a transaction only if it is open and contains the partition (KIP-890, in
 * presented versions since 3.9); with transaction.version 2 they add the partition. Throws Refused.
 */
export function joinTransaction(
  id: string | null,
  producer: ProducerOfBatch,
  partition: Partition,
  context: RequestContext,
): void {
  const { transactions, cluster, version } = context
  if (id === null) throw new Refused('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  authorize(context, 'write', 'transactionalId', id)
  if (!isAtLeast(cluster.settings.profile.version, '3.9')) return
  const { refused } = outcomeOf(() => {
    const transaction = transactions.of(id, producer)
    if (version >= PRODUCE_ADDS_PARTITIONS) transactions.addPartitions(transaction, [partition])
    else checkPartition(transaction, partition, version)
  })
  if (refused !== undefined) throw new Refused(produceError(refused.error), refused.detail)
}

function checkPartition(transaction: Transaction, partition: Partition, version: number): void {
  if (transaction.state === 'Ongoing' && transaction.partitions.has(partition)) return
  if (version >= PRODUCE_WITH_ABORTABLE) throw new Refused('TRANSACTION_ABORTABLE')
  throw new Refused('INVALID_TXN_STATE', 'Partition was not added to the transaction')
}

/** The error for a Produce response, which cannot contain PRODUCER_FENCED. */
function produceError(error: ErrorName): ErrorName {
  return fencedError(error, false)
}
