/** Seconds as `2d 3h`, `3h 20m`, `20m 5s` or `5s`. */
export function duration(seconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3_600) % 24],
    ['m', Math.floor(seconds / 60) % 60],
    ['s', Math.floor(seconds) % 60],
  ]
  const first = units.findIndex(([, number]) => number > 0)
  if (first < 0) return '0s'
  return units
    .slice(first, first + 2)
    .map(([unit, number]) => `${number}${unit}`)
    .join(' ')
}
