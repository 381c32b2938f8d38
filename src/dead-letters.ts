import { backoffMs } from './async/backoff.ts'
import { deferred } from './async/deferred.ts'
import { onAbort } from './async/on-abort.ts'
import { Timer } from './async/timer.ts'
import { aSignal } from './call-options.ts'
import {
  deserializationErrorOf,
  rawMessageOf,
  type ConsumedMessage,
} from './consumer/consumed-message.ts'
import type { HandlerContext, MessageHandler } from './consumer/delivery/handler.ts'
import { sendLetter, type DeadLetterProducer } from './dead-letter.ts'
import { DeserializationError } from './errors.ts'
import { reportDeadLetter } from './observe/dead-letter.ts'
import type { Logger } from './observe/logger.ts'
import { textOfThrown } from './observe/thrown.ts'
import { readOptions, type OptionTable } from './option-table.ts'
import { aDurationMs, aFunction, anInteger, anObject, either, oneOf } from './options.ts'

/** What happens to a message that neither the handler nor the dead-letter topic accepts. */
export type DeadLetterPolicy = 'stop' | 'skip'

/** The options of `withDeadLetters`. `DEAD_LETTER_OPTIONS` has their checks and defaults. */
export interface DeadLetterOptions<Value = Buffer | null, Key = Buffer | null> {
  /** A producer to the topic for messages that keep failing, such as `orders.dead`. Required. */
  readonly producer: DeadLetterProducer
  /** How often the handler is retried after it threw. Default: 3. */
  readonly maxRetries?: number
  /**
   * The wait before the first retry. It doubles with each retry, up to 10 times as much. Refused with `maxRetries: 0`.
   * Default: 100.
   */
  readonly retryBackoffMs?: number
  /**
   * `(error, message)`: returns false for an error that no retry fixes, or a promise of that. Refused with `maxRetries: 0`.
   * Default: every error is retried.
   */
  readonly isRetriable?: (
    error: unknown,
    message: ConsumedMessage<Value, Key>,
  ) => boolean | Promise<boolean>
  /**
   * `(message, error)`: called and awaited after a message was sent to the other topic, with the handler's error. Its
   * own errors are logged as warnings.
   */
  readonly onDeadLetter?: (
    message: ConsumedMessage<Value, Key>,
    error: unknown,
  ) => void | Promise<void>
  /**
   * What happens when the dead letter cannot be sent: `stop` throws the error, so that `run` ends and the message counts as
   * not handled; `skip` drops the letter, with a warning; a function `(error, message)` returns one of these, or a promise
   * of it. Default: `stop`.
   */
  readonly onSendError?:
    | DeadLetterPolicy
    | ((
        error: unknown,
        message: ConsumedMessage<Value, Key>,
      ) => DeadLetterPolicy | Promise<DeadLetterPolicy>)
  /** Where warnings go. Default: `process.emitWarning`. */
  readonly logger?: Logger
  /**
   * Ends the wait between retries when it is aborted: the handler then throws its reason, and the message counts as not
   * handled. A rebalance and `close()` end it, too.
   */
  readonly signal?: AbortSignal
}

const needsRetries = ({ maxRetries }: Pick<DeadLetterOptions, 'maxRetries'>) =>
  maxRetries === 0 ? 'with maxRetries: 0' : undefined

/** The checks and defaults of `DeadLetterOptions`, in the order of the documents. */
export const DEAD_LETTER_OPTIONS = {
  producer: { check: anObject, required: true },
  maxRetries: { check: anInteger(0), default: 3 },
  retryBackoffMs: { check: aDurationMs(0), default: 100, noEffect: needsRetries },
  isRetriable: {
    check: aFunction,
    defaultText: 'every error is retried',
    noEffect: needsRetries,
  },
  onDeadLetter: { check: aFunction },
  onSendError: { check: either(oneOf('stop', 'skip'), aFunction), default: 'stop' },
  logger: { check: anObject, defaultText: '`process.emitWarning`' },
  signal: { check: aSignal },
} as const satisfies OptionTable<DeadLetterOptions<never, never>>

/** A handler for `run`, and for loops that call it themselves. */
export type DeadLetterHandler<Value, Key> = (
  message: ConsumedMessage<Value, Key>,
  context?: HandlerContext,
) => Promise<void>

/**
 * Returns a handler for `consumer.run` that calls another one, retries it when it throws, and sends messages that
 * keep failing to another topic, so that the partition continues. Key, value, timestamp and headers stay as they
 * were; further headers contain the reason (DEAD_LETTER_HEADERS). The handler resolves once the other topic has the
 * message. If sending fails, it throws, unless `onSendError` decides otherwise, and the message counts as not
 * handled.
 *
 * When the partition is taken away or the consumer is closed, it does not wait for further retries: it gives the
 * message back, which is delivered again later.
 *
 * ```ts
 * const producer = await client.topic('orders.dead').getProducer()
 * await consumer.run(withDeadLetters(handle, { producer }))
 * ```
 */
export function withDeadLetters<Value = Buffer | null, Key = Buffer | null>(
  handler: MessageHandler<Value, Key>,
  options: DeadLetterOptions<Value, Key>,
): DeadLetterHandler<Value, Key> {
  const { maxRetries, retryBackoffMs, signal } = readOptions(
    'withDeadLetters',
    options,
    DEAD_LETTER_OPTIONS,
  )
  const backoff = { initialMs: retryBackoffMs, maxMs: retryBackoffMs * 10 }
  return async (message, context) => {
    // The signal is not read before something fails, because the context creates it at the first access.
    const ending = () => [signal, context?.signal]
    const unreadable = deserializationErrorOf(message)
    if (unreadable !== undefined) {
      await bury(options, message, unreadable, 0)
      return
    }
    for (let attempt = 1; ; attempt++) {
      try {
        await handler(message, attemptOf(attempt, context))
        return
      } catch (error) {
        throwIfAborted(ending())
        if (attempt > maxRetries || !(await isRetriable(options, error, message))) {
          await bury(options, message, error, attempt)
          return
        }
        await sleep(backoffMs(attempt - 1, backoff), ending())
      }
    }
  }
}

/** The context of a retry. It creates the signal only when the handler reads it. */
function attemptOf(attempt: number, context: HandlerContext | undefined): HandlerContext {
  if (context !== undefined && attempt === 1) return context
  return {
    attempt: attempt - 1 + (context?.attempt ?? 1),
    get signal() {
      return context?.signal ?? NEVER.signal
    },
  }
}

/** For handlers that are called outside `run`. */
const NEVER = new AbortController()

async function isRetriable<Value, Key>(
  options: DeadLetterOptions<Value, Key>,
  error: unknown,
  message: ConsumedMessage<Value, Key>,
): Promise<boolean> {
  // A message that a deserializer could not convert fails in every attempt.
  if (error instanceof DeserializationError) return false
  try {
    return (await options.isRetriable?.(error, message)) !== false
  } catch (failure) {
    warn(options, 'isRetriable', failure)
    return true
  }
}

/** Sends a message to the other topic, and reports it. */
async function bury<Value, Key>(
  options: DeadLetterOptions<Value, Key>,
  message: ConsumedMessage<Value, Key>,
  error: unknown,
  attempts: number,
): Promise<void> {
  try {
    await sendLetter(options.producer, rawMessageOf(message), error, attempts)
  } catch (failure) {
    if ((await policyFor(options, failure, message)) === 'stop') throw failure
    return
  }
  const { topic, partition, offset } = message
  reportDeadLetter(options.producer, { topic, partition, offset, attempts, error })
  try {
    await options.onDeadLetter?.(message, error)
  } catch (failure) {
    // The other topic has the message: failing now would send it there again.
    warn(options, 'onDeadLetter', failure)
  }
}

async function policyFor<Value, Key>(
  options: DeadLetterOptions<Value, Key>,
  failure: unknown,
  message: ConsumedMessage<Value, Key>,
): Promise<DeadLetterPolicy> {
  const { onSendError = 'stop' } = options
  if (onSendError === 'stop') return 'stop'
  try {
    const policy =
      typeof onSendError === 'function' ? await onSendError(failure, message) : onSendError
    if (policy !== 'skip') return 'stop'
  } catch (thrown) {
    warn(options, 'onSendError', thrown)
    return 'stop'
  }
  const { topic, partition, offset } = message
  say(
    options,
    `the message at ${topic}-${partition} offset ${offset} is skipped, because its dead letter could not be sent: ${textOfThrown(failure)}`,
  )
  return 'skip'
}

function warn(options: Pick<DeadLetterOptions, 'logger'>, name: string, failure: unknown): void {
  say(options, `withDeadLetters: ${name} failed: ${textOfThrown(failure)}`)
}

function say({ logger }: Pick<DeadLetterOptions, 'logger'>, text: string): void {
  try {
    if (logger === undefined) process.emitWarning(text, { code: 'SAMSA_DEAD_LETTERS' })
    else logger.warn(text)
  } catch {
    // A logger that throws must not affect the message.
  }
}

/** Waits, unless one of the signals is aborted: then it throws the signal's reason. */
async function sleep(waitMs: number, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  throwIfAborted(signals)
  const over = deferred()
  const timer = new Timer(waitMs, () => over.resolve())
  const stops = signals.map((signal) =>
    signal === undefined ? undefined : onAbort(signal, () => over.reject(signal.reason)),
  )
  try {
    await over.promise
  } finally {
    timer.cancel()
    for (const stop of stops) stop?.()
  }
}

function throwIfAborted(signals: readonly (AbortSignal | undefined)[]): void {
  for (const signal of signals) signal?.throwIfAborted()
}
