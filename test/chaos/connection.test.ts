import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Bench } from '../support/chaos/bench.ts'
import { runChild } from '../support/chaos/child.ts'
import { CUT_APIS, cutAt, cutNewcomers, everyByte } from '../support/chaos/cuts.ts'
import { endure } from '../support/chaos/endure.ts'
import { MISBEHAVIOURS } from '../support/chaos/misbehaviours.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

const RECONNECTS = 1_000

describeWithBrokers('connections to a real broker that fail in every way', ['java'], () => {
  describe.each(['4.4.0', '1.1.1'])('Kafka %s', (version) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.start(version)
    })
    afterAll(() => bench[Symbol.asyncDispose]())

    it.each(MISBEHAVIOURS)('recover when the proxy in between $name', (misbehaviour) =>
      endure(bench, misbehaviour),
    )

    describe.each(CUT_APIS)('recover from a cut at every byte of %s', (api) => {
      it.each(['request', 'response'] as const)('%ss', async (direction) => {
        const cuts = await cutAt(bench, api, direction, everyByte, ['end', 'reset'])
        expect(cuts).toBeGreaterThanOrEqual(40)
      })
    })

    it.each(['request', 'response'] as const)(
      'negotiate the version when the first %s is cut at any byte',
      async (direction) => {
        expect(await cutNewcomers(bench, direction, everyByte)).toBeGreaterThanOrEqual(20)
      },
    )

    it(`leave no resources behind after ${RECONNECTS} reconnects`, async () => {
      const name = await bench.topic()
      const args = [String(bench.kafka.ports[0]), name, String(RECONNECTS)]
      const figures = await runChild('reconnects.ts', args, PATIENCE_MS)
      console.log(`Kafka ${version}: ${JSON.stringify(figures)}`)
      expect(figures['connections']).toBeGreaterThanOrEqual(RECONNECTS)
      expect(figures['handlesAfter']).toBe(figures['handlesBefore'])
      const grownBytes = figures['heapAfter']! - figures['heapBefore']!
      expect(grownBytes).toBeLessThan(512 * 1024)
      expect(figures['leftOpen']).toBe(0)
    })
  })
})
