import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import diagnostics from 'node:diagnostics_channel'
import { KafkaClient } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { Proxy } from '../../support/proxy.ts'
import { failureOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import { ProducerBench, TOPIC } from './support/embedded.ts'

let bench: ProducerBench
let proxy: Proxy
let client: KafkaClient
beforeEach(async () => {
  bench = await ProducerBench.start()
  proxy = await Proxy.start(bench.kafka.ports[0]!)
  client = new KafkaClient({ ...QUICK, hosts: proxy.name })
})
afterEach(async () => {
  await client.close().catch(() => undefined)
  await proxy[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
})

/** From now on connections are opened, and nothing that is sent on them is answered. */
async function goMute(): Promise<void> {
  let left = proxy.openConnections
  const count = () => {
    left--
  }
  diagnostics.subscribe('samsa:close', count)
  proxy.welcome = 'mute'
  proxy.dropConnections()
  await until(() => left === 0)
  diagnostics.unsubscribe('samsa:close', count)
}

describe('a message of which no byte was sent', () => {
  // 1,000 ms end while the connection is opened, 3,000 ms after that has timed out.
  it.each([1_000, 3_000])(
    'is known not to be in the log after %i ms, and is not sent later',
    async (deliveryTimeoutMs) => {
      const producer = await client.topic(TOPIC).getProducer({ deliveryTimeoutMs })
      await goMute()
      const error = await failureOf(producer.produce('lost'))
      expect(error).toMatchObject({ name: 'ProduceFailureError', outcomeUnknown: false })
      await proxy.behave()
      proxy.dropConnections()
      const next = client.topic(TOPIC).getProducer()
      await (await next).produce('next')
      expect(await bench.values()).toEqual(['next'])
    },
  )

  it('is known not to be in the log when close() fails it', async () => {
    const producer = await client.topic(TOPIC).getProducer()
    await goMute()
    const sent = failureOf(producer.produce('lost'))
    await producer.close({ timeoutMs: 100 })
    expect(await sent).toMatchObject({ name: 'ProduceFailureError', outcomeUnknown: false })
  })

  it('is not sent after it failed while its connection was throttled', async () => {
    const producer = await client.topic(TOPIC).getProducer({ deliveryTimeoutMs: 500 })
    bench.kafka.throttle({ api: 'Produce', ms: 1_500 })
    await producer.produce('first')
    const error = await failureOf(producer.produce('lost'))
    expect(error).toMatchObject({ name: 'ProduceFailureError', outcomeUnknown: false })
    bench.kafka.throttle({ ms: 0 })
    const sent = Promise.resolve(
      (await client.topic(TOPIC).getProducer({ deliveryTimeoutMs: 60_000 })).produce('next'),
    )
    await sent
    await until(() => bench.kafka.offsetsOf(TOPIC, 0).end === 2)
    expect(await bench.values()).toEqual(['first', 'next'])
  })
})
