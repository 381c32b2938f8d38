import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Bench } from '../support/chaos/bench.ts'
import { idleCost } from '../support/chaos/idle-cost.ts'
import { NEWEST_KAFKA } from '../support/kafka/versions.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

describeWithBrokers('an idle client', ['java'], () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await Bench.start(NEWEST_KAFKA)
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  it('sends no more requests than its long polls need, at about the cost of bare sockets that request as often', async () => {
    // The engine tidies its memory up once, some 10 to 20 s after the last work.
    const figures = await idleCost(bench, 30_000, 60_000)
    console.log(JSON.stringify(figures))
    // Metadata may be refreshed meanwhile.
    expect(figures['requests']).toBeLessThanOrEqual(figures['longPolls']! + 2)
    expect(figures['cpuMs']! / figures['bareCpuMs']!).toBeLessThan(4)
  })
})
