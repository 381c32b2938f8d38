import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { phrasesIn, writtenFiles } from '../../support/documents/phrases.ts'

/** Reports and texts by others. */
const NOT_PROSE = ['api/', 'THIRD-PARTY-NOTICES.md']
/** Files with the phrases as examples. */
const EXAMPLES = ['test/support/documents/phrases.ts', 'test/unit/documents/phrases.test.ts']
const files = writtenFiles().filter(
  (file) => !EXAMPLES.includes(file) && !NOT_PROSE.some((path) => file.startsWith(path)),
)

describe('the wording of documents, comments, messages and test names', () => {
  it('uses no phrase that makes a reader read a sentence twice', () => {
    const findings = files.flatMap((file) =>
      phrasesIn(readFileSync(file, 'utf8')).map(
        ({ line, found, instead }) => `${file}:${line}: "${found}": write ${instead}`,
      ),
    )
    expect(findings).toEqual([])
  })

  it('is checked in every folder that people read', () => {
    for (const path of ['README.md', 'DESIGN.md', 'docs/producer.md', 'src/errors.ts']) {
      expect(files).toContain(path)
    }
  })
})

describe('the search for phrases', () => {
  it('finds a phrase with its line, also across the lines of a comment', () => {
    const text = [
      '/**',
      ' * A broker is told',
      ' * of a change, and the',
      ' */',
      '// whoever',
    ].join('\n')
    expect(phrasesIn(text).map(({ line, found }) => [line, found])).toEqual([
      [2, 'told of'],
      [5, 'whoever'],
    ])
  })

  it('accepts "who" for people only', () => {
    expect(phrasesIn('Users who own a topic.')).toEqual([])
    expect(phrasesIn('The member who owns a topic.')).toHaveLength(1)
  })

  it('ignores parts of words and identifiers', () => {
    expect(phrasesIn('const whose = wholesale.canElsewhere')).toEqual([])
  })
})
