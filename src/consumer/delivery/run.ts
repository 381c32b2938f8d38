import { deferred, type Deferred } from '../../async/deferred.ts'
import { onAbort } from '../../async/on-abort.ts'
import { aSignal } from '../../call-options.ts'
import { ClosedError } from '../../errors.ts'
import type { OptionTable, WithDefaults } from '../../option-table.ts'
import { anInteger, oneOf } from '../../options.ts'
import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import type { MessageFeed } from '../message-feed.ts'
import { ProcessSeries } from './process-series.ts'

/** The options of `consumer.run()`. `RUN_OPTIONS` has their checks and defaults. */
export interface RunOptions {
  /** The number of handlers that run at the same time. Default: 1. */
  readonly concurrency?: number
  /**
   * The messages that are handled in order: all messages of a `partition`, or those of a partition with the same
   * `key`, so that messages with different keys, or without a key, are handled at the same time. Default:
   * `partition`.
   */
  readonly orderBy?: 'partition' | 'key'
  /** Ends the run when it is aborted: `run` waits for the handlers that have begun, then throws the signal's reason. */
  readonly signal?: AbortSignal
  /** Ends the run when it is aborted: `run` waits for the handlers that have begun, then resolves. */
  readonly stopSignal?: AbortSignal
}

/** The options of `consumer.runBatches()`. `BATCH_RUN_OPTIONS` has their checks and defaults. */
export interface BatchRunOptions extends Omit<RunOptions, 'orderBy'> {
  /**
   * The operations that tracers see: calls of the handler, each for a `batch`, or only the calls of `handleEach`, each
   * for a `message`. Default: `batch`.
   */
  readonly traceBy?: 'batch' | 'message'
}

/** The checks and defaults of `RunOptions`, in the order of the documents. */
export const RUN_OPTIONS = {
  concurrency: { check: anInteger(1), default: 1 },
  orderBy: { check: oneOf('partition', 'key'), default: 'partition' },
  signal: { check: aSignal },
  stopSignal: { check: aSignal },
} as const satisfies OptionTable<RunOptions>

/** The checks and defaults of the options that only `runBatches()` has. */
export const BATCH_OPTIONS = {
  traceBy: { check: oneOf('batch', 'message'), default: 'batch' },
} as const satisfies OptionTable<Pick<BatchRunOptions, 'traceBy'>>

/** The checks and defaults of `BatchRunOptions`. */
export const BATCH_RUN_OPTIONS = {
  concurrency: RUN_OPTIONS.concurrency,
  signal: RUN_OPTIONS.signal,
  stopSignal: RUN_OPTIONS.stopSignal,
  ...BATCH_OPTIONS,
} as const

/** What all kinds of runs have in common. */
export type RunSettings = Omit<WithDefaults<RunOptions, typeof RUN_OPTIONS>, 'orderBy'>

/**
 * One call of `run`: the number of running handlers, and the reason why no more are started. `run` waits for all
 * handlers that have begun, whatever ends it.
 */
export class Run<Feed extends MessageFeed<unknown>> {
  readonly feed: Feed
  readonly metrics: ConsumerMetrics
  readonly series: ProcessSeries
  readonly #concurrency: number
  readonly #signal: AbortSignal | undefined
  readonly #stopSignal: AbortSignal | undefined
  #running = 0
  #failure: { readonly error: unknown } | undefined
  /** Resolves when the last handler has finished. */
  #idle: Deferred<void> | undefined

  constructor(feed: Feed, options: RunSettings, metrics: ConsumerMetrics) {
    this.feed = feed
    this.metrics = metrics
    this.series = new ProcessSeries(metrics)
    this.#concurrency = options.concurrency
    this.#signal = options.signal
    this.#stopSignal = options.stopSignal
  }

  /** True if no handler may start any more: a handler or the consumer has failed, or a signal was aborted. */
  get isOver(): boolean {
    if (this.#failure !== undefined || this.feed.failure !== undefined) return true
    return this.#signal?.aborted === true || this.#stopSignal?.aborted === true
  }

  /** The number of running handlers. */
  get running(): number {
    return this.#running
  }

  /** True if another handler may start. */
  get hasRoom(): boolean {
    return this.#running < this.#concurrency
  }

  /**
   * Calls `start`, which starts as many handlers as there is room for, each time that something may have changed.
   * Resolves at the end of a consumer with `stopAtEnd`, when the consumer is closed, and when `stopSignal` is
   * aborted.
   */
  async drive(start: () => void): Promise<void> {
    if (this.feed.failure !== undefined) throw this.feed.failure
    const wake = () => this.feed.wake()
    const stops = [this.#signal, this.#stopSignal].map((signal) => signal && onAbort(signal, wake))
    try {
      while (!this.isOver) {
        start()
        if (this.#isDone()) break
        if (this.#running === 0 && !this.feed.isTurnOver) this.series.end()
        await this.feed.arrival(undefined, undefined)
      }
    } catch (error) {
      this.fail(error)
    } finally {
      for (const stop of stops) stop?.()
      await this.#handlersFinished()
      this.series.end()
    }
    this.#throwWhy()
  }

  began(): void {
    this.#running++
  }

  finished(): void {
    this.#running--
    if (this.#running === 0) this.#idle?.resolve()
  }

  /** Ends the run, which throws the first of these errors. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  #isDone(): boolean {
    return this.isOver || (this.#running === 0 && this.feed.isFinished)
  }

  async #handlersFinished(): Promise<void> {
    if (this.#running === 0) return
    this.#idle = deferred()
    await this.#idle.promise
  }

  #throwWhy(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#signal?.throwIfAborted()
    const { failure } = this.feed
    if (failure !== undefined && !(failure instanceof ClosedError)) throw failure
  }
}
