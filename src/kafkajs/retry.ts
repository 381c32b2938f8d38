/** The retries of kafkajs: how long it waits, when it gives up, and which error it throws then. */
import { setTimeout as delay } from 'node:timers/promises'
import { errorFrom } from './error-from.ts'
import { KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded } from './errors.ts'
import { withNumbers } from './numbers.ts'
import type { RetryOptions } from './types/common.ts'

export interface RetrySettings {
  readonly maxRetryTime: number
  readonly initialRetryTime: number
  readonly factor: number
  readonly multiplier: number
  readonly retries: number
}

/** The longest delay of Node's timers: a longer one would run at once. */
export const LONGEST_MS = 2 ** 31 - 1

export const RETRY_DEFAULTS: RetrySettings = {
  maxRetryTime: 30_000,
  initialRetryTime: 300,
  factor: 0.2,
  multiplier: 2,
  retries: 5,
}

const RETRY_NUMBERS = [
  'maxRetryTime',
  'initialRetryTime',
  'factor',
  'multiplier',
  'retries',
] as const

/** The names of errors that programming mistakes cause: a retry would not help. */
const BUGS: readonly string[] = ['RangeError', 'ReferenceError', 'SyntaxError', 'TypeError']

/** As in kafkajs, an option that is passed as undefined or null does not get its default. */
export function retrySettings(options: RetryOptions = {}): RetrySettings {
  return withNumbers({ ...RETRY_DEFAULTS, ...options }, RETRY_NUMBERS)
}

/** The approximate sum of the waits between all attempts, which is the time that samsa may retry an operation. */
export function retryBudgetMs({
  maxRetryTime,
  initialRetryTime,
  multiplier,
  retries,
}: RetrySettings): number {
  let [total, wait] = [0, initialRetryTime]
  for (let retry = 0; retry < retries && wait > 0 && total < LONGEST_MS; retry++) {
    total += wait
    wait = Math.min(wait * multiplier, maxRetryTime)
  }
  return Math.min(total, LONGEST_MS)
}

/** The waits between attempts: `retryTime` is the next one. */
export class RetryTimes {
  readonly #settings: RetrySettings
  retryTime: number

  constructor(settings: RetrySettings) {
    this.#settings = settings
    this.retryTime = Math.min(
      jittered(settings.factor, settings.initialRetryTime),
      settings.maxRetryTime,
    )
  }

  /** Replaces `retryTime` by the wait that follows it. */
  advance(): void {
    const { factor, multiplier, maxRetryTime } = this.#settings
    this.retryTime = Math.min(jittered(factor, this.retryTime) * multiplier, maxRetryTime)
  }
}

function jittered(factor: number, time: number): number {
  const delta = factor * time
  return Math.ceil(time - delta + Math.random() * 2 * delta)
}

export function isRetriable(error: unknown): boolean {
  // `Object` returns an object, but its type is any.
  const { retriable, name }: { retriable?: unknown; name?: unknown } = Object(error) as object
  return retriable !== false && !(typeof name === 'string' && BUGS.includes(name))
}

/** Thrown by the `attempt` of `retrying`, to throw `error` itself without a retry. */
export class Bail {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/**
 * Calls `attempt` until it resolves, with a wait before each retry. Throws KafkaJSNumberOfRetriesExceeded when the
 * retries are used up, KafkaJSNonRetriableError after an error that is not retriable, and the error of a `Bail`.
 */
export async function retrying<T>(
  settings: RetrySettings,
  attempt: (retryCount: number, retryTime: number) => Promise<T>,
): Promise<T> {
  const times = new RetryTimes(settings)
  for (let retryCount = 0; ; retryCount++) {
    const { retryTime } = times
    try {
      return await attempt(retryCount, retryTime)
    } catch (thrown) {
      if (thrown instanceof Bail) throw thrown.error
      const final = finalError(settings, errorFrom(thrown), retryCount, retryTime)
      if (final !== undefined) throw final
      await delay(retryTime)
      times.advance()
    }
  }
}

/** The error that kafkajs throws after an attempt failed with `error`; undefined if it retries. */
export function finalError(
  { retries }: RetrySettings,
  error: Error,
  retryCount: number,
  retryTime: number,
): Error | undefined {
  if (!isRetriable(error)) {
    return new KafkaJSNonRetriableError(error, { cause: error.cause ?? error })
  }
  if (retryCount < retries) return undefined
  return new KafkaJSNumberOfRetriesExceeded(error, { retryCount, retryTime })
}

/** The error that kafkajs throws after an operation that samsa has already retried failed with `error`. */
export function exhausted(error: Error, settings: RetrySettings): Error {
  if (!isRetriable(error)) return error
  return new KafkaJSNumberOfRetriesExceeded(error, {
    retryCount: settings.retries,
    retryTime: settings.initialRetryTime,
  })
}
