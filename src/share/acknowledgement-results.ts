import type { KafkaError } from '../errors.ts'
import type { Logger } from '../observe/logger.ts'
import type { ShareGroupMetrics } from '../observe/metrics/share-metrics.ts'
import { comparePartitions, nameOf, type TopicPartition } from '../consumer/topic-partition.ts'

/** The results of the acknowledgements of one partition. */
export interface AcknowledgementResult extends TopicPartition {
  /** The number of messages whose acknowledgement the broker has accepted. */
  readonly acknowledged: number
  /** The number of acknowledgements without effect: their messages are delivered again, here or to another member. */
  readonly failed: number
  /** The first failure: INVALID_RECORD_STATE if the lock had expired. Undefined if nothing failed. */
  readonly error?: KafkaError
}

interface Counts extends TopicPartition {
  acknowledged: number
  failed: number
  error?: KafkaError
}

/** Counts the results of acknowledgements until the application requests them. */
export class AcknowledgementResults {
  readonly #logger: Logger
  readonly #metrics: ShareGroupMetrics
  #areRenewalsReported = false
  #counts = new Map<string, Counts>()

  constructor(logger: Logger, metrics: ShareGroupMetrics) {
    this.#logger = logger
    this.#metrics = metrics
  }

  acknowledged(one: TopicPartition, count: number): void {
    if (count === 0) return
    this.#of(one).acknowledged += count
    this.#metrics.topics.of(one.topic).accepted += count
  }

  failed(one: TopicPartition, count: number, error: KafkaError): void {
    if (count === 0) return
    const counts = this.#of(one)
    counts.failed += count
    counts.error ??= error
    this.#metrics.topics.of(one.topic).failed += count
    this.#logger.warn(
      `${count} acknowledgements of ${nameOf(one)} have no effect, and their messages are delivered again: ${error.message}`,
    )
  }

  /** Reports once that the group has renewals disabled: each lock would otherwise report it several times. */
  renewalsDisabled(one: TopicPartition): void {
    if (this.#areRenewalsReported) return
    this.#areRenewalsReported = true
    this.#logger.warn(
      `the locks of ${nameOf(one)} cannot be renewed: share.renew.acknowledge.enable of the group is false, and messages that take longer than the lock are delivered again`,
    )
  }

  /** Returns the results since the last call, by topic and partition. */
  take(): readonly AcknowledgementResult[] {
    const results = [...this.#counts.values()].sort(comparePartitions)
    this.#counts = new Map()
    return results
  }

  #of({ topic, partition }: TopicPartition): Counts {
    const name = nameOf({ topic, partition })
    let counts = this.#counts.get(name)
    if (counts === undefined) {
      counts = { topic, partition, acknowledged: 0, failed: 0 }
      this.#counts.set(name, counts)
    }
    return counts
  }
}
