import { describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defaultTextOf,
  docstringsOf,
  namedDefault,
  OPTION_SECTIONS,
  ownOptionsOf,
  withOptionTables,
} from '../../../build/option-docs.ts'

it('the documents contain the option tables generated from the sources: npm run docs:options', () => {
  // prettier loads its parsers by import(), which Jest does not have.
  const changed = execFileSync(
    process.execPath,
    ['--import', 'tsx', 'build/options-reference.ts', '--check'],
    { encoding: 'utf8' },
  )
  expect(changed).toBe('')
})

/** The names of the option tables that a source declares. */
function tablesOf(source: string): string[] {
  const tables = source.matchAll(
    /^(?:export )?const (\w+) = \{(?:.*\}|\n(?:[^}].*\n|\n)*\}) as const satisfies OptionTable</gm,
  )
  return [...tables].map(([, name]) => name!)
}

it('every option table is in a section of build/option-docs.ts, and that in a document', () => {
  const SECTIONS = ['build/option-docs.ts', 'build/admin-option-sections.ts']
  const sections = SECTIONS.map((file) =>
    readFileSync(file, 'utf8').replaceAll(/^import [^']*'.*'$/gm, ''),
  ).join('')
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'option-table.ts')
    .map((name) => join('src', name))
  const missing = sources.flatMap((file) => {
    const source = readFileSync(file, 'utf8')
    const tables = tablesOf(source)
    expect(tables).toHaveLength(source.split(' as const satisfies OptionTable<').length - 1)
    return tables
      .filter((name) => !new RegExp(`\\b${name}\\b`).test(sections))
      .map((name) => `${file}: list ${name} in ${SECTIONS.join(', or for the admin client in ')}`)
  })
  expect(missing).toEqual([])
  for (const [name, { document }] of Object.entries(OPTION_SECTIONS)) {
    expect([
      document,
      readFileSync(document, 'utf8').includes(`<!-- options: ${name} -->`),
    ]).toEqual([document, true])
  }
})

describe('a document with option tables', () => {
  const BEGIN = '<!-- options: TransactionalProducerOptions -->'
  const END = '<!-- /options -->'

  it.each([
    ['nothing', ''],
    ['an empty line', '\n'],
    ['an old table', '\n| Option |\n| --- |\n| `gone` |\n\n'],
  ])('gets its table between markers with %s between them', (_, between) => {
    const written = withOptionTables(`before\n\n${BEGIN}\n${between}${END}\n\nafter\n`)
    expect(written).toMatch(/^before\n\n<!-- options: [^]* -->\n\nafter\n$/)
    expect(written).toContain('| `transactionalId` | required |')
    expect(written).not.toContain('gone')
  })

  it('keeps the text between two tables', () => {
    const written = withOptionTables(`${BEGIN}\n${END}\n\nkept\n\n${BEGIN}\n${END}\n`)
    expect(written.split('| `transactionalId` | required |')).toHaveLength(3)
    expect(written).toContain(`${END}\n\nkept\n\n${BEGIN}`)
  })

  it.each([
    [
      'begins a table and does not end it',
      `${BEGIN}\n\nkept\n\n${BEGIN}\n\n${END}\n`,
      '2',
      '1',
      '1',
    ],
    ['ends a table that has not begun', `${BEGIN}\n\n${END}\n\n${END}\n`, '1', '2', '1'],
    ['has a marker that is misspelt', `<!-- options:Run -->\n\n${END}\n`, '1', '1', '0'],
    ['has a marker within a line', `see ${BEGIN}\n\n${END}\n`, '1', '1', '0'],
  ])('is rejected when it %s', (_, document, begins, ends, tables) => {
    expect(() => withOptionTables(document)).toThrow(
      `${begins} markers begin a table of options and ${ends} end one, but only ${tables} tables`,
    )
  })

  it('is rejected when it names options that do not exist', () => {
    expect(() => withOptionTables(`<!-- options: Other -->\n${END}\n`)).toThrow('name Other')
  })
})

it('every option of a table is in the document of its interface or of one that it extends', () => {
  const documented = new Set(
    Object.keys(OPTION_SECTIONS).flatMap((name) => ownOptionsOf(name).map(([, entry]) => entry)),
  )
  const missing = Object.entries(OPTION_SECTIONS).flatMap(([name, { table }]) =>
    Object.entries(table).flatMap(([option, entry]) =>
      documented.has(entry) ? [] : [`${name}.${option}`],
    ),
  )
  expect(missing).toEqual([])
})

describe.each(Object.entries(OPTION_SECTIONS))('%s', (name, { document, source, table }) => {
  const docs = docstringsOf(name, source)
  const own = ownOptionsOf(name).map(([option]) => option)

  it('has a row for each option in its document', () => {
    const [, after] = readFileSync(document, 'utf8').split(`<!-- options: ${name} -->`)
    const [section] = after!.split('<!-- /options -->')
    const rows = [...section!.matchAll(/^\| `(\w+)`/gm)].map(([, option]) => option)
    expect(rows).toEqual(own)
  })

  it.each(own)('states the meaning of %s, with its default', (option) => {
    const entry = table[option]!
    const docstring = docs.get(option) ?? ''
    expect(docstring).toMatch(/^\S.{10,}\.$/)
    const named = namedDefault(docstring)
    // The interface requires it by leaving out the question mark; a docstring may state it too.
    if (entry.required === true) {
      expect([undefined, 'required']).toContain(named)
      return
    }
    const expected = defaultTextOf(entry, option)
    if (expected === undefined) expect(named).toBeUndefined()
    // What follows the default is a note on it, such as `500 (100 in pykafka)`.
    else expect(named?.slice(0, expected.length)).toBe(expected)
    if (named !== expected) expect(named?.slice(expected?.length)).toMatch(/^ \(.*\)$/)
  })
})
