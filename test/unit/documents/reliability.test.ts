import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'

const text = readFileSync('docs/reliability.md', 'utf8')
const REFERENCE = /\[[\w.-]+\]\((\.\.\/test\/[^)]+\.ts)\)((?:,? "[^"]+")+)/g

describe('docs/reliability.md', () => {
  const found = [...text.matchAll(REFERENCE)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => [
      normalize(join('docs', file)),
      title,
    ]),
  )

  it('names tests', () => {
    expect(found.length).toBeGreaterThan(20)
  })

  it.each(found)('names a test of %s: %s', (file, title) => {
    expect(readFileSync(file, 'utf8')).toContain(title)
  })
})
