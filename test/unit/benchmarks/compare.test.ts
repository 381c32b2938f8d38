import { describe, expect, it } from '@jest/globals'
import { compare, doAgree, ratioOf, sumOf } from '../../../benchmarks/report/compare.ts'
import type { Report } from '../../../benchmarks/report/report.ts'
import { caseOf, QUICK } from '../../../benchmarks/runner/question.ts'
import type { Measurement } from '../../../benchmarks/runner/task.ts'

describe('the ratio of a client to samsa', () => {
  it('is the multiple of messages per second, within the range that both spreads allow', () => {
    const ratio = ratioOf({ median: 4, spread: 0.2 }, { median: 2, spread: 0.1 }, true)
    expect(ratio.value).toBe(2)
    expect(ratio.least).toBeCloseTo(3.2 / 2.2)
    expect(ratio.most).toBeCloseTo(4.8 / 1.8)
  })

  it('is inverted if less is better', () => {
    const ratio = ratioOf({ median: 4, spread: 0.2 }, { median: 2, spread: 0.1 }, false)
    expect(ratio.value).toBe(0.5)
    expect(ratio.least).toBeCloseTo(1.8 / 4.8)
    expect(ratio.most).toBeCloseTo(2.2 / 3.2)
  })

  it('has no upper bound if a spread is as large as its median', () => {
    const ratio = ratioOf({ median: 1, spread: 0 }, { median: 1, spread: 1.5 }, true)
    expect(ratio.least).toBeCloseTo(1 / 2.5)
    expect(ratio.most).toBe(Infinity)
  })

  it('agrees with another ratio if their ranges overlap', () => {
    const from = (least: number, most: number) => ({ value: (least + most) / 2, least, most })
    expect(doAgree(from(1, 2), from(2, 3))).toBe(true)
    expect(doAgree(from(2, 3), from(1, 2))).toBe(true)
    expect(doAgree(from(1, 4), from(2, 3))).toBe(true)
    expect(doAgree(from(1, 2), from(2.1, 3))).toBe(false)
    expect(doAgree(from(2.1, 3), from(1, 2))).toBe(false)
  })
})

describe('two reports', () => {
  const before = reportOf({ samsa: [900, 1_000, 1_100], kafkajs: [100, 100, 100] })

  it('agree when the whole machine was twice as fast', () => {
    const after = reportOf({ samsa: [1_800, 2_000, 2_200], kafkajs: [200, 200, 200] })
    const { comparisons, single } = compare(before, after)
    expect(single).toBe(0)
    expect(
      comparisons.map(({ title, client, column, agrees }) => [title, client, column.key, agrees]),
    ).toEqual([['produce: many at once', 'kafkajs', 'rate', true]])
    expect(comparisons[0]!.ratios.map(({ value }) => value)).toEqual([0.1, 0.1])
  })

  it('differ when one client became faster than the spreads explain', () => {
    const after = reportOf({ samsa: [900, 1_000, 1_100], kafkajs: [150, 150, 150] })
    const compared = compare(before, after)
    expect(compared.comparisons.map(({ agrees }) => agrees)).toEqual([false])
    expect(sumOf(compared)).toBe('0 of 1 agree')
  })

  it('count cases separately that only one of them has', () => {
    const after = reportOf({ samsa: [1_000], kafkajs: [100], java: [500] })
    const compared = compare(before, after)
    expect(compared.comparisons.map(({ client }) => client)).toEqual(['kafkajs'])
    expect(compared.single).toBe(1)
    expect(sumOf(compared)).toBe(['1 of 1 agree', 'in one of the reports only: 1'].join('\n'))
  })

  it('ignore a case without figures for samsa', () => {
    const without = reportOf({ kafkajs: [100] })
    expect(compare(without, without)).toEqual({ comparisons: [], single: 0 })
  })

  it('are counted figure by figure', () => {
    const withMemory = (rates: readonly number[]): Report =>
      reportOf({ samsa: [1_000], kafkajs: rates }, { memoryBytes: 1e6 })
    expect(sumOf(compare(withMemory([100]), withMemory([200])))).toBe(
      ['1 of 2 agree', '  messages/s: 0 of 1', '  peak MB: 1 of 1'].join('\n'),
    )
  })
})

/** Of one case, with the rates of each client's rounds. */
function reportOf(
  rates: Readonly<Record<string, readonly number[]>>,
  more: Measurement = {},
): Report {
  const outcomes = Object.entries(rates).map(([client, its]) => ({
    client,
    way: 'some way',
    rounds: its.map((messages) => ({ messages, elapsedMs: 1_000, ...more })),
    failures: [],
    tookMs: 0,
  }))
  const asked = caseOf(QUICK, 'many at once', { task: 'produce', mode: 'many' })
  return {
    date: '',
    command: '',
    kafka: '',
    machine: { processor: '', cores: 2, memoryGB: 1, system: '', java: '', commit: '' },
    scale: QUICK,
    clients: [],
    questions: [
      {
        ...{ name: 'produce', title: 'Producing', about: '', kafka: '', rounds: 3 },
        cases: [{ case: asked, outcomes }],
      },
    ],
  }
}
