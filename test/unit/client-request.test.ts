import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as protocol from '../../protocol/index.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type RequestOptions } from '../../src/index.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { failureOf } from '../support/settled.ts'

const body = { includeClusterAuthorizedOperations: false }

describe('client.request', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient
  beforeAll(async () => {
    kafka = await EmbeddedCluster.start({ brokers: 3, topics: { orders: { partitions: 3 } } })
    client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
  })
  afterAll(async () => {
    await client.close()
    await kafka.stop()
  })

  it('resolves with the response of any broker', async () => {
    const { clusterId, brokers } = await client.request(protocol.describeCluster, body)
    expect(clusterId).toBe(kafka.clusterId)
    expect(brokers).toHaveLength(3)
  })

  it('sends a request about a partition to its leader', async () => {
    for (const { partition } of await client.topic('orders').partitions()) {
      const { topics } = await client.request(
        protocol.listOffsets,
        {
          replicaId: -1,
          topics: [{ name: 'orders', partitions: [{ partitionIndex: partition, timestamp: -1n }] }],
        },
        { to: { leader: { topic: 'orders', partition } } },
      )
      expect(topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, offset: 0n })
    }
  })

  it('sends a request about a group to its coordinator', async () => {
    const { groups } = await client.request(
      protocol.describeGroups,
      { groups: ['nobody'] },
      { to: { coordinator: 'group', key: 'nobody' }, maxVersion: 5 },
    )
    expect(groups[0]).toMatchObject({ groupId: 'nobody', errorCode: 0, groupState: 'Dead' })
  })

  it('throws the error code of the whole response', async () => {
    const fault = kafka.faults.on(
      { api: 'DescribeCluster' },
      { error: 'CLUSTER_AUTHORIZATION_FAILED' },
    )
    const error = await failureOf(client.request(protocol.describeCluster, body))
    fault.remove()
    expect(error).toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED', retriable: false })
  })

  it('rejects an unknown option and an invalid target by name', async () => {
    for (const [options, message] of [
      [{ destination: 'any' }, "request has no option 'destination'"],
      [{ to: 'leader' }, "request: option 'to' must be 'any', 'controller'"],
      [{ to: { coordinator: 'groups', key: 'a' } }, "option 'to' must be"],
      [{ to: { leader: { topic: 'orders' } } }, "option 'to' must be"],
    ] as const) {
      const call = client.request(protocol.describeCluster, body, options as RequestOptions)
      expect(await failureOf(call)).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(message),
      })
    }
  })

  it('is available for every API that clients use', () => {
    const apis = Object.values(protocol).filter(
      (value) => typeof value === 'object' && 'request' in value && 'response' in value,
    )
    expect(apis).toHaveLength(74)
  })
})
