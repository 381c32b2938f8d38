import { describe, expect, it } from '@jest/globals'
import { GUARDED, guardedQuestions, ratiosOf } from '../../../benchmarks/guarded.ts'
import type { CaseOutcome } from '../../../benchmarks/runner/outcome.ts'
import { QUICK } from '../../../benchmarks/runner/question.ts'
import type { Measurement } from '../../../benchmarks/runner/task.ts'

describe('what bench:check guards', () => {
  it('is measured for samsa and its peer, and nothing else is', () => {
    const asked = guardedQuestions().flatMap((question) =>
      question
        .cases(QUICK)
        .map(({ title, clients }) => `${question.name}, ${title}: ${clients!.join(' ')}`),
    )
    expect(asked).toEqual([
      'produce, one call a message: samsa kafkajs',
      'produce, many at once: samsa kafkajs',
      'consume, messages: samsa kafkajs',
      'consume, batches: samsa kafkajs',
      'codecs, produce, gzip: kafkajs',
      'codecs, consume, gzip: kafkajs',
      'codecs, produce, lz4: samsa',
      'codecs, consume, lz4: samsa',
      'start, one process: samsa kafkajs',
    ])
  })

  it('is the CPU of the peer divided by that of samsa', () => {
    const ratios = ratiosOf(outcomesWith({ samsa: 20, kafkajs: 60 }))
    expect(Object.keys(ratios)).toEqual(
      GUARDED.map(({ question, title }) => `${question.name}, ${title}`),
    )
    for (const ratio of Object.values(ratios)) expect(ratio).toBeCloseTo(3)
  })

  it('is an error without figures', () => {
    expect(() => ratiosOf(outcomesWith({ samsa: 20 }))).toThrow(
      'kafkajs gave no figures for one call a message',
    )
  })
})

/** Outcomes of all cases, with the CPU milliseconds of each client that is asked. */
function outcomesWith(
  cpuMs: Readonly<Record<string, number>>,
): ReadonlyMap<string, readonly CaseOutcome[]> {
  return new Map(
    guardedQuestions().map((question) => [
      question.name,
      question.cases(QUICK).map((asked) => ({
        case: asked,
        outcomes: asked
          .clients!.filter((client) => client in cpuMs)
          .map((client) => {
            const rounds = [measuredWith(cpuMs[client]!)]
            return { client, way: '', rounds, failures: [], tookMs: 0 }
          }),
      })),
    ]),
  )
}

function measuredWith(userMs: number): Measurement {
  return { messages: 1, elapsedMs: 1, receivedMs: 1, userMs, systemMs: 0 }
}
