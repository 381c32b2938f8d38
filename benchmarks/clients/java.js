/**
 * Kafka's own Java client by its own performance tools, run twice in one JVM so that it is warm. The memory
 * is that of the JVM with the heap that the tools' scripts give it.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { drive } from './driver/drive.js'
import { QUIET_MS } from './driver/rebalance.js'
import { transactionCounts, transactionWays } from './driver/transactions.js'

const TOOLS = '4.3.1'
const folder = fileURLToPath(new URL('../peers/tools/', import.meta.url))
const HEAP = '-Xmx512m'

const security = ({ tls }) =>
  tls === undefined
    ? []
    : ['security.protocol=SSL', 'ssl.truststore.type=PEM', `ssl.truststore.location=${tls.caFile}`]

const produce = (properties) => async (task) => {
  const argumentsFor = (count) => [
    ...['--bootstrap-server', task.brokers, '--topic', task.topic, '--throughput', '-1'],
    ...['--num-records', String(count), '--payload-file', task.valuesFile],
    ...['--reporting-interval', '600000', '--command-property', `acks=${task.acks}`],
    `compression.type=${task.compression}`,
    ...(task.valueBytes > 1_000_000 ? [`max.request.size=${2 * task.valueBytes}`] : []),
    ...security(task),
    ...properties,
  ]
  const name = 'org.apache.kafka.tools.ProducerPerformance'
  const { text, ...measured } = await launch(name, argumentsFor, task)
  const [, count, rate] = /(\d+) records sent, ([\d.]+) records\/sec/.exec(text)
  const [, p50, p99, p999] =
    /([\d.]+) ms 50th, [\d.]+ ms 95th, ([\d.]+) ms 99th, ([\d.]+) ms 99.9th/.exec(text)
  const messages = Number(count)
  return {
    messages,
    bytes: messages * task.valueBytes,
    elapsedMs: (messages * 1000) / Number(rate),
    ...measured,
    queuedMs: { p50: Number(p50), p99: Number(p99), p999: Number(p999) },
  }
}

const transactions = (isTransactional) => async (task) => {
  const { size, count, warmUp } = transactionCounts(task)
  const argumentsFor = (made) => [
    ...[task.brokers, task.topic, task.valuesFile, String(made), String(size)],
    ...[String(task.mode === 'of ten'), String(isTransactional)],
    `compression.type=${task.compression}`,
    ...security(task),
  ]
  const given = { ...task, warmUpMessages: warmUp, messages: count }
  const { text, ...measured } = await launch('Transactions', argumentsFor, given)
  const [, elapsedMs, p50, p99, p999] = /ELAPSED ([\d.]+) P50 ([\d.]+) P99 ([\d.]+) P999 ([\d.]+)/
    .exec(text)
    .map(Number)
  const messages = size > 10 ? count * size : count
  return {
    messages,
    bytes: size * count * task.valueBytes,
    ...measured,
    elapsedMs,
    latencyMs: { p50, p99, p999 },
  }
}

const rebalance = (properties) => async (task) => {
  const argumentsFor = (before, members, quietMs, run) => [
    ...[task.brokers, task.topic, `${task.group}-${run}`, String(task.partitions)],
    ...[String(before), String(members), String(quietMs), ...properties, ...security(task)],
  ]
  // The warm-up loads the classes.
  const runs = {
    'warm-up': argumentsFor(0, 2, 0, 'warm-up'),
    measured: argumentsFor(task.before, task.members, QUIET_MS, 'measured'),
  }
  const { text, memoryBytes } = await launch('Rebalance', (_, run) => runs[run], task)
  const [, sharedMs, userMs, systemMs] = /SHARED ([\d.]+) USER (\d+) SYSTEM (\d+)/
    .exec(text)
    .map(Number)
  return { sharedMs, userMs, systemMs, members: task.members, requests: {}, memoryBytes }
}

async function share(task) {
  const argumentsFor = (count, run) => [
    ...[task.brokers, task.topic, `${task.group}-${run}`, String(count), String(task.limitMs)],
    ...[task.mode, ...security(task)],
  ]
  const { text, memoryBytes } = await launch('Share', argumentsFor, task)
  const [, messages, bytes, elapsedMs, userMs, systemMs] =
    /SHARE (\d+) BYTES (\d+) ELAPSED ([\d.]+) USER (\d+) SYSTEM (\d+)/.exec(text).map(Number)
  if (messages === 0) throw new Error('no message came in time')
  return { messages, bytes, elapsedMs, userMs, systemMs, memoryBytes }
}

async function consume(task) {
  const argumentsFor = (count, run) => [
    ...['--bootstrap-server', task.brokers, '--topic', task.topic, '--num-records', String(count)],
    ...['--group', `${task.group}-${run}`, '--reporting-interval', '600000', '--timeout', '60000'],
    ...security(task).flatMap((property) => ['--command-property', property]),
  ]
  const name = 'org.apache.kafka.tools.ConsumerPerformance'
  const { text, ...measured } = await launch(name, argumentsFor, task)
  const fields = text.trim().split('\n').at(-1).split(', ')
  const messages = Number(fields[4])
  // Without the time that joining the group took.
  return { messages, bytes: messages * task.valueBytes, ...measured, elapsedMs: Number(fields[7]) }
}

/** As clients/driver/admin.js, in Java. */
async function administer(task) {
  const given = [task.brokers, task.mode, task.warmUpMs, task.limitMs, task.topics, task.groups]
  const classPath = `${folder}kafka-tools/*:${folder}classes`
  const options = [HEAP, '-cp', classPath, 'AdminCalls', ...given.map(String)]
  const output = await outputOf(options)
  const parts = /MEASURED (.*)/.exec(output)?.[1]?.split(' ').map(Number)
  if (parts === undefined) throw new Error(`AdminCalls failed: ${output.trim().slice(-2_000)}`)
  const [messages, elapsedMs, userMs, p50, p99, p999, peakKb] = parts
  const latencyMs = { p50, p99, p999 }
  return { messages, elapsedMs, userMs, systemMs: 0, latencyMs, memoryBytes: peakKb * 1024 }
}

async function launch(name, argumentsFor, task) {
  const warmUp = argumentsFor(task.warmUpMessages, 'warm-up')
  const measured = argumentsFor(task.messages, 'measured')
  const classPath = `${folder}kafka-tools/*:${folder}classes`
  const options = [HEAP, '-cp', classPath, 'Launcher', name, ...warmUp, '--', ...measured]
  const output = await outputOf(options)
  const parts = /MEASURED\n(.*)USER_MS (\d+)\nSYSTEM_MS (\d+)\nPEAK_KB (\d+)/s.exec(output)
  if (parts === null) throw new Error(`${name} failed: ${output.trim().slice(-2_000)}`)
  const [, text, user, system, peak] = parts
  return { text, userMs: Number(user), systemMs: Number(system), memoryBytes: Number(peak) * 1024 }
}

/** What it wrote: errors after the rest. */
async function outputOf(options) {
  const java = process.env.JAVA_HOME ? `${process.env.JAVA_HOME}/bin/java` : 'java'
  const child = spawn(java, options)
  let output = ''
  let errors = ''
  child.stdout.on('data', (data) => (output += data))
  child.stderr.on('data', (data) => (errors += data))
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  return output + errors
}

if (!existsSync(`${folder}classes/Launcher.class`))
  throw new Error('not installed: npm run bench:peers')

await drive({
  version: TOOLS,
  runtime: 'Java',
  isTool: true,
  best: { consume: 'batches' },
  produce: {
    single: ['`kafka-producer-perf-test`, defaults', produce([])],
    many: [
      '`kafka-producer-perf-test`, `linger.ms=10 batch.size=262144`',
      produce(['linger.ms=10', 'batch.size=262144', 'buffer.memory=67108864']),
    ],
  },
  transactions: transactionWays('`send`, `commitTransaction`, defaults', transactions(true), [
    '`send`, `flush`, defaults',
    transactions(false),
  ]),
  rebalance: {
    eager: [
      '`KafkaConsumer`, `RangeAssignor`',
      rebalance(['partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor']),
    ],
    cooperative: [
      '`KafkaConsumer`, `CooperativeStickyAssignor`',
      rebalance([
        'partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
      ]),
    ],
    consumer: [
      '`KafkaConsumer`, `group.protocol=consumer`',
      rebalance(['group.protocol=consumer']),
    ],
  },
  share: {
    implicit: ['`KafkaShareConsumer.poll`', share],
    explicit: ['`poll`, `acknowledge(record)`', share],
  },
  consume: { batches: ['`kafka-consumer-perf-test`', consume] },
  admin: {
    topics: ['`listTopics()`', administer],
    partitions: ['`describeTopics(topics)`', administer],
    groups: ['`listGroups()`', administer],
    lag: ['`describeConsumerGroups`, `listConsumerGroupOffsets`, `listOffsets`', administer],
    configs: ['`describeConfigs`', administer],
  },
})
