const MOST_SUGGESTIONS = 3

/** ` (Did you mean orders?)`, in the form of commander; empty if no name is similar. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const names = similarTo(name, known)
  if (names.length === 0) return ''
  return ` (Did you mean ${names.length === 1 ? '' : 'one of '}${names.join(', ')}?)`
}

/** The names that one or two typing errors, or a missing end, can turn into `name`, best first. */
export function similarTo(name: string, known: Iterable<string>): readonly string[] {
  const wanted = name.toLowerCase()
  const most = Math.min(3, Math.floor(wanted.length * 0.4))
  const found: { readonly candidate: string; readonly edits: number }[] = []
  for (const candidate of new Set(known)) {
    const other = candidate.toLowerCase()
    const isStart = wanted.length >= 3 && other.startsWith(wanted)
    const edits = isStart ? 0 : distance(wanted, other, most)
    if (edits <= most) found.push({ candidate, edits })
  }
  found.sort((a, b) => a.edits - b.edits || (a.candidate < b.candidate ? -1 : 1))
  return found.slice(0, MOST_SUGGESTIONS).map(({ candidate }) => candidate)
}

/**
 * The number of insertions, deletions, replacements and exchanges of neighbors between two texts; any number above
 * `most` if there are more.
 */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Infinity
  let [beforeLast, last]: [number[], number[]] = [
    [],
    Array.from({ length: b.length + 1 }, (_, at) => at),
  ]
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      let edits = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (isSame ? 0 : 1),
      )
      const isExchange = row > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (isExchange) edits = Math.min(edits, beforeLast[column - 2]! + 1)
      current.push(edits)
    }
    ;[beforeLast, last] = [last, current]
  }
  return last[b.length]!
}
