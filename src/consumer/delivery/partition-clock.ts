import type { GroupMetrics } from '../../observe/metrics/client-metrics.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { SERIES_MS, type ProcessSeries } from './process-series.ts'

/**
 * Times the handlers of a partition, and reports their messages to metrics and events: the only writer of both for `run`
 * and `handleEach`. It reads the clock once for each handler that returned a promise. Handlers that return nothing take
 * less time than a clock reading: the time up to the next reading is divided among them.
 */
export class PartitionClock {
  readonly #counted: GroupMetrics
  readonly #series: ProcessSeries
  readonly #partition: TopicPartition
  #readAt = performance.now()
  #unread = 0
  /** The handlers that `begin` has reported and `finished` has not. */
  #running = 0
  /** The messages, and the time of their handlers, that the series does not have yet. */
  #messages = 0
  #durationMs = 0

  constructor(counted: GroupMetrics, series: ProcessSeries, partition: TopicPartition) {
    this.#counted = counted
    this.#series = series
    this.#partition = partition
  }

  /** A handler returned nothing. */
  returned(): void {
    this.#unread++
  }

  /** The promise of a handler was fulfilled, and no other handler of the partition ran in the meantime. */
  settled(): void {
    this.#unread++
    this.#read()
    if (this.#durationMs >= SERIES_MS) this.#addToSeries(undefined)
  }

  /** A handler failed, or gave its message back: then `error` is undefined. */
  failed(error: unknown): void {
    this.#unread++
    this.#read()
    this.#addToSeries(error)
  }

  /** A handler returned a promise, and others may run at the same time. Returns when it began. */
  begin(): number {
    const beganAt = this.#readAt
    this.#read()
    this.#running++
    return beganAt
  }

  /** A handler that `begin` has reported has ended. `error` is what it threw, unless it gave its message back. */
  finished(beganAt: number, error: unknown): void {
    this.#running--
    this.#messages++
    const now = this.#read()
    this.#counted.handlerDuration.recordMs(now - beganAt)
    if (error !== undefined || this.#durationMs >= SERIES_MS) this.#addToSeries(error)
  }

  /** Call this when the next handler does not follow immediately. */
  pause(): void {
    if (this.#unread > 0) this.#read()
  }

  /** Call this after a pause, which is no part of the next message. */
  resume(): void {
    if (this.#running > 0) this.#read()
    else this.#readAt = performance.now()
  }

  /** Call this when no handler follows. */
  end(): void {
    this.pause()
    if (this.#messages > 0) this.#addToSeries(undefined)
  }

  #read(): number {
    const now = performance.now()
    const tookMs = now - this.#readAt
    if (this.#unread > 0) {
      this.#counted.handlerDuration.recordMs(tookMs / this.#unread, this.#unread)
    }
    this.#messages += this.#unread
    this.#durationMs += tookMs
    this.#unread = 0
    this.#readAt = now
    return now
  }

  #addToSeries(error: unknown): void {
    this.#series.add(this.#partition, this.#messages, this.#durationMs, error)
    this.#messages = 0
    this.#durationMs = 0
  }
}
