import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { entryPoints } from '../../build/entry-points.ts'

/** Names that several files of one side export with one meaning, for different objects. DESIGN.md explains them. */
const PARALLEL: Readonly<Record<string, readonly string[]>> = {
  // The same part of a member in different group protocols.
  'src/balanced/': [
    ...['Membership', 'MemberState', 'MemberEvent', 'Reaction', 'TopicWatch'],
    ...['nextState', 'reactionTo'],
  ],
  // The same function of different codecs.
  'protocol/compression/': ['compressBlock', 'compressedBound', 'decompressBlock'],
}

/** Parts of src that import nothing, or only public names, of the rest: a name may mean something else there. */
const SIDES = [
  ...['src/embedded/', 'src/storm/cli/', 'src/storm/', 'src/opentelemetry/', 'src/prometheus/'],
  // kafkajs has given its types their names; `types/` declares them, the other files implement them.
  ...['src/kafkajs/types/', 'src/kafkajs/'],
]
/** The command `samsa`, and what it shares with `sparse`. */
const COMMANDS = ['src/cli/', 'src/terminal/']

const DECLARED =
  /^export (?:declare )?(?:async )?(?:abstract )?(?:class|interface|type|function\*?|const|enum) (\w+)/gm

const files = ['src', 'protocol'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
)

function sideOf(file: string): string {
  if (COMMANDS.some((folder) => file.startsWith(folder))) return 'commands'
  return SIDES.find((folder) => file.startsWith(folder)) ?? 'client'
}

/** The files that declare each exported name. */
function declarations(inFiles: readonly string[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const file of inFiles) {
    for (const [, name] of readFileSync(file, 'utf8').matchAll(DECLARED)) {
      found.set(name!, (found.get(name!) ?? new Set()).add(file))
    }
  }
  return found
}

function isParallel(name: string, inFiles: ReadonlySet<string>): boolean {
  return Object.entries(PARALLEL).some(
    ([folder, names]) =>
      names.includes(name) && [...inFiles].every((file) => file.startsWith(folder)),
  )
}

/** The declarations in a report of the public API, by name. A second one of the same name ends in a number there. */
function publicDeclarations(specifier: string): Map<string, string> {
  const report = readFileSync(`api/${specifier.replace('/', '-')}.api.md`, 'utf8')
  const blocks = report.split(/^\/\/ @public.*\n/m).slice(1)
  return new Map(
    blocks.flatMap((block) => {
      const text = block.split(/^(?:\/\/ |```)/m)[0]!.trim()
      const name = /^export (?:declare )?(?:abstract )?\w+ (\w+)/.exec(text)?.[1]
      return name === undefined ? [] : [[name, text] as const]
    }),
  )
}

describe('exported names', () => {
  const sides = new Set(files.map(sideOf))

  it.each([...sides])('of %s are declared by one file each', (side) => {
    const inFiles = files.filter(
      (file) => sideOf(file) === side || (side === 'src/embedded/' && file.startsWith('protocol/')),
    )
    const declared = declarations(inFiles)
    const twice = [...declared].filter(
      ([name, where]) => where.size > 1 && !isParallel(name, where),
    )
    const problems = twice.map(
      ([name, where]) =>
        `${[...where].join(' and ')} export ${name}: rename one, so that a name has one meaning. Parts that ` +
        'correspond to each other are listed in PARALLEL above, and in DESIGN.md under "Words with several meanings"',
    )
    expect(problems).toEqual([])
    expect(declared.size).toBeGreaterThan(1)
  })

  it('that are declared in parallel are in the glossary', () => {
    const glossary = readFileSync('DESIGN.md', 'utf8').split('### Words with several meanings')[1]!
    const names = Object.values(PARALLEL).flat()
    expect(names.filter((name) => !glossary.includes(`\`${name}\``))).toEqual([])
    const declared = declarations(files.filter((file) => sideOf(file) === 'client'))
    expect(names.filter((name) => (declared.get(name)?.size ?? 0) < 2)).toEqual([])
  })

  it('have one meaning in all entry points, samsa/kafkajs aside', () => {
    const meanings = new Map<string, Map<string, string>>()
    for (const { specifier } of entryPoints()) {
      if (basename(specifier) === 'kafkajs') continue
      for (const [name, text] of publicDeclarations(specifier)) {
        meanings.set(name, (meanings.get(name) ?? new Map<string, string>()).set(text, specifier))
      }
    }
    const different = [...meanings].filter(([, texts]) => texts.size > 1)
    expect(different.map(([name, texts]) => [name, ...texts.values()])).toEqual([])
    expect(meanings.size).toBeGreaterThan(300)
    expect(meanings.has('ProducerIdAndEpoch')).toBe(true)
  })
})
