import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { examplesOf } from '../../support/documents/examples.ts'

const GUIDE = 'docs/from-pykafka.md'
const text = readFileSync(GUIDE, 'utf8')
/** Written by test/pykafka/public_names.py; `npm run test:pykafka` compares it with the installed pykafka. */
const PUBLIC = JSON.parse(
  readFileSync(join('test', 'pykafka', 'public-names.json'), 'utf8'),
) as Record<string, readonly string[]>

/** The sections of third level, by heading. */
const sections = text
  .split(/^### /m)
  .slice(1)
  .map((section) => section.split(/^## /m)[0]!)
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()))
const VERDICTS = ['same', 'better', 'different', 'none in Node.js']
const judged = rows.filter((cells) => cells.length === 3 && VERDICTS.includes(cells[2]!))
const counted = new Map(rows.filter(({ length }) => length === 2).map(([name, n]) => [name!, n!]))

/** The names of the code in a text: `start`, `produce(value, key)`. */
function namesIn(markdown: string): Set<string> {
  const code = [...markdown.matchAll(/`([^`]+)`/g)].map(([, inside]) => inside!)
  return new Set(code.flatMap((inside) => inside.match(/(--)?[a-zA-Z_][\w.]*/g) ?? []))
}

describe('the guide for users of pykafka', () => {
  it.each(Object.keys(PUBLIC))('names every public member of %s', (owner) => {
    const about = sections.filter((section) => namesIn(section.split('\n')[0]!).has(owner))
    const isCommand = owner === 'kafka-tools'
    const found = isCommand ? sections.filter((one) => one.includes('`kafka-tools`')) : about
    const named = namesIn(found.join('\n'))
    if (found.length === 0) expect(namesIn(text)).toContain(owner)
    expect(PUBLIC[owner]!.filter((name) => !named.has(name))).toEqual([])
  })

  it('gives each item one of four verdicts', () => {
    const tables = text.slice(text.indexOf('## All of pykafka'), text.indexOf('## Count'))
    const all = tables.split('\n').filter((line) => /^\| (?!pykafka|-)/.test(line))
    expect(all.length).toBe(judged.length)
    expect(judged.length).toBeGreaterThanOrEqual(216)
  })

  it('counts the verdicts at its end, and nothing is missing', () => {
    for (const verdict of VERDICTS) {
      const count = judged.filter((cells) => cells[2] === verdict).length
      expect([verdict, counted.get(verdict)]).toEqual([verdict, String(count)])
    }
    expect(counted.get('missing')).toBe('0')
    expect(counted.get('all')).toBe(String(judged.length))
  })

  it('has thirty programs in Python, each followed by one in TypeScript that a test runs', () => {
    const programs = examplesOf(GUIDE).map(({ language, runs }) => [language, runs])
    const pair = [
      ['python', 'to its end'],
      ['ts', 'to its end'],
    ]
    expect(programs).toEqual(Array.from({ length: 30 }, () => pair).flat())
  })
})
