/**
 * A log-linear histogram of whole numbers below 2^31, such as microseconds or bytes: eight buckets for each power of
 * two, so that a bucket is at most 12.5 % wide. Recording is a few integer operations and an addition in a typed array,
 * which is made with the first value.
 */

/** The number of buckets for each power of two, as a power of two. */
const PRECISION_BITS = 3
const BUCKETS_PER_OCTAVE = 1 << PRECISION_BITS
/** Values above it count in the last bucket. */
const LARGEST = 0x7fffffff
const BUCKETS = indexOf(LARGEST) + 1

/** The values that were recorded up to a bound. */
export interface HistogramBucket {
  /** The largest value that the bucket takes. */
  readonly le: number
  /** How many values are not larger. */
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

  /** Records a value `times` times: values of several things that are only known together. */
  record(value: number, times = 1): void {
    const whole = value <= 0 ? 0 : value >= LARGEST ? LARGEST : Math.round(value)
    const counts = (this.#counts ??= new Float64Array(BUCKETS))
    const index = indexOf(whole)
    counts[index] = counts[index]! + times
    this.#count += times
    this.#sum += value > 0 ? value * times : 0
    if (value > this.#max) this.#max = value
  }

  /** Records a duration in microseconds. */
  recordMs(durationMs: number, times = 1): void {
    this.record(durationMs * 1_000, times)
  }

  /** The buckets that have a value, in order, each with the count up to it. */
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

/** The largest value of a bucket. */
function upperOf(index: number): number {
  if (index < BUCKETS_PER_OCTAVE) return index
  const shift = (index >>> PRECISION_BITS) - 1
  const lower = (BUCKETS_PER_OCTAVE + (index & (BUCKETS_PER_OCTAVE - 1))) * 2 ** shift
  return lower + 2 ** shift - 1
}
