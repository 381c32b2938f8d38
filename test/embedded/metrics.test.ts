import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import {
  KafkaClient,
  metricRates,
  METRICS,
  withDeadLetters,
  type ClientEvent,
  type KafkaClientOptions,
} from '../../src/index.ts'
import * as channels from '../../src/observe/channels.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { countOf, histogramsOf, valueOf } from '../support/metrics.ts'
import { take } from '../support/take.ts'
import { until } from '../support/until.ts'

const TOPIC = 'orders'
const MINUTE_MS = 60_000

let kafka: EmbeddedCluster
const clients: KafkaClient[] = []
beforeEach(async () => {
  kafka = await EmbeddedCluster.start({ topics: { [TOPIC]: { partitions: 2 } } })
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close().catch(() => undefined)))
  await kafka.stop()
})

function connect(options: KafkaClientOptions = {}): KafkaClient {
  const client = new KafkaClient({ ...QUICK, clientId: 'shop', hosts: kafka.hosts, ...options })
  clients.push(client)
  return client
}

async function fill(client: KafkaClient, count: number, timestamp = Date.now()): Promise<void> {
  await using producer = await client.topic(TOPIC).getProducer({ compression: 'gzip' })
  const value = 'x'.repeat(200)
  for (let i = 0; i < count; i++) {
    void producer.produce(value, { partition: i % 2, timestamp })
  }
  await producer.flush()
}

describe('the metrics of a client', () => {
  it('count produced messages, bytes, batches, sizes, compression and times', async () => {
    const client = connect()
    await fill(client, 1_000)
    const metrics = client.metrics()
    const ofTopic = { client_id: 'shop', topic: TOPIC }
    expect(valueOf(metrics, 'samsa_producer_messages_total', ofTopic)).toBe(1_000)
    expect(valueOf(metrics, 'samsa_producer_failed_messages_total', ofTopic)).toBe(0)
    const batches = valueOf(metrics, 'samsa_producer_batches_total', ofTopic)
    expect(batches).toBeGreaterThanOrEqual(2)
    expect(valueOf(metrics, 'samsa_producer_sent_batches_total', ofTopic)).toBe(batches)
    const sent = valueOf(metrics, 'samsa_producer_sent_bytes_total', ofTopic)
    const uncompressed = valueOf(metrics, 'samsa_producer_uncompressed_bytes_total', ofTopic)
    expect(uncompressed).toBeGreaterThan(200_000)
    expect(valueOf(metrics, 'samsa_producer_bytes_total', ofTopic)).toBe(uncompressed)
    const ratio = valueOf(metrics, 'samsa_producer_compression_ratio', ofTopic)
    expect(ratio).toBeCloseTo(sent / uncompressed)
    expect(ratio).toBeLessThan(0.2)
    const [sizes] = histogramsOf(metrics, 'samsa_producer_batch_size_bytes')
    expect(sizes).toMatchObject({ count: batches, sum: sent })
    expect(histogramsOf(metrics, 'samsa_producer_batch_messages')[0]?.sum).toBe(1_000)
    for (const name of ['queue', 'delivery'] as const) {
      const [times] = histogramsOf(metrics, `samsa_producer_${name}_duration_seconds`)
      expect(times?.count).toBe(batches)
      expect(times!.p50).toBeLessThanOrEqual(times!.p99)
    }
  })

  it('count requests, their times, bytes and connections by broker', async () => {
    const client = connect()
    await fill(client, 10)
    const metrics = client.metrics()
    const broker = kafka.hosts
    const produced = { api: 'Produce', broker }
    const requests = kafka.requests.all({ api: 'Produce' }).length
    expect(countOf(metrics, 'samsa_request_duration_seconds', produced)).toBe(requests)
    expect(valueOf(metrics, 'samsa_request_failures_total', produced)).toBe(0)
    expect(valueOf(metrics, 'samsa_connections_open', { broker })).toBeGreaterThan(0)
    const opened = valueOf(metrics, 'samsa_connections_opened_total', { broker })
    expect(opened).toBe(valueOf(metrics, 'samsa_connections_open', { broker }))
    expect(valueOf(metrics, 'samsa_requests_in_flight', { broker })).toBe(0)
    const [written] = histogramsOf(metrics, 'samsa_request_size_bytes', { broker })
    const [read] = histogramsOf(metrics, 'samsa_response_size_bytes', { broker })
    expect(written!.count).toBe(read!.count)
    expect(written!.sum).toBeGreaterThan(0)
    await client.close()
    expect(valueOf(client.metrics(), 'samsa_connections_open', { broker })).toBe(0)
    expect(valueOf(client.metrics(), 'samsa_connections_opened_total', { broker })).toBe(opened)
  })

  it('count fetched and delivered messages, and the lag in messages and seconds', async () => {
    const client = connect()
    await fill(client, 100, Date.now() - 10 * MINUTE_MS)
    await using consumer = await client.topic(TOPIC).getSimpleConsumer({
      autoOffsetReset: 'earliest',
    })
    await take(consumer, 30)
    await until(() => {
      const fetched = { topic: TOPIC }
      return valueOf(client.metrics(), 'samsa_consumer_fetched_messages_total', fetched) === 100
    })
    const metrics = client.metrics()
    expect(valueOf(metrics, 'samsa_consumer_messages_total', { topic: TOPIC })).toBe(30)
    expect(valueOf(metrics, 'samsa_consumer_fetched_bytes_total')).toBeGreaterThan(0)
    expect(countOf(metrics, 'samsa_consumer_fetch_size_bytes')).toBeGreaterThan(0)
    expect(valueOf(metrics, 'samsa_consumer_assigned_partitions')).toBe(2)
    expect(valueOf(metrics, 'samsa_consumer_lag_messages')).toBe(70)
    const lag = valueOf(metrics, 'samsa_consumer_lag_seconds')
    expect(lag).toBeGreaterThanOrEqual(600)
    expect(lag).toBeLessThan(660)
    await take(consumer, 70)
    expect(valueOf(client.metrics(), 'samsa_consumer_lag_messages')).toBe(0)
    expect(valueOf(client.metrics(), 'samsa_consumer_lag_seconds')).toBe(0)
    await consumer.close()
    expect(valueOf(client.metrics(), 'samsa_consumer_messages_total', { topic: TOPIC })).toBe(100)
    expect(valueOf(client.metrics(), 'samsa_consumer_assigned_partitions')).toBe(0)
  })

  it('have the lag of each partition only on request', async () => {
    const client = connect()
    await fill(client, 10)
    await using consumer = await client.topic(TOPIC).getSimpleConsumer({
      autoOffsetReset: 'earliest',
    })
    await take(consumer, 10)
    const partitionsIn = (metrics: ReturnType<KafkaClient['metrics']>) =>
      metrics.metrics
        .flatMap(({ samples }) => [...samples])
        .flatMap(({ labels: { partition } }) => partition ?? [])
    expect(partitionsIn(client.metrics())).toEqual([])
    const names = partitionsIn(client.metrics({ partitions: true }))
    expect([...new Set(names)].sort()).toEqual(['0', '1'])
  })

  it('count handlers, commits, heartbeats and rebalances of a group', async () => {
    const client = connect()
    await fill(client, 50)
    const options = {
      consumerGroup: 'billing',
      managed: true,
      autoOffsetReset: 'earliest',
      heartbeatIntervalMs: 20,
    } as const
    const member = await client.topic(TOPIC).getBalancedConsumer(options)
    let handled = 0
    const run = member.run(async () => {
      handled++
      await Promise.resolve()
    })
    const ofGroup = { client_id: 'shop', group: 'billing' }
    await until(() => handled === 50)
    await until(
      () => countOf(client.metrics(), 'samsa_consumer_heartbeat_duration_seconds', ofGroup) > 0,
    )
    await member.close()
    await run
    const metrics = client.metrics()
    expect(countOf(metrics, 'samsa_consumer_handler_duration_seconds', ofGroup)).toBe(50)
    expect(valueOf(metrics, 'samsa_consumer_handler_failures_total', ofGroup)).toBe(0)
    expect(countOf(metrics, 'samsa_consumer_commit_duration_seconds', ofGroup)).toBeGreaterThan(0)
    expect(valueOf(metrics, 'samsa_consumer_commit_failures_total', ofGroup)).toBe(0)
    expect(countOf(metrics, 'samsa_consumer_rebalance_duration_seconds', ofGroup)).toBeGreaterThan(
      0,
    )
  })

  it.each([{ orderBy: 'partition' }, { orderBy: 'key', concurrency: 4 }] as const)(
    'count each message that a handler processes with %j, with or without a promise',
    async (order) => {
      const client = connect()
      await fill(client, 40)
      const consumer = await client.topic(TOPIC).getSimpleConsumer({
        autoOffsetReset: 'earliest',
        stopAtEnd: true,
      })
      let count = 0
      await consumer.run(() => (++count % 4 === 0 ? Promise.resolve() : undefined), order)
      const [times] = histogramsOf(client.metrics(), 'samsa_consumer_handler_duration_seconds')
      expect(times?.count).toBe(40)
      await consumer.close()
    },
  )

  it('count a message whose handler fails as a failure, and once as delivered', async () => {
    const client = connect()
    await fill(client, 10)
    await using consumer = await client.topic(TOPIC).getSimpleConsumer({
      autoOffsetReset: 'earliest',
      partitions: [0],
    })
    await expect(consumer.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    const delivered = valueOf(client.metrics(), 'samsa_consumer_messages_total')
    await take(consumer, 5)
    expect(valueOf(client.metrics(), 'samsa_consumer_handler_failures_total')).toBe(1)
    expect(delivered).toBeLessThanOrEqual(1)
    expect(valueOf(client.metrics(), 'samsa_consumer_messages_total')).toBe(5)
  })

  it('count retries by the code of the error, and failed messages', async () => {
    const client = connect({ clientId: 'other' })
    await using producer = await client.topic(TOPIC).getProducer({ maxRetries: 1 })
    await producer.produce('a', { partition: 0 })
    kafka.faults.on({ api: 'Produce' }, { error: 'NOT_ENOUGH_REPLICAS' })
    await expect(producer.produce('b', { partition: 0 })).rejects.toThrow()
    const metrics = client.metrics()
    const retried = { client_id: 'other', error: 'NOT_ENOUGH_REPLICAS' }
    expect(valueOf(metrics, 'samsa_retries_total', retried)).toBeGreaterThan(0)
    expect(valueOf(metrics, 'samsa_producer_failed_messages_total')).toBe(1)
  })

  it('are plain data whose names, kinds and labels are those of the catalog', async () => {
    const client = connect()
    await fill(client, 10)
    const snapshot = client.metrics()
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot)
    for (const { name, kind, unit, samples } of snapshot.metrics) {
      const declared = METRICS[name]
      expect({ kind, unit }).toEqual({ kind: declared.kind, unit: declared.unit })
      for (const { labels } of samples) {
        const known = new Set<string>(['client_id', ...declared.labels])
        expect(Object.keys(labels).filter((label) => !known.has(label))).toEqual([])
        expect(labels.client_id).toBe('shop')
      }
    }
  })

  it('return the rates between two snapshots', async () => {
    const client = connect()
    const before = client.metrics()
    await fill(client, 500)
    const after = { ...client.metrics(), time: before.time + 10_000 }
    const rate = metricRates(before, after).find(
      ({ name }) => name === 'samsa_producer_messages_total',
    )
    expect(rate).toMatchObject({ labels: { client_id: 'shop', topic: TOPIC }, perSecond: 50 })
  })

  it('do not grow with the number of topics', async () => {
    const client = connect()
    await using producer = await client.getProducer()
    for (let i = 0; i < 3_000; i++) {
      // A message that is refused at once: no broker is asked for its topic.
      await expect(producer.produce(`none-${i}`, 7 as never)).rejects.toThrow('a value')
    }
    const failed = client
      .metrics()
      .metrics.find(({ name }) => name === 'samsa_producer_failed_messages_total')
    expect(failed?.samples.length).toBeLessThanOrEqual(1_001)
    expect(valueOf(client.metrics(), 'samsa_producer_failed_messages_total')).toBe(3_000)
  })
})

const codesOf = (client: KafkaClient) => client.health().reasons.map(({ code }) => code)

describe('the health of a client', () => {
  it('is not ready before the first connection, and ready after it', async () => {
    const client = connect()
    expect(client.health()).toMatchObject({ clientId: 'shop', live: true, ready: false })
    expect(codesOf(client)).toEqual(['NEVER_CONNECTED'])
    await client.topic(TOPIC).partitions()
    expect(client.health()).toEqual({ clientId: 'shop', live: true, ready: true, reasons: [] })
  })

  it('reports that the brokers cannot be reached', async () => {
    const client = connect()
    await client.topic(TOPIC).partitions()
    await kafka.stop()
    await client
      .topic(TOPIC)
      .partitions({ timeoutMs: 200 })
      .catch(() => undefined)
    expect(codesOf(client)).toEqual(['DISCONNECTED'])
    expect(client.health()).toMatchObject({ live: true, ready: false })
  })

  it('is not live once the client is closed', async () => {
    const client = connect()
    await client.close()
    expect(client.health()).toMatchObject({ live: false, ready: false })
    expect(codesOf(client)).toEqual(['CLOSED'])
  })

  it('reports that a producer is full, and that its oldest message waits too long', async () => {
    const client = connect()
    const limits = { maxQueuedMessages: 1, deliveryTimeoutMs: 2_000 }
    const producer = await client.topic(TOPIC).getProducer(limits)
    await producer.produce('a')
    const fault = kafka.faults.on({ api: 'Produce' }, { hold: true })
    const lost = producer.produce('b').catch(() => undefined)
    await until(() => codesOf(client).includes('PRODUCER_STALLED'))
    expect(codesOf(client)).toContain('PRODUCER_QUEUE_FULL')
    await lost
    fault.release()
    await until(() => client.health().ready)
  })

  const MEMBER = { managed: true, consumerGroup: 'billing', heartbeatIntervalMs: 50 } as const

  it('reports a member of a group that is not started, until it is', async () => {
    const client = connect()
    const member = await client.topic(TOPIC).getBalancedConsumer({ ...MEMBER, autoStart: false })
    expect(codesOf(client)).toContain('NOT_ASSIGNED')
    expect(client.health()).toMatchObject({ live: true, ready: false })
    await member.start()
    expect(codesOf(client)).toEqual([])
  })

  it('is not live once a group has refused a member', async () => {
    const client = connect()
    const member = await client.topic(TOPIC).getBalancedConsumer(MEMBER)
    expect(codesOf(client)).toEqual([])
    kafka.faults.on({ api: 'Heartbeat' }, { error: 'GROUP_AUTHORIZATION_FAILED' })
    await until(() => codesOf(client).includes('CONSUMER_FAILED'))
    const [reason] = client.health().reasons
    expect(reason?.message).toContain('a consumer of billing')
    expect(client.health()).toMatchObject({ live: false, ready: false })
    await member.close()
    expect(codesOf(client)).toEqual([])
  })

  it('reports a member that its group has not confirmed for a session timeout, until it does', async () => {
    await using short = await EmbeddedCluster.start({
      topics: { [TOPIC]: {} },
      groupMinSessionTimeoutMs: 1,
    })
    const client = connect({ hosts: short.hosts })
    await using member = await client
      .topic(TOPIC)
      .getBalancedConsumer({ ...MEMBER, sessionTimeoutMs: 300 })
    expect(codesOf(client)).toEqual([])
    const fault = short.faults.on({ api: 'Heartbeat' }, { hold: true })
    await until(() => codesOf(client).includes('MEMBERSHIP_UNCERTAIN'))
    expect(client.health()).toMatchObject({ live: true, ready: false })
    fault.release()
    fault.remove()
    await until(() => client.health().ready)
    await member.close()
  })

  it('reports that a partition cannot be read', async () => {
    const client = connect()
    await fill(client, 2)
    const deserializer = () => {
      throw new Error('not mine')
    }
    await using consumer = await client.topic(TOPIC).getSimpleConsumer({
      autoOffsetReset: 'earliest',
      partitions: [1],
      deserializer,
    })
    await expect(consumer.consume()).rejects.toThrow('not mine')
    expect(codesOf(client)).toEqual(['PARTITION_FAILED'])
    expect(client.health().live).toBe(true)
  })
})

describe('events', () => {
  it('report throttling and dead letters, and the metrics count them', async () => {
    const events: { readonly name: string; readonly event: unknown }[] = []
    const listen = (event: unknown, name: string | symbol) => {
      events.push({ name: String(name), event })
    }
    const names = ['samsa:throttle', 'samsa:deadletter']
    for (const name of names) subscribe(name, listen)
    try {
      const client = connect()
      await fill(client, 1)
      kafka.throttle({ api: 'Produce', ms: 7 })
      const producer = await client.topic('dead').getProducer()
      await using consumer = await client.topic(TOPIC).getSimpleConsumer({
        autoOffsetReset: 'earliest',
        stopAtEnd: true,
      })
      const fail = () => Promise.reject(new Error('no'))
      await consumer.run(withDeadLetters(fail, { producer, maxRetries: 0 }))
      const metrics = client.metrics()
      expect(valueOf(metrics, 'samsa_dead_letters_total', { topic: TOPIC })).toBe(1)
      const [throttled] = histogramsOf(metrics, 'samsa_throttle_duration_seconds')
      expect(throttled).toMatchObject({ labels: { api: 'Produce' }, count: 1 })
      expect(throttled!.sum).toBeCloseTo(0.007)
    } finally {
      for (const name of names) unsubscribe(name, listen)
    }
    expect(events).toEqual([
      {
        name: 'samsa:throttle',
        event: {
          clientId: 'shop',
          broker: kafka.hosts,
          api: 'Produce',
          throttleTimeMs: 7,
          waitMs: 7,
        },
      },
      {
        name: 'samsa:deadletter',
        event: {
          clientId: 'shop',
          topic: TOPIC,
          partition: 0,
          offset: 0,
          attempts: 1,
          error: new Error('no'),
        },
      },
    ])
  })

  it('name the group of a consumer also beyond the limit of the label', async () => {
    const groups: unknown[] = []
    const listen = (message: unknown) => {
      groups.push((message as { readonly group: unknown }).group)
    }
    const listened = ['samsa:commit', 'samsa:fetch', 'tracing:samsa:handle:start']
    const client = connect()
    await fill(client, 2)
    const topic = client.topic(TOPIC)
    const reading = { autoOffsetReset: 'earliest', stopAtEnd: true } as const
    for (let i = 0; i < 100; i++) {
      const one = await topic.getSimpleConsumer({ ...reading, consumerGroup: `group-${i}` })
      await one.close()
    }
    for (const name of listened) subscribe(name, listen)
    try {
      const last = await topic.getSimpleConsumer({ ...reading, consumerGroup: 'the-last' })
      await last.run(async () => Promise.resolve())
      await last.commitOffsets()
      await last.close()
      expect(codesOf(client)).toEqual([])
    } finally {
      for (const name of listened) unsubscribe(name, listen)
    }
    expect([...new Set(groups)]).toEqual(['the-last'])
    expect(groups.length).toBeGreaterThanOrEqual(4)
    const labels = { group: '(other)', topic: TOPIC }
    expect(valueOf(client.metrics(), 'samsa_consumer_messages_total', labels)).toBe(2)
  })

  it('carry the client id on every channel', async () => {
    const names = Object.values(channels).map(({ name }) => String(name))
    expect(names.length).toBeGreaterThanOrEqual(14)
    const traced = ['produce', 'handle', 'batch'].flatMap((name) =>
      ['start', 'end', 'asyncEnd'].map((event) => `tracing:samsa:${name}:${event}`),
    )
    const events = new Map<string, Partial<ClientEvent>[]>(
      [...names, ...traced].map((name) => [name, []]),
    )
    const listen = (message: unknown, name: string | symbol) => {
      events.get(String(name))?.push(message as Partial<ClientEvent>)
    }
    for (const name of events.keys()) subscribe(name, listen)
    try {
      const client = connect({ clientId: 'named' })
      kafka.faults.on({ api: 'Produce', times: 1 }, { error: 'NOT_ENOUGH_REPLICAS' })
      await fill(client, 10)
      kafka.throttle({ api: 'Produce', ms: 1 })
      const dead = await client.topic('dead').getProducer()
      const member = (topic: string) =>
        client.topic(topic).getBalancedConsumer({
          managed: true,
          autoOffsetReset: 'earliest',
          consumerGroup: 'g',
          heartbeatIntervalMs: 20,
          autoCommitEnable: true,
        })
      const first = await member(TOPIC)
      let isFirst = true
      const failOnce = () => {
        if (!isFirst) return
        isFirst = false
        throw new Error('no')
      }
      const run = first.run(withDeadLetters(failOnce, { producer: dead, maxRetries: 0 }))
      await until(() => events.get('samsa:deadletter')!.length > 0)
      const second = await member(TOPIC)
      await until(() =>
        events.get('samsa:group')!.some((event) => Reflect.get(event, 'kind') === 'rebalancing'),
      )
      await second.close()
      const moved = await client.topic(TOPIC).getSimpleConsumer({
        autoOffsetReset: 'earliest',
        partitions: [0],
      })
      moved.seek(0, 9_999)
      await until(() => events.get('samsa:position')!.length > 0)
      await until(() => events.get('samsa:heartbeat')!.length > 0)
      await first.close()
      await run
      const batched = await client.topic(TOPIC).getSimpleConsumer({
        autoOffsetReset: 'earliest',
        stopAtEnd: true,
      })
      await batched.runBatches(() => undefined)
      const sharing = await client.getShareConsumer({ shareGroup: 's', topics: [TOPIC] })
      const shared = sharing.run(() => undefined)
      await until(async () => {
        await fill(client, 1)
        return events.get('samsa:acknowledge')!.length > 0
      })
      await sharing.close()
      await shared
      await client.close()
    } finally {
      for (const name of events.keys()) unsubscribe(name, listen)
    }
    for (const [name, seen] of events) {
      const ids = seen.map(({ clientId }) => clientId)
      expect({ name, ids: [...new Set(ids)] }).toEqual({ name, ids: ['named'] })
    }
    expect(events.get('samsa:commit')).toContainEqual(
      expect.objectContaining({ group: 'g', error: undefined }),
    )
  })
})
