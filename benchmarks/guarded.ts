/** What `npm run bench:check` guards: the CPU that samsa needs, as a ratio to what the peer needs in the same run. */
import { codecs } from './questions/codecs.ts'
import { consume } from './questions/consume.ts'
import { produce } from './questions/produce.ts'
import { start } from './questions/start.ts'
import { tableOf, type CaseOutcome } from './runner/outcome.ts'
import type { Question } from './runner/question.ts'

/** Pure JavaScript: it can be installed on every system that samsa supports. */
export const PEER = 'kafkajs'

interface Guarded {
  readonly question: Question
  /** The title of samsa's case. */
  readonly title: string
  /** The title of the peer's case; default: the same. kafkajs has no lz4, so its gzip shows how fast the machine is. */
  readonly peerTitle?: string
  /** Which figure; default: the CPU of a message. */
  readonly figure?: string
}

export const GUARDED: readonly Guarded[] = [
  { question: produce, title: 'one call a message' },
  { question: produce, title: 'many at once' },
  { question: consume, title: 'messages' },
  { question: consume, title: 'batches' },
  { question: codecs, title: 'produce, lz4', peerTitle: 'produce, gzip' },
  { question: codecs, title: 'consume, lz4', peerTitle: 'consume, gzip' },
  { question: start, title: 'one process', figure: 'cpuMs' },
]

/** How many times the CPU of samsa the peer needs, by what is guarded. */
export type Ratios = Readonly<Record<string, number>>

/** The questions with the cases that are needed, each with the clients that are needed. */
export function guardedQuestions(): readonly Question[] {
  const questions = new Set(GUARDED.map(({ question }) => question))
  return [...questions].map((question) => {
    const its = GUARDED.filter((one) => one.question === question)
    const clientsOf = (title: string): readonly string[] => [
      ...(its.some((one) => one.title === title) ? ['samsa'] : []),
      ...(its.some((one) => (one.peerTitle ?? one.title) === title) ? [PEER] : []),
    ]
    const cases: Question['cases'] = (scale) =>
      question
        .cases(scale)
        .map((one) => ({ ...one, clients: clientsOf(one.title) }))
        .filter(({ clients }) => clients.length > 0)
    return { ...question, cases }
  })
}

/** By CPU, which what else the machine does changes least, and a broker at its limit not at all. */
export function ratiosOf(outcomes: ReadonlyMap<string, readonly CaseOutcome[]>): Ratios {
  return Object.fromEntries(
    GUARDED.map(({ question: { name }, title, peerTitle = title, figure = 'cpu' }) => {
      const its = outcomes.get(name) ?? []
      const own = figureOf(its, title, 'samsa', figure)
      return [`${name}, ${title}`, figureOf(its, peerTitle, PEER, figure) / own]
    }),
  )
}

function figureOf(
  outcomes: readonly CaseOutcome[],
  title: string,
  client: string,
  figure: string,
): number {
  const outcome = outcomes.find((one) => one.case.title === title)
  const rows = outcome === undefined ? [] : tableOf(outcome).rows
  const row = rows.find((one) => one.outcome.client === client)
  const median = row?.figures[figure]?.median
  if (median === undefined) throw new Error(`${client} gave no figures for ${title}`)
  return median
}
