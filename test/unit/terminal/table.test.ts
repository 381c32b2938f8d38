import { describe, expect, it } from '@jest/globals'
import { renderPlain, renderTable, type Column } from '../../../src/terminal/table.ts'
import { fit, textWidth } from '../../../src/terminal/width.ts'

interface Row {
  readonly name: string
  readonly size: number
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', of: ({ name }) => name },
  { title: 'SIZE', align: 'right', of: ({ size }) => String(size) },
]
const ROWS: readonly Row[] = [
  { name: 'orders', size: 5 },
  { name: '日本語のトピック', size: 1_000_000 },
]

describe('the width of text', () => {
  it('counts the shared characters of Japanese scripts as two columns, too', () => {
    expect(textWidth('グループー、・')).toBe(14)
  })
})

describe('a table', () => {
  it('aligns numbers to the right and counts wide characters as two columns', () => {
    expect(renderTable(COLUMNS, ROWS, 80)).toBe(
      'NAME                 SIZE\n' + 'orders                  5\n' + '日本語のトピック  1000000\n',
    )
  })

  it.each([20, 25, 40, 80, 200])('is not wider than the terminal (%d columns)', (width) => {
    const rows = [{ name: 'a-very-long-name-'.repeat(20), size: 123_456 }, ...ROWS]
    const lines = renderTable(COLUMNS, rows, width).trimEnd().split('\n')
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width)
  })

  it('shows control characters and line ends of a cell as text, in one line', () => {
    const rows = [{ name: 'red \x1b[31m\nand more', size: 1 }]
    expect(renderTable(COLUMNS, rows, 80)).toBe(
      'NAME                    SIZE\n' + 'red \\x1b[31m\\nand more     1\n',
    )
  })

  it('becomes a block of fields for each row when the terminal is too narrow', () => {
    expect(renderTable(COLUMNS, ROWS, 14)).toBe(
      'NAME  orders\nSIZE  5\n\nNAME  日本語…\nSIZE  1000000\n',
    )
  })

  it('has no titles for programs, and escapes what separates cells', () => {
    expect(renderPlain(COLUMNS, [{ name: 'a\tb\n\\', size: 1 }])).toBe('a\\tb\\n\\\\\t1\n')
  })
})

describe('the width of text', () => {
  it.each([
    ['plain', 5],
    ['日本', 4],
    ['e\u0301', 1],
    ['👍🏽', 2],
    ['한국어', 6],
    ['', 0],
  ])('%s takes %d columns', (text, width) => {
    expect(textWidth(text)).toBe(width)
  })

  it('never exceeds the limit after a cut', () => {
    for (let width = 1; width < 12; width++) {
      expect(textWidth(fit('日本語 and more', width))).toBeLessThanOrEqual(width)
    }
  })
})
