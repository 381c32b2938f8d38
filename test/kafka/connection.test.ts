import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { KafkaClient } from '../../src/index.ts'
import { Bench } from '../support/chaos/bench.ts'
import { runChild } from '../support/chaos/child.ts'
import { CUT_APIS, cutAt, cutNewcomers, someBytes } from '../support/chaos/cuts.ts'
import { endure } from '../support/chaos/endure.ts'
import { MISBEHAVIOURS } from '../support/chaos/misbehaviours.ts'
import { NEWEST_KAFKA } from '../support/kafka/versions.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

/** The short form of test/chaos. */
describeWithBrokers('connections to a real broker', ['java'], () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await Bench.start(NEWEST_KAFKA)
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  it.each(MISBEHAVIOURS)('hold when what is between $name', (misbehaviour) =>
    endure(bench, misbehaviour),
  )

  it.each(CUT_APIS)('hold when %s is cut', async (api) => {
    await cutAt(bench, api, 'request', someBytes, ['end'])
    await cutAt(bench, api, 'response', someBytes, ['reset'])
  })

  it('find the version when the first answer is cut', async () => {
    await cutNewcomers(bench, 'response', someBytes)
  })

  it('are a consumer’s own: an idle one does not hold up another of its client', async () => {
    await using client = new KafkaClient({ hosts: bench.kafka.hosts })
    const idle = client.topic(await bench.topic())
    const busy = client.topic(await bench.topic())
    await idle.getSimpleConsumer({ fetchWaitMaxMs: 25_000 })
    const consumer = await busy.getSimpleConsumer({ autoOffsetReset: 'earliest' })
    const producer = await busy.getProducer()
    for (let count = 0; count < 10; count++) {
      await producer.produce('now')
      expect(await consumer.consume({ timeoutMs: 20_000 })).toBeDefined()
    }
  })

  it('leave nothing behind', async () => {
    const name = await bench.topic()
    const figures = await runChild(
      'reconnects.ts',
      [String(bench.kafka.ports[0]), name, '50'],
      30_000,
    )
    expect(figures['handlesAfter']).toBe(figures['handlesBefore'])
    expect(figures['exitMs']).toBeLessThan(10_000)
  })
})
