import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { findCoordinator } from '../../../protocol/apis/find-coordinator.ts'
import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import type { Api } from '../../../protocol/schema/api.ts'
import type { Fields } from '../../../protocol/schema/fields.ts'
import { KafkaClient } from '../../../src/client.ts'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import {
  connectChannel,
  requestChannel,
  type ConnectEvent,
  type RequestEvent,
} from '../../../src/observe/channels.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, metadataOf, QUICK, tellCoordinator } from '../../support/fake-cluster.ts'

describe('what starts, at a broker that describes topics only after it got another request too', () => {
  let broker: FakeBroker
  let client: KafkaClient
  beforeEach(async () => {
    broker = await FakeBroker.start()
    client = new KafkaClient({ ...QUICK, hosts: `${broker.host}:${broker.port}` })
  })
  afterEach(async () => {
    await client.close()
    await broker.stop()
  })

  function describeTopicsAfter<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
  ): void {
    const layout = layoutOf([broker], { t: [1] })
    broker.handle(metadata, async () => {
      await broker.until(() => broker.received(api).length > 0)
      return metadataOf(layout, ['t'])
    })
  }

  it('gets a producer id while the topic of the producer is looked up', async () => {
    describeTopicsAfter(initProducerId)
    broker.handle(initProducerId, () => ({
      throttleTimeMs: 0,
      errorCode: 0,
      producerId: 5n,
      producerEpoch: 0,
    }))
    await expect(client.topic('t').getProducer()).resolves.toBeDefined()
  })

  it('connects a producer to the known leader while the topic of the producer is looked up', async () => {
    const produceConnection = 2
    const layout = layoutOf([broker], { t: [1] })
    broker.handle(metadata, async () => {
      const isProducers = broker.received(metadata).length > 1
      if (isProducers) await broker.until(() => broker.connectionCount >= produceConnection)
      return metadataOf(layout, ['t'])
    })
    await client.topic('t').partitions()
    await client.topic('t').getProducer({ requiredAcks: 1 })
    expect(broker.received(metadata)).toHaveLength(2)
  })

  it('finds the coordinator of a classic group while the topic of the member is looked up', async () => {
    describeTopicsAfter(findCoordinator)
    tellCoordinator(broker)
    const options = { consumerGroup: 'g', managed: true } as const
    const opening = client.topic('t').getBalancedConsumer(options)
    opening.catch(() => undefined) // Ended by the client's close.
    const groupConnection = 2
    await broker.until(() => broker.connectionCount >= groupConnection)
    expect(broker.received(metadata)).toHaveLength(1)
  })
})

describe('what starts at an embedded cluster', () => {
  const requests: string[] = []
  const keepRequest = (event: unknown) => void requests.push((event as RequestEvent).api)
  let kafka: EmbeddedCluster
  let client: KafkaClient
  beforeEach(async () => {
    requests.length = 0
    kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 2 } } })
    client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    subscribe(requestChannel.name, keepRequest)
  })
  afterEach(async () => {
    unsubscribe(requestChannel.name, keepRequest)
    await client.close()
    await kafka.stop()
  })
  const lookups = () => requests.filter((api) => api === 'Metadata').length

  it('looks up the topic of a consumer once', async () => {
    await client.topic('t').getSimpleConsumer()
    expect(lookups()).toBe(1)
  })

  it('looks up the topic of the first member of a classic group once, and again in the next generation', async () => {
    const options = { consumerGroup: 'g', managed: true, heartbeatIntervalMs: 20 } as const
    await client.topic('t').getBalancedConsumer(options)
    expect(lookups()).toBe(1)
    await client.topic('t').getBalancedConsumer(options)
    const ofSecondMemberAndOfLeader = 2
    expect(lookups()).toBeGreaterThanOrEqual(1 + ofSecondMemberAndOfLeader)
  })

  it('connects a consumer to its leaders while it looks up where to start', async () => {
    const held = kafka.faults.on({ api: 'ListOffsets' }, { hold: true })
    const connected = new Promise<void>((resolve) => {
      const keep = (event: unknown) => {
        if ((event as ConnectEvent).purpose !== 'fetch') return
        unsubscribe(connectChannel.name, keep)
        resolve()
      }
      subscribe(connectChannel.name, keep)
    })
    const opening = client.topic('t').getSimpleConsumer()
    await connected
    expect(requests).not.toContain('ListOffsets')
    held.release()
    await opening
  })
})
