/** What share consumers do with errors, in the cases of librdkafka's share tests that no other file here has. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { EmbeddedCluster } from '../../../src/embedded/index.ts'
import type { KafkaClient, ShareConsumer, ShareMessage } from '../../../src/index.ts'
import {
  explicit,
  FOR_EVER_MS,
  jobsQueue,
  options,
  startJobs,
  stopJobs,
} from '../../support/share/jobs.ts'
import { lagOf, nextOf, numberOf, take, writeNumbers } from '../../support/share/queue.ts'
import { until } from '../../support/until.ts'

const queue = jobsQueue(2)

describe('a share consumer', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  beforeEach(async () => {
    ;({ kafka, client } = await startJobs(2))
  })

  afterEach(() => stopJobs(kafka, client))

  const drained = () => until(async () => (await lagOf(client, queue)) === 0)

  async function finish(consumer: ShareConsumer, messages: readonly ShareMessage[]): Promise<void> {
    for (const message of messages) message.accept()
    const results = await consumer.flush()
    expect(results.filter(({ failed }) => failed > 0)).toEqual([])
  }

  it.each([
    'UNKNOWN_MEMBER_ID',
    'FENCED_MEMBER_EPOCH',
    'COORDINATOR_NOT_AVAILABLE',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'NOT_COORDINATOR',
    // The group was deleted, and exists again after the member has joined it.
    'GROUP_ID_NOT_FOUND',
  ] as const)('continues after %s in the response to a heartbeat', async (error) => {
    const consumer = await client.getShareConsumer(explicit)
    const times = error === 'GROUP_ID_NOT_FOUND' ? 1 : 2
    const fault = kafka.faults.on({ api: 'ShareGroupHeartbeat', times }, { error })
    await until(() => fault.hits === times)
    await writeNumbers(client, 'jobs', 4, { partitions: 2 })
    await finish(consumer, await take(consumer, 4))
    await drained()
  })

  it.each(['GROUP_AUTHORIZATION_FAILED', 'INVALID_REQUEST', 'GROUP_MAX_SIZE_REACHED'] as const)(
    'delivers nothing after %s in the response to a heartbeat, but sends its acknowledgements when it is closed',
    async (error) => {
      await writeNumbers(client, 'jobs', 2)
      const consumer = await client.getShareConsumer({ ...explicit, maxRecords: 1 })
      const message = await nextOf(consumer)
      await writeNumbers(client, 'jobs', 10, { first: 2 })
      kafka.faults.on({ api: 'ShareGroupHeartbeat' }, { error })
      const readOn = async () => {
        for (;;) await consumer.consume()
      }
      await expect(readOn()).rejects.toMatchObject({ code: error })
      await expect(consumer.consume()).rejects.toMatchObject({ code: error })
      // What the next member gets does not depend on whether this one may leave.
      kafka.faults.clear()
      message.accept()
      await consumer.close()
      await using next = await client.getShareConsumer(explicit)
      const messages = await take(next, 11)
      expect(messages.map(numberOf)).not.toContain(numberOf(message))
    },
  )

  it.each(['GROUP_AUTHORIZATION_FAILED', 'INVALID_REQUEST', 'GROUP_MAX_SIZE_REACHED'] as const)(
    'is not opened when the coordinator refuses it with %s',
    async (error) => {
      kafka.faults.on({ api: 'ShareGroupHeartbeat' }, { error })
      await expect(client.getShareConsumer(options)).rejects.toMatchObject({ code: error })
    },
  )

  it.each([
    'NOT_LEADER_OR_FOLLOWER',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_ID',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'LEADER_NOT_AVAILABLE',
  ] as const)('continues after a fetch with %s, without an error', async (error) => {
    await writeNumbers(client, 'jobs', 4, { partitions: 2 })
    const fault = kafka.faults.on({ api: 'ShareFetch', topic: 'jobs', times: 2 }, { error })
    const consumer = await client.getShareConsumer(explicit)
    await finish(consumer, await take(consumer, 4))
    expect(fault.hits).toBe(2)
    await drained()
  })

  it.each(['TOPIC_AUTHORIZATION_FAILED', 'CORRUPT_MESSAGE'] as const)(
    'continues with a partition when its fetches no longer fail with %s',
    async (error) => {
      await writeNumbers(client, 'jobs', 4, { partitions: 2 })
      kafka.faults.on({ api: 'ShareFetch', topic: 'jobs', times: 1 }, { error })
      const consumer = await client.getShareConsumer(explicit)
      const messages: ShareMessage[] = []
      while (messages.length < 4) {
        try {
          messages.push(await nextOf(consumer))
        } catch (problem) {
          expect(problem).toMatchObject({ code: error })
        }
      }
      await finish(consumer, messages)
      await drained()
    },
  )

  it('continues after connections that end during a fetch, and delivers each message', async () => {
    await writeNumbers(client, 'jobs', 4, { partitions: 2 })
    const fault = kafka.faults.on({ api: 'ShareFetch', times: 2 }, { close: true })
    const consumer = await client.getShareConsumer(explicit)
    await finish(consumer, await take(consumer, 4))
    expect(fault.hits).toBe(2)
    await drained()
  })

  it.each(['GROUP_AUTHORIZATION_FAILED', 'TOPIC_AUTHORIZATION_FAILED', 'INVALID_REQUEST'] as const)(
    'reports acknowledgements of each partition that fail with %s',
    async (error) => {
      await writeNumbers(client, 'jobs', 4, { partitions: 2 })
      const consumer = await client.getShareConsumer(explicit)
      const messages = await take(consumer, 4)
      kafka.faults.on({ api: 'ShareAcknowledge' }, { error })
      for (const message of messages) message.accept()
      expect(await consumer.flush()).toMatchObject([
        { partition: 0, acknowledged: 0, failed: 2, error: { code: error } },
        { partition: 1, acknowledged: 0, failed: 2, error: { code: error } },
      ])
    },
  )

  it('reports only the partition whose acknowledgements fail', async () => {
    await writeNumbers(client, 'jobs', 4, { partitions: 2 })
    const consumer = await client.getShareConsumer(explicit)
    const messages = await take(consumer, 4)
    kafka.faults.on(
      { api: 'ShareAcknowledge', topic: 'jobs', partition: 1 },
      { error: 'INVALID_RECORD_STATE' },
    )
    for (const message of messages) message.accept()
    expect(await consumer.flush()).toMatchObject([
      { partition: 0, acknowledged: 2, failed: 0 },
      { partition: 1, acknowledged: 0, failed: 2, error: { code: 'INVALID_RECORD_STATE' } },
    ])
  })

  it('reports the result of a flush that has timed out in a later one, and acknowledges what follows', async () => {
    await writeNumbers(client, 'jobs', 4)
    const consumer = await client.getShareConsumer(explicit)
    const [one, two, ...others] = await take(consumer, 4)
    const held = kafka.faults.on({ api: 'ShareAcknowledge', times: 1 }, { hold: true })
    one!.accept()
    two!.accept()
    await expect(consumer.flush({ timeoutMs: 50 })).rejects.toMatchObject({
      code: 'REQUEST_TIMED_OUT',
    })
    held.release()
    expect(await consumer.flush()).toMatchObject([{ acknowledged: 2, failed: 0 }])
    await finish(consumer, others)
    expect(await consumer.flush()).toEqual([])
    await drained()
  })

  it('sends each acknowledgement once, no matter how often it is flushed', async () => {
    await writeNumbers(client, 'jobs', 40, { partitions: 2 })
    const consumer = await client.getShareConsumer(explicit)
    const messages = await take(consumer, 40)
    const flushes = [consumer.flush()]
    for (const [at, message] of messages.entries()) {
      message.accept()
      for (let times = 0; times < at % 4; times++) flushes.push(consumer.flush())
      if (at % 5 === 0) flushes.push(Promise.resolve(await consumer.flush()))
    }
    flushes.push(consumer.flush())
    const results = (await Promise.all(flushes)).flat()
    expect(results.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBe(40)
    expect(results.filter(({ failed }) => failed > 0)).toEqual([])
    await drained()
  })

  it('accepts, releases and rejects messages of a group that others read in implicit mode', async () => {
    await writeNumbers(client, 'jobs', 60, { partitions: 2 })
    const consumer = await client.getShareConsumer(explicit)
    const messages = await take(consumer, 60)
    for (const message of messages) {
      const kind = numberOf(message) % 3
      if (kind === 0) message.accept()
      else if (kind === 1) message.release()
      else message.reject()
      expect(() => message.accept()).toThrow(/is already acknowledged/)
    }
    await consumer.close()
    const implicit = await client.getShareConsumer(options)
    const counts: (readonly [number, number])[] = []
    const running = implicit.run((message) => {
      counts.push([numberOf(message), message.deliveryCount])
    })
    await drained()
    await implicit.close()
    await running
    const released = Array.from({ length: 20 }, (_, at) => [at * 3 + 1, 2])
    expect(counts.sort(([a], [b]) => a - b)).toEqual(released)
  })

  it('reports acknowledgements of a topic that was deleted as failed, and reads the topic that replaces it', async () => {
    await writeNumbers(client, 'jobs', 2)
    const consumer = await client.getShareConsumer(explicit)
    const messages = await take(consumer, 2)
    await client.admin.deleteTopics(['jobs'])
    for (const message of messages) message.accept()
    expect(await consumer.flush()).toMatchObject([{ acknowledged: 0, failed: 2 }])
    const reading = nextOf(consumer)
    await client.admin.createTopics([{ topic: 'jobs', partitions: 2 }])
    await writeNumbers(client, 'jobs', 1, { first: 2 })
    const next = await reading
    expect([numberOf(next), next.deliveryCount]).toEqual([2, 1])
    await finish(consumer, [next])
  })

  it('is closed when the topic is deleted and created again', async () => {
    await writeNumbers(client, 'jobs', 2)
    const consumer = await client.getShareConsumer(explicit)
    await take(consumer, 2)
    const held = kafka.faults.on({ api: 'ShareAcknowledge' }, { hold: true })
    const closing = consumer.close({ timeoutMs: FOR_EVER_MS })
    await until(() => held.hits > 0)
    await client.admin.deleteTopics(['jobs'])
    await client.admin.createTopics([{ topic: 'jobs', partitions: 3 }])
    held.remove()
    held.release()
    await closing
  })

  it.each([
    'NOT_LEADER_OR_FOLLOWER',
    'SHARE_SESSION_NOT_FOUND',
    'GROUP_AUTHORIZATION_FAILED',
  ] as const)('is closed although brokers answer %s', async (error) => {
    await writeNumbers(client, 'jobs', 2, { partitions: 2 })
    const consumer = await client.getShareConsumer(explicit)
    for (const message of await take(consumer, 2)) message.accept()
    kafka.faults.on({ api: 'ShareAcknowledge' }, { error })
    kafka.faults.on({ api: 'ShareGroupHeartbeat' }, { error })
    await consumer.close({ timeoutMs: 500 })
  })

  it('is closed while a broker is down', async () => {
    await writeNumbers(client, 'jobs', 2, { partitions: 2 })
    const consumer = await client.getShareConsumer(explicit)
    await take(consumer, 2)
    await kafka.stopBroker(kafka.coordinatorOf('workers') === 1 ? 2 : 1)
    await consumer.close({ timeoutMs: FOR_EVER_MS })
  })

  it('refuses all calls once it is closed, and is closed only once', async () => {
    const consumer = await client.getShareConsumer(options)
    const closing = consumer.close()
    const closed = { code: 'CLOSED' }
    await expect(consumer.consume()).rejects.toMatchObject(closed)
    await expect(consumer.flush()).rejects.toMatchObject(closed)
    await closing
    await consumer.close()
    await expect(consumer.consume()).rejects.toMatchObject(closed)
    await expect(consumer.flush()).rejects.toMatchObject(closed)
    await expect(consumer.messages().next()).rejects.toMatchObject(closed)
    const left = kafka.requests
      .all({ api: 'ShareGroupHeartbeat' })
      .filter(({ body }) => body.memberEpoch === -1)
    expect(left).toHaveLength(1)
  })

  it('refuses a second reader', async () => {
    const consumer = await client.getShareConsumer(options)
    const running = consumer.run(() => undefined)
    await expect(consumer.consume()).rejects.toMatchObject({ name: 'ConsumerBusyError' })
    await expect(consumer.run(() => undefined)).rejects.toMatchObject({ name: 'ConsumerBusyError' })
    await consumer.close()
    await running
  })

  it('refuses options that only other consumers have', async () => {
    const others = [
      'consumerGroup',
      'autoOffsetReset',
      'isolationLevel',
      'groupInstanceId',
      'autoCommitEnable',
    ]
    for (const name of others) {
      const opening = client.getShareConsumer({ ...options, [name]: 'x' })
      await expect(opening).rejects.toThrow(name)
    }
    await expect(client.getShareConsumer({ ...options, topics: [] })).rejects.toThrow(/topic/)
    await expect(client.getShareConsumer({ ...options, topics: ['^jobs'] })).rejects.toThrow(
      /\^jobs/,
    )
  })
})
