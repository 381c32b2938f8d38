/**
 * A log-linear histogram of whole numbers below 2^31, such as microseconds or bytes: eight buckets for each power of
 * two, so that a bucket is at most 12.5 % wide. Recording is a few integer operations and an addition in a typed array,
 * which is allocated for the first value.
 */

/** The number of buckets for each power of two, as a power of two. */
const PRECISION_BITS = 3
const BUCKETS_PER_OCTAVE = 1 << PRECISION_BITS
/** Larger values count in the last bucket. */
const LARGEST = 0x7fffffff
const BUCKETS = indexOf(LARGEST) + 1

/** A bucket of a distribution, with a cumulative count as in Prometheus. */
export interface HistogramBucket {
  /** The upper bound of the bucket; a value equal to it is included. */
  readonly le: number
  /** The number of values up to `le`, those of lower buckets included. */
  readonly count: number
}

export class Histogram {
  #counts: Float64Array | undefined
  #count = 0
  #sum = 0
  #max = 0

  /** How many values were recorded. */
  get count(): number {
    return this.#count
  }

  get sum(): number {
    return this.#sum
  }

  get max(): number {
    return this.#max
  }

  /** Records a value, `times` times: for several events of which only the mean is known. */
  record(value: number, times = 1): void {
    const whole = value <= 0 ? 0 : value >= LARGEST ? LARGEST : Math.round(value)
    const counts = (this.#counts ??= new Float64Array(BUCKETS))
    const index = indexOf(whole)
    counts[index] = counts[index]! + times
    this.#count += times
    this.#sum += value > 0 ? value * times : 0
    if (value > this.#max) this.#max = value
  }

  /** Records a duration. The histogram has it in microseconds. */
  recordMs(durationMs: number, times = 1): void {
    this.record(durationMs * 1_000, times)
  }

  /** The buckets that have a value, in ascending order. */
  get buckets(): HistogramBucket[] {
    const buckets: HistogramBucket[] = []
    let total = 0
    this.#counts?.forEach((count, index) => {
      if (count === 0) return
      total += count
      buckets.push({ le: upperOf(index), count: total })
    })
    return buckets
  }
}

function indexOf(value: number): number {
  if (value < BUCKETS_PER_OCTAVE) return value
  const exponent = 31 - Math.clz32(value)
  const shift = exponent - PRECISION_BITS
  return (shift + 1) * BUCKETS_PER_OCTAVE + ((value >>> shift) & (BUCKETS_PER_OCTAVE - 1))
}

/** Returns the largest value that the bucket counts. */
function upperOf(index: number): number {
  if (index < BUCKETS_PER_OCTAVE) return index
  const shift = (index >>> PRECISION_BITS) - 1
  const lower = (BUCKETS_PER_OCTAVE + (index & (BUCKETS_PER_OCTAVE - 1))) * 2 ** shift
  return lower + 2 ** shift - 1
}
