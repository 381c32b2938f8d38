import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { ClientMetrics } from '../../src/observe/metrics/client-metrics.ts'
import { runCommand } from '../support/run-command.ts'

/**
 * The limit for each client. A client whose metrics are kept takes 40 KB. The heap grows by 5 KB at first, and by less
 * the longer the process runs: compiled code, mostly.
 */
const MOST_GROWTH_BYTES = 20 * 1024

/** Counts something for this number of brokers, APIs, topics, groups and errors. */
function count(metrics: ClientMetrics, names: number): void {
  for (let i = 0; i < names; i++) {
    const broker = metrics.broker(`broker-${i}:9092`)
    broker.opened++
    broker.apis.of('Fetch').duration.recordMs(1)
    metrics.broker('broker-0:9092').apis.of(`Api${i}`).duration.recordMs(1)
    metrics.produced(`topic-${i}`).messages++
    metrics.deadLetter(`topic-${i}`)
    metrics.retried(Object.assign(new Error('no'), { name: `Error${i}` }))
    metrics.consumer(`group-${i}`).counted.topics.of('orders').fetchedMessages++
    metrics.consumer('group-0').counted.topics.of(`topic-${i}`).fetchedMessages++
    metrics.group(`group-${i}`).handlerDuration.recordMs(1)
  }
}

const seriesOf = (metrics: ClientMetrics) =>
  metrics.snapshot(false).metrics.reduce((sum, { samples }) => sum + samples.length, 0)

describe('the memory of metrics', () => {
  it('is bounded, no matter how many brokers, topics, groups and errors come and go', () => {
    const metrics = new ClientMetrics('shop')
    count(metrics, 1_500)
    const series = seriesOf(metrics)
    count(metrics, 6_000)
    expect(seriesOf(metrics)).toBe(series)
    expect(series).toBeLessThan(25_000)
    const names = metrics.snapshot(false).metrics.map(({ name, samples }) => ({
      name,
      most: samples.length,
    }))
    for (const { name, most } of names)
      expect({ name, most: most <= 2_100 }).toEqual({ name, most: true })
  })

  it('does not grow with clients that are closed, while exporters fail and brokers reject pushes', async () => {
    const kafka = await EmbeddedCluster.start({ clientMetrics: true })
    try {
      await using operator = new KafkaClient({ hosts: kafka.hosts, enableMetricsPush: false })
      const set = { metrics: 'org.apache.kafka.producer,no.such.metric', 'interval.ms': '100' }
      await operator.admin.incrementalAlterConfigs([{ type: 'clientMetrics', name: 'all', set }])
      kafka.faults.on({ api: 'PushTelemetry' }, { error: 'INVALID_RECORD' })
      const node = ['--expose-gc', '--import', 'tsx', 'test/support/observe/growth.ts']
      const { exitCode, stdout, stderr } = await runCommand(process.execPath, [
        ...node,
        kafka.hosts,
      ])
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      const { grownBytes, events } = JSON.parse(stdout.toString()) as Record<string, number>
      expect(events).toBeGreaterThan(1_000)
      expect(grownBytes).toBeLessThan(MOST_GROWTH_BYTES)
    } finally {
      await kafka.stop()
    }
  })
})
