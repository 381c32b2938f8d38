import { backoffMs, type BackoffOptions } from '../../async/backoff.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { reportRetry } from '../../cluster/retry.ts'
import { suggestsNewMetadata } from '../../errors.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'
import type { ReadyQueues } from '../accumulator/ready-queues.ts'

/** The waits of partitions after a failure. Each is longer than the one before, until a batch is acknowledged. */
export class Backoffs {
  readonly #cluster: Cluster
  readonly #ready: ReadyQueues
  readonly #backoff: BackoffOptions
  readonly #timers = new Set<NodeJS.Timeout>()
  #isStopped = false

  constructor(cluster: Cluster, retryBackoffMs: number | undefined, ready: ReadyQueues) {
    this.#cluster = cluster
    this.#ready = ready
    const { initialMs, maxMs } = cluster.options.backoff
    const firstMs = retryBackoffMs ?? initialMs
    this.#backoff = { initialMs: firstMs, maxMs: Math.max(firstMs, maxMs) }
  }

  /** Blocks a partition for the wait, and refreshes metadata if outdated metadata may be the cause. */
  wait(queue: PartitionQueue<Batch>, error: Error): void {
    const { topic, partition } = queue
    // Brokers may not know a new topic yet: its messages wait until their time is over. If the refresh fails, nothing
    // can be sent, and the next check finds that.
    if (suggestsNewMetadata(error)) this.#cluster.refresh(topic, true).catch(() => undefined)
    queue.lastError = error
    if (queue.isBackingOff || this.#isStopped) return
    const waitMs = backoffMs(queue.failures++, this.#backoff)
    const what = `producing to ${topic}-${partition}`
    reportRetry(this.#cluster.options, { what, attempt: queue.failures, waitMs, error })
    queue.isBackingOff = true
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      queue.isBackingOff = false
      this.#ready.add(queue)
    }, waitMs)
    this.#timers.add(timer)
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) clearTimeout(timer)
  }
}
