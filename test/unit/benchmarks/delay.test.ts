import { describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { delay } from '../../../benchmarks/questions/delay.ts'
import { tableOf } from '../../../benchmarks/runner/outcome.ts'
import { cellsOf } from '../../../benchmarks/report/text.ts'
import { QUICK } from '../../../benchmarks/runner/question.ts'

describe('the delay of the event loop', () => {
  it('is counted for every millisecond of a stall', () => {
    expect(delaysOf(100, [101, 105, 106.5])).toEqual([0, 3, 2, 1, 0, 0.5])
  })

  it('is not counted for a call before its time', () => {
    expect(delaysOf(100, [100.9])).toEqual([])
  })

  it('is compared by its p99, and marked over 5 ms', () => {
    const outcomes = Object.entries({ samsa: 5, kafkajs: 5.5 }).map(([client, p99]) => {
      const delayMs = { p50: 1, p99, p999: 6, max: 7 }
      const rounds = [{ messages: 10, elapsedMs: 1, highestRate: 20_000, delayMs }]
      return { client, way: '', rounds, failures: [], tookMs: 0 }
    })
    const cells = cellsOf(tableOf({ case: delay.cases(QUICK)[0]!, outcomes }))
    expect(cells.map((row) => row.slice(0, 4))).toEqual([
      ['client', 'delay p99 ms', 'samsa = 1', 'p50 ms'],
      ['samsa', '5.00', '1.0×', '1.00'],
      ['kafkajs', '5.50 (!)', '0.91×', '1.00'],
    ])
  })
})

/** What the driver counts from `beganAt` on, if the loop comes to its timer at these times. Drivers are modules that Jest does not load. */
function delaysOf(beganAt: number, calledAt: readonly number[]): unknown {
  const file = pathToFileURL('benchmarks/clients/driver/delay.js').href
  const script = `
    import { DelayMeter } from '${file}'
    const meter = new DelayMeter()
    meter.begin(${beganAt})
    for (const now of ${JSON.stringify(calledAt)}) meter.called(now)
    console.log(JSON.stringify(meter.delaysMs))`
  const options = { encoding: 'utf8' } as const
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], options),
  )
}
