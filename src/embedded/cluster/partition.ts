import { checkRecords } from '../log/validate.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { LogState } from '../log/log-state.ts'
import { rawBatches } from '../log/raw-batches.ts'
import type { ClusterStorage } from '../storage/cluster-storage.ts'
import type { SavedPartition } from '../storage/saved-entry.ts'
import { retainBySize } from './retention.ts'
import type { TopicConfig } from './topic-config.ts'
import type { RecordRules } from '../log/record-rules.ts'

export interface AppendResult {
  readonly baseOffset: number
  /** −1 if the producer's timestamps are kept. */
  readonly logAppendTimeMs: number
}

/** The producer of a batch. */
export interface ProducerOfBatch {
  readonly producerId: bigint
  readonly producerEpoch: number
}

export const NO_LEADER = -1

/**
 * From this version of Produce on, records add their partition to the transaction, and each transaction has a new epoch
 * (transaction.version 2).
 */
const ADDS_PARTITIONS = 12

export interface PartitionMove {
  readonly target: readonly number[]
  /** The replicas that the partition returns to if the move is cancelled. */
  readonly before: readonly number[]
}

/** A partition of a topic: its leader, its followers, and the log that they share. */
export class Partition {
  readonly topic: string
  readonly index: number
  readonly log: PartitionLog
  /** The state of producers and transactions that follows from the log. */
  readonly state: LogState
  /** NO_LEADER while none of its replicas is running. */
  leader: number
  leaderEpoch = 0
  replicas: readonly number[]
  isr: readonly number[]
  isDeleted = false
  /** The move to other replicas that waits for some that are not running (KIP-455). */
  move: PartitionMove | undefined
  readonly #topicId: string
  readonly #storage: ClusterStorage

  /** `startOffset` is the first offset of its log, whose records the storage may have. */
  constructor(
    topic: { readonly name: string; readonly id: string },
    index: number,
    replicas: readonly number[],
    storage: ClusterStorage,
    startOffset = 0,
  ) {
    this.topic = topic.name
    this.index = index
    this.#topicId = topic.id
    this.#storage = storage
    const { log, state } = storage.openLog(topic.id, index, startOffset)
    this.log = log
    this.state = state
    this.replicas = replicas
    this.isr = replicas
    this.leader = replicas[0] ?? NO_LEADER
  }

  /**
   * Appends what a producer sent (and `requestRecords` returned), or finds it in the log
   * (idempotence). Calls `checkTransaction` for batches of transactions. Throws Refused.
   */
  append(
    records: Buffer,
    produceVersion: number,
    config: TopicConfig,
    nowMs: number,
    checkTransaction: (batch: ProducerOfBatch) => void,
  ): AppendResult {
    const batches = checkRecords(records, produceVersion, this.#rules(config), nowMs)
    const isLogAppendTime = config.timestampType === 'LogAppendTime'
    let result: AppendResult | undefined
    for (const batch of batches) {
      if (batch.transactional) checkTransaction(batch)
      const beginsAtZero = batch.transactional && produceVersion >= ADDS_PARTITIONS
      const duplicate = this.state.producers.check(batch, beginsAtZero)
      if (duplicate !== undefined) {
        return {
          baseOffset: duplicate.baseOffset,
          logAppendTimeMs: isLogAppendTime ? duplicate.timestamp : -1,
        }
      }
      // This precedes the append, because the append wakes waiting fetches, which read up to the last stable offset.
      if (batch.transactional) {
        this.state.transactions.began(batch.producerId, this.log.endOffset)
      }
      const baseOffset = this.log.append(batch, this.leaderEpoch, nowMs)
      this.state.producers.appended(batch, baseOffset, batch.maxTimestamp)
      result ??= { baseOffset, logAppendTimeMs: isLogAppendTime ? nowMs : -1 }
    }
    retainBySize(this.log, config)
    return result ?? { baseOffset: this.log.endOffset, logAppendTimeMs: -1 }
  }

  /**
   * Appends batches unchanged, whatever they contain, like those that a transaction coordinator or
   * another replica would write. Returns the first offset. Throws Refused, and InvalidArgumentError
   * for bytes that are not batches.
   */
  appendRaw(bytes: Uint8Array, nowMs: number): number {
    const first = this.log.endOffset
    for (const batch of rawBatches(bytes)) {
      const baseOffset = this.log.append(batch, this.leaderEpoch, nowMs)
      if (batch.decoded) this.state.appended(batch.decoded, baseOffset, batch.maxTimestamp)
    }
    // Waiting fetches check again: a batch may have ended a transaction.
    this.log.changed()
    return first
  }

  /** The last stable offset (KIP-98). */
  get lastStableOffset(): number {
    return this.state.transactions.lastStableOffset(this.log.endOffset)
  }

  /** Sets the leader, which may be the same broker as before; each call begins a new leader epoch. */
  setLeader(brokerId: number): void {
    const leaderEpoch = this.leaderEpoch + 1
    const { replicas, index } = this
    this.#storage.save({ kind: 'leader', topicId: this.#topicId, index, replicas, leaderEpoch })
    this.leader = brokerId
    this.leaderEpoch = leaderEpoch
    this.log.changed()
  }

  get saved(): SavedPartition {
    const { replicas, leaderEpoch, log } = this
    return { replicas, leaderEpoch, startOffset: log.startOffset }
  }

  /** Ends the fetches that wait for the partition, because its topic is deleted. */
  delete(): void {
    this.isDeleted = true
    this.log.changed()
  }

  #rules(config: TopicConfig): RecordRules {
    return {
      topic: this.topic,
      partition: this.index,
      maxMessageBytes: config.maxMessageBytes,
      needsKey: config.isCompacted,
      timestampType: config.timestampType,
      timestampBeforeMaxMs: config.timestampBeforeMaxMs,
      timestampAfterMaxMs: config.timestampAfterMaxMs,
      compression: config.compression,
    }
  }
}
