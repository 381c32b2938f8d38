import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, WrongClusterError } from '../../src/index.ts'
import { Bench, DELIVERY_TIMEOUT_MS } from '../support/chaos/bench.ts'
import { runChild } from '../support/chaos/child.ts'
import { CUT_APIS, cutAt, cutNewcomers, someBytes } from '../support/chaos/cuts.ts'
import { endure } from '../support/chaos/endure.ts'
import { MISBEHAVIOURS } from '../support/chaos/misbehaviours.ts'
import { NEWEST_KAFKA } from '../support/kafka/versions.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { failureOf } from '../support/settled.ts'
import { takeTexts } from '../support/take.ts'

/** The WrongClusterError that a call fails with, or for whose sake it ran out of time. */
async function wrongClusterOf(call: Promise<unknown>): Promise<WrongClusterError> {
  const failure = await failureOf(call)
  for (let error: unknown = failure; error instanceof Error; error = error.cause) {
    if (error instanceof WrongClusterError) return error
  }
  throw new Error('It failed for another reason', { cause: failure })
}

/** The short form of test/chaos. */
describeWithBrokers('connections to a real broker', ['java'], () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await Bench.start(NEWEST_KAFKA)
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  it.each(MISBEHAVIOURS)('recover when the proxy in between $name', (misbehaviour) =>
    endure(bench, misbehaviour),
  )

  it.each(CUT_APIS)('recover when %s is cut', async (api) => {
    await cutAt(bench, api, 'request', someBytes, ['end'])
    await cutAt(bench, api, 'response', someBytes, ['reset'])
  })

  it('negotiate the version when the first response is cut', async () => {
    await cutNewcomers(bench, 'response', someBytes)
  })

  it('belong to one consumer: an idle consumer does not delay another of its client', async () => {
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

  describe('of which the first four close without a response', () => {
    const turnedAway = async (name: string): Promise<KafkaClient> => {
      bench.proxy.turnsAway = 4
      const client = bench.client({ waitForCluster: true, operationTimeoutMs: 20_000 })
      await client.topic(name).partitions()
      expect(bench.proxy.turnsAway).toBe(0)
      // Only the bootstrap address was asked so far: the first contact with the broker that it named is still to come.
      bench.proxy.turnsAway = 4
      return client
    }

    it('keep an idempotent producer idempotent', async () => {
      const name = await bench.topic()
      await using client = await turnedAway(name)
      const producer = await client.topic(name).getProducer({ idempotent: true })
      expect(await producer.produce('one')).toMatchObject({ partition: 0, offset: 0 })
      expect(bench.proxy.turnsAway).toBe(0)
    })

    it('let a member join a group that Kafka coordinates', async () => {
      const name = await bench.topic()
      await using producer = await bench.direct.topic(name).getProducer()
      await producer.produce('one')
      await using client = await turnedAway(name)
      await using consumer = await client.topic(name).getBalancedConsumer({
        consumerGroup: 'turned-away',
        managed: true,
        autoOffsetReset: 'earliest',
      })
      expect(await takeTexts(consumer, 1)).toEqual(['one'])
      expect(bench.proxy.turnsAway).toBe(0)
    })
  })

  describe('to an address that a broker of another cluster has taken over', () => {
    const produceTo = async (client: KafkaClient, name: string) =>
      client.topic(name).getProducer({ deliveryTimeoutMs: DELIVERY_TIMEOUT_MS })

    it('are refused by Kafka 4.4.0, which receives the expected cluster id, and nothing is written', async () => {
      const name = await bench.topic()
      await bench.proxy.refuse()
      await using other = await EmbeddedCluster.start({
        ports: [bench.proxy.port],
        topics: { [name]: { partitions: 1 } },
      })
      await using client = bench.client()
      const producer = await produceTo(client, name)
      await producer.produce('to the embedded cluster')
      await other.stop()
      await bench.proxy.behave()
      const wrong = await wrongClusterOf(client.topic(name).latestAvailableOffsets())
      // By the refusal of the broker, not by a cluster id that the client compared.
      expect(wrong.message).toContain('responded that it is another broker')
      await wrongClusterOf(producer.produce('not delivered'))
      expect(await bench.direct.topic(name).latestAvailableOffsets()).toEqual(new Map([[0, 0]]))
    })

    it('are not used by a client of Kafka 4.4.0, and nothing is written', async () => {
      const name = await bench.topic()
      await using client = bench.client()
      const producer = await produceTo(client, name)
      await producer.produce('to Kafka')
      await bench.proxy.refuse()
      await using other = await EmbeddedCluster.start({
        ports: [bench.proxy.port],
        topics: { [name]: { partitions: 1 } },
      })
      await wrongClusterOf(producer.produce('not delivered'))
      expect(other.requests.all({ api: 'Produce' })).toEqual([])
      await other.stop()
      await bench.proxy.behave()
      expect(await bench.direct.topic(name).latestAvailableOffsets()).toEqual(new Map([[0, 1]]))
    })
  })

  it('leave no resources behind', async () => {
    const name = await bench.topic()
    const figures = await runChild(
      'reconnects.ts',
      [String(bench.kafka.ports[0]), name, '50'],
      PATIENCE_MS,
    )
    expect(figures['handlesAfter']).toBe(figures['handlesBefore'])
    expect(figures['leftOpen']).toBe(0)
  })
})
