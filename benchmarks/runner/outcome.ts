import { columnsOf, figuresOf, type Column } from './figures.ts'
import type { Case } from './question.ts'
import { spreadOf, type Spread } from './statistics.ts'
import type { Measurement } from './task.ts'

/** What came of one case with one client. */
export interface Outcome {
  readonly client: string
  /** How it was done, in the words of its driver. Empty where it has no way to do it. */
  readonly way: string
  readonly rounds: readonly Measurement[]
  /** Of rounds that gave no figures. */
  readonly failures: readonly string[]
  /** Where these rounds were measured, if not for this case: it would have been the same. */
  readonly sameAs?: string
  /** All rounds, from the start of a process to its end. */
  readonly tookMs: number
}

export interface CaseOutcome {
  readonly case: Case
  readonly outcomes: readonly Outcome[]
}

export interface QuestionOutcome {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly curve?: { readonly over: string; readonly of?: readonly string[] }
  readonly isOneTable?: true
  readonly kafka: string
  readonly rounds: number
  readonly cases: readonly CaseOutcome[]
}

export interface Row {
  readonly outcome: Outcome
  readonly figures: Readonly<Record<string, Spread>>
  /** By the first column: how many times as good as samsa; undefined where there is nothing to compare. */
  readonly timesSamsa: number | undefined
}

export interface Table {
  readonly columns: readonly Column[]
  /** Best first. */
  readonly rows: readonly Row[]
  /** With why. */
  readonly missing: readonly Outcome[]
}

export function tableOf({ case: asked, outcomes }: CaseOutcome): Table {
  const all = columnsOf(asked.task, asked.mode, asked.shares)
  const measured = outcomes.filter(({ rounds }) => rounds.length > 0)
  const spreads = measured.map((outcome) => ({ outcome, figures: spreadsOf(outcome.rounds) }))
  const columns = all.filter(({ key }) => spreads.some(({ figures }) => figures[key] !== undefined))
  const main = columns[0]
  if (main === undefined) return { columns: [], rows: [], missing: outcomes }
  const own = spreads.find(({ outcome }) => outcome.client === 'samsa')?.figures[main.key]?.median
  const rows = spreads
    .map(({ outcome, figures }) => {
      const median = figures[main.key]?.median
      const isComparable = own !== undefined && median !== undefined
      const ratio = !isComparable ? undefined : main.more ? median / own : own / median
      return { outcome, figures, timesSamsa: ratio }
    })
    .sort((a, b) => {
      const [left, right] = [a, b].map(({ figures }) => figures[main.key]?.median ?? NaN)
      return main.more ? right! - left! : left! - right!
    })
  return { columns, rows, missing: outcomes.filter(({ rounds }) => rounds.length === 0) }
}

function spreadsOf(rounds: readonly Measurement[]): Readonly<Record<string, Spread>> {
  const figures = rounds.map(figuresOf)
  const keys = new Set(figures.flatMap((one) => Object.keys(one)))
  const spreads: Record<string, Spread> = {}
  for (const key of keys) {
    const spread = spreadOf(figures.map((one) => one[key] ?? NaN))
    if (spread !== undefined) spreads[key] = spread
  }
  return spreads
}
