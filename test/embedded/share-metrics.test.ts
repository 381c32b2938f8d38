/** What share consumers count, and what their clients push to brokers: librdkafka's test 0190. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type MetricName } from '../../src/index.ts'
import { codeOf } from '../support/settled.ts'
import { take, writeNumbers } from '../support/share/queue.ts'
import { until } from '../support/until.ts'

const GROUP = 'workers'
const options = { topics: ['jobs'], shareGroup: GROUP, acknowledgementMode: 'explicit' } as const
/** Longer than a test may take: what waits for it fails. */
const FOR_EVER_MS = 3_600_000
const SHARE = 'org.apache.kafka.consumer.share.'

/** The metrics that librdkafka's test expects, which are some of those of the Java client. */
const EXPECTED = [
  'poll.idle.ratio.avg',
  'last.poll.seconds.ago',
  'coordinator.last.heartbeat.seconds.ago',
  'time.between.poll.avg',
  'time.between.poll.max',
  'fetch.manager.fetch.total',
  'fetch.manager.fetch.rate',
  'fetch.manager.fetch.latency.avg',
  'fetch.manager.fetch.latency.max',
  'fetch.manager.acknowledgements.send.total',
  'fetch.manager.acknowledgements.send.rate',
  'fetch.manager.fetch.throttle.time.avg',
  'fetch.manager.fetch.throttle.time.max',
  'coordinator.heartbeat.total',
  'coordinator.heartbeat.rate',
  'fetch.manager.fetch.size.avg',
  'fetch.manager.fetch.size.max',
  'fetch.manager.bytes.consumed.total',
  'fetch.manager.bytes.consumed.rate',
]

describe('the metrics of a share consumer', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  beforeEach(async () => {
    kafka = await EmbeddedCluster.start({
      clientMetrics: true,
      topics: { jobs: { partitions: 2 }, orders: { partitions: 1 } },
      shareAutoOffsetReset: 'earliest',
      shareRecordLockMs: FOR_EVER_MS,
    })
    client = new KafkaClient({ hosts: kafka.hosts, clientId: 'sharing' })
  })
  afterEach(async () => {
    await client.close()
    await kafka.stop()
  })

  /** Writes with another client, so that the one under test has share consumers only. */
  async function write(count: number, topic = 'jobs', partitions = 2): Promise<void> {
    await using other = new KafkaClient({ hosts: kafka.hosts, enableMetricsPush: false })
    await writeNumbers(other, topic, count, { partitions })
  }

  /** The sum of a counter or gauge of the group; of a histogram, the number of its values. */
  function valueOf(name: MetricName): number {
    const found = client.metrics().metrics.find((metric) => metric.name === name)
    const samples = found?.samples.filter(({ labels }) => labels.group === GROUP) ?? []
    return samples.reduce((sum, one) => sum + ('value' in one ? one.value : one.count), 0)
  }

  it('count what is fetched, delivered and acknowledged', async () => {
    await write(10)
    const consumer = await client.getShareConsumer(options)
    expect(valueOf('samsa_share_acknowledgements_total')).toBe(0)
    const messages = await take(consumer, 10)
    expect(valueOf('samsa_consumer_assigned_partitions')).toBe(2)
    expect(valueOf('samsa_consumer_messages_total')).toBe(10)
    expect(valueOf('samsa_consumer_fetched_messages_total')).toBe(10)
    const bytes = valueOf('samsa_consumer_fetched_bytes_total')
    expect(bytes).toBeGreaterThan(100)
    expect(valueOf('samsa_consumer_fetch_size_bytes')).toBe(valueOf('samsa_share_fetch_messages'))
    for (const [index, message] of messages.entries()) {
      if (index < 3) message.accept()
      else if (index < 5) message.reject()
      else message.release()
    }
    await consumer.flush()
    expect(valueOf('samsa_share_acknowledgements_total')).toBe(10)
    // What was released is delivered, and counted, again.
    await take(consumer, 5)
    expect(valueOf('samsa_consumer_messages_total')).toBe(15)
    expect(valueOf('samsa_consumer_heartbeat_duration_seconds')).toBeGreaterThan(0)
    expect(valueOf('samsa_share_assignments_total')).toBeGreaterThan(0)
    expect(valueOf('samsa_share_wait_duration_seconds')).toBeGreaterThan(0)
    expect(valueOf('samsa_share_poll_interval_seconds')).toBeGreaterThan(0)
    await consumer.close()
    expect(valueOf('samsa_consumer_assigned_partitions')).toBe(0)
    expect(valueOf('samsa_consumer_messages_total')).toBe(15)
  })

  it('have the time since the last poll and the last heartbeat while the consumer is open', async () => {
    await write(1, 'jobs', 1)
    const consumer = await client.getShareConsumer(options)
    const names = [
      'samsa_share_last_poll_age_seconds',
      'samsa_share_last_heartbeat_age_seconds',
    ] as const
    const found = (name: MetricName) =>
      client.metrics().metrics.find((metric) => metric.name === name)?.samples.length
    // A consumer that has not polled has no time since then.
    expect(names.map(found)).toEqual([undefined, 1])
    const beforePoll = performance.now()
    await take(consumer, 1)
    const afterPoll = performance.now()
    // Of two heartbeats that arrive, the second is sent after the first has arrived.
    await kafka.requests.next({ api: 'ShareGroupHeartbeat' })
    const beforeHeartbeat = performance.now()
    await kafka.requests.next({ api: 'ShareGroupHeartbeat' })
    const collecting = performance.now()
    const [sincePoll, sinceHeartbeat] = [valueOf(names[0]) * 1_000, valueOf(names[1]) * 1_000]
    const collected = performance.now()
    expect(sincePoll).toBeGreaterThanOrEqual(collecting - afterPoll)
    expect(sincePoll).toBeLessThanOrEqual(collected - beforePoll)
    expect(sinceHeartbeat).toBeGreaterThan(0)
    expect(sinceHeartbeat).toBeLessThanOrEqual(collected - beforeHeartbeat)
    await consumer.close()
    expect(names.map(found)).toEqual([undefined, undefined])
  })

  it('count acknowledgements without effect', async () => {
    await write(2, 'jobs', 1)
    const consumer = await client.getShareConsumer(options)
    const messages = await take(consumer, 2)
    kafka.faults.on({ api: 'ShareAcknowledge' }, { error: 'INVALID_REQUEST' })
    for (const message of messages) message.accept()
    await consumer.flush()
    kafka.faults.clear()
    expect(valueOf('samsa_share_acknowledgements_total')).toBe(0)
    expect(valueOf('samsa_share_failed_acknowledgements_total')).toBe(2)
  })

  it('include heartbeats that fail, and the health of the client a consumer that has failed', async () => {
    const consumer = await client.getShareConsumer(options)
    expect(client.health().reasons).toEqual([])
    kafka.faults.on({ api: 'ShareGroupHeartbeat' }, { error: 'GROUP_AUTHORIZATION_FAILED' })
    expect(await codeOf(consumer.consume())).toBe('GROUP_AUTHORIZATION_FAILED')
    kafka.faults.clear()
    expect(valueOf('samsa_consumer_heartbeat_failures_total')).toBe(1)
    expect(client.health()).toMatchObject({ live: false, reasons: [{ code: 'CONSUMER_FAILED' }] })
    await consumer.close()
    expect(client.health().reasons).toEqual([])
  })

  describe('that its client pushes', () => {
    const pushed = () =>
      kafka.pushedMetrics
        .filter(({ clientId }) => clientId === 'sharing')
        .flatMap(({ metrics }) => metrics)
    const names = () => new Set(pushed().map(({ name }) => name))
    /** Each push has what has happened since the one before, as Kafka requests it. */
    const sum = (name: string) =>
      pushed().reduce((total, one) => total + (one.name === name ? one.value : 0), 0)

    beforeEach(async () => {
      await using operator = new KafkaClient({ hosts: kafka.hosts, enableMetricsPush: false })
      const set = { metrics: '*', 'interval.ms': '100' }
      await operator.admin.incrementalAlterConfigs([{ type: 'clientMetrics', name: 'all', set }])
    })

    it('are those of Java', async () => {
      await write(10)
      const consumer = await client.getShareConsumer(options)
      const messages = await take(consumer, 10)
      for (const message of messages.slice(1)) message.accept()
      await consumer.flush()
      // A second poll, so that there is a time between two.
      messages[0]!.release()
      await take(consumer, 1)
      await until(() => EXPECTED.every((name) => names().has(`${SHARE}${name}`)))
      await consumer.close()
      await client.close()
      expect(sum(`${SHARE}fetch.manager.acknowledgements.send.total`)).toBe(11)
      expect(sum(`${SHARE}fetch.manager.acknowledgements.error.total`)).toBe(0)
      expect(sum(`${SHARE}fetch.manager.records.consumed.total`)).toBe(11)
      expect(sum(`${SHARE}coordinator.rebalance.total`)).toBeGreaterThan(0)
      const ratios = pushed().filter(({ name }) => name === `${SHARE}poll.idle.ratio.avg`)
      expect(ratios.every(({ value }) => value >= 0 && value <= 1)).toBe(true)
      // A client without another consumer has no metrics of other consumers.
      const others = [...names()].filter(
        (name) => /consumer\.(coordinator|fetch)/.test(name) || name.includes('.producer.'),
      )
      expect(others).toEqual([])
    })

    it('count nothing of the other consumers of the client, and the other way round', async () => {
      await write(4)
      await write(6, 'orders', 1)
      const consumer = await client.getShareConsumer(options)
      await take(consumer, 4)
      const reading = { autoOffsetReset: 'earliest' } as const
      const orders = await client.topic('orders').getSimpleConsumer(reading)
      for (let read = 0; read < 6; read++) await orders.consume()
      await client.close()
      expect(sum(`${SHARE}fetch.manager.records.consumed.total`)).toBe(4)
      const others = 'org.apache.kafka.consumer.fetch.manager.records.consumed.total'
      expect(sum(others)).toBe(6)
    })
  })
})
