/** The requests of a transactional producer to the coordinators of its transactions and of groups. */
import { addOffsetsToTxn } from '../../../protocol/apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../../protocol/apis/add-partitions-to-txn.ts'
import { describeTransactions } from '../../../protocol/apis/describe-transactions.ts'
import { endTxn } from '../../../protocol/apis/end-txn.ts'
import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { produce } from '../../../protocol/apis/produce.ts'
import { txnOffsetCommit } from '../../../protocol/apis/txn-offset-commit.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Deadline } from '../../async/deadline.ts'
import { appendTo } from '../../cluster/append-to.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { GroupMetadata } from '../../cluster/group-metadata.ts'
import { BrokerError } from '../../errors.ts'
import type { BrokerVersions } from '../../network/api-versions.ts'
import type { Generation } from './states.ts'

export interface ProducerEpoch {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** An offset that a transaction commits: the offset of the next message to read. */
export interface TransactionOffset {
  /** The name of the topic. */
  readonly topic: string
  /** The number of the partition. */
  readonly partition: number
  /** The offset of the next message that the group is to read. */
  readonly offset: number
  /** The leader epoch of the last message before the offset. Default: unknown. */
  readonly leaderEpoch?: number | undefined
  /** A text to commit with the offset. Default: empty. */
  readonly metadata?: string | undefined
}

interface Partition {
  readonly topic: string
  readonly partition: number
}

/**
 * CONCURRENT_TRANSACTIONS is the usual response while the markers of the previous transaction are written, which
 * takes some milliseconds: with the client's own backoff a short transaction would spend most of its time waiting.
 */
const BACKOFF = { initialMs: 20, maxMs: 200 }

/** The feature that shows which protocol a cluster uses, and the versions that generation 2 also needs (KIP-890). */
const FEATURE = 'transaction.version'
const FEATURE_2 = 2
const PRODUCE_2 = 12
const END_2 = 5

/** The newest stable version: version 6 is for two-phase commit (KIP-939). */
const INIT_STABLE = 5
/** The first version whose request has the producer's epoch (KIP-360). */
const INIT_WITH_EPOCH = 3
/** The last version for clients; only brokers send later ones. */
const ADD_PARTITIONS_OF_CLIENTS = 3
const OFFSETS_WITH_MEMBER = 3
/**
 * The last versions for generation 1: with later ones transactions end, or add offsets, in the way of generation 2.
 */
const END_1 = 4
const OFFSETS_1 = 4
const OFFSETS_2 = 5

/**
 * Returns the protocol that a broker uses. Its versions alone do not show that, because the cluster may be in the
 * middle of an upgrade.
 */
export function generationOf(versions: BrokerVersions): Generation {
  const isNew =
    versions.featureLevel(FEATURE) >= FEATURE_2 &&
    versions.has(produce) &&
    versions.pick(produce) >= PRODUCE_2 &&
    versions.has(endTxn) &&
    versions.pick(endTxn) >= END_2
  return isNew ? 2 : 1
}

/** The states between EndTxn and the last marker. */
const PREPARING: ReadonlySet<string> = new Set(['PrepareCommit', 'PrepareAbort'])

export class TransactionCoordinator {
  readonly transactionalId: string
  readonly #cluster: Cluster
  readonly #to: { readonly coordinator: 'transaction'; readonly key: string }

  constructor(cluster: Cluster, transactionalId: string) {
    this.#cluster = cluster
    this.transactionalId = transactionalId
    this.#to = { coordinator: 'transaction', key: transactionalId }
  }

  /** Returns the current protocol of the coordinator. */
  generation(deadline: Deadline): Promise<Generation> {
    const settings = { ...this.#settings('finding the version of the coordinator'), deadline }
    return this.#cluster.router.ask(settings, async ({ broker }) =>
      broker === undefined ? 1 : generationOf(await broker.versions()),
    )
  }

  /**
   * Gets a producer id and epoch. Without `current` the coordinator aborts the open transaction of another producer,
   * and fences this producer; with it, only the epoch is raised, and the request fails if another producer has taken
   * over since.
   */
  async init(
    timeoutMs: number,
    current: ProducerEpoch | undefined,
    deadline: Deadline,
  ): Promise<ProducerEpoch> {
    const { transactionalId } = this
    const body = (version: number) => ({
      transactionalId,
      transactionTimeoutMs: timeoutMs,
      ...(current !== undefined && version >= INIT_WITH_EPOCH ? current : {}),
    })
    const settings = {
      ...this.#settings(`initializing the transactional id '${transactionalId}'`),
      maxVersion: INIT_STABLE,
      deadline,
    }
    const response = await this.#cluster.router.call(initProducerId, body, settings)
    const { producerId, producerEpoch } = response
    if (producerId >= 0n && producerEpoch >= 0) return { producerId, producerEpoch }
    const detail = `${producerId} with epoch ${producerEpoch} is not a producer id`
    throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, settings.what, {}, detail)
  }

  /** In generation 1: before anything is produced to the partitions. */
  async addPartitions(
    producer: ProducerEpoch,
    partitions: readonly Partition[],
    deadline: Deadline,
  ): Promise<void> {
    const byTopic = new Map<string, number[]>()
    for (const { topic, partition } of partitions) appendTo(byTopic, topic, partition)
    const settings = { ...this.#settings('adding partitions to a transaction'), deadline }
    await this.#cluster.router.ask(settings, async (recipient) => {
      const body = {
        v3AndBelowTransactionalId: this.transactionalId,
        v3AndBelowProducerId: producer.producerId,
        v3AndBelowProducerEpoch: producer.producerEpoch,
        v3AndBelowTopics: [...byTopic].map(([name, indexes]) => ({ name, partitions: indexes })),
      }
      const maxVersion = ADD_PARTITIONS_OF_CLIENTS
      const response = await recipient.request(addPartitionsToTxn, body, { maxVersion })
      const codes = response.resultsByTopicV3AndBelow.flatMap(({ name, resultsByPartition }) =>
        resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => ({
          topic: name,
          partition: partitionIndex,
          errorCode: partitionErrorCode,
        })),
      )
      throwWorst(codes, settings.what, recipient.name)
    })
  }

  /** In generation 1: before offsets of the group are committed. */
  async addOffsets(producer: ProducerEpoch, groupId: string, deadline: Deadline): Promise<void> {
    const { transactionalId } = this
    const body = { transactionalId, ...producer, groupId }
    const what = `adding the offsets of group '${groupId}' to a transaction`
    await this.#cluster.router.call(addOffsetsToTxn, body, { ...this.#settings(what), deadline })
  }

  /** Commits offsets of a group with the transaction, at the coordinator of the group. */
  async commitOffsets(
    producer: ProducerEpoch,
    group: GroupMetadata,
    offsets: readonly TransactionOffset[],
    generation: Generation,
    deadline: Deadline,
  ): Promise<void> {
    const { groupId, generationId, memberId, groupInstanceId } = group
    const byTopic = new Map<string, TransactionOffset[]>()
    for (const offset of offsets) appendTo(byTopic, offset.topic, offset)
    const topics = [...byTopic].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition, offset, leaderEpoch, metadata }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: leaderEpoch ?? -1,
        committedMetadata: metadata ?? '',
      })),
    }))
    const { transactionalId } = this
    const body = (version: number) => ({
      transactionalId,
      groupId,
      ...producer,
      // Brokers before 2.5 do not check the member (KIP-447), so they do not detect a fenced member.
      ...(version >= OFFSETS_WITH_MEMBER
        ? {
            generationIdOrMemberEpoch: generationId,
            memberId,
            groupInstanceId: groupInstanceId ?? null,
          }
        : {}),
      topics,
    })
    const settings = {
      to: { coordinator: 'group', key: groupId },
      what: `committing offsets of group '${groupId}' in a transaction`,
      backoff: BACKOFF,
      deadline,
    } as const
    const maxVersion = generation === 2 ? OFFSETS_2 : OFFSETS_1
    await this.#cluster.router.ask(settings, async (recipient) => {
      const options = { maxVersion, purpose: 'group' } as const
      const response = await recipient.request(txnOffsetCommit, body, options)
      const codes = response.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => ({
          topic: name,
          partition: partitionIndex,
          errorCode,
        })),
      )
      throwWorst(codes, settings.what, recipient.name)
    })
  }

  /**
   * Ends the transaction. Resolves with the producer id and epoch for the next one; undefined if they stay, as in
   * generation 1. The request is repeated until it is answered: `onUnanswered` is called for each attempt without a
   * response, which may have taken effect.
   */
  end(
    producer: ProducerEpoch,
    outcome: 'commit' | 'abort',
    generation: Generation,
    deadline: Deadline,
    onUnanswered: () => void,
  ): Promise<ProducerEpoch | undefined> {
    const { transactionalId } = this
    const body = { transactionalId, ...producer, committed: outcome === 'commit' }
    const what = `the ${outcome} of a transaction of '${transactionalId}'`
    const maxVersion = generation === 2 ? END_2 : END_1
    return this.#cluster.router.ask({ ...this.#settings(what), deadline }, async (recipient) => {
      const attempt = { isUnanswered: false }
      const onWrite = () => (attempt.isUnanswered = true)
      try {
        const ended = await recipient.request(endTxn, body, { maxVersion, onWrite })
        attempt.isUnanswered = false
        const { producerId, producerEpoch, errorCode } = ended
        if (errorCode !== ErrorCode.NONE) {
          throw new BrokerError(errorCode, what, { broker: recipient.name })
        }
        return producerId < 0n || producerEpoch < 0 ? undefined : { producerId, producerEpoch }
      } finally {
        if (attempt.isUnanswered) onUnanswered()
      }
    })
  }

  /**
   * Repeats the request for up to `mostMs`, until the markers of the last transaction are written. If it is unknown
   * whether they are, returns: the broker then holds back the first Produce.
   */
  async markersWritten(mostMs: number, deadline: Deadline): Promise<void> {
    const { transactionalId } = this
    const until = performance.now() + mostMs
    const isPreparing = () =>
      this.#cluster.router.attempt(this.#to, deadline, async (broker) => {
        const versions = await broker.versions()
        if (!versions.has(describeTransactions)) return false
        const body = { transactionalIds: [transactionalId] }
        const timeoutMs = Math.min(this.#cluster.options.requestTimeoutMs, deadline.remainingMs)
        const { transactionStates } = await broker.request(describeTransactions, body, {
          timeoutMs,
        })
        return PREPARING.has(transactionStates[0]?.transactionState ?? '')
      })
    try {
      while (performance.now() < until && (await isPreparing()));
    } catch {
      // It only saves time: the requests of the transaction report what is wrong.
    }
  }

  #settings(what: string) {
    return { to: this.#to, what, backoff: BACKOFF } as const
  }
}

/**
 * Throws the decisive error: one that cannot be retried outranks the others, because a retry would meet it again.
 * OPERATION_NOT_ATTEMPTED only means that another partition has an error.
 */
function throwWorst(
  results: readonly (Partition & { readonly errorCode: number })[],
  what: string,
  broker: string | undefined,
): void {
  const errors = results
    .filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
    .map(
      ({ errorCode, topic, partition }) =>
        new BrokerError(errorCode, what, { broker, topic, partition }),
    )
  const attempted = errors.filter(
    ({ errorCode }) => errorCode !== ErrorCode.OPERATION_NOT_ATTEMPTED,
  )
  const error = attempted.find(({ retriable }) => !retriable) ?? attempted[0] ?? errors[0]
  if (error !== undefined) throw error
}
