/** Of several rounds: the median, and how far apart they are. */
export interface Spread {
  readonly median: number
  /** Half the distance between the highest and the lowest, as a share of the median. */
  readonly spread: number
}

export function spreadOf(samples: readonly number[]): Spread | undefined {
  const sorted = samples.filter(Number.isFinite).sort((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const median = middleOf(sorted)
  const spread = median === 0 ? 0 : (sorted.at(-1)! - sorted[0]!) / 2 / median
  return { median, spread }
}

/** The median of at least one number. */
export function medianOf(values: readonly number[]): number {
  return middleOf([...values].sort((a, b) => a - b))
}

function middleOf(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
}
