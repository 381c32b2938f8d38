import { describe, expect, it } from '@jest/globals'
import { setImmediate as settled } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { PushTelemetryRequest } from '../../../protocol/apis/push-telemetry.ts'
import { ErrorCode, type ErrorName } from '../../../protocol/errors.ts'
import { ClientMetrics } from '../../../src/observe/metrics/client-metrics.ts'
import { silentLogger } from '../../../src/observe/logger.ts'
import type { ClientMetricsSnapshot } from '../../../src/observe/metrics/snapshot.ts'
import type { TelemetryMetric } from '../../../src/observe/telemetry/otlp.ts'
import { standardMetrics } from '../../../src/observe/telemetry/standard-metrics.ts'
import { ApplicationMetrics } from '../../../src/observe/telemetry/application-metrics.ts'
import { TelemetryPusher } from '../../../src/observe/telemetry/pusher.ts'
import { RequestTimeoutError, UnsupportedVersionError } from '../../../src/errors.ts'
import { until } from '../../support/until.ts'

const INSTANCE = 'AQIDBAUGBwgJCgsMDQ4PEA'
const GZIP = 1
const ZSTD_OF_TOMORROW = 9

interface Broker {
  requested: string[]
  codecs: number[]
  maxBytes: number
  readonly answers: ErrorName[]
  readonly asked: string[]
  readonly pushes: PushTelemetryRequest[]
  subscriptionId: number
  fails: boolean
  isWithoutApi: boolean
}

function setUp(more: Partial<Broker> = {}) {
  const broker: Broker = {
    requested: [''],
    codecs: [ZSTD_OF_TOMORROW, GZIP],
    maxBytes: 1_000_000,
    answers: [],
    asked: [],
    pushes: [],
    subscriptionId: 1,
    fails: false,
    isWithoutApi: false,
    ...more,
  }
  const metrics = new ClientMetrics('app')
  metrics.produced('orders').messages += 3
  metrics.queueDuration.recordMs(5)
  const requests = {
    subscriptions: ({ clientInstanceId }: { clientInstanceId: string }) => {
      broker.asked.push(clientInstanceId)
      if (broker.isWithoutApi) return Promise.reject(new UnsupportedVersionError('too old'))
      if (broker.fails) return Promise.reject(new RequestTimeoutError('late', { broker: 'b' }))
      return Promise.resolve({
        throttleTimeMs: 0,
        errorCode: 0,
        clientInstanceId: INSTANCE,
        subscriptionId: broker.subscriptionId,
        acceptedCompressionTypes: broker.codecs,
        pushIntervalMs: 1,
        telemetryMaxBytes: broker.maxBytes,
        deltaTemporality: false,
        requestedMetrics: broker.requested,
      })
    },
    push: (body: PushTelemetryRequest) => {
      broker.pushes.push(body)
      const answer = broker.answers.shift()
      return Promise.resolve({
        throttleTimeMs: 0,
        errorCode: answer === undefined ? 0 : ErrorCode[answer],
      })
    },
  }
  const snapshot = () => metrics.snapshot(false)
  const application = new ApplicationMetrics()
  const pusher = new TelemetryPusher({
    application,
    requests,
    snapshot,
    nodeIds: () => new Map(),
    logger: silentLogger,
  })
  pusher.start()
  return { application, broker, metrics, pusher }
}

const textOf = ({ metrics, compressionType }: PushTelemetryRequest) =>
  (compressionType === GZIP ? gunzipSync(metrics) : Buffer.from(metrics)).toString('latin1')

describe('pushing metrics', () => {
  it('keeps the client id that the broker assigned, compresses, and marks the last push', async () => {
    const { broker, pusher } = setUp()
    await until(() => broker.pushes.length >= 2)
    await pusher.stop()
    const last = broker.pushes.at(-1)!
    expect(broker.pushes.filter(({ terminating }) => terminating)).toEqual([last])
    expect(new Set(broker.pushes.map((one) => one.clientInstanceId))).toEqual(new Set([INSTANCE]))
    expect(last.compressionType).toBe(GZIP)
    expect(textOf(broker.pushes[0]!)).toContain('org.apache.kafka.producer.record.queue.time.avg')
  })

  it('requests the subscription again when the broker has another one', async () => {
    const { broker, pusher } = setUp({ answers: ['UNKNOWN_SUBSCRIPTION_ID'] })
    broker.subscriptionId = 2
    await until(() => broker.pushes.length >= 2)
    await pusher.stop()
    expect(broker.asked.slice(0, 2)).toEqual(['AAAAAAAAAAAAAAAAAAAAAA', INSTANCE])
  })

  it('pushes fewer metrics after the broker rejects them as too large', async () => {
    const { broker, pusher } = setUp({ answers: ['TELEMETRY_TOO_LARGE'], codecs: [] })
    await until(() => broker.pushes.length >= 2)
    await pusher.stop()
    const [first, second] = broker.pushes
    expect(second!.metrics.length).toBeLessThan(first!.metrics.length)
  })

  it('requests its subscription again when even an empty push is too large', async () => {
    const answers = Array.from({ length: 20 }, () => 'TELEMETRY_TOO_LARGE' as const)
    const { broker, pusher } = setUp({ answers, codecs: [] })
    await until(() => broker.asked.length >= 2)
    await pusher.stop()
  })

  it('pushes metrics again after any number of rejections as too large', async () => {
    const afterRejections = async (count: number) => {
      const answers = Array.from({ length: count }, () => 'TELEMETRY_TOO_LARGE' as const)
      const { broker, pusher } = setUp({ answers, codecs: [] })
      const hasMetrics = (push: PushTelemetryRequest) => textOf(push).includes('org.apache.kafka')
      await until(() => broker.pushes.slice(count).some(hasMetrics))
      await pusher.stop()
    }
    await Promise.all(Array.from({ length: 10 }, (_, count) => afterRejections(count)))
  })

  it('pushes nothing if nothing is requested, and only metrics with a requested prefix', async () => {
    const none = setUp({ requested: [] })
    await until(() => none.broker.asked.length >= 3)
    await none.pusher.stop()
    expect(none.broker.pushes).toEqual([])
    const unknown = setUp({ requested: ['com.example.unknown.'] })
    await until(() => unknown.broker.pushes.length >= 1)
    await unknown.pusher.stop()
    expect(textOf(unknown.broker.pushes[0]!)).not.toContain('org.apache.kafka')
  })

  it('stops when no broker has the APIs, and starts again when one is reached that has them', async () => {
    const { broker, pusher } = setUp({ isWithoutApi: true })
    await until(() => broker.asked.length === 1)
    await settled()
    broker.isWithoutApi = false
    pusher.start()
    await until(() => broker.pushes.length >= 1)
    await pusher.stop()
  })

  it('stops permanently when the broker refuses the client, and waits when it does not respond', async () => {
    const refused = setUp({ answers: ['CLUSTER_AUTHORIZATION_FAILED'] })
    await until(() => refused.broker.pushes.length >= 1)
    await refused.pusher.stop()
    expect(refused.broker.pushes).toHaveLength(1)
    const silent = setUp({ fails: true })
    await until(() => silent.broker.asked.length >= 1)
    await silent.pusher.stop()
    expect(silent.broker.pushes).toEqual([])
  })
})

const computed = (before: ClientMetricsSnapshot, after: ClientMetricsSnapshot, isDelta = false) =>
  standardMetrics({ before, after, isDelta, nodeIds: new Map([['kafka1:9092', 7]]) })
const valuesOf = (metrics: readonly TelemetryMetric[]) =>
  new Map(metrics.map(({ name, value }) => [name, value]))

describe("Kafka's standard metrics", () => {
  it('have averages and maxima between two pushes, and no value without events', () => {
    const metrics = new ClientMetrics('app')
    const at = () => metrics.snapshot(false)
    metrics.produced('orders').messages++
    metrics.queueDuration.recordMs(1_000)
    const first = at()
    metrics.queueDuration.recordMs(10)
    const second = at()
    const found = valuesOf(computed(first, second))
    expect(found.get('org.apache.kafka.producer.record.queue.time.avg')).toBeCloseTo(10)
    const max = found.get('org.apache.kafka.producer.record.queue.time.max')
    expect(max).toBeGreaterThanOrEqual(10)
    expect(max).toBeLessThan(11.3)
    const quiet = computed(second, at()).map(({ name }) => name)
    expect(quiet).not.toContain('org.apache.kafka.producer.record.queue.time.avg')
  })

  it('have the throttle times of Produce requests only, unthrottled responses included', () => {
    const metrics = new ClientMetrics('app')
    metrics.produced('orders').messages++
    const before = metrics.snapshot(false)
    const { apis } = metrics.broker('kafka1:9092')
    for (const api of ['Produce', 'Metadata']) {
      apis.of(api).duration.recordMs(1)
      apis.of(api).duration.recordMs(1)
    }
    apis.of('Produce').throttled.recordMs(10)
    apis.of('Metadata').throttled.recordMs(900)
    const found = valuesOf(computed(before, metrics.snapshot(false)))
    expect(found.get('org.apache.kafka.producer.produce.throttle.time.avg')).toBeCloseTo(5)
    expect(found.get('org.apache.kafka.producer.produce.throttle.time.max')).toBeCloseTo(10)
  })

  it('have the request latency of each node, by its id, and none of a bootstrap address', () => {
    const metrics = new ClientMetrics('app')
    metrics.produced('orders').messages++
    const before = metrics.snapshot(false)
    for (const address of ['kafka1:9092', 'bootstrap:9092']) {
      metrics.broker(address).apis.of('Produce').duration.recordMs(20)
    }
    const latencies = computed(before, metrics.snapshot(false)).filter(({ name }) =>
      name.endsWith('node.request.latency.avg'),
    )
    expect(latencies.map(({ attributes }) => attributes)).toEqual([{ node_id: '7' }])
    expect(latencies[0]?.value).toBeCloseTo(20)
  })

  it('count sums since the last push if the broker requests deltas', () => {
    const metrics = new ClientMetrics('app')
    metrics.consumer('billing').counted.topics.of('orders').deliveredBefore = 5
    metrics.group('billing').rebalanceDuration.recordMs(100)
    const before = metrics.snapshot(false)
    metrics.consumer('billing').counted.topics.of('orders').deliveredBefore = 12
    metrics.group('billing').rebalanceDuration.recordMs(30)
    const after = metrics.snapshot(false)
    const consumed = 'org.apache.kafka.consumer.fetch.manager.records.consumed.total'
    const rebalances = 'org.apache.kafka.consumer.coordinator.rebalance.latency.total'
    const deltas = valuesOf(computed(before, after, true))
    expect([deltas.get(consumed), deltas.get(rebalances)]).toEqual([7, expect.closeTo(30)])
    const totals = valuesOf(computed(before, after))
    expect([totals.get(consumed), totals.get(rebalances)]).toEqual([12, expect.closeTo(130)])
  })
})
