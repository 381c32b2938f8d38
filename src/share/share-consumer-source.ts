import type { TopicPartition } from '../consumer/topic-partition.ts'
import { ClosedError } from '../errors.ts'
import type { GroupMetrics, MetricsSource } from '../observe/metrics/client-metrics.ts'
import type { HealthReason } from '../observe/metrics/health.ts'
import type { Collector } from '../observe/metrics/snapshot.ts'

export interface ShareConsumerSourceParts {
  readonly group: string
  readonly counted: GroupMetrics
  readonly assignment: () => readonly TopicPartition[]
  /** Returns the error after which nothing more is delivered, if there is one. */
  readonly failure: () => Error | undefined
  /** True if the member has left its group because of a slow application. */
  readonly hasLeft: () => boolean
  /** Returns when the application last polled, by `performance.now()`; undefined before the first poll. */
  readonly lastPollAt: () => number | undefined
  /** Returns when the member last sent a heartbeat, by `performance.now()`. */
  readonly lastHeartbeatAt: () => number | undefined
}

/** The current state of a share consumer, for the client's metrics and health. */
export class ShareConsumerSource implements MetricsSource {
  readonly #parts: ShareConsumerSourceParts

  constructor(parts: ShareConsumerSourceParts) {
    this.#parts = parts
  }

  collect(into: Collector): void {
    const { group, counted, assignment, lastPollAt, lastHeartbeatAt } = this.#parts
    for (const { topic } of assignment()) {
      into.add('samsa_consumer_assigned_partitions', counted.labelsOf(topic), 1)
    }
    const times = [
      ['samsa_share_last_poll_age_seconds', lastPollAt()],
      ['samsa_share_last_heartbeat_age_seconds', lastHeartbeatAt()],
    ] as const
    const now = performance.now()
    for (const [name, at] of times) {
      if (at !== undefined) into.max(name, { group }, (now - at) / 1_000)
    }
  }

  healthReasons(): readonly HealthReason[] {
    const { group, failure, hasLeft } = this.#parts
    const error = failure()
    if (error instanceof ClosedError) return []
    if (error !== undefined) {
      const message = `a share consumer of ${group} cannot continue: ${error.message}`
      return [{ code: 'CONSUMER_FAILED', affects: 'live', message }]
    }
    if (!hasLeft()) return []
    const message = `a share consumer of ${group} has left the group: the application requests no messages`
    return [{ code: 'NOT_ASSIGNED', affects: 'ready', message }]
  }
}
