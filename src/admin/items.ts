import { describeError, ErrorCode } from '../../protocol/errors.ts'
import {
  BrokerError,
  InvalidArgumentError,
  isRetriable,
  KafkaError,
  UnsafeIntegerError,
  type ErrorContext,
} from '../errors.ts'
import type { Outcome } from '../cluster/fan-out.ts'

/** An element of a result: what was found or done, or why it failed. */
export interface Item {
  /** Why this item failed; undefined if it succeeded. */
  readonly error?: KafkaError
}

/**
 * Some items of a change failed. `results` contains all items, including those that succeeded, in
 * the given order; `code` is that of the first failure.
 */
export class ItemsFailedError extends KafkaError {
  override readonly name = 'ItemsFailedError'
  /** The result of each given item, with an `error` if it failed. */
  readonly results: readonly Item[]

  constructor(operation: string, results: readonly Item[]) {
    const failed = results.flatMap(({ error }) => (error === undefined ? [] : [error]))
    const [first] = failed
    const rest = failed.length > 1 ? `; the first: ${first!.message}` : `: ${first!.message}`
    super(
      first!.code,
      `${operation}: ${failed.length} of ${results.length} failed${rest}`,
      failed.every(({ retriable }) => retriable),
      { cause: first },
    )
    this.results = results
  }

  /** The items that failed. */
  get failures(): readonly Item[] {
    return this.results.filter(({ error }) => error !== undefined)
  }
}

/**
 * Throws ItemsFailedError if an item failed, unless the caller wants the errors in the items
 * (`settle`).
 */
export function settled<Result extends Item>(
  operation: string,
  results: readonly Result[],
  settle: boolean,
): readonly Result[] {
  if (!settle && results.some(({ error }) => error !== undefined)) {
    throw new ItemsFailedError(operation, results)
  }
  return results
}

/** The error of an item of a response; undefined for code 0. */
export function itemError(
  errorCode: number,
  what: string,
  broker: string | undefined,
  detail?: string | null,
  where: { readonly topic?: string; readonly partition?: number } = {},
): KafkaError | undefined {
  if (errorCode === ErrorCode.NONE) return undefined
  // Some brokers send the name of the error, or nothing, as its message.
  const says = detail === '' || detail === describeError(errorCode).name ? undefined : detail
  return new BrokerError(errorCode, what, { broker, ...where }, says)
}

/** The outcome of an item of a response. */
export function outcomeOf<Key, Result>(
  item: Key,
  error: KafkaError | undefined,
  result: Result,
): Outcome<Key, Result> {
  return error === undefined ? { item, result } : { item, error }
}

/** An int64 of a response as a number. Throws UnsafeIntegerError past 2^53 rather than rounding it. */
export function exactNumber(
  value: bigint,
  what: string | (() => string),
  context?: ErrorContext,
): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new UnsafeIntegerError(typeof what === 'string' ? what : what(), value, context)
}

/** The outcome of an item whose result may throw a KafkaError, such as that of an int64 past 2^53. */
export function outcomeFrom<Key, Result>(
  item: Key,
  error: KafkaError | undefined,
  result: () => Result,
): Outcome<Key, Result> {
  if (error !== undefined) return { item, error }
  try {
    return { item, result: result() }
  } catch (problem) {
    if (problem instanceof KafkaError) return { item, error: problem }
    throw problem
  }
}

/** Throws InvalidArgumentError for a value that is not an array. */
export function checkArray(operation: string, what: string, value: unknown): void {
  if (Array.isArray(value)) return
  throw new InvalidArgumentError(`${operation}: the ${what} must be an array`)
}

/** Throws InvalidArgumentError for a value that is not an array of non-empty strings, or names something twice. */
export function checkDistinct(operation: string, what: string, names: readonly string[]): void {
  checkArray(operation, `${what}s`, names)
  const seen = new Set<string>()
  for (const name of names) {
    if (typeof name !== 'string' || name === '') {
      throw new InvalidArgumentError(`${operation}: a ${what} must be a non-empty string`)
    }
    if (seen.has(name))
      throw new InvalidArgumentError(`${operation}: ${what} '${name}' is given twice`)
    seen.add(name)
  }
}

/** By UTF-16 code units, so that the order is the same everywhere. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * Whether a change that the controller makes is sent again: only if the controller has moved or
 * cannot be reached. Error codes of items are final, including those that Kafka calls retriable
 * because a leader may be available later.
 */
export function retryElsewhere(error: KafkaError): boolean {
  if (!isRetriable(error)) return false
  return !(error instanceof BrokerError) || error.code === 'NOT_CONTROLLER'
}

/**
 * Whether an administrative call sends an item again. Kafka calls an unknown topic retriable,
 * because a broker may not know a new topic yet; here it is final, as in Java's admin client.
 */
export function retryUnlessUnknown(error: KafkaError): boolean {
  return (
    isRetriable(error) &&
    error.code !== 'UNKNOWN_TOPIC_OR_PARTITION' &&
    error.code !== 'UNKNOWN_TOPIC_ID'
  )
}
