import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { SCENARIOS } from '../../support/chaos/scenarios/scenarios.ts'

const text = readFileSync('docs/reliability.md', 'utf8')
const REFERENCE = /\[[\w.-]+\]\((\.\.\/test\/[^)]+\.ts)\)((?:,? "[^"]+")+)/g

/** The table of scenarios, with the title first and Kafka's version third. */
const rows = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))

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

  describe.each(['4.4.0', '2.8.2'])('has the result of each scenario on Kafka %s:', (version) => {
    it.each(SCENARIOS.map(({ title }) => title))('%s', (title) => {
      const ran = rows.filter(([, what, , kafka]) => what === title && kafka === version)
      expect(ran).toHaveLength(1)
    })
  })

  it.each(found)('names a test of %s: %s', (file, title) => {
    expect(readFileSync(file, 'utf8')).toContain(title)
  })
})
