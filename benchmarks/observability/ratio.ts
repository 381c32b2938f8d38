/** The ratio of two variants that ran in turns. */
export interface Ratio {
  /** The median of the ratios within a round. */
  readonly median: number
  /** The 90 % interval of the median, by resampling the rounds. */
  readonly low: number
  readonly high: number
}

const SAMPLES = 4_000

export function ratioOf(values: readonly number[], bases: readonly number[]): Ratio {
  const ratios = values.map((value, round) => value / bases[round]!)
  const random = generator(1)
  const medians = Array.from({ length: SAMPLES }, () =>
    median(ratios.map(() => ratios[Math.floor(random() * ratios.length)]!)),
  ).sort((a, b) => a - b)
  const at = (share: number) => medians[Math.floor(share * SAMPLES)]!
  return { median: median(ratios), low: at(0.05), high: at(0.95) }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
}

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
