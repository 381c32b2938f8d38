import type { ConsumerMetrics, MetricsSource } from '../observe/metrics/client-metrics.ts'
import type { HealthReason } from '../observe/metrics/health.ts'
import type { Collector } from '../observe/metrics/snapshot.ts'
import { ClosedError, NotStartedError } from '../errors.ts'
import { visibleEnd } from './fetch/responses.ts'
import type { PartitionState } from './partition-state.ts'

export interface ConsumerSourceParts {
  readonly metrics: ConsumerMetrics
  readonly states: ReadonlyMap<string, PartitionState>
  readonly isReadCommitted: boolean
  /** Returns the error after which nothing more is delivered, if there is one. */
  readonly failure: () => Error | undefined
  /** True if it is certain that the assigned partitions are still this member's. */
  readonly isOwnershipCertain: () => boolean
}

/** The current state of a consumer, for the client's metrics and health. */
export class ConsumerSource implements MetricsSource {
  readonly #parts: ConsumerSourceParts

  constructor(parts: ConsumerSourceParts) {
    this.#parts = parts
  }

  /** A partition is given up. The messages that it delivered still count. */
  forget({ topic, buffer }: PartitionState): void {
    this.#parts.metrics.counted.topics.of(topic).deliveredBefore += buffer.delivered
  }

  collect(into: Collector): void {
    const { metrics, states, isReadCommitted } = this.#parts
    const { counted } = metrics
    const now = Date.now()
    for (const state of states.values()) {
      const { topic, buffer } = state
      counted.topics.of(topic).deliveredNow += buffer.delivered
      const labels = counted.labelsOf(topic)
      into.add('samsa_consumer_assigned_partitions', labels, 1)
      into.add('samsa_consumer_buffered_messages', labels, buffer.messages)
      into.add('samsa_consumer_buffered_bytes', labels, buffer.bytes)
      const end = visibleEnd(state, isReadCommitted)
      if (state.fetch.phase === 'starting' || end < 0) continue
      const lag = Math.max(0, end - state.position)
      const ofLag = into.byPartition ? { ...labels, partition: String(state.partition) } : labels
      into.add('samsa_consumer_lag_messages', ofLag, lag)
      const lagMs = lag === 0 ? 0 : ageOf(buffer.nextTimestamp, now)
      if (lagMs !== undefined) into.max('samsa_consumer_lag_seconds', ofLag, lagMs / 1_000)
    }
  }

  healthReasons(): readonly HealthReason[] {
    const { metrics, states, failure, isOwnershipCertain } = this.#parts
    const name = metrics.group === undefined ? 'a consumer' : `a consumer of ${metrics.group}`
    const error = failure()
    if (error instanceof NotStartedError) {
      return [{ code: 'NOT_ASSIGNED', affects: 'ready', message: `${name} is not started` }]
    }
    if (error instanceof ClosedError) return []
    if (error !== undefined) {
      const message = `${name} cannot continue: ${error.message}`
      return [{ code: 'CONSUMER_FAILED', affects: 'live', message }]
    }
    const reasons: HealthReason[] = []
    if (!isOwnershipCertain()) {
      const message = `${name} does not know whether its partitions are still its own`
      reasons.push({ code: 'MEMBERSHIP_UNCERTAIN', affects: 'ready', message })
    }
    for (const state of states.values()) {
      const { error: stopped } = state.buffer
      if (stopped === undefined) continue
      const message = `${name} stopped reading ${state.name}: ${stopped.message}`
      reasons.push({ code: 'PARTITION_FAILED', affects: 'ready', message })
    }
    return reasons
  }
}

/** Undefined if there is no timestamp: before anything was read, and in formats before Kafka 0.10. */
function ageOf(timestamp: number | undefined, now: number): number | undefined {
  return timestamp === undefined || timestamp < 0 ? undefined : Math.max(0, now - timestamp)
}
