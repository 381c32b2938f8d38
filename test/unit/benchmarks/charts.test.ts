import { describe, expect, it } from '@jest/globals'
import { growth } from '../../../benchmarks/questions/growth.ts'
import { options } from '../../../benchmarks/questions/options.ts'
import { members } from '../../../benchmarks/questions/members.ts'
import { chartsOf } from '../../../benchmarks/report/charts.ts'
import { markdownOf } from '../../../benchmarks/report/markdown.ts'
import type { QuestionOutcome } from '../../../benchmarks/runner/outcome.ts'
import { QUICK, type Case, type Question } from '../../../benchmarks/runner/question.ts'
import type { Measurement } from '../../../benchmarks/runner/task.ts'

describe('the charts of a question', () => {
  it('show joining, the idle cost of a member and the memory over the number of members', () => {
    const charts = chartsOf(
      outcomeOf(members, ({ members: count }) => ({
        members: count,
        joinedMs: 10 * count,
        idle: { elapsedMs: 1_000, userMs: 2 * count, systemMs: count },
        memoryBytes: 1e8,
      })),
    )
    expect(charts.map(({ file }) => file)).toEqual([
      'members-joining-joined.svg',
      'members-joining-idleofmember.svg',
      'members-joining-memory.svg',
    ])
    expect(heightsOf(charts[0]!.svg)).toHaveLength(3)
    expect(new Set(heightsOf(charts[0]!.svg)).size).toBe(3)
    // Each member costs the same.
    expect(new Set(heightsOf(charts[1]!.svg)).size).toBe(1)
  })

  it('show the CPU of a message over the messages, the bytes and the topics', () => {
    const messages = 1_000
    const charts = chartsOf(
      outcomeOf(growth, ({ x }) => ({ messages, elapsedMs: 10, userMs: x!, systemMs: 0 })),
    )
    expect(charts.map(({ file }) => file)).toEqual([
      'growth-messages.svg',
      'growth-bytes-a-message.svg',
      'growth-topics.svg',
    ])
    expect(charts.every(({ svg }) => svg.includes('CPU µs/message'))).toBe(true)
  })
})

describe('a question of one table', () => {
  it('has a row for each case, and no charts', () => {
    const measured = { messages: 1, elapsedMs: 1, userMs: 1, systemMs: 1, timesPlain: 2.5 }
    const outcome = outcomeOf(options, () => measured)
    expect(chartsOf(outcome)).toEqual([])
    const lines = markdownOf({
      ...{ date: '', command: '', kafka: '', scale: QUICK, clients: [], questions: [outcome] },
      machine: { processor: '', cores: 2, memoryGB: 1, system: '', java: '', commit: '' },
    }).split('\n')
    expect(lines).toContain('| case | CPU, times the default | CPU µs/message | messages/s |')
    for (const { title } of options.cases(QUICK)) {
      expect(lines).toContain(`| ${title} | 2.50 (!) | 2,000 | 1,000 |`)
    }
  })
})

function outcomeOf(question: Question, measured: (asked: Case) => Measurement): QuestionOutcome {
  const { name, title, about, curve, isOneTable } = question
  const cases = question.cases(QUICK).map((asked) => ({
    case: asked,
    outcomes: [
      { client: 'samsa', way: 'usual', rounds: [measured(asked)], failures: [], tookMs: 1 },
    ],
  }))
  return {
    name,
    title,
    about,
    ...(curve === undefined ? {} : { curve }),
    ...(isOneTable === undefined ? {} : { isOneTable }),
    kafka: '',
    rounds: 1,
    cases,
  }
}

function heightsOf(svg: string): string[] {
  return [...svg.matchAll(/<circle[^>]* cy="([\d.]+)"/g)].map(([, height]) => height!)
}
