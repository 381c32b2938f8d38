/**
 * Durations in buckets that grow by a twentieth, so that percentiles of any number of durations
 * need little memory.
 */
export class Percentiles {
  static readonly #growth = Math.log(1.05)
  /** The upper limit of the first bucket. */
  static readonly #leastMs = 0.01
  readonly #counts: number[] = []
  count = 0
  maxMs = 0

  add(durationMs: number): void {
    const index = Math.max(
      0,
      Math.ceil(Math.log(durationMs / Percentiles.#leastMs) / Percentiles.#growth),
    )
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.count++
    this.maxMs = Math.max(this.maxMs, durationMs)
  }

  /**
   * The duration that this percentage of all durations did not exceed; undefined if there is none.
   */
  at(percent: number): number | undefined {
    if (this.count === 0) return undefined
    let left = Math.ceil((this.count * percent) / 100)
    for (let index = 0; index < this.#counts.length; index++) {
      left -= this.#counts[index] ?? 0
      if (left <= 0) {
        const end = Percentiles.#leastMs * Math.exp(index * Percentiles.#growth)
        return Math.min(end, this.maxMs)
      }
    }
    return this.maxMs
  }
}
