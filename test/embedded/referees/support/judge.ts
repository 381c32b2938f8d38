import { isAtLeast } from '../../../../src/embedded/versions/profiles.ts'
import type { Answers, OnPurpose, Place, Referee } from './referee.ts'

/** Replacements for every client: ids and times differ between clusters. */
const ALWAYS_UNLIKE: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>'],
  [/\b1[7-9]\d{11}\b/g, '<time>'],
]

export interface Verdict {
  /** `what it was about: a line of the real one became that of the embedded one`. */
  readonly differences: readonly string[]
  /** Reasons for differences that there are none of. */
  readonly unneeded: readonly OnPurpose[]
  /** How many answers there were to compare. */
  readonly count: number
}

/** Asks both, at the same time, and compares word by word. */
export async function judge(referee: Referee, real: Place, embedded: Place): Promise<Verdict> {
  const [theirs, ours] = await Promise.all([asked(referee, real), asked(referee, embedded)])
  const onPurpose = (referee.onPurpose ?? []).filter(
    ({ since, before }) =>
      (since === undefined || isAtLeast(real.version, since)) &&
      (before === undefined || !isAtLeast(real.version, before)),
  )
  const differing = [...new Set([...theirs.keys(), ...ours.keys()])].filter(
    (about) => theirs.get(about) !== ours.get(about),
  )
  return {
    differences: differing
      .filter((about) => !onPurpose.some(({ answer }) => answer.test(about)))
      .flatMap((about) => {
        const [theirLines, ourLines] = [linesOf(theirs.get(about)), linesOf(ours.get(about))]
        return Array.from({ length: Math.max(theirLines.length, ourLines.length) }, (_, at) => at)
          .filter((at) => theirLines[at] !== ourLines[at])
          .map((at) => `${about}: '${theirLines[at]}' became '${ourLines[at]}'`)
      }),
    unneeded: onPurpose.filter(({ answer }) => !differing.some((about) => answer.test(about))),
    count: theirs.size,
  }
}

function linesOf(said: string | undefined): readonly string[] {
  return said?.split('\n') ?? []
}

async function asked(referee: Referee, place: Place): Promise<Answers> {
  const port = place.hosts.split(':')[1]!
  const unlike = [
    [new RegExp(`\\b${port}\\b`, 'g'), '<port>'] as const,
    ...(referee.unlike ?? []),
    ...ALWAYS_UNLIKE,
  ]
  const answers = await referee.ask(place)
  return new Map(
    [...answers].map(([about, said]) => [
      about,
      unlike.reduce((text, [found, word]) => text.replace(found, word), inJsonOrder(said)),
    ]),
  )
}

/** Lines of JSON with their fields in order: Java's maps have another order in each process. */
function inJsonOrder(text: string): string {
  return text.replace(/^\{"[^\n]*\}$/gm, (line) => {
    const parsed: unknown = JSON.parse(line)
    return JSON.stringify(sorted(parsed))
  })
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, one]) => [name, sorted(one)]))
}

/**
 * The answers in what a program printed: each line that begins with `#` is about the lines behind it, and
 * a line such as `offsets: 0, 1` is an answer of its own. Lines without a name go to the answer before.
 */
export function answersIn(text: string): Answers {
  const answers = new Map<string, string>()
  let subject = ''
  let about = ''
  for (const line of text.split('\n')) {
    const heading = /^# (.*)$/.exec(line)?.[1]
    const named = /^([a-zA-Z][^:[({]*): (.*)$/.exec(line)
    if (heading !== undefined) {
      subject = heading
      about = heading
    } else if (named !== null) {
      about = `${subject}, ${named[1]}`
      answers.set(about, `${answers.has(about) ? `${answers.get(about)}\n` : ''}${named[2]}`)
    } else if (line !== '') {
      answers.set(about, `${answers.get(about) ?? ''}\n${line}`)
    }
  }
  return answers
}
