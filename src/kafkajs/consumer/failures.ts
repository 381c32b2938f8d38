import { finalError, RetryTimes, type RetrySettings } from '../retry.ts'

/** A failure, and what follows from it. */
export interface Failure {
  readonly error: Error
  /** The number of failures before it. */
  readonly retryCount: number
  readonly retryTime: number
  /** The error that the consumer crashes with; undefined if it tries again. */
  readonly final: Error | undefined
}

interface Series {
  count: number
  readonly times: RetryTimes
}

/**
 * Counts the failures of each partition until one of its batches is processed: a partition that keeps failing ends the
 * run, although the batches of others are processed in between.
 */
export class Failures {
  readonly #retry: RetrySettings
  readonly #series = new Map<string, Series>()
  #untreated: Failure[] = []

  constructor(retry: RetrySettings) {
    this.#retry = retry
  }

  /** True if failures were added since the last `takeWorst`. */
  get areUntreated(): boolean {
    return this.#untreated.length > 0
  }

  add(name: string, error: Error): void {
    const series = this.#series.get(name) ?? { count: 0, times: new RetryTimes(this.#retry) }
    this.#series.set(name, series)
    const { count: retryCount, times } = series
    const { retryTime } = times
    const final = finalError(this.#retry, error, retryCount, retryTime)
    this.#untreated.push({ error, retryCount, retryTime, final })
    series.count++
    times.advance()
  }

  /** Restarts the count of a partition. */
  forget(name: string): void {
    this.#series.delete(name)
  }

  /** Of the failures since the last call, the one that ends the run, or otherwise the one with the longest history. */
  takeWorst(): Failure | undefined {
    const untreated = this.#untreated
    this.#untreated = []
    let worst: Failure | undefined
    for (const one of untreated) {
      if (worst === undefined || isWorse(one, worst)) worst = one
    }
    return worst
  }
}

function isWorse(one: Failure, other: Failure): boolean {
  if ((one.final === undefined) !== (other.final === undefined)) return one.final !== undefined
  return one.retryCount > other.retryCount
}
