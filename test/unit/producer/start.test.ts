import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { ClosedError, KafkaClient } from '../../../src/index.ts'
import { failureOf } from '../../support/settled.ts'
import { ProducerBench, TOPIC } from './support/embedded.ts'

/** A timeout of this length would let the test fail. */
const ENDLESS_MS = 900_000

describe('a producer', () => {
  it('that is closed while it starts stays closed', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ autoStart: false })
    const held = bench.kafka.faults.on({ api: 'InitProducerId' }, { hold: true })
    const started = failureOf(producer.start())
    await bench.kafka.requests.next({ api: 'InitProducerId' })
    await producer.close()
    held.release()
    expect(await started).toBeInstanceOf(ClosedError)
    expect(await failureOf(producer.produce('x'))).toBeInstanceOf(ClosedError)
    expect(await failureOf(producer.start())).toBeInstanceOf(ClosedError)
    expect(await bench.values()).toEqual([])
  })

  it('sends queued messages when it is stopped, and can be started again until it is closed', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ lingerMs: 60_000 })
    const sent = producer.produce('x')
    await producer.stop()
    expect(await sent).toMatchObject({ offset: 0 })
    await producer.start()
    const again = producer.produce('y')
    await producer.close()
    expect(await again).toMatchObject({ offset: 1 })
    expect(await failureOf(producer.start())).toBeInstanceOf(ClosedError)
  })

  it('starts once, no matter how often start() is called', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ autoStart: false })
    await Promise.all([producer.start(), producer.start()])
    await producer.start()
    expect(bench.kafka.requests.all({ api: 'InitProducerId' })).toHaveLength(1)
    await producer.produce('x')
  })

  it('gets its id from another broker when one does not answer', async () => {
    await using kafka = await EmbeddedCluster.start({
      brokers: 2,
      topics: { t: { partitions: 1 } },
    })
    kafka.faults.on({ api: 'InitProducerId', times: 1 }, { drop: true })
    await using client = new KafkaClient({ hosts: kafka.hosts, socketTimeoutMs: ENDLESS_MS })
    const producer = await client.topic('t').getProducer({ idempotent: true })
    expect(await producer.produce('x')).toMatchObject({ offset: 0 })
  })

  it('can be started again after a start that failed', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ autoStart: false, idempotent: true })
    const error = { error: 'CLUSTER_AUTHORIZATION_FAILED' } as const
    bench.kafka.faults.on({ api: 'InitProducerId', times: 1 }, error)
    expect(await failureOf(producer.start())).toMatchObject({ code: error.error })
    await producer.start()
    expect(await producer.produce('x')).toMatchObject({ offset: 0 })
  })

  it('rejects messages while and after it is closed, and a flush after that ends', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.client.getProducer()
    const held = bench.kafka.faults.on({ api: 'Produce', times: 1 }, { hold: true })
    const sent = Promise.resolve(producer.produce(TOPIC, 'in time'))
    await bench.kafka.requests.next({ api: 'Produce' })
    const closing = producer.close()
    const during = failureOf(producer.produce(TOPIC, 'during'))
    const toNew = failureOf(producer.produce('new', 'during'))
    held.release()
    await closing
    expect(await sent).toMatchObject({ offset: 0 })
    expect(await during).toBeInstanceOf(ClosedError)
    expect(await toNew).toBeInstanceOf(ClosedError)
    expect(await failureOf(producer.produce(TOPIC, 'after'))).toBeInstanceOf(ClosedError)
    await producer.flush()
    expect(producer.queuedMessages).toBe(0)
  })
})
