import { checkRecords } from '../log/validate.ts'
import { PartitionLog } from '../log/partition-log.ts'
import { ProducerStates } from '../log/producer-state.ts'
import { Refused } from '../refused.ts'
import type { TopicConfig } from './topic-config.ts'
import type { RecordRules } from '../log/record-rules.ts'

export interface AppendResult {
  readonly baseOffset: number
  /** −1 where the producer's timestamps stand. */
  readonly logAppendTimeMs: number
}

export const NO_LEADER = -1

/** A partition of a topic: who leads it, who follows, and its log, which they share. */
export class Partition {
  readonly topic: string
  readonly index: number
  readonly log = new PartitionLog()
  readonly producers = new ProducerStates()
  /** NO_LEADER while none of its replicas is up. */
  leader: number
  leaderEpoch = 0
  replicas: readonly number[]
  isr: readonly number[]
  isDeleted = false

  constructor(topic: string, index: number, replicas: readonly number[]) {
    this.topic = topic
    this.index = index
    this.replicas = replicas
    this.isr = replicas
    this.leader = replicas[0] ?? NO_LEADER
  }

  /**
   * Appends what a producer sent (and `requestRecords` gave), or finds it in the log already (idempotence).
   * Throws Refused.
   */
  append(
    records: Buffer,
    produceVersion: number,
    config: TopicConfig,
    nowMs: number,
  ): AppendResult {
    const batches = checkRecords(records, produceVersion, this.#rules(config), nowMs)
    const isLogAppendTime = config.timestampType === 'LogAppendTime'
    let result: AppendResult | undefined
    for (const batch of batches) {
      if (batch.transactional) {
        throw new Refused('INVALID_TXN_STATE', 'The embedded cluster has no transactions')
      }
      const duplicate = this.producers.check(batch)
      if (duplicate !== undefined) {
        return {
          baseOffset: duplicate.baseOffset,
          logAppendTimeMs: isLogAppendTime ? duplicate.timestamp : -1,
        }
      }
      const baseOffset = this.log.append(batch, this.leaderEpoch, nowMs)
      this.producers.appended(batch, baseOffset, nowMs)
      result ??= { baseOffset, logAppendTimeMs: isLogAppendTime ? nowMs : -1 }
    }
    this.#retain(config, nowMs)
    return result ?? { baseOffset: this.log.endOffset, logAppendTimeMs: -1 }
  }

  /** Another broker leads, or the same one anew: every change has an epoch of its own. */
  setLeader(brokerId: number): void {
    this.leader = brokerId
    this.leaderEpoch++
    this.log.changed()
  }

  /** The topic is deleted: fetches that wait for it are to end. */
  delete(): void {
    this.isDeleted = true
    this.log.changed()
  }

  /** Whole segments only, the newest never, as in Kafka. */
  #retain(config: TopicConfig, nowMs: number): void {
    const { retentionBytes, retentionMs } = config
    if (!config.deletesRecords) return
    for (;;) {
      const [oldest, next] = this.log.segments
      if (oldest === undefined || next === undefined) return
      const isTooMuch =
        retentionBytes >= 0 && this.log.sizeBytes - oldest.usedBytes >= retentionBytes
      const isTooOld = retentionMs >= 0 && nowMs - oldest.lastAppendMs > retentionMs
      if (!isTooMuch && !isTooOld) return
      this.log.deleteBefore(next.baseOffset)
    }
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
