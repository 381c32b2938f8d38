import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { shareAcknowledge } from '../../protocol/apis/share-acknowledge.ts'
import { shareFetch } from '../../protocol/apis/share-fetch.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type ShareConsumer, type ShareMessage } from '../../src/index.ts'
import { lagOf, nextOf, numberOf, writeNumbers } from '../support/share/queue.ts'
import { until } from '../support/until.ts'

const LOCK_MS = 30_000
const queue = { topic: 'jobs', group: 'workers', partitions: 2 }
const options = { topics: ['jobs'], shareGroup: 'workers' } as const
const explicit = { ...options, acknowledgementMode: 'explicit' } as const

describe('a share consumer', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  async function begin(shareRecordLockMs: number): Promise<void> {
    kafka = await EmbeddedCluster.start({
      brokers: 2,
      topics: { jobs: { partitions: 2 } },
      shareAutoOffsetReset: 'earliest',
      shareRecordLockMs,
    })
    client = new KafkaClient({ hosts: kafka.hosts })
  }

  async function end(): Promise<void> {
    await client.close()
    await kafka.stop()
  }

  /** Begins again with locks that run out while the test waits. */
  async function withLocksOf(lockMs: number): Promise<void> {
    await end()
    await begin(lockMs)
  }

  beforeEach(() => begin(LOCK_MS))
  afterEach(end)

  const requests = (api: string) => kafka.requests.all().filter((one) => one.api === api)
  const drained = () => until(async () => (await lagOf(client, queue)) === 0)

  /** Handles all that is left, and returns the numbers with their delivery counts. */
  async function drain(consumer: ShareConsumer): Promise<(readonly [number, number])[]> {
    const got: (readonly [number, number])[] = []
    const running = consumer.run((message) => {
      got.push([numberOf(message), message.deliveryCount])
    })
    await drained()
    await consumer.close()
    await running
    return got.sort(([a], [b]) => a - b)
  }

  /** Releases an offset of partition 0 as the member itself, in a session that replaces the member's own. */
  async function releaseBehindItsBack({ memberId }: ShareConsumer, offset: number): Promise<void> {
    const [topic] = await client.admin.describeTopics(['jobs'])
    const to = { leader: { topic: 'jobs', partition: 0 } }
    const member = { groupId: 'workers', memberId }
    const limits = { maxWaitMs: 0, minBytes: 0, maxRecords: 1, batchSize: 1, isRenewAck: false }
    const opening = {
      ...member,
      ...limits,
      shareSessionEpoch: 0,
      topics: [],
      forgottenTopicsData: [],
    }
    await client.request(shareFetch, opening, { to })
    const at = BigInt(offset)
    const acknowledgementBatches = [{ firstOffset: at, lastOffset: at, acknowledgeTypes: [2] }]
    const partitions = [{ partitionIndex: 0, acknowledgementBatches }]
    const response = await client.request(
      shareAcknowledge,
      {
        ...member,
        shareSessionEpoch: 1,
        isRenewAck: false,
        topics: [{ topicId: topic!.topicId!, partitions }],
      },
      { to },
    )
    expect(response.responses[0]?.partitions[0]?.errorCode).toBe(0)
  }

  it('accepts each message once', async () => {
    await writeNumbers(client, 'jobs', 100, { partitions: 2 })
    const consumer = await client.getShareConsumer(options)
    const got = await drain(consumer)
    expect(got).toEqual(Array.from({ length: 100 }, (_, number) => [number, 1]))
  })

  it.each([
    'SHARE_SESSION_NOT_FOUND',
    'INVALID_SHARE_SESSION_EPOCH',
    'SHARE_SESSION_LIMIT_REACHED',
  ] as const)('reopens its session after %s, and loses no acknowledgement', async (error) => {
    await writeNumbers(client, 'jobs', 4, { partitions: 2 })
    const consumer = await client.getShareConsumer(explicit)
    const messages: ShareMessage[] = []
    while (messages.length < 4) messages.push(await nextOf(consumer))
    kafka.faults.on({ api: 'ShareAcknowledge', times: 2 }, { error })
    for (const message of messages) message.accept()
    const results = await consumer.flush()
    expect(results.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBe(4)
    expect(results.filter(({ failed }) => failed > 0)).toEqual([])
    await drained()
  })

  it('waits when the broker has no room for its session, and then continues', async () => {
    await writeNumbers(client, 'jobs', 4, { partitions: 2 })
    kafka.faults.on({ api: 'ShareFetch', times: 3 }, { error: 'SHARE_SESSION_LIMIT_REACHED' })
    const consumer = await client.getShareConsumer(options)
    expect(await drain(consumer)).toHaveLength(4)
  })

  it('receives messages again from the next leader, and reports that acquisitions of the former leader are void', async () => {
    await writeNumbers(client, 'jobs', 2, { partitions: 2 })
    const consumer = await client.getShareConsumer(explicit)
    const first = await nextOf(consumer)
    const { partition } = first
    const leader = kafka.leaderOf('jobs', partition)
    kafka.moveLeader('jobs', partition, leader === 1 ? 2 : 1)
    first.accept()
    const results = await consumer.flush()
    expect(results.find(({ failed }) => failed > 0)?.error?.code).toBe('NOT_LEADER_OR_FOLLOWER')
    const again: ShareMessage[] = []
    while (!again.some((one) => one.partition === partition)) again.push(await nextOf(consumer))
    expect(again.find((one) => one.partition === partition)?.deliveryCount).toBe(2)
    for (const message of again) message.accept()
    await consumer.flush()
    await drained()
  })

  it('applies the other acknowledgements when one of them is late', async () => {
    await writeNumbers(client, 'jobs', 8)
    const consumer = await client.getShareConsumer(explicit)
    const messages: ShareMessage[] = []
    while (messages.length < 8) messages.push(await nextOf(consumer))
    await releaseBehindItsBack(consumer, 3)
    for (const message of messages) message.accept()
    expect(await consumer.flush()).toMatchObject([
      { acknowledged: 7, failed: 1, error: { code: 'INVALID_RECORD_STATE' } },
    ])
  })

  it('does not deliver a message whose lock expired while it waited', async () => {
    await withLocksOf(300)
    await writeNumbers(client, 'jobs', 3)
    const consumer = await client.getShareConsumer({ ...explicit, acquireMode: 'record_limit' })
    const first = await nextOf(consumer)
    expect(numberOf(first)).toBe(0)
    // The application does nothing for longer than the lock: what waits is not renewed.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    const counts: number[] = []
    for (let taken = 0; taken < 3; taken++) counts.push((await nextOf(consumer)).deliveryCount)
    expect(counts.every((count) => count >= 2)).toBe(true)
    first.accept()
    expect(await consumer.flush()).toMatchObject([{ acknowledged: 0, failed: 1 }])
  })

  it('renews the lock of a message that the application keeps', async () => {
    await withLocksOf(2_000)
    await writeNumbers(client, 'jobs', 1)
    const consumer = await client.getShareConsumer(explicit)
    const message = await nextOf(consumer)
    for (let times = 0; times < 5; times++) {
      await new Promise((resolve) => setTimeout(resolve, 500))
      message.renew()
      await consumer.flush()
    }
    message.accept()
    expect(await consumer.flush()).toMatchObject([{ acknowledged: 1, failed: 0 }])
    expect(await lagOf(client, { ...queue, partitions: 1 })).toBe(0)
  })

  it('fetches nothing while the application processes its messages', async () => {
    await writeNumbers(client, 'jobs', 10)
    const consumer = await client.getShareConsumer({
      ...explicit,
      acquireMode: 'record_limit',
      maxRecords: 1,
    })
    await nextOf(consumer)
    // The other broker's request may still wait for messages.
    await until(() => requests('ShareFetch').length >= 1)
    const before = requests('ShareFetch').length
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(requests('ShareFetch').length - before).toBeLessThanOrEqual(1)
  })

  it('archives a message that was delivered too often', async () => {
    await writeNumbers(client, 'jobs', 1)
    const consumer = await client.getShareConsumer(options)
    const counts: number[] = []
    const running = consumer.run((message) => {
      counts.push(message.deliveryCount)
      throw new Error('poison')
    })
    await until(async () => (await lagOf(client, { ...queue, partitions: 1 })) === 0)
    expect(counts).toEqual([1, 2, 3, 4, 5])
    await consumer.close()
    await running
  })

  it('joins again when the coordinator has forgotten it', async () => {
    await writeNumbers(client, 'jobs', 4, { partitions: 2 })
    const consumer = await client.getShareConsumer(options)
    kafka.faults.on({ api: 'ShareGroupHeartbeat', times: 1 }, { error: 'UNKNOWN_MEMBER_ID' })
    await until(() => requests('ShareGroupHeartbeat').length >= 3)
    expect(await drain(consumer)).toHaveLength(4)
  })

  it('is refused by brokers before Kafka 4.2, with the release that it needs', async () => {
    await using old = await EmbeddedCluster.start({ version: '3.9' })
    await using other = new KafkaClient({ hosts: old.hosts })
    await expect(other.getShareConsumer(options)).rejects.toThrow(
      /share groups need Kafka 4\.2 or newer/,
    )
  })

  it('is refused if the cluster has the feature turned off', async () => {
    kafka.faults.on({ api: 'ShareGroupHeartbeat' }, { error: 'UNSUPPORTED_VERSION' })
    await expect(client.getShareConsumer(options)).rejects.toThrow(
      /feature share\.version of the cluster is 0/,
    )
  })
})
