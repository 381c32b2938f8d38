import type { HealthReason } from '../observe/metrics/health.ts'
import type { MetricsSource } from '../observe/metrics/client-metrics.ts'
import type { Collector } from '../observe/metrics/snapshot.ts'
import type { IncompleteBatches } from './accumulator/incomplete-batches.ts'
import type { Capacity } from './intake/capacity.ts'
import type { ProducerSettings } from './options.ts'

/** A producer whose oldest message has waited for this part of `deliveryTimeoutMs` is about to lose messages. */
const STALLED_FROM = 0.5

/** What a producer has at the moment, for the client's metrics and health. */
export class ProducerSource implements MetricsSource {
  readonly #settings: ProducerSettings
  readonly #capacity: Capacity
  readonly #incomplete: IncompleteBatches

  constructor(settings: ProducerSettings, capacity: Capacity, incomplete: IncompleteBatches) {
    this.#settings = settings
    this.#capacity = capacity
    this.#incomplete = incomplete
  }

  collect(into: Collector): void {
    into.add('samsa_producer_queued_messages', {}, this.#capacity.queuedMessages)
    into.add('samsa_producer_queued_bytes', {}, this.#capacity.queuedBytes)
    into.add('samsa_producer_queue_limit_bytes', {}, this.#settings.maxQueuedBytes)
    into.max('samsa_producer_oldest_message_age_seconds', {}, this.#oldestMs / 1_000)
  }

  healthReasons(): readonly HealthReason[] {
    const { deliveryTimeoutMs } = this.#settings
    const reasons: HealthReason[] = []
    const oldestMs = this.#oldestMs
    if (oldestMs > STALLED_FROM * deliveryTimeoutMs) {
      const message = `a message has waited for ${Math.round(oldestMs)} ms of the ${deliveryTimeoutMs} ms that its delivery may take`
      reasons.push({ code: 'PRODUCER_STALLED', affects: 'ready', message })
    }
    if (this.#capacity.isFull) {
      const message = `the queue of a producer is full: ${this.#capacity.queuedMessages} messages wait`
      reasons.push({ code: 'PRODUCER_QUEUE_FULL', affects: 'ready', message })
    }
    return reasons
  }

  get #oldestMs(): number {
    const { first } = this.#incomplete
    return first === undefined ? 0 : performance.now() - first.createdAt
  }
}
