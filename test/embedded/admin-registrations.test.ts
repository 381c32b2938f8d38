import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { streamsGroupDescribe } from '../../protocol/apis/streams-group-describe.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'

let kafka: EmbeddedCluster
let client: KafkaClient
beforeEach(async () => {
  kafka = await EmbeddedCluster.start({ brokers: 3, topics: { orders: { partitions: 2 } } })
  client = new KafkaClient({ hosts: kafka.hosts })
})
afterEach(async () => {
  await client.close()
  await kafka.stop()
})

const registered = async () => {
  const { brokers } = await client.admin.describeCluster({ includeFencedBrokers: true })
  return brokers.map(({ broker }) => broker)
}

it('unregisters a stopped broker, which registers again when it starts', async () => {
  await kafka.stopBroker(3)
  expect(await registered()).toEqual([1, 2, 3])
  await client.admin.unregisterBroker(3)
  expect(await registered()).toEqual([1, 2])
  await expect(client.admin.unregisterBroker(3)).rejects.toMatchObject({
    code: 'BROKER_ID_NOT_REGISTERED',
  })
  await kafka.startBroker(3)
  expect(await registered()).toEqual([1, 2, 3])
})

it('keeps the registration of a running broker', async () => {
  await client.admin.unregisterBroker(2)
  expect(await registered()).toEqual([1, 2, 3])
})

it('lists the resources that have configs, by type', async () => {
  const { admin } = client
  await admin.incrementalAlterConfigs([
    { type: 'clientMetrics', name: 'latencies', set: { 'interval.ms': '1000' } },
  ])
  const names = async (type: 'topic' | 'broker' | 'group' | 'clientMetrics') =>
    (await admin.listConfigResources([type])).map(({ name }) => name)
  expect(await names('clientMetrics')).toEqual(['latencies'])
  expect(await names('topic')).toEqual(['orders'])
  expect(await names('broker')).toEqual(['1', '2', '3'])
  expect(await names('group')).toEqual([])
})

it('creates a share group with the offsets that are set for it', async () => {
  const { admin } = client
  await admin.alterShareGroupOffsets('workers', [{ topic: 'orders', partition: 1, startOffset: 0 }])
  const [found] = await admin.listShareGroupOffsets(['workers'])
  expect(found?.offsets).toMatchObject([{ topic: 'orders', partition: 1, startOffset: 0 }])
  expect(await admin.describeGroups(['workers'])).toMatchObject([{ type: 'share', state: 'Empty' }])
})

it('reports a group of another type as missing to StreamsGroupDescribe', async () => {
  const { admin } = client
  await admin.alterGroupOffsets('classic', [{ topic: 'orders', partition: 0, offset: 0 }])
  const { groups } = await client.request(
    streamsGroupDescribe,
    {
      groupIds: ['classic'],
      includeAuthorizedOperations: false,
      includeTopologyDescription: false,
    },
    { to: { coordinator: 'group', key: 'classic' } },
  )
  expect(groups).toMatchObject([
    { groupId: 'classic', errorMessage: 'Group classic is not a streams group.' },
  ])
})
