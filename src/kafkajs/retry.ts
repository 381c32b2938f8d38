/** The retries of kafkajs: how long it waits, when it gives up, and with what. */
import { setTimeout as delay } from 'node:timers/promises'
import { KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded } from './errors.ts'
import type { RetryOptions } from './types/common.ts'

export interface RetrySettings {
  readonly maxRetryTime: number
  readonly initialRetryTime: number
  readonly factor: number
  readonly multiplier: number
  readonly retries: number
}

export const RETRY_DEFAULTS: RetrySettings = {
  maxRetryTime: 30_000,
  initialRetryTime: 300,
  factor: 0.2,
  multiplier: 2,
  retries: 5,
}

/** Errors of the code itself: trying again would not help. */
const BUGS: readonly string[] = ['RangeError', 'ReferenceError', 'SyntaxError', 'TypeError']

/** As kafkajs: an option that is given as undefined or null has no value. */
export function retrySettings(options: RetryOptions = {}): RetrySettings {
  return { ...RETRY_DEFAULTS, ...options }
}

/** How long the waits between all attempts are together, about: the time that samsa is given for an operation. */
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

/** The longest time that timers can wait. */
export const LONGEST_MS = 2 ** 31 - 1

/** One more wait each time. */
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

  /** The wait after this one. */
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
  const { retriable, name }: { retriable?: unknown; name?: unknown } = Object(error) as object
  return retriable !== false && !(typeof name === 'string' && BUGS.includes(name))
}

/** Thrown by `attempt`: the error is the caller's as it is, without a retry. */
export class Bail {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/**
 * Calls `attempt` until it resolves. What it throws is tried again where it is retriable, and is finally a
 * KafkaJSNumberOfRetriesExceeded; otherwise it is a KafkaJSNonRetriableError. `new Bail(error)` throws `error` itself.
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
    } catch (error) {
      if (error instanceof Bail) throw error.error
      throwUnlessRetried(settings, error, retryCount, retryTime)
      await delay(retryTime)
      times.advance()
    }
  }
}

/** Throws what kafkajs throws when it does not try again after this error. */
export function throwUnlessRetried(
  { retries }: RetrySettings,
  error: unknown,
  retryCount: number,
  retryTime: number,
): void {
  const reason = error instanceof Error ? error : new Error(String(error))
  if (!isRetriable(error)) {
    throw new KafkaJSNonRetriableError(reason, { cause: reason.cause ?? reason })
  }
  if (retryCount >= retries)
    throw new KafkaJSNumberOfRetriesExceeded(reason, { retryCount, retryTime })
}

/** What kafkajs throws after all retries of an operation whose retries samsa has made. */
export function exhausted(error: Error, settings: RetrySettings): Error {
  if (!isRetriable(error)) return error
  return new KafkaJSNumberOfRetriesExceeded(error, {
    retryCount: settings.retries,
    retryTime: settings.initialRetryTime,
  })
}
