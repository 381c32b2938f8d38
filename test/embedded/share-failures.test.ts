/** What a share consumer does when brokers go, hang or refuse. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { shareAcknowledge } from '../../protocol/apis/share-acknowledge.ts'
import { shareFetch } from '../../protocol/apis/share-fetch.ts'
import type { EmbeddedCluster, Fault } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import {
  explicit,
  FOR_EVER_MS,
  jobsQueue,
  options,
  startJobs,
  stopJobs,
} from '../support/share/jobs.ts'
import { lagOf, nextOf, numberOf, take, writeNumbers } from '../support/share/queue.ts'
import { until } from '../support/until.ts'

const queue = jobsQueue(2)

/** Of a ShareFetch for one record that does not wait. */
const limits = { maxWaitMs: 0, minBytes: 0, maxRecords: 1, batchSize: 1, isRenewAck: false }

describe('a share consumer', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  beforeEach(async () => {
    ;({ kafka, client } = await startJobs(2, { socketTimeoutMs: FOR_EVER_MS }))
  })

  afterEach(() => stopJobs(kafka, client))

  const requests = (api: 'ShareFetch' | 'ShareGroupHeartbeat') => kafka.requests.all({ api })

  async function members(): Promise<readonly string[]> {
    const [group] = await client.admin.describeGroups(['workers'])
    return group?.members.map(({ memberId }) => memberId) ?? []
  }

  async function topicId(): Promise<string> {
    const [topic] = await client.admin.describeTopics(['jobs'])
    return topic!.topicId!
  }

  /** Another member opens a session for a partition, and acquires one record. */
  async function acquireOne(other: KafkaClient, partition: number): Promise<void> {
    const partitions = [{ partitionIndex: partition, acknowledgementBatches: [] }]
    const { responses } = await other.request(
      shareFetch,
      {
        groupId: 'workers',
        memberId: 'another',
        shareSessionEpoch: 0,
        ...limits,
        topics: [{ topicId: await topicId(), partitions }],
        forgottenTopicsData: [],
      },
      { to: { leader: { topic: 'jobs', partition } } },
    )
    expect(responses[0]?.partitions[0]?.acquiredRecords).toHaveLength(1)
  }

  it('reports acknowledgements as failed when the broker of the acquired messages has gone', async () => {
    await writeNumbers(client, 'jobs', 2, { partitions: 2 })
    const consumer = await client.getShareConsumer(explicit)
    const messages = await take(consumer, 2)
    const gone = kafka.leaderOf('jobs', 0) === kafka.coordinatorOf('workers') ? 1 : 0
    const left = messages.find(({ partition }) => partition !== gone)!
    const lost = messages.find(({ partition }) => partition === gone)!
    left.accept()
    await consumer.flush()
    // The fetch that ends with the connection has no acknowledgements.
    const reading = consumer.consume()
    await kafka.requests.next({ api: 'ShareFetch', broker: kafka.leaderOf('jobs', gone) })
    const refreshed = kafka.requests.next({ api: 'Metadata' })
    await kafka.stopBroker(kafka.leaderOf('jobs', gone))
    await refreshed
    lost.accept()
    const results = await consumer.flush({ timeoutMs: FOR_EVER_MS })
    expect(results).toMatchObject([{ partition: gone, acknowledged: 0, failed: 1 }])
    // The next leader delivers the message again.
    const again = await reading
    expect(again?.partition).toBe(gone)
    again!.accept()
    await consumer.close({ timeoutMs: FOR_EVER_MS })
  })

  it('aborts the signals of handlers when the connection to the broker of their messages ends', async () => {
    await writeNumbers(client, 'jobs', 1)
    const consumer = await client.getShareConsumer(options)
    const reasons: unknown[] = []
    const running = consumer.run(
      async (message, { signal }) => {
        if (message.deliveryCount > 1) return
        const lost = new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve())
        })
        // The next fetch from the broker of the message ends with its connection.
        const fetch = { api: 'ShareFetch', broker: kafka.leaderOf('jobs', 0) } as const
        kafka.faults.on({ ...fetch, times: 1 }, { close: true })
        const later = kafka.faults.on(fetch, { hold: true })
        await lost
        await until(() => later.hits > 0)
        later.remove()
        later.release()
        reasons.push(signal.reason)
      },
      { concurrency: 2 },
    )
    await until(async () => (await lagOf(client, queue)) === 0)
    expect(reasons).toMatchObject([{ code: 'INVALID_RECORD_STATE' }])
    await consumer.close()
    await running
  })

  it('sends renewals again as renewals, and loses no acknowledgement beside them', async () => {
    await writeNumbers(client, 'jobs', 2)
    const consumer = await client.getShareConsumer(explicit)
    const [first, second] = await take(consumer, 2)
    kafka.faults.on({ api: 'ShareAcknowledge', times: 1 }, { error: 'SHARE_SESSION_NOT_FOUND' })
    first!.accept()
    second!.renew()
    expect(await consumer.flush()).toMatchObject([{ acknowledged: 1, failed: 0 }])
    second!.accept()
    expect(await consumer.flush()).toMatchObject([{ acknowledged: 1, failed: 0 }])
  })

  it('reads from one broker while another has no messages', async () => {
    for (let first = 0; first < 300; first += 20) {
      await writeNumbers(client, 'jobs', 20, { first })
    }
    const consumer = await client.getShareConsumer({
      ...options,
      maxRecords: 20,
      fetchWaitMaxMs: FOR_EVER_MS,
    })
    const got = await take(consumer, 300)
    expect(got.map(numberOf)).toEqual(Array.from({ length: 300 }, (_, number) => number))
  })

  it('leaves the group that it was joining when it is closed', async () => {
    const join = kafka.faults.on({ api: 'ShareGroupHeartbeat', times: 1 }, { hold: true })
    const asked = kafka.requests.next({ api: 'ShareGroupHeartbeat' })
    const opening = client.getShareConsumer(options)
    const refused = expect(opening).rejects.toMatchObject({ code: 'CLOSED' })
    await asked
    const closing = client.close()
    join.release()
    await refused
    await closing
    client = new KafkaClient({ hosts: kafka.hosts })
    // The join and the leave arrive in this order.
    await until(() => requests('ShareGroupHeartbeat').length === 2)
    expect(requests('ShareGroupHeartbeat').map(({ body }) => body.memberEpoch)).toEqual([0, -1])
    await until(async () => (await members()).length === 0)
  })

  it('leaves when the coordinator has moved', async () => {
    const consumer = await client.getShareConsumer(options)
    await until(async () => (await members()).length === 1)
    kafka.moveCoordinator('workers', kafka.coordinatorOf('workers') === 1 ? 2 : 1)
    await consumer.close()
    expect(await members()).toEqual([])
  })

  it.each(['a heartbeat', 'the request to leave'])(
    'is closed within the time that the application gives, although %s is never answered',
    async (which) => {
      const consumer = await client.getShareConsumer(options)
      let fault: Fault | undefined
      const isHeartbeat = which === 'a heartbeat'
      if (isHeartbeat) {
        fault = kafka.faults.on({ api: 'ShareGroupHeartbeat' }, { drop: true })
        await kafka.requests.next({ api: 'ShareGroupHeartbeat' })
      } else {
        await until(async () => (await members()).length === 1)
        fault = kafka.faults.on({ api: 'ShareGroupHeartbeat' }, { drop: true })
      }
      await consumer.close({ timeoutMs: 500 })
      fault.remove()
    },
  )

  it('reports topics that it may no longer read once, and continues', async () => {
    await writeNumbers(client, 'jobs', 1)
    const consumer = await client.getShareConsumer(explicit)
    const first = await nextOf(consumer)
    kafka.faults.on(
      { api: 'ShareGroupHeartbeat', times: 2 },
      { error: 'TOPIC_AUTHORIZATION_FAILED' },
    )
    await expect(nextOf(consumer)).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
    first.accept()
    await writeNumbers(client, 'jobs', 1, { first: 1 })
    const next = await nextOf(consumer)
    expect(numberOf(next)).toBe(1)
    next.accept()
    await consumer.flush()
    await until(async () => (await lagOf(client, queue)) === 0)
  })

  it('asks for the leaders again when a broker reports a failed disk', async () => {
    const broker = kafka.leaderOf('jobs', 0)
    kafka.faults.on(
      { api: 'ShareFetch', topic: 'jobs', broker, times: 1 },
      { error: 'KAFKA_STORAGE_ERROR' },
    )
    const consumer = await client.getShareConsumer(options)
    const reading = consumer.consume()
    await until(() => {
      const all = kafka.requests.all()
      const refused = all.findIndex((one) => one.api === 'ShareFetch' && one.broker === broker)
      return refused >= 0 && all.slice(refused).some(({ api }) => api === 'Metadata')
    })
    await writeNumbers(client, 'jobs', 1)
    expect(await reading).toBeDefined()
  })

  it('ends a flush when it is closed before the acknowledgements are answered', async () => {
    await writeNumbers(client, 'jobs', 1)
    const consumer = await client.getShareConsumer(explicit)
    const message = await nextOf(consumer)
    kafka.faults.on({ api: 'ShareAcknowledge' }, { drop: true })
    message.accept()
    const flushed = expect(consumer.flush({ timeoutMs: FOR_EVER_MS })).rejects.toMatchObject({
      code: 'CLOSED',
    })
    await consumer.close({ timeoutMs: 500 })
    await flushed
  })

  it('keeps the signal of a handler that has finished as it was when the consumer is closed', async () => {
    await writeNumbers(client, 'jobs', 1)
    const consumer = await client.getShareConsumer(options)
    const signals: AbortSignal[] = []
    const running = consumer.run((_, { signal }) => {
      signals.push(signal)
    })
    await until(async () => (await lagOf(client, { ...queue, partitions: 2 })) === 0)
    await consumer.close()
    await running
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  })

  it('keeps its messages of one broker when its session with another is closed', async () => {
    // The group exists from now on.
    await (await client.getShareConsumer(options)).close()
    await writeNumbers(client, 'jobs', 2, { partitions: 2 })
    await acquireOne(client, 0)
    await acquireOne(client, 1)
    const asked = { groupId: 'workers', memberId: 'another', isRenewAck: false }
    await client.request(
      shareAcknowledge,
      { ...asked, shareSessionEpoch: -1, topics: [] },
      { to: { leader: { topic: 'jobs', partition: 1 } } },
    )
    const acknowledgementBatches = [{ firstOffset: 0n, lastOffset: 0n, acknowledgeTypes: [1] }]
    const partitions = [{ partitionIndex: 0, acknowledgementBatches }]
    const { responses } = await client.request(
      shareAcknowledge,
      { ...asked, shareSessionEpoch: 1, topics: [{ topicId: await topicId(), partitions }] },
      { to: { leader: { topic: 'jobs', partition: 0 } } },
    )
    expect(responses[0]?.partitions).toMatchObject([{ partitionIndex: 0, errorCode: 0 }])
  })

  it('receives what another member held, as soon as the connection of that member ends', async () => {
    await writeNumbers(client, 'jobs', 1)
    const consumer = await client.getShareConsumer(options)
    const other = new KafkaClient({ hosts: kafka.hosts })
    await acquireOne(other, 0)
    const next = nextOf(consumer)
    await other.close()
    expect((await next).deliveryCount).toBe(2)
  })
})
