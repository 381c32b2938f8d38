/** Two reports beside each other: whether what they say of the clients, measured by samsa, is the same. */
import type { Column } from '../runner/figures.ts'
import { tableOf, type CaseOutcome, type Row } from '../runner/outcome.ts'
import type { Spread } from '../runner/statistics.ts'
import type { Report } from './report.ts'

/** How many times as good as samsa, and what the spreads of both leave possible. */
export interface Ratio {
  readonly value: number
  readonly least: number
  readonly most: number
}

export interface Comparison {
  readonly title: string
  readonly client: string
  readonly column: Column
  readonly ratios: readonly [Ratio, Ratio]
  readonly agrees: boolean
}

export interface Compared {
  readonly comparisons: readonly Comparison[]
  /** Figures that only one of the reports has. */
  readonly single: number
}

/** MB/s say the same as messages/s. */
const LEFT_OUT = ['megabytes']

export function compare(first: Report, second: Report): Compared {
  const [before, after] = [figuresOf(first), figuresOf(second)]
  const comparisons = [...before].flatMap(([key, one]) => {
    const other = after.get(key)
    if (other === undefined) return []
    const { ratio, ...figure } = one
    const ratios = [ratio, other.ratio] as const
    return [{ ...figure, ratios, agrees: doAgree(...ratios) }]
  })
  const single = before.size + after.size - 2 * comparisons.length
  return { comparisons, single }
}

/** Where samsa has 2 ±10 % and another client 4 ±20 %, that is 2 times, and anything from 1.45 to 2.67. */
export function ratioOf(client: Spread, samsa: Spread, more: boolean): Ratio {
  const [better, worse] = more ? [client, samsa] : [samsa, client]
  return {
    value: better.median / worse.median,
    least: quotient(lowest(better), highest(worse)),
    most: quotient(highest(better), lowest(worse)),
  }
}

/** There is a ratio that is possible by both. */
export function doAgree(first: Ratio, second: Ratio): boolean {
  return first.least <= second.most && second.least <= first.most
}

const highest = ({ median, spread }: Spread): number => median * (1 + spread)
// The distance upwards may be more than all there is downwards.
const lowest = ({ median, spread }: Spread): number => Math.max(0, median * (1 - spread))
const quotient = (dividend: number, divisor: number): number =>
  divisor === 0 ? Infinity : dividend / divisor

interface Figure {
  readonly title: string
  readonly client: string
  readonly column: Column
  readonly ratio: Ratio
}

function figuresOf({ questions }: Report): ReadonlyMap<string, Figure> {
  const all = questions.flatMap(({ name, cases }) =>
    cases.flatMap((one) => figuresOfCase(`${name}: ${one.case.title}`, one)),
  )
  return new Map(all.map((one) => [`${one.title}: ${one.client}: ${one.column.key}`, one]))
}

function figuresOfCase(title: string, outcome: CaseOutcome): Figure[] {
  const { columns, rows } = tableOf(outcome)
  const samsa = rows.find((row) => nameOf(row) === 'samsa')
  if (samsa === undefined) return []
  return rows
    .filter((row) => row !== samsa)
    .flatMap((row) =>
      columns.flatMap((column) => {
        const [own, its] = [samsa.figures[column.key], row.figures[column.key]]
        if (own === undefined || its === undefined || LEFT_OUT.includes(column.key)) return []
        return [{ title, client: nameOf(row), column, ratio: ratioOf(its, own, column.more) }]
      }),
    )
}

function nameOf({ outcome }: Row): string {
  return outcome.client
}

/** A table of all comparisons, its head first. */
export function comparisonCells({ comparisons }: Compared): string[][] {
  const inDigits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3))
  const textOf = ({ value, least, most }: Ratio) =>
    `${inDigits(value)} (${inDigits(least)} to ${inDigits(most)})`
  return [
    ['', 'first, samsa = 1', 'second, samsa = 1', ''],
    ...comparisons.map(({ title, client, column, ratios, agrees }) => [
      `${title}, ${client}, ${column.title}`,
      ...ratios.map(textOf),
      agrees ? 'agrees' : 'DIFFERS',
    ]),
  ]
}

/** `90 of 100 agree (messages/s: 45 of 50; …)`, by the figure. */
export function sumOf({ comparisons, single }: Compared): string {
  const figures = [...new Set(comparisons.map(({ column }) => column.title))]
  const parts = figures.map(
    (figure) =>
      `${figure}: ${counted(comparisons.filter(({ column }) => column.title === figure))}`,
  )
  const details = parts.length > 1 ? `\n  ${parts.join('\n  ')}` : ''
  const more = single > 0 ? `\nin one of the reports only: ${single}` : ''
  return `${counted(comparisons)} agree${details}${more}`
}

function counted(comparisons: readonly Comparison[]): string {
  return `${comparisons.filter(({ agrees }) => agrees).length} of ${comparisons.length}`
}
