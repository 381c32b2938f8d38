/** What brokers answer that are broken or mean harm, beyond bytes that cannot be decoded. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { apiVersions } from '../../../protocol/apis/api-versions.ts'
import { deleteRecords } from '../../../protocol/apis/delete-records.ts'
import { describeTopicPartitions } from '../../../protocol/apis/describe-topic-partitions.ts'
import { heartbeat } from '../../../protocol/apis/heartbeat.ts'
import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { joinGroup } from '../../../protocol/apis/join-group.ts'
import { leaveGroup } from '../../../protocol/apis/leave-group.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { syncGroup } from '../../../protocol/apis/sync-group.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/schema/fields.ts'
import { Deadline } from '../../../src/async/deadline.ts'
import { stickyInput } from '../../../src/balanced/assignors/sticky-input.ts'
import { partitionNumbered } from '../../../src/cluster/metadata.ts'
import { lookUpOffsets } from '../../../src/consumer/list-offsets.ts'
import { KafkaClient } from '../../../src/index.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import {
  clusterAt,
  layoutOf,
  QUICK,
  tellCoordinator,
  tellLayout,
  tellOffsets,
} from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

const MANY = 200_000
const PARTITIONS = Array.from({ length: 500 }, (_, partition) => ({ topic: 'orders', partition }))

let broker: FakeBroker
let client: KafkaClient

beforeEach(async () => {
  broker = await FakeBroker.start()
  tellLayout(layoutOf([broker], { orders: PARTITIONS.map(() => 1) }), broker)
  client = new KafkaClient({ ...QUICK, hosts: broker.name })
})
afterEach(async () => {
  await client.close()
  await broker.stop()
})

describe('an administrative call', () => {
  it('ignores very many topics in a response that were not requested', async () => {
    const cluster = clusterAt([broker])
    const others = Array.from({ length: MANY }, (_, i) => ({ item: `other-${i}`, result: 1 }))
    const outcomes = await cluster.fanOut.run<string, number>({
      items: ['wanted'],
      to: () => 'any',
      what: 'asking',
      deadline: new Deadline(60_000),
      ask: () => Promise.resolve([...others, { item: 'wanted', result: 2 }]),
    })
    expect(outcomes).toEqual([{ item: 'wanted', result: 2 }])
    await cluster.close(0)
  })

  it('looks a topic up once for all of its partitions that have moved', async () => {
    let attempts = 0
    broker.handle(deleteRecords, ({ topics }) => {
      const errorCode = attempts++ === 0 ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.NONE
      return {
        throttleTimeMs: 0,
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            lowWatermark: 1n,
            errorCode,
          })),
        })),
      }
    })
    await client.admin.deleteRecords(
      PARTITIONS.map((one) => ({ ...one, beforeOffset: 1 })),
      { timeoutMs: 60_000 },
    )
    expect(attempts).toBe(2)
    expect(broker.received(metadata).length).toBeLessThan(10)
  })

  it('starts nothing after its deadline, no matter how many brokers Metadata names', async () => {
    const cluster = clusterAt([broker])
    const ids = Array.from({ length: 1_000 }, (_, index) => index + 10)
    for (const id of ids) cluster.learnBroker(id, broker.address)
    let asked = 0
    const outcomes = await cluster.fanOut.run<number, never>({
      items: ids,
      to: (id) => ({ broker: id }),
      what: 'asking',
      deadline: new Deadline(1_000),
      ask: () => {
        asked++
        return new Promise<never>(() => undefined)
      },
    })
    expect(outcomes.every(({ error }) => error?.code === 'REQUEST_TIMED_OUT')).toBe(true)
    expect(asked).toBeLessThan(100)
    await cluster.close(0)
  })

  const topic = {
    errorCode: ErrorCode.NONE,
    name: 'orders',
    topicId: ZERO_UUID,
    isInternal: false,
    partitions: [],
  }
  it.each([
    ['stands still', [topic], () => 0],
    ['goes back', [topic], (page: number) => 9 - page],
    ['continues without topics', [], (page: number) => page],
  ])('ends with an error when the page cursor %s', async (_, topics, partitionIn) => {
    let pages = 0
    broker.handle(describeTopicPartitions, () => ({
      throttleTimeMs: 0,
      topics,
      nextCursor: { topicName: 'orders', partitionIndex: partitionIn(pages++) },
    }))
    const all = async () => {
      const found = []
      for await (const each of client.admin.eachTopic()) found.push(each)
      return found.length
    }
    expect(await failureOf(all())).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR' })
    expect(pages).toBeLessThan(3)
  })
})

describe('partitions', () => {
  it('are listed once each and in order, whatever numbers Metadata contains', async () => {
    const numbers = [2 ** 31 - 1, 0, -1, 5, 0, -(2 ** 31)]
    const partitions = numbers.map((partitionIndex) => ({
      errorCode: ErrorCode.NONE,
      partitionIndex,
      leaderId: 1,
      replicaNodes: [1],
      isrNodes: [1],
    }))
    broker.handle(metadata, () => ({
      brokers: [{ nodeId: 1, ...broker.address }],
      topics: [{ name: 'orders', errorCode: ErrorCode.NONE, partitions }],
    }))
    const cluster = clusterAt([broker])
    await cluster.refresh('orders')
    const found = cluster.known('orders')?.partitions ?? []
    expect(found.map(({ partition }) => partition)).toEqual([0, 5, 2 ** 31 - 1])
    for (const one of found) expect(partitionNumbered(found, one.partition)).toBe(one)
    for (const none of [-1, 1, 4, 6, 2 ** 31]) {
      expect(partitionNumbered(found, none)).toBeUndefined()
    }
    await cluster.close(0)
  })

  it.each([
    [2n ** 63n - 1n, 'latest' as const],
    [-(2n ** 63n), 1_000],
  ])('do not start at the offset %s, which no log has', async (offset, position) => {
    tellOffsets(broker, offset)
    const cluster = clusterAt([broker])
    await cluster.refresh('orders')
    const deadline = new Deadline(60_000)
    const error = await failureOf(
      lookUpOffsets(cluster, PARTITIONS.slice(0, 1), position, deadline),
    )
    expect(error).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR' })
    await cluster.close(0)
  })
})

describe('a leader of a group', () => {
  it('accepts the claims of as many members as the coordinator names', () => {
    const members = Array.from({ length: MANY }, (_, index) => ({
      memberId: `m${index}`,
      groupInstanceId: undefined,
      topics: [],
      ownedPartitions: [],
      generation: 1,
      rack: undefined,
      userData: undefined,
    }))
    const input = stickyInput(members, new Map(), ({ generation }) => ({
      partitions: [],
      generation,
    }))
    expect(input.owned.size).toBe(MANY)
  })
})

describe('a producer', () => {
  it.each([
    [-1n, 0],
    [5n, -1],
  ])(
    'does not continue with the producer id %s and epoch %i',
    async (producerId, producerEpoch) => {
      broker.handle(initProducerId, () => ({
        throttleTimeMs: 0,
        errorCode: 0,
        producerId,
        producerEpoch,
      }))
      const error = await failureOf(client.topic('orders').getProducer({ idempotent: true }))
      expect(error).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR' })
      expect(error.message).toContain('is not a producer id')
    },
  )
})

describe('a connection', () => {
  it('ends with the error of the broker when the broker offers a version of ApiVersions below 0', async () => {
    const errorCode = ErrorCode.UNSUPPORTED_VERSION
    const apiKeys = [{ apiKey: apiVersions.key, minVersion: -9, maxVersion: -5 }]
    broker.handle(apiVersions, () => ({ errorCode, apiKeys }))
    const error = await failureOf(client.admin.listTopics())
    expect(error).toMatchObject({ name: 'BrokerError', code: 'UNSUPPORTED_VERSION' })
  })
})

describe('a member of a group', () => {
  it.each([
    ['JoinGroup', ErrorCode.UNKNOWN_MEMBER_ID],
    ['JoinGroup', ErrorCode.REBALANCE_IN_PROGRESS],
    ['SyncGroup', ErrorCode.ILLEGAL_GENERATION],
    ['SyncGroup', ErrorCode.REBALANCE_IN_PROGRESS],
  ])('does not flood a coordinator that answers %s always with error %i', async (api, code) => {
    const codeOf = (name: string) => (name === api ? code : ErrorCode.NONE)
    tellCoordinator(broker)
    broker.handle(joinGroup, () => ({
      errorCode: codeOf('JoinGroup'),
      generationId: 1,
      protocolName: 'range',
      leader: 'other',
      memberId: 'me',
      members: [],
    }))
    broker.handle(syncGroup, () => ({ errorCode: codeOf('SyncGroup'), assignment: Buffer.of() }))
    broker.handle(heartbeat, () => ({ errorCode: ErrorCode.NONE }))
    broker.handle(leaveGroup, () => ({ errorCode: ErrorCode.NONE, members: [] }))
    const slow = { retryBackoffMs: 500, retryBackoffMaxMs: 500 }
    await using member = new KafkaClient({ ...QUICK, ...slow, hosts: broker.name })
    const topic = member.topic('orders')
    const starting = topic.getBalancedConsumer({ consumerGroup: 'readers', managed: true })
    const failed = failureOf(starting)
    await broker.until(() => broker.received(joinGroup).length >= 2)
    const secondAt = performance.now()
    // Two pauses, each of 400 ms at least.
    await broker.until(() => broker.received(joinGroup).length >= 4)
    expect(performance.now() - secondAt).toBeGreaterThan(700)
    await member.close()
    expect(await failed).toMatchObject({ code: 'CLOSED' })
  })
})
