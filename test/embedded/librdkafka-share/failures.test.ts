/** Share consumers beside slow and failing brokers: the cases of librdkafka's share tests 0155 to 0157, 0182 and 0183. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient, type ShareMessage } from '../../../src/index.ts'
import { explicit, jobsQueue, options, startJobs, stopJobs } from '../../support/share/jobs.ts'
import { lagOf, nextOf, numberOf, take, writeNumbers } from '../../support/share/queue.ts'
import { until } from '../../support/until.ts'

const queue = jobsQueue(3)
/** How long the client with this timeout waits for a response. */
const IMPATIENT_MS = 200

describe('a share consumer', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  beforeEach(async () => {
    ;({ kafka, client } = await startJobs(3))
  })

  afterEach(() => stopJobs(kafka, client))

  const drained = () => until(async () => (await lagOf(client, queue)) === 0)
  const joins = () =>
    kafka.requests.all({ api: 'ShareGroupHeartbeat' }).filter(({ body }) => body.memberEpoch === 0)
  const countsOf = (messages: readonly ShareMessage[]) =>
    messages.map((one) => [numberOf(one), one.deliveryCount]).sort(([a = 0], [b = 0]) => a - b)
  const sum = (results: readonly { readonly acknowledged: number; readonly failed: number }[]) => ({
    acknowledged: results.reduce((total, one) => total + one.acknowledged, 0),
    failed: results.reduce((total, one) => total + one.failed, 0),
  })

  it('delivers messages while a heartbeat is not answered', async () => {
    const consumer = await client.getShareConsumer(explicit)
    await until(() => consumer.assignment.length === 3)
    const held = kafka.faults.on({ api: 'ShareGroupHeartbeat' }, { hold: true })
    await until(() => held.hits > 0)
    await writeNumbers(client, 'jobs', 3, { partitions: 3 })
    const messages = await take(consumer, 3)
    for (const message of messages) message.accept()
    expect(sum(await consumer.flush())).toEqual({ acknowledged: 3, failed: 0 })
    held.remove()
    held.release()
    await drained()
    expect(joins()).toHaveLength(1)
  })

  it('receives messages again that were acquired in a response that it never got', async () => {
    await writeNumbers(client, 'jobs', 3, { partitions: 3 })
    const lost = kafka.faults.on({ api: 'ShareFetch', times: 2 }, { cutAfterBytes: 0 })
    const consumer = await client.getShareConsumer(explicit)
    const messages = await take(consumer, 3)
    expect(lost.hits).toBe(2)
    expect(countsOf(messages)).toEqual([
      [0, 2],
      [1, 2],
      [2, 2],
    ])
    for (const message of messages) message.accept()
    expect(sum(await consumer.flush())).toEqual({ acknowledged: 3, failed: 0 })
    await drained()
  })

  it.each(['the coordinator has forgotten the member', 'the coordinator has moved'])(
    'acknowledges what it holds after %s',
    async (what) => {
      await writeNumbers(client, 'jobs', 6, { partitions: 3 })
      const consumer = await client.getShareConsumer(explicit)
      const messages = await take(consumer, 6)
      const before = joins().length
      if (what.endsWith('moved')) {
        kafka.moveCoordinator('workers', kafka.coordinatorOf('workers') === 1 ? 2 : 1)
        const next = kafka.requests.next({
          api: 'ShareGroupHeartbeat',
          broker: kafka.coordinatorOf('workers'),
        })
        await next
      } else {
        kafka.faults.on({ api: 'ShareGroupHeartbeat', times: 1 }, { error: 'UNKNOWN_MEMBER_ID' })
        await until(() => joins().length > before)
      }
      for (const message of messages) message.accept()
      expect(sum(await consumer.flush())).toEqual({ acknowledged: 6, failed: 0 })
      await writeNumbers(client, 'jobs', 1, { first: 6 })
      const next = await nextOf(consumer)
      expect([numberOf(next), next.deliveryCount]).toEqual([6, 1])
      next.accept()
      await consumer.flush()
      await drained()
    },
  )

  it.each(['all', 'some'])(
    'receives its messages again when a request with %s of their acknowledgements was not answered',
    async (which) => {
      await using impatient = new KafkaClient({ hosts: kafka.hosts, socketTimeoutMs: IMPATIENT_MS })
      await writeNumbers(client, 'jobs', 4)
      const consumer = await impatient.getShareConsumer(explicit)
      const messages = await take(consumer, 4)
      const accepted = which === 'all' ? messages : messages.slice(0, 2)
      kafka.faults.on({ api: 'ShareAcknowledge', times: 1 }, { drop: true })
      for (const message of accepted) message.accept()
      // The time of the call is over before that of the request; the outcome is in a later result.
      await expect(consumer.flush({ timeoutMs: 10 })).rejects.toMatchObject({
        code: 'REQUEST_TIMED_OUT',
      })
      const failed = { acknowledged: 0, failed: accepted.length }
      expect(sum(await consumer.flush())).toEqual(failed)
      expect(messages.slice(accepted.length).every(({ isLost }) => isLost)).toBe(true)
      await writeNumbers(client, 'jobs', 2, { first: 4 })
      const again = await take(consumer, 6)
      expect(countsOf(again)).toEqual([
        [0, 2],
        [1, 2],
        [2, 2],
        [3, 2],
        [4, 1],
        [5, 1],
      ])
      for (const message of again) message.accept()
      expect(sum(await consumer.flush())).toEqual({ acknowledged: 6, failed: 0 })
    },
  )

  it('receives the messages of a partition that had no leader for a while', async () => {
    await writeNumbers(client, 'jobs', 6, { partitions: 3 })
    await using late = new KafkaClient({ hosts: kafka.hosts })
    const leaderless = kafka.faults.on(
      { api: 'Metadata', topic: 'jobs' },
      { error: 'LEADER_NOT_AVAILABLE' },
    )
    const consumer = await late.getShareConsumer(explicit)
    const reading = consumer.consume()
    await until(() => leaderless.hits >= 3)
    leaderless.remove()
    const messages = [(await reading)!, ...(await take(consumer, 5))]
    expect(countsOf(messages)).toEqual([0, 1, 2, 3, 4, 5].map((number) => [number, 1]))
    for (const message of messages) message.accept()
    expect(sum(await consumer.flush())).toEqual({ acknowledged: 6, failed: 0 })
  })

  describe('whose fetch carries acknowledgements of several partitions', () => {
    /** Takes three messages, of which the next fetch accepts two, and lets this fetch fail. */
    async function failNext(error: 'SHARE_SESSION_NOT_FOUND' | 'INVALID_REQUEST') {
      await stopJobs(kafka, client)
      ;({ kafka, client } = await startJobs(3, {}, 1))
      await writeNumbers(client, 'jobs', 3, { partitions: 3 })
      const consumer = await client.getShareConsumer(options)
      await take(consumer, 3)
      kafka.faults.on({ api: 'ShareFetch', times: 1 }, { error })
      const asked = kafka.requests.next({ api: 'ShareFetch' })
      const reading = consumer.consume()
      const { body } = await asked
      return { consumer, reading, partitions: JSON.stringify(body, bigintAsText) }
    }

    const bigintAsText = (_: string, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value

    it('sends them again when the broker refuses the session', async () => {
      const { consumer, reading, partitions } = await failNext('SHARE_SESSION_NOT_FOUND')
      expect(partitions.match(/"acknowledgeTypes":\[1\]/g)).toHaveLength(3)
      await writeNumbers(client, 'jobs', 1, { first: 3 })
      const next = await reading
      expect([numberOf(next!), next!.deliveryCount]).toEqual([3, 1])
      expect(sum(await consumer.flush())).toMatchObject({ acknowledged: 3, failed: 0 })
    })

    it('reports the error for each partition when the broker refuses the request', async () => {
      const { consumer, reading, partitions } = await failNext('INVALID_REQUEST')
      expect(partitions.match(/"acknowledgeTypes":\[1\]/g)).toHaveLength(3)
      await expect(reading).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
      const results = await consumer.flush()
      const failed = { acknowledged: 0, failed: 1, error: { code: 'INVALID_REQUEST' } }
      expect(results).toMatchObject([failed, failed, failed])
    })
  })
})
