import { onAbort } from '../async/on-abort.ts'
import { publishProcess } from '../consumer/delivery/process-series.ts'
import { Run } from '../consumer/delivery/run.ts'
import type { BrokerError } from '../errors.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { Logger } from '../observe/logger.ts'
import type { ConsumerMetrics } from '../observe/metrics/client-metrics.ts'
import { handleTracing, traceHandler, type HandleTrace } from '../observe/tracing.ts'
import { textOfThrown } from '../observe/thrown.ts'
import { shown } from '../options.ts'
import type { HeldRecord } from './held-record.ts'
import type { FailureDecision, ShareRunOptions } from './options.ts'
import type { Delivered, ShareFeed } from './share-feed.ts'
import type { ShareMessage } from './share-message.ts'

/** The second argument of a handler of a share consumer's `run`. */
export interface ShareHandlerContext {
  /**
   * Aborted when other members can acquire the message because its lock could not be renewed, and when the consumer
   * is closed: the handler then has until the timeout of `close` to finish.
   */
  readonly signal: AbortSignal
}

/**
 * The handler of `run`, called once for each message. The message is accepted when the handler has resolved, and
 * released when it throws, unless the handler has acknowledged it.
 */
export type ShareMessageHandler<Value = Buffer | null, Key = Buffer | null> = (
  message: ShareMessage<Value, Key>,
  context: ShareHandlerContext,
) => void | Promise<void>

/** The run acquires as many messages as the handlers are likely to finish in this time. */
const AHEAD_MS = 1_000
/** The weight of the last handler in the average. */
const LAST_COUNTS = 0.1

/** One call of `run`: up to `concurrency` handlers at the same time, in no order. */
export class ShareRun<Value, Key> {
  readonly #feed: ShareFeed<Value, Key>
  readonly #run: Run<ShareFeed<Value, Key>>
  readonly #handler: ShareMessageHandler<Value, Key>
  readonly #options: ShareRunOptions<Value, Key> & { readonly concurrency: number }
  readonly #logger: Logger
  readonly #closing: AbortSignal
  /** The average time of a handler; undefined before the first has finished. */
  #handlerMs: number | undefined

  constructor(
    feed: ShareFeed<Value, Key>,
    handler: ShareMessageHandler<Value, Key>,
    options: ShareRunOptions<Value, Key> & { readonly concurrency: number },
    logger: Logger,
    metrics: ConsumerMetrics,
    closing: AbortSignal,
  ) {
    this.#feed = feed
    this.#handler = handler
    this.#options = options
    this.#logger = logger
    this.#closing = closing
    const { concurrency, signal, stopSignal } = options
    const settings = {
      concurrency,
      orderBy: 'partition',
      ...(signal === undefined ? {} : { signal }),
      ...(stopSignal === undefined ? {} : { stopSignal }),
    } as const
    this.#run = new Run(feed, settings, metrics)
  }

  /**
   * Returns how many more records to acquire. A message that waits for a handler is locked, while another member
   * could process it.
   */
  room(most: number): number {
    if (this.#run.isOver) return 0
    const { concurrency } = this.#options
    const { buffered } = this.#feed
    const ahead =
      this.#handlerMs === undefined
        ? concurrency
        : Math.ceil((concurrency * AHEAD_MS) / Math.max(this.#handlerMs, 0.001))
    const room = Math.min(most, Math.max(concurrency, ahead)) - buffered - this.#run.running
    // Does not acquire messages one by one as handlers finish, unless handlers are idle.
    const isWorthIt = buffered === 0 && this.#run.hasRoom
    return room > 0 && (isWorthIt || room >= ahead / 2) ? room : 0
  }

  /** True if a handler could start: the run waits for messages. */
  get isRequesting(): boolean {
    return !this.#run.isOver && this.#run.hasRoom
  }

  start(): Promise<void> {
    return this.#run.drive(() => {
      while (this.#run.hasRoom) {
        const delivered = this.#feed.next()
        if (delivered === undefined) return
        void this.#handle(delivered)
      }
    })
  }

  async #handle({ message, record }: Delivered<Value, Key>): Promise<void> {
    this.#run.began()
    record.isHandled = true
    const began = performance.now()
    const context = new HandlerContext(record, this.#closing)
    let failure: unknown
    try {
      await this.#call(message, context)
      if (!message.isAcknowledged) message.accept()
    } catch (error) {
      failure = error
      this.#run.metrics.counted.handlerFailures++
      try {
        this.#failed(error, message)
      } catch (problem) {
        this.#run.fail(problem)
      }
    } finally {
      context.end()
      record.isHandled = false
      const durationMs = performance.now() - began
      this.#took(durationMs)
      publishProcess(this.#run.metrics, message, 1, durationMs, failure)
      this.#run.finished()
      this.#feed.wake()
    }
  }

  #call(message: ShareMessage<Value, Key>, context: ShareHandlerContext): void | Promise<void> {
    if (!handleTracing.hasSubscribers) return this.#handler(message, context)
    const { client, group } = this.#run.metrics
    const { clientId, clusterId } = client
    const trace: HandleTrace = {
      clientId,
      clusterId,
      group,
      message,
      attempt: message.deliveryCount,
    }
    return traceHandler(handleTracing, trace, () => this.#handler(message, context))
  }

  #failed(error: unknown, message: ShareMessage<Value, Key>): void {
    const { maxDeliveries = Infinity, onHandlerError } = this.#options
    let decision: FailureDecision = message.deliveryCount >= maxDeliveries ? 'reject' : 'release'
    if (onHandlerError !== undefined) {
      const returned: unknown = onHandlerError(error, message)
      if (returned === 'release' || returned === 'reject') decision = returned
      else if (returned !== undefined) {
        if (!message.isAcknowledged) message.release()
        const expected = "it must return 'release', 'reject' or nothing"
        throw new InvalidArgumentError(`onHandlerError returned ${shown(returned)}: ${expected}`)
      }
    } else {
      const { topic, partition, offset, deliveryCount } = message
      const of = `${topic}-${partition} offset ${offset}, delivery ${deliveryCount}`
      this.#logger.warn(`a handler failed for ${of}, ${decision}: ${textOfThrown(error)}`)
    }
    if (message.isAcknowledged) return
    if (decision === 'reject') message.reject()
    else message.release()
  }

  #took(ms: number): void {
    this.#run.metrics.counted.handlerDuration.recordMs(ms)
    const before = this.#handlerMs ?? ms
    this.#handlerMs = before + (ms - before) * LAST_COUNTS
  }
}

/**
 * Creates the signal when a handler reads it. It listens to the consumer's signal until the handler has finished;
 * AbortSignal.any would keep an entry there for each message.
 */
class HandlerContext implements ShareHandlerContext {
  readonly #record: HeldRecord
  readonly #closing: AbortSignal
  #signal: AbortSignal | undefined
  #stop: (() => void) | undefined
  #isOver = false

  constructor(record: HeldRecord, closing: AbortSignal) {
    this.#record = record
    this.#closing = closing
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#watch()
    return this.#signal
  }

  /** Called when the handler has finished. */
  end(): void {
    this.#isOver = true
    this.#record.onLost = undefined
    this.#stop?.()
  }

  #watch(): AbortSignal {
    const controller = new AbortController()
    const { lostBy } = this.#record
    if (lostBy !== undefined) controller.abort(lostBy)
    else if (this.#closing.aborted) controller.abort(this.#closing.reason)
    else if (!this.#isOver) {
      this.#record.onLost = (error: BrokerError) => controller.abort(error)
      this.#stop = onAbort(this.#closing, () => controller.abort(this.#closing.reason))
    }
    return controller.signal
  }
}
