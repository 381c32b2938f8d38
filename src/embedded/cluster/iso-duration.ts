/** Durations as ISO 8601 and Java's Duration.parse have them: `PnDTnHnMn.nS`. */
const DURATION =
  /^P(?=\d|T\d)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i

const PARTS_MS = [86_400_000, 3_600_000, 60_000, 1_000] as const

export function isDuration(text: string): boolean {
  return DURATION.test(text)
}

/** Returns 0 for a text that is not a duration. */
export function durationMs(text: string): number {
  const parts = DURATION.exec(text)?.slice(1) ?? []
  return PARTS_MS.reduce((total, ms, at) => total + ms * Number(parts[at] ?? 0), 0)
}
