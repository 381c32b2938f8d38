import { visibleText } from './visible.ts'
import { fit, textWidth } from './width.ts'

export interface Column<Row> {
  readonly title: string
  /** The text of a cell. */
  readonly of: (row: Row) => string
  /** Numbers are aligned to the right. Default: left. */
  readonly align?: 'left' | 'right'
}

const GAP = '  '
/** The minimum width of the column: if it does not fit, the table becomes a list of fields. */
const MIN_WIDTH = 8

/**
 * Rows as a table of at most `width` columns. If it does not fit, the widest left-aligned columns
 * are truncated; if that is not enough, each row becomes a block with a line for each field. A cell
 * is one line: control characters are escaped, so that data cannot move the cursor.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): string {
  const cells = rows.map((row) =>
    columns.map((column) => visibleText(column.of(row)).replaceAll('\n', '\\n')),
  )
  const natural = columns.map(({ title }, index) =>
    Math.max(textWidth(title), ...cells.map((row) => textWidth(row[index]!))),
  )
  const widths = shrink(columns, natural, width)
  if (widths === undefined) return renderBlocks(columns, cells, width)
  const lines = [columns.map(({ title }) => title), ...cells].map((row) =>
    row
      .map((cell, index) => pad(fit(cell, widths[index]!), widths[index]!, columns[index]!.align))
      .join(GAP)
      .trimEnd(),
  )
  return lines.map((line) => `${line}\n`).join('')
}

/** Rows for programs: no titles, tab-separated cells, with tabs and line ends escaped. */
export function renderPlain<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  return rows
    .map((row) => `${columns.map((column) => escapeCell(column.of(row))).join('\t')}\n`)
    .join('')
}

function escapeCell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n')
}

/** The column widths that fit; undefined if there are none. */
function shrink<Row>(
  columns: readonly Column<Row>[],
  natural: readonly number[],
  width: number,
): readonly number[] | undefined {
  const widths = [...natural]
  let excess = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - width
  while (excess > 0) {
    const widest = widestOf(columns, widths)
    if (widest === undefined) return undefined
    widths[widest]!--
    excess--
  }
  return widths
}

function widestOf<Row>(
  columns: readonly Column<Row>[],
  widths: readonly number[],
): number | undefined {
  let widest: number | undefined
  for (const [index, { align, title }] of columns.entries()) {
    const least = Math.max(MIN_WIDTH, textWidth(title))
    if (align === 'right' || widths[index]! <= least) continue
    if (widest === undefined || widths[index]! > widths[widest]!) widest = index
  }
  return widest
}

function renderBlocks<Row>(
  columns: readonly Column<Row>[],
  cells: readonly (readonly string[])[],
  width: number,
): string {
  const titleWidth = Math.max(...columns.map(({ title }) => textWidth(title)))
  const valueWidth = Math.max(MIN_WIDTH, width - titleWidth - GAP.length)
  return cells
    .map((row) =>
      row
        .map(
          (cell, index) =>
            `${pad(columns[index]!.title, titleWidth)}${GAP}${fit(cell, valueWidth)}`.trimEnd() +
            '\n',
        )
        .join(''),
    )
    .join('\n')
}

function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)))
  return align === 'right' ? space + text : text + space
}
