import type { Message } from '../../../protocol/records/message.ts'
import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import { handleTracing, traceHandler, type HandleTrace } from '../../observe/tracing.ts'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { Inbox } from '../inbox.ts'
import type { Chunk, PartitionState } from '../partition-state.ts'

/** The second argument of a handler of `run`. */
export interface HandlerContext {
  /**
   * Aborted when the message's partition is about to be revoked or was lost, and when the consumer is closed: the
   * handler has `rebalanceTimeoutMs` (or the timeout of `close`) to finish. A handler that throws the signal's
   * `reason` gives its message back: this message and later ones are not committed, and `run` continues with other
   * partitions.
   */
  readonly signal: AbortSignal
  /**
   * The number of this attempt: 1, plus one for each time that a handler of this consumer has thrown for the message.
   */
  readonly attempt: number
}

/**
 * The handler of `run`, called once for each message. The next message of the same partition (or key) is delivered
 * when it has resolved.
 */
export type MessageHandler<Value = Buffer | null, Key = Buffer | null> = (
  message: ConsumedMessage<Value, Key>,
  context: HandlerContext,
) => void | Promise<void>

/** One object serves all messages of a partition. It creates the signal when a handler reads it. */
class PartitionContext implements HandlerContext {
  readonly attempt: number
  readonly #state: PartitionState

  constructor(state: PartitionState, attempt: number) {
    this.attempt = attempt
    this.#state = state
  }

  get signal(): AbortSignal {
    return this.#state.signal
  }
}

/**
 * Callbacks of promises run after this number of handlers that returned nothing. Waiting for each of them took a third
 * of the CPU time of `run` with such handlers.
 */
const HANDLERS_PER_YIELD = 16
const YIELDED = Promise.resolve()

/** Calls the handler for messages of one partition, and counts how often it threw for each message. */
export class PartitionHandler<Value, Key> {
  readonly #state: PartitionState
  readonly #handler: MessageHandler<Value, Key>
  readonly #first: HandlerContext
  readonly #metrics: ConsumerMetrics
  #isTraced = handleTracing.hasSubscribers
  #returned = 0

  constructor(
    state: PartitionState,
    handler: MessageHandler<Value, Key>,
    metrics: ConsumerMetrics,
  ) {
    this.#state = state
    this.#handler = handler
    this.#first = new PartitionContext(state, 1)
    this.#metrics = metrics
  }

  /** Checks whether tracing is active now. Call this once in a turn. */
  beginTurn(): void {
    this.#isTraced = handleTracing.hasSubscribers
  }

  call(message: ConsumedMessage<Value, Key>): void | Promise<void> {
    const { failedAttempts } = this.#state
    const failed = failedAttempts.size === 0 ? undefined : failedAttempts.get(message.offset)
    const context =
      failed === undefined ? this.#first : new PartitionContext(this.#state, failed + 1)
    if (this.#isTraced) return this.#traced(message, context)
    return this.#handler(message, context)
  }

  #traced(message: ConsumedMessage<Value, Key>, context: HandlerContext): void | Promise<void> {
    const { client, group } = this.#metrics
    const { clientId, clusterId } = client
    const { attempt } = context
    const trace: HandleTrace = { clientId, clusterId, group, message, attempt }
    return traceHandler(handleTracing, trace, () => this.#handler(message, context))
  }

  /** Call this when a handler returned nothing. Returns a promise to await if callbacks of promises must run now. */
  returned(): Promise<void> | undefined {
    this.#returned = (this.#returned + 1) % HANDLERS_PER_YIELD
    return this.#returned === 0 ? YIELDED : undefined
  }

  succeeded(offset: number): void {
    const { failedAttempts } = this.#state
    if (failedAttempts.size > 0) failedAttempts.delete(offset)
  }

  /**
   * Returns true if the handler failed, which counts, false if it gave the message back because its partition is being
   * taken away.
   */
  failed(offset: number, error: unknown): boolean {
    if (this.#state.isEndedBy(error)) return false
    const { failedAttempts } = this.#state
    failedAttempts.set(offset, (failedAttempts.get(offset) ?? 0) + 1)
    this.#metrics.counted.handlerFailures++
    return true
  }
}

/** A message for a handler. */
export interface ToHandle<Value, Key> {
  readonly message: ConsumedMessage<Value, Key>
  /** The message as it was read, without deserializers. */
  readonly raw: Message
}

/** Returns the next message of a claimed partition, or undefined at the end of its chunk. */
export function nextToHandle<Value, Key>(
  inbox: Inbox<Value, Key>,
  chunk: Chunk | undefined,
): ToHandle<Value, Key> | undefined {
  if (chunk?.state.isDeliverable !== true || !inbox.mayDeliver) return undefined
  while (chunk.index < chunk.messages.length) {
    const raw = chunk.messages[chunk.index]!
    const message = inbox.converted(chunk)
    if (message !== undefined) return { message, raw }
  }
  return undefined
}
