import { Random } from '../../test/wire/support/random.ts'
import { medianOf } from '../runner/statistics.ts'

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
  const random = new Random(1)
  const medians = Array.from({ length: SAMPLES }, () =>
    medianOf(ratios.map(() => random.pick(ratios))),
  ).sort((a, b) => a - b)
  const at = (share: number) => medians[Math.floor(share * SAMPLES)]!
  return { median: medianOf(ratios), low: at(0.05), high: at(0.95) }
}
