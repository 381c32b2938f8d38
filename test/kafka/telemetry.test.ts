import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { incrementalAlterConfigs } from '../../protocol/apis/incremental-alter-configs.ts'
import { KafkaClient } from '../../src/index.ts'
import { kafkaLibs } from '../support/kafka/download.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { newQueue, writeNumbers } from '../support/share/queue.ts'
import { until } from '../support/until.ts'

const VERSION = '4.4.0'
/** Kafka's number of the resource type CLIENT_METRICS. */
const CLIENT_METRICS = 16
const SET = 0

interface Pushed {
  readonly instance: string
  readonly isLast: boolean
  readonly name: string
  readonly value: number
}

describeWithBrokers('pushed metrics', ['java'], () => {
  let folder: string
  let file: string
  let libs: string
  let kafka: KafkaCluster

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'samsa-telemetry-'))
    file = join(folder, 'pushed.txt')
    libs = await kafkaLibs(VERSION)
    const source = 'test/kafka/java/TelemetryReporter.java'
    execFileSync('javac', ['-cp', join(libs, '*'), '-d', folder, source])
    const manifest = join(folder, 'manifest.txt')
    writeFileSync(manifest, 'Premain-Class: TelemetryReporter\n')
    const jar = join(folder, 'reporter.jar')
    execFileSync('jar', ['cfm', jar, manifest, '-C', folder, 'TelemetryReporter.class'])
    kafka = await startKafka({
      version: VERSION,
      jvmArguments: [`-javaagent:${jar}`],
      config: { 'metric.reporters': 'TelemetryReporter', 'telemetry.file': file },
    })
    await using admin = new KafkaClient({ hosts: kafka.hosts, enableMetricsPush: false })
    const configs = [
      { name: 'interval.ms', value: '100' },
      { name: 'metrics', value: 'org.apache.kafka.,com.example.' },
    ].map((config) => ({ ...config, configOperation: SET }))
    const resources = [{ resourceType: CLIENT_METRICS, resourceName: 'all', configs }]
    await admin.request(
      incrementalAlterConfigs,
      { resources, validateOnly: false },
      { to: 'controller' },
    )
    await kafka.createTopic('pushed')
  })
  afterAll(async () => {
    await kafka.stop()
    await rm(folder, { recursive: true, force: true })
  })

  function pushed(): Pushed[] {
    if (!existsSync(file)) return []
    // What follows the last line end is a line that is being written.
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => {
      const [instance = '', isLast, name = '', value] = line.split(' ')
      return { instance, isLast: isLast === 'true', name, value: Number(value) }
    })
  }

  describe('to Kafka 4.4.0 with a metrics reporter', () => {
    it('are received and read by the reporter, at the interval and once more at close', async () => {
      const client = new KafkaClient({ hosts: kafka.hosts, clientId: 'pushing' })
      client.registerMetric({ name: 'com.example.orders', kind: 'counter', read: () => 41 })
      const producer = await client.topic('pushed').getProducer()
      const reading = { autoOffsetReset: 'earliest' } as const
      const consumer = await client.topic('pushed').getSimpleConsumer(reading)
      const names = () => new Set(pushed().map(({ name }) => name))
      const both = [
        'org.apache.kafka.producer.record.queue.time.avg',
        'org.apache.kafka.consumer.fetch.manager.fetch.latency.avg',
      ]
      await until(async () => {
        await producer.produce('x')
        await consumer.consume({ timeoutMs: 1_000 })
        return both.every((name) => names().has(name))
      })
      expect(pushed().some(({ isLast }) => isLast)).toBe(false)
      await client.close()
      await until(() => pushed().some(({ isLast }) => isLast))
      const all = pushed()
      expect(all.filter(({ value }) => !Number.isFinite(value))).toEqual([])
      // The broker requests differences: they add up to the counter's value.
      const orders = all.filter(({ name }) => name === 'com.example.orders')
      expect(orders.reduce((sum, { value }) => sum + value, 0)).toBe(41)
      // One instance id for the life of the client.
      expect(new Set(all.map(({ instance }) => instance)).size).toBe(1)
      const created = all.filter(({ name }) => name.endsWith('producer.connection.creation.total'))
      expect(created.length).toBeGreaterThan(1)
      expect(Math.max(...created.map(({ value }) => value))).toBeGreaterThan(0)
    })

    it('of a share consumer have the names of those of Java, which the reporter receives beside them', async () => {
      await using client = new KafkaClient({ hosts: kafka.hosts })
      client.registerMetric({ name: 'com.example.ours', kind: 'counter', read: () => 1 })
      const queue = await newQueue(client, 2)
      const program = ['test/kafka/java/SharePeer.java', kafka.hosts, queue.topic, queue.group]
      const java = spawn('java', ['-cp', join(libs, '*'), ...program, 'work'], {
        stdio: ['pipe', 'ignore', 'ignore'],
      })
      await using consumer = await client.getShareConsumer({
        topics: [queue.topic],
        shareGroup: queue.group,
      })
      const running = consumer.run(() => undefined)
      const share = 'org.apache.kafka.consumer.share.'
      /** The names of metrics of share consumers by the instance that has pushed them, and ours. */
      const namesByInstance = () => {
        const names = new Map<string, Set<string>>()
        let ours: string | undefined
        for (const { instance, name } of pushed()) {
          if (name === 'com.example.ours') ours = instance
          if (!name.startsWith(share)) continue
          const known = names.get(instance) ?? new Set()
          names.set(instance, known.add(name.slice(share.length)))
        }
        const others = [...names].filter(([instance]) => instance !== ours)
        return { ours: names.get(ours ?? ''), ofJava: others[0]?.[1] }
      }
      // The last that have a value: the time between polls, and acknowledgements.
      const late = ['time.between.poll.avg', 'fetch.manager.acknowledgements.send.total']
      let first = 0
      await until(async () => {
        await writeNumbers(client, queue.topic, 10, { first, partitions: 2 })
        first += 10
        const { ours, ofJava } = namesByInstance()
        return late.every((name) => ours?.has(name) && ofJava?.has(name))
      })
      java.stdin.end('end\n')
      await once(java, 'exit')
      await consumer.close()
      await running
      const { ours, ofJava } = namesByInstance()
      expect([...ours!].filter((name) => !ofJava!.has(name))).toEqual([])
      const required = ['last.poll.seconds.ago', 'coordinator.last.heartbeat.seconds.ago']
      expect(required.filter((name) => !ours!.has(name))).toEqual([])
    })
  })
})
