const BARS = '▁▂▃▄▅▆▇█'

/**
 * Numbers as a line of bars, with the highest bar for the largest number; `?` for an unknown value.
 */
export function sparkline(values: readonly (number | undefined)[]): string {
  const max = Math.max(0, ...values.map((value) => value ?? 0))
  return values
    .map((value) => {
      if (value === undefined) return '?'
      const level = max === 0 ? 0 : Math.round((Math.max(0, value) / max) * (BARS.length - 1))
      return BARS[level]!
    })
    .join('')
}
