import type { Column } from '../runner/figures.ts'
import { tableOf, type CaseOutcome, type QuestionOutcome } from '../runner/outcome.ts'
import { barChart } from './bars.ts'
import { curveChart, type Curve } from './curve.ts'
import { seriesOf, slug, type Series } from './report.ts'

export interface Chart {
  readonly file: string
  readonly title: string
  readonly svg: string
}

/** What a message costs the client says more about growth than a rate, which the broker limits too. */
const COST = ['cpu']

/** A chart a case, or curves over the cases where the question has them. */
export function chartsOf(question: QuestionOutcome): readonly Chart[] {
  const { curve, isOneTable } = question
  if (isOneTable === true) return []
  if (curve !== undefined) {
    const { over, of = COST } = curve
    return seriesOf(question)
      .flatMap((series) => of.map((key) => curveOf(question, series, over, key)))
      .filter((chart) => chart !== undefined)
  }
  return question.cases.map((one) => barsOf(question, one)).filter((chart) => chart !== undefined)
}

function barsOf(question: QuestionOutcome, outcome: CaseOutcome): Chart | undefined {
  const { columns, rows } = tableOf(outcome)
  const main = columns[0]
  if (main === undefined) return undefined
  const bars = rows.flatMap(({ outcome: { client }, figures }) => {
    const value = figures[main.key]
    return value === undefined ? [] : [{ label: client, value }]
  })
  const title = `${question.title}: ${outcome.case.title}`
  const file = `${slug(question.name, outcome.case.title)}.svg`
  return { file, title, svg: barChart(title, unitOf(main), bars) }
}

function unitOf({ title, more }: Column): string {
  return more ? title : `${title}, less is better`
}

function curveOf(
  question: QuestionOutcome,
  { title, cases }: Series,
  over: string,
  column: string,
): Chart | undefined {
  const tables = cases.map((one) => ({ x: one.case.x!, ...tableOf(one) }))
  const shown = tables[0]!.columns.find(({ key }) => key === column)
  if (shown === undefined) return undefined
  const clients = new Set(tables.flatMap(({ rows }) => rows.map(({ outcome }) => outcome.client)))
  const curves: readonly Curve[] = [...clients].map((label) => ({
    label,
    points: tables.flatMap(({ x, rows }) => {
      const y = rows.find(({ outcome }) => outcome.client === label)?.figures[shown.key]?.median
      // Nothing at all has no place on a logarithmic scale.
      return y === undefined || y <= 0 ? [] : [{ x, y }]
    }),
  }))
  const name = `${question.title}: ${title}`
  const file = `${slug(question.name, title, ...(COST.includes(column) ? [] : [column]))}.svg`
  return { file, title: name, svg: curveChart(name, over, unitOf(shown), curves) }
}
