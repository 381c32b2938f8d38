import { describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { writtenFiles } from '../../support/documents/phrases.ts'

interface Reference {
  readonly file: string
  readonly line: number
  readonly to: string
}

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Readonly<Record<string, string>>
}
/** A changelog names what was there at the time. */
const HISTORY = ['CHANGELOG.md']
const files = writtenFiles().filter(
  (file) =>
    !HISTORY.includes(file) &&
    !file.startsWith('api/') &&
    !file.includes('documents/') &&
    // Writes the files of a project of its own.
    file !== 'src/storm/cli/project-template.ts',
)

function references(pattern: RegExp, inFiles: readonly string[]): Reference[] {
  return inFiles.flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    return [...text.matchAll(pattern)].map((match) => ({
      file,
      line: text.slice(0, match.index).split('\n').length,
      to: match[1]!,
    }))
  })
}

function shown({ file, line, to }: Reference): string {
  return `${file}:${line}: ${to}`
}

const documents = files.filter((file) => file.endsWith('.md'))
const comments = files.filter((file) => file.endsWith('.ts'))

/** `src/a.ts`, `docs/a.md`, `test/support/x`: a path from the root of the repository, in a document or a comment. */
const ROOTED =
  /(?<![\w./-])((?:src|protocol|test|docs|benchmarks|build|examples)\/[\w./-]*\w\.(?:ts|mjs|md|json|svg))(?![\w-])/g

describe('references in documents and comments', () => {
  it('name files that exist, when they are paths from the root of the repository', () => {
    const found = references(ROOTED, files)
    expect(found.length).toBeGreaterThan(50)
    // dist and reports of benchmarks are written by commands; `x`, `a` and NAME stand for names.
    const missing = found.filter(({ to }) => !existsSync(to) && !/\b(?:NAME|a|x|y)\b/.test(to))
    expect(missing.map(shown)).toEqual([])
  })

  it('name files that exist, when they are links of a document', () => {
    const found = references(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g, documents)
    expect(found.length).toBeGreaterThan(50)
    const missing = found.filter(({ file, to }) => !existsSync(normalize(join(dirname(file), to))))
    expect(missing.map(shown)).toEqual([])
  })

  it('name sections that exist, when they are links to a section', () => {
    const found = references(/\]\(((?!https?:)[^)\s]*#[^)\s]+)\)/g, documents)
    const missing = found.filter(({ file, to }) => {
      const [path, section] = to.split('#') as [string, string]
      const target = path === '' ? file : normalize(join(dirname(file), path))
      return !existsSync(target) || !sectionsOf(target).has(section)
    })
    expect(missing.map(shown)).toEqual([])
  })

  it('name scripts of package.json', () => {
    const found = references(/\bnpm run ([\w:-]+)/g, [...documents, ...comments])
    expect(found.length).toBeGreaterThan(20)
    expect(found.filter(({ to }) => scripts[to] === undefined).map(shown)).toEqual([])
  })

  it('name files that exist, in the tables of DESIGN.md', () => {
    // Paths there start in src, protocol, or the folder that the row is about.
    const found = references(/`([\w-]+(?:\/[\w-]+)*\/[\w-]+\.ts)`/g, ['DESIGN.md'])
    expect(found.length).toBeGreaterThan(30)
    const missing = found.filter(
      ({ to }) =>
        !['', 'src', 'protocol', 'test/support'].some((root) => existsSync(join(root, to))),
    )
    expect(missing.map(shown)).toEqual([])
  })

  it('name tests that exist, beside the invariants in DESIGN.md', () => {
    const found = references(/`((?:unit|embedded|kafka|bundles|wire)\/[\w/-]+)`/g, ['DESIGN.md'])
    expect(found.length).toBeGreaterThan(50)
    expect(found.filter(({ to }) => !existsSync(`test/${to}.test.ts`)).map(shown)).toEqual([])
  })

  it('list at most 12 steps for a produced record, and for a fetched one', () => {
    const design = readFileSync('DESIGN.md', 'utf8')
    const produced = /^## Data flow: a produced record$(.*?)^## /ms.exec(design)![1]!
    const fetched = /^## Data flow: a fetched record$(.*?)^## /ms.exec(design)![1]!
    const steps = [
      [...produced.matchAll(/^\| +(\d+) \|/gm)].map(([, number]) => Number(number)),
      [...fetched.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number)),
    ]
    for (const numbers of steps) {
      expect(numbers).toEqual(numbers.map((_, index) => index + 1))
      expect(numbers.length).toBeGreaterThan(0)
      expect(numbers.length).toBeLessThanOrEqual(12)
    }
  })

  it('name functions that exist in their files, in the data flows of DESIGN.md', () => {
    const rows = [
      ...references(/^\| +\d+ \| (`[^`]+` +\| `[^`]+`)/gm, ['DESIGN.md']).map(({ to }) => to),
      ...readFileSync('DESIGN.md', 'utf8')
        .split('\n')
        .flatMap((line) => /^\d+\. .*?(`[\w.#]+` \(`[\w/.-]+`\))/.exec(line)?.[1] ?? []),
    ]
    expect(rows.length).toBeGreaterThan(15)
    const missing = rows.filter((row) => {
      const [one, other] = [...row.matchAll(/`([^`]+)`/g)].map(([, text]) => text!) as [
        string,
        string,
      ]
      const [path, name] = one.endsWith('.ts') ? [one, other] : [other, one]
      const file = ['src', '.'].map((root) => join(root, path)).find((found) => existsSync(found))
      if (file === undefined) return true
      const text = readFileSync(file, 'utf8')
      return !name.split('.').every((part) => text.includes(part))
    })
    expect(missing).toEqual([])
  })
})

/** The anchors of a document's headings, as renderers of Markdown make them. */
function sectionsOf(file: string): Set<string> {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replace(/[^\w\s-]/g, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  )
}
