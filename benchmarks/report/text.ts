import type { Row, Table } from '../runner/outcome.ts'
import type { Spread } from '../runner/statistics.ts'

/** 1,234,567 or 12.3 or 0.412: three digits that mean something. */
export function inFigures(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}

function withSpread({ median, spread }: Spread): string {
  // A single round has none.
  return spread === 0 ? inFigures(median) : `${inFigures(median)} ±${Math.round(spread * 100)} %`
}

function ratioText(ratio: number | undefined): string {
  if (ratio === undefined) return ''
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toPrecision(ratio < 0.1 ? 1 : 2)}×`
}

/** The cells of a table, its head first. */
export function cellsOf({ columns, rows }: Table): string[][] {
  const [main, ...others] = columns
  if (main === undefined) return []
  const head = ['client', main.title, 'samsa = 1', ...others.map(({ title }) => title), 'how']
  const cellOf = ({ figures }: Row, key: string) => {
    const spread = figures[key]
    return spread === undefined ? '–' : withSpread(spread)
  }
  const markOf = ({ figures }: Row) => {
    const isMarked = (figures[main.key]?.median ?? 0) > (main.most ?? Infinity)
    return isMarked ? ' (!)' : ''
  }
  return [
    head,
    ...rows.map((row) => [
      row.outcome.client,
      cellOf(row, main.key) + markOf(row),
      ratioText(row.timesSamsa),
      ...others.map(({ key }) => cellOf(row, key)),
      row.outcome.way,
    ]),
  ]
}

/** With columns that stand below each other. */
export function aligned(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, at) => Math.max(...cells.map((row) => row[at]!.length)))
  const last = widths.length - 1
  return cells
    .map((row) =>
      row
        .map((cell, at) => {
          const isText = at === 0 || at === last
          return isText ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Clients that are not in the table, or were measured elsewhere, one line each. */
export function missingLines({ missing, rows }: Table): string[] {
  const failed = [...missing, ...rows.map(({ outcome }) => outcome)].filter(
    ({ failures }) => failures.length > 0,
  )
  const places = new Set(
    rows.map(({ outcome }) => outcome.sameAs).filter((one) => one !== undefined),
  )
  const unable = missing.filter(({ failures }) => failures.length === 0)
  return [
    ...failed.map(({ client, failures, rounds }) => {
      const kind = rounds.length > 0 ? `${failures.length} failed rounds` : 'not measured'
      return `${client}: ${kind}: ${failures[0]!.split('\n')[0]!}`
    }),
    ...[...places].map((place) => {
      const its = rows.filter(({ outcome }) => outcome.sameAs === place)
      const names = its.map(({ outcome }) => outcome.client).join(', ')
      return `figures of “${place}”, which is the same for them: ${names}`
    }),
    ...(unable.length > 0
      ? [`no way to do it: ${unable.map(({ client }) => client).join(', ')}`]
      : []),
  ]
}
