/** Declarations that start a line in a report: `export class Topic {`, `abstract class Base {`. */
const DECLARATION =
  /^(?:export )?(?:abstract )?(?:class|interface|type|const|function|enum|namespace) (\w+)/
const UNDOCUMENTED = /^\/\/ @public \(undocumented\)$|^ {4}\/\/ \(undocumented\)$/
/** What the language gives a meaning of its own, and the names that error classes give themselves. */
const SELF_EXPLANATORY = /^(?:protected )?(?:readonly name(?:: string;| = )|\[Symbol\.\w+\]\()/

/** The members of a report of API Extractor that have no docstring, as `Topic.name`. */
export function undocumentedMembers(report: string): string[] {
  const lines = report.split('\n')
  let owner = ''
  return lines.flatMap((line, index) => {
    owner = DECLARATION.exec(line)?.[1] ?? owner
    if (!UNDOCUMENTED.test(line)) return []
    const declaration = lines[index + 1]!
    const member = declaration.trim()
    if (SELF_EXPLANATORY.test(member)) return []
    const top = DECLARATION.exec(declaration)?.[1]
    return [top ?? `${owner}.${nameOf(member)}`]
  })
}

function nameOf(member: string): string {
  return member
    .replace(/^(?:(?:readonly|static|abstract|protected|get|set) )+/, '')
    .replace(/[?:(<; ].*$/, '')
}

/** The lines that only one of two reports has, as `- old` and `+ new`. */
export function changedLines(before: string, after: string): string[] {
  const [old, current] = [before.split('\n'), after.split('\n')]
  const only = (lines: readonly string[], other: readonly string[]): string[] => {
    const counts = new Map<string, number>()
    for (const line of other) counts.set(line, (counts.get(line) ?? 0) + 1)
    return lines.filter((line) => {
      const left = counts.get(line) ?? 0
      counts.set(line, left - 1)
      return left <= 0
    })
  }
  const changes = [
    ...only(old, current).map((line) => `- ${line}`),
    ...only(current, old).map((line) => `+ ${line}`),
  ]
  // Lines in another order only.
  return changes.length === 0 && before !== after
    ? ['  (the same lines in another order)']
    : changes
}
