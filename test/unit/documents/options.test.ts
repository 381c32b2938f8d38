import { describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defaultTextOf,
  docstringsOf,
  namedDefault,
  OPTION_SECTIONS,
} from '../../../build/option-docs.ts'

it('the documents have the tables of options that the sources make: npm run docs:options', () => {
  // prettier loads its parsers by import(), which Jest does not have.
  const changed = execFileSync(
    process.execPath,
    ['--import', 'tsx', 'build/options-reference.ts', '--check'],
    { encoding: 'utf8' },
  )
  expect(changed).toBe('')
})

it('every table of options is in a document', () => {
  const declared = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'option-table.ts')
    .flatMap((name) => [
      ...readFileSync(join('src', name), 'utf8').matchAll(/^} as const satisfies OptionTable</gm),
    ])
  expect(declared.length).toBe(Object.keys(OPTION_SECTIONS).length)
  for (const [name, { document }] of Object.entries(OPTION_SECTIONS)) {
    expect([
      document,
      readFileSync(document, 'utf8').includes(`<!-- options: ${name} -->`),
    ]).toEqual([document, true])
  }
})

describe.each(Object.entries(OPTION_SECTIONS))('%s', (name, { source, table }) => {
  const docs = docstringsOf(name, source)

  it.each(Object.keys(table))('says what %s means, with the default that it has', (option) => {
    const entry = table[option]!
    const docstring = docs.get(option) ?? ''
    expect(docstring).toMatch(/^\S.{10,}\.$/)
    const named = namedDefault(docstring)
    const expected = entry.required === true ? 'required' : defaultTextOf(entry, option)
    if (expected === undefined) expect(named).toBeUndefined()
    // What follows the default is a note on it, such as `500 (100 in pykafka)`.
    else expect(named?.slice(0, expected.length)).toBe(expected)
    if (named !== expected) expect(named?.slice(expected?.length)).toMatch(/^ \(.*\)$/)
  })
})
