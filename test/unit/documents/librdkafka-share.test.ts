import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = 'test/embedded/librdkafka-share'
const REFERENCE = /\[[\w.-]+\]\(([^)]+\.ts)\) "([^"]+)"/g

describe("the table of librdkafka's share tests", () => {
  const table = readFileSync(join(FOLDER, 'README.md'), 'utf8')
  const named = new Set(
    [...table.matchAll(REFERENCE)].map(([, file = '', title = '']) => `${file}\n${title}`),
  )

  it('has a section for each of the 22 files', () => {
    expect(table.match(/^## \d{4}-share_\w+\.c$/gm)).toHaveLength(22)
  })

  it('counts its cases as it says', () => {
    const counts = { shown: 0, different: 0, inapplicable: 0 }
    for (const [, cases = '', text = ''] of table.matchAll(/^\| (\w.*?) +\| (.*)\|$/gm)) {
      if (cases === 'cases') continue
      const isInapplicable = text.startsWith('Not applicable')
      const kind = isInapplicable
        ? 'inapplicable'
        : text.includes('Different')
          ? 'different'
          : 'shown'
      counts[kind] += cases.split(', ').length
    }
    const { shown, different, inapplicable } = counts
    const total = shown + different + inapplicable
    expect(table).toContain(
      `Of the ${total} cases, ${shown} are shown, ${different} with a difference on purpose; ${inapplicable} do not apply, none is missing.`,
    )
  })

  it('names tests that exist', () => {
    expect(named.size).toBeGreaterThan(50)
    const missing = [...named].filter((reference) => {
      const [file, title] = reference.split('\n') as [string, string]
      return !readFileSync(join(FOLDER, file), 'utf8').includes(title)
    })
    expect(missing).toEqual([])
  })
})
