import { backoffMs, type BackoffOptions } from '../../async/backoff.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { reportRetry } from '../../cluster/retry.ts'
import { suggestsNewMetadata } from '../../errors.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'
import type { ReadyQueues } from '../accumulator/ready-queues.ts'

interface Wait {
  readonly timer: NodeJS.Timeout
  /** The epoch of the leader that failed; −1 before Kafka 2.1. */
  readonly failedEpoch: number
}

/**
 * The waits of partitions after a failure. Each wait is longer than the one before. The shortest is next again when a
 * batch is acknowledged, or when another leader fails: the failures of the former leader say nothing about it. A wait
 * ends when a newer leader is known (KIP-951), and does not begin if one is known already: the failure was that of the
 * former leader. Epochs only rise, so that brokers that disagree about a leader cannot shorten waits repeatedly.
 */
export class Backoffs {
  readonly #cluster: Cluster
  readonly #ready: ReadyQueues
  readonly #backoff: BackoffOptions
  readonly #waits = new Map<PartitionQueue<Batch>, Wait>()
  /** The refresh of metadata after which all waits are checked: partitions that fail together share one. */
  #refresh: Promise<void> | undefined
  #isStopped = false

  constructor(cluster: Cluster, retryBackoffMs: number | undefined, ready: ReadyQueues) {
    this.#cluster = cluster
    this.#ready = ready
    const { initialMs, maxMs } = cluster.options.backoff
    const firstMs = retryBackoffMs ?? initialMs
    this.#backoff = { initialMs: firstMs, maxMs: Math.max(firstMs, maxMs) }
  }

  /**
   * Blocks a partition for the wait, and refreshes metadata if outdated metadata may be the cause. `failedEpoch` is that
   * of the leader that failed; default: of the leader that is known.
   */
  wait(
    queue: PartitionQueue<Batch>,
    error: Error,
    failedEpoch = this.#cluster.leaderEpochOf(queue.topic, queue.partition),
  ): void {
    const { topic, partition } = queue
    const isLedElsewhere = this.#isLedSince(queue, failedEpoch)
    // Brokers may not know a new topic yet: its messages wait until their time has passed. If the refresh fails,
    // nothing can be sent, and the next check finds that.
    if (!isLedElsewhere && suggestsNewMetadata(error)) this.#refreshed(topic)
    queue.lastError = error
    if (this.#isStopped) return
    if (queue.isBackingOff) {
      if (isLedElsewhere) this.#end(queue)
      return
    }
    if (failedEpoch > queue.failedEpoch) {
      queue.failedEpoch = failedEpoch
      queue.failures = 0
    }
    const attempt = queue.failures++
    const waitMs = isLedElsewhere ? 0 : backoffMs(attempt, this.#backoff)
    const what = `producing to ${topic}-${partition}`
    reportRetry(this.#cluster.options, { what, attempt: queue.failures, waitMs, error })
    if (isLedElsewhere) {
      this.#ready.add(queue)
      return
    }
    queue.isBackingOff = true
    const timer = setTimeout(() => this.#end(queue), waitMs)
    this.#waits.set(queue, { timer, failedEpoch })
  }

  stop(): void {
    this.#isStopped = true
    for (const { timer } of this.#waits.values()) clearTimeout(timer)
    this.#waits.clear()
  }

  /** Asks for the topic's metadata, and then ends the waits of partitions that have a newer leader. */
  #refreshed(topic: string): void {
    const refresh = this.#cluster.refresh(topic, true)
    if (refresh === this.#refresh) return
    this.#refresh = refresh
    refresh.then(
      () => {
        for (const [queue, { failedEpoch }] of this.#waits) {
          if (this.#isLedSince(queue, failedEpoch)) this.#end(queue)
        }
      },
      () => undefined,
    )
  }

  /** Whether another leader than that of this epoch is known. */
  #isLedSince({ topic, partition }: PartitionQueue<Batch>, failedEpoch: number): boolean {
    return this.#cluster.newerLeader(topic, partition, failedEpoch) !== undefined
  }

  #end(queue: PartitionQueue<Batch>): void {
    clearTimeout(this.#waits.get(queue)?.timer)
    this.#waits.delete(queue)
    queue.isBackingOff = false
    this.#ready.add(queue)
  }
}
