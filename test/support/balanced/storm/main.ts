/**
 * `npm run test:rebalance-storm`: five minutes of 12 processes over 24 partitions that are killed, stopped and started, on an
 * embedded cluster with an embedded ZooKeeper, or with `-- --kafka 2.8.2` on a real one that it starts.
 */
import { Command } from 'commander'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../../../src/embedded/index.ts'
import type { AssignorName, BalancedConsumerOptions } from '../../../../src/index.ts'
import { startKafka } from '../../kafka/cluster.ts'
import { randomFrom } from './random.ts'
import { storm } from './storm.ts'

interface Options {
  readonly kafka?: string
  readonly brokers: string
  readonly managed?: boolean
  readonly protocol?: 'classic' | 'consumer' | 'zookeeper'
  readonly assignor?: AssignorName
  readonly seconds: string
  readonly processes: string
  readonly partitions: string
  readonly seed?: string
}

interface Servers extends AsyncDisposable {
  readonly hosts: string
  readonly zookeeperHosts: string
}

const TOPIC = 't'
const SESSION_TIMEOUT_MS = 6_000
const HEARTBEAT_INTERVAL_MS = 1_000
/** Of groups of the consumer protocol, whose times the brokers have. */
const GROUP_CONFIG = {
  'group.consumer.min.session.timeout.ms': String(SESSION_TIMEOUT_MS),
  'group.consumer.session.timeout.ms': String(SESSION_TIMEOUT_MS),
  'group.consumer.min.heartbeat.interval.ms': String(HEARTBEAT_INTERVAL_MS),
  'group.consumer.heartbeat.interval.ms': String(HEARTBEAT_INTERVAL_MS),
}

async function embedded(partitions: number): Promise<Servers> {
  const zookeeper = await EmbeddedZooKeeper.start()
  const kafka = await EmbeddedCluster.start({
    brokers: 3,
    topics: { [TOPIC]: { partitions } },
    groupConsumerSessionTimeoutMs: SESSION_TIMEOUT_MS,
    groupConsumerHeartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
  })
  const dispose = async () => {
    await kafka.stop()
    await zookeeper.stop()
  }
  return {
    hosts: kafka.hosts,
    zookeeperHosts: zookeeper.hosts,
    [Symbol.asyncDispose]: dispose,
  }
}

async function real(version: string, brokers: number, partitions: number): Promise<Servers> {
  const hasConsumerProtocol = Number(version.split('.')[0]) >= 4
  const config = hasConsumerProtocol ? GROUP_CONFIG : {}
  const settings = { version, brokers, zookeeper: true, config }
  const kafka = await startKafka({ ...settings, onProgress: console.log })
  await kafka.createTopic(TOPIC, { partitions, replicationFactor: Math.min(3, brokers) })
  return {
    hosts: kafka.hosts,
    zookeeperHosts: kafka.zookeeperHosts!,
    [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose](),
  }
}

async function main(options: Options): Promise<void> {
  const partitions = Number(options.partitions)
  const seed = Number(options.seed ?? Date.now() % 1_000_000)
  const logs = mkdtempSync(join(tmpdir(), 'samsa-storm-'))
  await using servers =
    options.kafka === undefined
      ? await embedded(partitions)
      : await real(options.kafka, Number(options.brokers), partitions)
  const group = { consumerGroup: 'storm' }
  const sessionTimeoutMs = SESSION_TIMEOUT_MS
  const { zookeeperHosts } = servers
  const protocol = options.protocol ?? (options.managed === true ? 'classic' : 'zookeeper')
  const heartbeatIntervalMs = HEARTBEAT_INTERVAL_MS
  const assignors = options.assignor === undefined ? {} : { assignors: [options.assignor] }
  const consumers: Readonly<Record<typeof protocol, BalancedConsumerOptions>> = {
    classic: { ...group, managed: true, sessionTimeoutMs, heartbeatIntervalMs, ...assignors },
    consumer: { ...group, groupProtocol: 'consumer' },
    zookeeper: { ...group, zookeeperHosts, zookeeperConnectionTimeoutMs: sessionTimeoutMs },
  }
  const consumer = consumers[protocol]
  console.log(`${options.seconds} s, seed ${seed}`)
  const { problems, settledMs, ...figures } = await storm({
    ...{ hosts: servers.hosts, topic: TOPIC, partitions, sessionTimeoutMs, consumer },
    processes: Number(options.processes),
    durationMs: Number(options.seconds) * 1_000,
    everyMs: 3_000,
    changesInARow: 8,
    messagesPerSecond: 500,
    folder: logs,
    random: randomFrom(seed),
    onProgress: console.log,
  })
  const settledSeconds = settledMs.map((one) => (one / 1_000).toFixed(1)).join(', ')
  console.log(figures, `settled after ${settledSeconds} s`)
  for (const problem of problems) console.log(problem)
  const isRight = problems.length === 0 && figures.delivered === figures.produced
  if (isRight) rmSync(logs, { recursive: true })
  else {
    console.log(`what each process wrote down is in ${logs}`)
    process.exitCode = 1
  }
}

new Command('test:rebalance-storm')
  .option('--kafka <version>', 'on a real cluster of this version')
  .option('--brokers <number>', 'how many brokers that cluster has', '1')
  .option('--managed', "coordinated by Kafka's group protocol")
  .option('--protocol <name>', 'zookeeper, classic or consumer')
  .option('--assignor <name>', 'of a managed group')
  .option('--seconds <number>', 'how long', '300')
  .option('--processes <number>', 'how many members', '12')
  .option('--partitions <number>', 'of the topic', '24')
  .option('--seed <number>', 'to do the same again')
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
