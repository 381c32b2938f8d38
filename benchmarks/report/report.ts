import type { CaseOutcome, QuestionOutcome } from '../runner/outcome.ts'
import type { Scale } from '../runner/question.ts'
import type { Description } from '../runner/task.ts'
import type { Machine } from './machine.ts'

/** All of a run: what results.json holds, and what the other forms are made of. */
export interface Report {
  readonly date: string
  readonly command: string
  readonly kafka: string
  readonly machine: Machine
  readonly scale: Scale
  readonly clients: readonly { readonly name: string; readonly description: Description | string }[]
  readonly questions: readonly QuestionOutcome[]
}

/** Names a file: of the question, and of the case if it is one of several. */
export function slug(...parts: readonly string[]): string {
  return parts
    .join(' ')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}

export interface Series {
  readonly title: string
  readonly cases: readonly CaseOutcome[]
}

/** The cases of a question that differ in `x` only: a curve each. */
export function seriesOf({ cases }: QuestionOutcome): readonly Series[] {
  const series = new Map<string, CaseOutcome[]>()
  for (const one of cases) {
    if (one.case.x === undefined) continue
    const title = one.case.title.replace(/,[^,]*$/, '')
    const found = series.get(title)
    if (found === undefined) series.set(title, [one])
    else found.push(one)
  }
  return [...series].map(([title, its]) => ({ title, cases: its }))
}
