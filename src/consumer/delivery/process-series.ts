import { processChannel, type ProcessEvent } from '../../observe/channels.ts'
import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import type { TopicPartition } from '../topic-partition.ts'

/**
 * An event of `samsa:process` has the messages of a partition whose handlers take this long together. A handler that
 * takes longer has an event of its own; for shorter ones, an event costs more than they do.
 */
export const SERIES_MS = 10

interface Series {
  messages: number
  durationMs: number
}

/** Combines messages that handlers have processed into events of `samsa:process`. Does nothing without subscribers. */
export class ProcessSeries {
  readonly #metrics: ConsumerMetrics
  readonly #open = new Map<TopicPartition, Series>()

  constructor(metrics: ConsumerMetrics) {
    this.#metrics = metrics
  }

  /** Handlers have processed messages of a partition; the last one has thrown `error`, unless it is undefined. */
  add(of: TopicPartition, messages: number, durationMs: number, error: unknown): void {
    if (!processChannel.hasSubscribers) return
    const { messages: before, durationMs: beforeMs } = this.#open.get(of) ?? NONE
    const series = { messages: before + messages, durationMs: beforeMs + durationMs }
    if (error === undefined && series.durationMs < SERIES_MS) {
      this.#open.set(of, series)
      return
    }
    this.#open.delete(of)
    publishProcess(this.#metrics, of, series.messages, series.durationMs, error)
  }

  /** Publishes what is not published yet. Call this when no handler follows immediately. */
  end(): void {
    if (this.#open.size === 0) return
    for (const [of, { messages, durationMs }] of this.#open) {
      publishProcess(this.#metrics, of, messages, durationMs, undefined)
    }
    this.#open.clear()
  }
}

const NONE: Series = { messages: 0, durationMs: 0 }

/** Publishes that handlers have processed messages of a partition. */
export function publishProcess(
  { client, group }: ConsumerMetrics,
  { topic, partition }: TopicPartition,
  messages: number,
  durationMs: number,
  error: unknown,
): void {
  if (!processChannel.hasSubscribers) return
  const { clientId, clusterId } = client
  const event: ProcessEvent = {
    clientId,
    clusterId,
    group,
    topic,
    partition,
    messages,
    durationMs,
    error,
  }
  processChannel.publish(event)
}
