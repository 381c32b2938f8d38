import { afterEach, describe, expect, it } from '@jest/globals'
import { getTelemetrySubscriptions } from '../../protocol/apis/get-telemetry-subscriptions.ts'
import { pushTelemetry } from '../../protocol/apis/push-telemetry.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import { KafkaClient, type KafkaClientOptions } from '../../src/index.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { requestOnce } from '../support/request-once.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
const SENT = 'org.apache.kafka.producer.record.send.total'

let kafka: EmbeddedCluster
const clients: KafkaClient[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await kafka.stop()
})

async function start(options: EmbeddedClusterOptions = {}): Promise<void> {
  kafka = await EmbeddedCluster.start({
    clientMetrics: true,
    topics: { orders: { partitions: 3 } },
    ...options,
  })
}

function connect(options: KafkaClientOptions = {}): KafkaClient {
  const client = new KafkaClient({ ...QUICK, clientId: 'shop', hosts: kafka.hosts, ...options })
  clients.push(client)
  return client
}

/** Sets the configs of a client metrics resource, as an operator does. */
async function request(configs: Readonly<Record<string, string>>, name = 'all'): Promise<void> {
  await using admin = new KafkaClient({
    ...QUICK,
    clientId: 'operator',
    hosts: kafka.hosts,
    enableMetricsPush: false,
  })
  await admin.admin.incrementalAlterConfigs([{ type: 'clientMetrics', name, set: configs }])
}

const pushesOf = (clientId: string) =>
  kafka.pushedMetrics.filter((pushed) => pushed.clientId === clientId)
const sentIn = (clientId: string) =>
  pushesOf(clientId)
    .flatMap(({ metrics }) => metrics)
    .filter(({ name }) => name === SENT)
    .reduce((sum, { value }) => sum + value, 0)

describe('a client whose brokers receive metrics', () => {
  it('pushes all metrics at the interval of the subscription, and once more when it is closed', async () => {
    await start()
    await request({ metrics: '*', 'interval.ms': '100' })
    const client = connect()
    const producer = await client.topic('orders').getProducer()
    await producer.produceMany(['a', 'b', 'c'])
    await until(() => sentIn('shop') === 3)
    await producer.produce('d')
    await client.close()
    expect(sentIn('shop')).toBe(4)
    const pushes = pushesOf('shop')
    expect(pushes.map(({ isLast }) => isLast)).toEqual([...pushes.slice(1).map(() => false), true])
    expect(new Set(pushes.map(({ clientInstanceId }) => clientInstanceId)).size).toBe(1)
    const latencies = pushes
      .flatMap(({ metrics }) => metrics)
      .filter(({ name }) => name === 'org.apache.kafka.producer.node.request.latency.avg')
    expect(latencies.length).toBeGreaterThan(0)
    expect(new Set(latencies.map(({ attributes }) => attributes['node_id']))).toEqual(
      new Set(['1']),
    )
  })

  it('pushes only what is requested of it: by prefix, by client id, and nothing for unknown names', async () => {
    await start()
    await request({ metrics: SENT, 'interval.ms': '100', match: 'client_id=sh.*' }, 'sent')
    await request({ metrics: 'com.example.none.', 'interval.ms': '100' }, 'unknown')
    const shop = connect()
    const other = connect({ clientId: 'other' })
    for (const client of [shop, other]) {
      const producer = await client.topic('orders').getProducer()
      await producer.produce('a')
    }
    await until(() => sentIn('shop') === 1 && pushesOf('other').length > 0)
    const names = pushesOf('shop').flatMap(({ metrics }) => metrics.map(({ name }) => name))
    expect(new Set(names)).toEqual(new Set([SENT]))
    expect(pushesOf('other').flatMap(({ metrics }) => metrics)).toEqual([])
  })

  it('follows a subscription that changes', async () => {
    await start()
    await request({ metrics: 'com.example.none.', 'interval.ms': '100' })
    const client = connect()
    const producer = await client.topic('orders').getProducer()
    await producer.produce('a')
    await until(() => pushesOf('shop').length > 0)
    await request({ metrics: SENT })
    await producer.produce('b')
    await until(() => sentIn('shop') > 0)
  })

  it("pushes the application's metrics that are requested, and never calls the others", async () => {
    await start()
    await request({ metrics: 'com.example.orders.', 'interval.ms': '100' })
    const client = connect()
    let orders = 5
    let calls = 0
    client.registerMetric({ name: 'com.example.orders.open', kind: 'gauge', read: () => 7 })
    const attributes = { region: 'eu' }
    const total = { name: 'com.example.orders.total', kind: 'counter', attributes } as const
    client.registerMetric({ ...total, read: () => orders })
    client.registerMetric({
      name: 'com.example.invoices.total',
      kind: 'counter',
      read: () => ++calls,
    })
    await (await client.topic('orders').getProducer()).produce('a')
    const named = (name: string) =>
      pushesOf('shop')
        .flatMap(({ metrics }) => metrics)
        .filter((metric) => metric.name === name)
    const counted = () => named(total.name).reduce((sum, { value }) => sum + value, 0)
    await until(() => counted() === 5)
    orders = 8
    await until(() => counted() === 8)
    // It begins again.
    orders = 2
    await until(() => counted() === 10)
    const pushed = named('com.example.orders.open')
    expect(new Set(pushed.map(({ value }) => value))).toEqual(new Set([7]))
    expect(named(total.name).map((metric) => metric.attributes)).toEqual(
      named(total.name).map(() => attributes),
    )
    expect(calls).toBe(0)
    const names = pushesOf('shop').flatMap(({ metrics }) => metrics.map(({ name }) => name))
    expect(names.filter((name) => !name.startsWith('com.example.orders.'))).toEqual([])
  })

  it('pushes all else without the metrics whose readers throw, return no number, or were removed', async () => {
    await start()
    await request({ metrics: '*', 'interval.ms': '100' })
    const client = connect()
    let calls = 0
    const readers: Readonly<Record<string, () => unknown>> = {
      throws: () => {
        calls++
        throw new Error('broken')
      },
      throwsNothing: () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- applications throw anything
        throw undefined
      },
      nothing: () => undefined,
      notFinite: () => NaN,
      text: () => '7',
      promise: () => Promise.reject(new Error('late')).catch(() => 7),
    }
    for (const [name, read] of Object.entries(readers)) {
      client.registerMetric({ name: `app.${name}`, kind: 'counter', read: read as () => number })
    }
    const remove = client.registerMetric({ name: 'app.removed', kind: 'gauge', read: () => 1 })
    remove()
    const replaced = client.registerMetric({ name: 'app.own', kind: 'gauge', read: () => 1 })
    client.registerMetric({ name: 'app.own', kind: 'gauge', read: () => 2 })
    replaced()
    const producer = await client.topic('orders').getProducer()
    await producer.produce('a')
    await until(() => sentIn('shop') === 1 && calls > 1)
    await producer.produce('b')
    await client.close()
    expect(sentIn('shop')).toBe(2)
    const own = pushesOf('shop')
      .flatMap(({ metrics }) => metrics)
      .filter(({ name }) => name.startsWith('app.'))
    expect(own.length).toBeGreaterThan(0)
    expect(new Set(own.map(({ name, value }) => `${name} ${value}`))).toEqual(
      new Set(['app.own 2']),
    )
  })

  it('counts an application metric of a rejected push in the next one', async () => {
    await start()
    await request({ metrics: 'app.', 'interval.ms': '100' })
    kafka.faults.on({ api: 'PushTelemetry', times: 2 }, { error: 'INVALID_RECORD' })
    const client = connect()
    client.registerMetric({ name: 'app.total', kind: 'counter', read: () => 3 })
    await (await client.topic('orders').getProducer()).produce('a')
    const values = () =>
      pushesOf('shop').flatMap(({ metrics }) => metrics.map(({ value }) => value))
    await until(() => values().length > 0)
    await client.close()
    expect(values().filter((value) => value !== 0)).toEqual([3])
  })

  it.each([
    [{ name: '', kind: 'gauge', read: () => 1 }, /'name' must not be empty/],
    [{ name: 'a', kind: 'histogram', read: () => 1 }, /'kind' must be/],
    [{ name: 'a', kind: 'gauge' }, /'read' is missing/],
    [{ name: 'a', kind: 'gauge', read: () => 1, attributes: { a: 1 } }, /'attributes' must be/],
    [{ name: 'a', kind: 'gauge', read: () => 1, unit: 's' }, /no option 'unit'/],
    [null, /must be an object/],
  ])('refuses the application metric %j', async (metric, message) => {
    await start()
    expect(() => connect().registerMetric(metric as never)).toThrow(message)
  })

  it('pushes to a broker that accepts metrics, if others do not', async () => {
    await start({ brokers: 3, clientMetrics: [3] })
    await request({ metrics: '*', 'interval.ms': '100' })
    // A client chooses a broker at random: with six clients, some choose one that does not.
    const ids = Array.from({ length: 6 }, (_, index) => `client-${index}`)
    for (const clientId of ids) {
      const producer = await connect({ clientId }).topic('orders').getProducer()
      for (const partition of [0, 1, 2]) await producer.produce('a', { partition })
    }
    await until(() => ids.every((clientId) => sentIn(clientId) === 3))
    expect(new Set(kafka.pushedMetrics.map(({ broker }) => broker))).toEqual(new Set([3]))
  })

  it('pushes nothing to brokers without the plugin, nor with enableMetricsPush: false', async () => {
    await start({ clientMetrics: false })
    const client = connect()
    const producer = await client.topic('orders').getProducer()
    await producer.produce('a')
    await client.close()
    expect(kafka.requests.all({ api: 'GetTelemetrySubscriptions' })).toEqual([])
    await kafka.stop()
    await start()
    await request({ metrics: '*', 'interval.ms': '100' })
    const silent = connect({ enableMetricsPush: false })
    const own = await silent.topic('orders').getProducer()
    await own.produce('a')
    await silent.close()
    expect(kafka.requests.all({ api: 'GetTelemetrySubscriptions' })).toEqual([])
  })

  it.each(['INVALID_RECORD', 'TELEMETRY_TOO_LARGE', 'CLUSTER_AUTHORIZATION_FAILED'] as const)(
    'produces and consumes although the broker rejects its pushes with %s',
    async (error) => {
      await start()
      await request({ metrics: '*', 'interval.ms': '100' })
      const fault = kafka.faults.on({ api: 'PushTelemetry' }, { error })
      const isLimited = error === 'TELEMETRY_TOO_LARGE'
      const pushed = kafka.requests.next({ api: 'PushTelemetry' })
      const client = connect()
      const producer = await client.topic('orders').getProducer()
      await producer.produce('a')
      await pushed
      await producer.produce('b')
      const consumer = await client.topic('orders').getSimpleConsumer({
        autoOffsetReset: 'earliest',
        stopAtEnd: true,
      })
      let read = 0
      for await (const message of consumer) read += message.value === null ? 0 : 1
      expect(read).toBe(2)
      expect(client.health()).toMatchObject({ live: true, ready: true })
      if (error === 'CLUSTER_AUTHORIZATION_FAILED') return
      fault.remove()
      if (isLimited) {
        // The client reduces its pushes, down to none; then it requests its subscription again.
        await until(() => pushesOf('shop').some(({ metrics }) => metrics.length > 0))
        return
      }
      // What was rejected is in a later push.
      await until(() => sentIn('shop') === 2)
    },
  )
})

describe('an embedded broker that receives metrics', () => {
  it('refuses pushes that are malformed, early, for another subscription, or after the last', async () => {
    await start()
    await request({ metrics: '*' })
    const codeOf = async (asked: Promise<{ readonly errorCode: number }>) => (await asked).errorCode
    const ask = (clientInstanceId: string) =>
      requestOnce(kafka.hosts, getTelemetrySubscriptions, { clientInstanceId })
    const given = await ask(ZERO_UUID)
    expect(given).toMatchObject({
      errorCode: 0,
      pushIntervalMs: 300_000,
      requestedMetrics: [''],
      deltaTemporality: true,
    })
    const { clientInstanceId, subscriptionId } = given
    expect(await codeOf(ask(clientInstanceId))).toBe(89)
    const push = (changed: object = {}) =>
      codeOf(
        requestOnce(kafka.hosts, pushTelemetry, {
          clientInstanceId,
          subscriptionId,
          terminating: false,
          compressionType: 0,
          metrics: Buffer.alloc(0),
          ...changed,
        }),
      )
    expect(await push({ metrics: Buffer.from([0x0a, 0x7f]) })).toBe(87)
    expect(await push()).toBe(89)
    expect(await push({ terminating: true, subscriptionId: subscriptionId + 1 })).toBe(117)
    expect(await push({ terminating: true, compressionType: 9 })).toBe(76)
    expect(await push({ terminating: true, metrics: Buffer.alloc(1_048_577) })).toBe(118)
    expect(await push({ terminating: true })).toBe(0)
    expect(await push({ terminating: true })).toBe(42)
    expect(await push({ clientInstanceId: ZERO_UUID })).toBe(42)
  })

  it('has the configs of client metrics resources, and refuses invalid ones', async () => {
    await start()
    const { admin } = connect()
    const resource = { type: 'clientMetrics', name: 'all' } as const
    const alter = (set: Readonly<Record<string, string>>) =>
      admin.incrementalAlterConfigs([{ ...resource, set }])
    await alter({ metrics: 'org.apache.kafka.producer.', 'interval.ms': '1000' })
    const [described] = await admin.describeConfigs([resource])
    const values = described?.configs.map(({ name, value }) => [name, value])
    expect(values).toEqual([
      ['interval.ms', '1000'],
      ['match', ''],
      ['metrics', 'org.apache.kafka.producer.'],
    ])
    await expect(alter({ 'interval.ms': '99' })).rejects.toThrow('between 100 and 3600000')
    await expect(alter({ match: 'colour=red' })).rejects.toThrow('Illegal client matching pattern')
    await expect(alter({ interval: '1000' })).rejects.toThrow('Unknown client metrics')
  })

  it('lists the client metrics resources, and keeps them in the data folder', async () => {
    using folder = new TemporaryFolder()
    const resources = async () => {
      await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
      const names = (await client.admin.listConfigResources(['clientMetrics'])).map(
        ({ name }) => name,
      )
      const described = await client.admin.describeConfigs([
        { type: 'clientMetrics', name: 'kept' },
      ])
      const interval = described[0]?.configs.find(({ name }) => name === 'interval.ms')?.value
      return { names, interval }
    }
    await start({ dataDir: folder.path })
    await request({ metrics: '*', 'interval.ms': '1000' }, 'kept')
    await request({ metrics: '*' }, 'removed')
    await using admin = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    await admin.admin.incrementalAlterConfigs([
      { type: 'clientMetrics', name: 'removed', delete: ['metrics'] },
    ])
    await admin.close()
    expect(await resources()).toEqual({ names: ['kept'], interval: '1000' })
    await kafka.stop()
    await start({ dataDir: folder.path })
    expect(await resources()).toEqual({ names: ['kept'], interval: '1000' })
  })
})
