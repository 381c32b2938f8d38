import { describe, expect, it } from '@jest/globals'
import { contestsOf, type Contender, type Contest } from '../../../benchmarks/runner/contests.ts'
import { storm } from '../../../benchmarks/questions/storm.ts'
import { isRun, planOf } from '../../../benchmarks/runner/plan.ts'
import { caseOf, QUICK, type Case, type Question } from '../../../benchmarks/runner/question.ts'

describe('the plan of a benchmark', () => {
  const kafkajs = contender('kafkajs', { 'produce single': '`send`', 'produce told': '`send`' })
  const samsa = contender('samsa', { 'produce single': '`produce`', 'produce told': '`then`' })
  const single = caseOf(QUICK, 'single', { task: 'produce', mode: 'single' })
  const told = caseOf(QUICK, 'told', { task: 'produce', mode: 'told' })

  it('measures once what a client does identically in two cases', () => {
    const [first, second] = planOf([contest(single, kafkajs, samsa), contest(told, kafkajs, samsa)])
    expect(first!.entries.map(isRun)).toEqual([true, true])
    expect(second!.entries.map(isRun)).toEqual([false, true])
    expect(second!.entries[0]!.sameAs).toBe(first!.entries[0])
  })

  it('measures once what is identical, in whatever order a case names its settings', () => {
    const { task, mode, ...others } = told
    const turned: Case = { ...others, clients: ['kafkajs'], mode, task }
    const [, second] = planOf([contest(single, kafkajs), contest(turned, kafkajs)])
    expect(second!.entries.map(isRun)).toEqual([false])
  })

  it('measures again if any setting differs', () => {
    const withTls = { ...single, tls: true }
    const [, second] = planOf([contest(single, kafkajs), contest(withTls, kafkajs)])
    expect(second!.entries.map(isRun)).toEqual([true])
  })

  it('measures transactions of each size, which a client makes in the same way', () => {
    const client = contender('java', { 'transactions empty': 'x', 'transactions of one': 'x' })
    const [empty, one] = ['empty', 'of one'].map((mode) =>
      contest(caseOf(QUICK, mode, { task: 'transactions', mode }), client),
    )
    const plans = planOf([empty!, one!])
    expect(plans.map(({ entries }) => entries.map(isRun))).toEqual([[true], [true]])
  })

  it('measures a topology with acks and without, which a client runs in the same way', () => {
    const client = contender('pystorm', { 'storm acked': 'x', 'storm not acked': 'x' })
    const plans = planOf(storm.cases(QUICK).map((asked) => contest(asked, client)))
    expect(plans.map(({ entries }) => entries.map(isRun))).toEqual([[true], [true]])
  })

  it('measures again on another Kafka', () => {
    const elsewhere = { ...contest(single, kafkajs), question: question({ kafka: '3.9.1' }) }
    const [, second] = planOf([contest(single, kafkajs), elsewhere])
    expect(second!.entries.map(isRun)).toEqual([true])
  })

  it('has one round of the questions that are asked once', () => {
    const [often, once] = [question({ cases: () => [single] }), question({ cases: () => [told] })]
    const asking = { scale: { ...QUICK, rounds: 3 }, once: [once], kafka: '4.4.0', isChosen: false }
    const plans = planOf(contestsOf([often, once], [samsa], asking))
    expect(plans.map(({ entries }) => entries[0]!.rounds)).toEqual([3, 1])
  })

  it('excludes clients that do not support a case or are not installed', () => {
    const missing: Contender = { ...kafkajs, description: 'not installed' }
    const awaited = caseOf(QUICK, 'awaited', { task: 'produce', mode: 'awaited' })
    const [plan] = planOf([contest(awaited, kafkajs, missing)])
    expect(plan!.entries.map(isRun)).toEqual([false, false])
  })
})

function contender(name: string, ways: Readonly<Record<string, string>>): Contender {
  const description = { version: '1', runtime: 'Node.js', ways }
  return { client: { name, driver: `${name}.js` }, description }
}

function contest(asked: Case, ...contenders: readonly Contender[]): Contest {
  return { question: question(), asked, contenders, rounds: 1 }
}

function question(more: Partial<Question> = {}): Question {
  return { name: 'produce', title: 'Producing', about: '', cases: () => [], ...more }
}
