/** Declarations that start a line in a report: `export class Topic {`, `abstract class Base {`. */
const DECLARATION =
  /^(?:export )?(?:abstract )?(?:class|interface|type|const|function|enum|namespace) ([\w$]+)/
const UNDOCUMENTED = /^\/\/ @public \(undocumented\)$|^ {4}\/\/ \(undocumented\)$/
/**
 * What the language gives a meaning of its own, the names that error classes give themselves, and what applications
 * cannot reach: protected members, and those that are named by a symbol of samsa's own.
 */
const SELF_EXPLANATORY =
  /^(?:protected |readonly name(?:: string;| = )|\[Symbol\.\w+\]\(|\[[A-Z_]+\]\()/

/** A type alias that says all that there is to say: the body of a request or response of the API that it names. */
const BODY_OF_API = /^export type \w+(?:Request|Response) = (?:RequestOf|ResponseOf)<typeof \w+>;$/
/** Operations of the admin client, which the object that they stand in documents one by one. */
export const OPERATIONS =
  /^(?:type \w+Operations = ReturnType<typeof \w+>;|function \w+Operations\()/
const COMPUTED_OF = /\bReturnType<typeof ([\w$]+)>/g

/**
 * The part of a report that users see: what is exported, and what that inherits from declarations that are not, such as
 * the methods of a base class. The other declarations that API Extractor finds are internals that a type names.
 */
export function publicPart(report: string): string {
  const blocks = report.split('\n\n')
  const byName = new Map<string, string>()
  const nameOfBlock = new Map<string, string>()
  for (const block of blocks) {
    const name = declarationOf(block)
    if (name === undefined) continue
    byName.set(name, `${byName.get(name) ?? ''}${block}\n`)
    nameOfBlock.set(block, name)
  }
  const kept = new Set<string>()
  const keep = (name: string): void => {
    const text = byName.get(name)
    if (text === undefined || kept.has(name)) return
    kept.add(name)
    for (const base of basesOf(text)) keep(base)
    for (const [, computed = ''] of text.matchAll(COMPUTED_OF)) keep(computed)
  }
  for (const [block, name] of nameOfBlock) if (/^export /m.test(block)) keep(name)
  return blocks
    .filter((block) => {
      const name = nameOfBlock.get(block)
      return name === undefined || kept.has(name)
    })
    .join('\n\n')
}

/** What the classes and interfaces of a text extend. */
function basesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    if (!DECLARATION.test(line)) return []
    let plain = line
    // Without the arguments of generic types, innermost first.
    for (let last = ''; last !== plain;) {
      last = plain
      plain = plain.replace(/<[^<>]*>/g, '')
    }
    const [, bases = ''] = /\bextends ([\w$, ]+?)(?: implements .*)?\{?$/.exec(plain.trim()) ?? []
    return bases.split(',').map((base) => base.trim())
  })
}

function declarationOf(block: string): string | undefined {
  return block.split('\n').flatMap((line) => DECLARATION.exec(line)?.[1] ?? [])[0]
}

/** The members of a report of API Extractor that have no docstring, as `Topic.name`. */
export function undocumentedMembers(report: string): string[] {
  const lines = report.split('\n')
  let owner = ''
  return lines.flatMap((line, index) => {
    owner = DECLARATION.exec(line)?.[1] ?? owner
    if (!UNDOCUMENTED.test(line)) return []
    const declaration = lines[index + 1]!
    const member = declaration.trim()
    if ([SELF_EXPLANATORY, BODY_OF_API, OPERATIONS].some((pattern) => pattern.test(member))) {
      return []
    }
    const top = DECLARATION.exec(declaration)?.[1]
    return [top ?? `${owner}.${nameOf(member)}`]
  })
}

function nameOf(member: string): string {
  return member
    .replace(/^(?:(?:readonly|static|abstract|protected|get|set) )+/, '')
    .replace(/[?:(<; ].*$/, '')
}

/**
 * What differs between two reports: each declaration that changed, by its first line, with the lines that only one of
 * them has as `- old` and `+ new`.
 */
export function changedLines(before: string, after: string): string[] {
  const [old, current] = [declarations(before), declarations(after)]
  const changes = [...new Set([...old.keys(), ...current.keys()])].flatMap((name) => {
    const [was, is] = [old.get(name) ?? [], current.get(name) ?? []]
    const changed = [
      ...only(was, is).map((line) => `- ${line}`),
      ...only(is, was).map((line) => `+ ${line}`),
    ]
    const first = is[0] ?? was[0]!
    const isNamed = changed.length === 0 || changed.some((line) => line.slice(2) === first)
    return isNamed ? changed : [`  ${first}`, ...changed]
  })
  // Lines in another order only.
  return changes.length === 0 && before !== after
    ? ['  (the same lines in another order)']
    : changes
}

/** The lines of a report that say something, by declaration. */
function declarations(report: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const block of report.split('\n\n')) {
    const lines = block.split('\n').filter((line) => line !== '' && !line.startsWith('// @public'))
    const name = declarationOf(block) ?? ''
    found.set(name, [...(found.get(name) ?? []), ...lines])
  }
  return found
}

/** The lines that `other` does not have, or has less often. */
function only(lines: readonly string[], other: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const line of other) counts.set(line, (counts.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const left = counts.get(line) ?? 0
    counts.set(line, left - 1)
    return left <= 0
  })
}

/** Entry points that declare the API of another library, whose documentation describes it. */
const DESCRIBED_ELSEWHERE: readonly string[] = ['samsa/kafkajs']

/** What is wrong with the current report of an entry point, beside the one that is committed. */
export function reportProblems(specifier: string, committed: string, current: string): string[] {
  const undocumented = DESCRIBED_ELSEWHERE.includes(specifier)
    ? []
    : undocumentedMembers(current).map((member) => `${specifier}: ${member} has no docstring`)
  const changes = changedLines(committed, current)
  if (changes.length === 0) return undocumented
  return [
    ...undocumented,
    `The public API of '${specifier}' is not what its report in api/ has. If the change is meant, run ` +
      '`npm run api` and commit the report:',
    ...changes,
  ]
}
