/** samsa by its public API, from the build in dist. */
import { subscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { KafkaClient } from 'samsa'
import { changed } from './driver/consume.js'
import { drive } from './driver/drive.js'
import { optionWays } from './driver/samsa-options.js'
import { stormWays } from './driver/storm.js'
import { transactionWays } from './driver/transactions.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

const clientFor = ({ brokers, tls }) =>
  new KafkaClient({
    hosts: brokers,
    ...(tls === undefined ? {} : { tls: { ca: readFileSync(tls.caFile, 'utf8') } }),
  })

const settingsFor = ({ acks, compression, valueBytes }) => ({
  requiredAcks: acks,
  compression,
  // The default fits what brokers take by default.
  ...(valueBytes > 1_000_000 ? { maxRequestSize: 2 * valueBytes } : {}),
})

const producing = (send) => async (task) => {
  const client = clientFor(task)
  const producer = await client.topic(task.topic).getProducer(settingsFor(task))
  return { send: (quota, lap) => send(producer, quota, lap), close: () => client.close() }
}

async function oneByOne(producer, quota) {
  for (let value = quota.next(); value !== undefined; value = quota.next()) {
    if (!producer.hasRoom) await producer.ready()
    void producer.produce(value)
  }
  await producer.flush()
}

/** A promise for each message, and a function that is called with where it is. */
async function told(producer, quota) {
  let lastOffset = 0
  let failures = 0
  const delivered = ({ offset }) => {
    lastOffset = offset
  }
  const failed = () => {
    failures++
  }
  for (let value = quota.next(); value !== undefined; value = quota.next()) {
    if (!producer.hasRoom) await producer.ready()
    producer.produce(value).then(delivered, failed)
  }
  await producer.flush()
  if (failures > 0) throw new Error(`${failures} messages failed; the last offset is ${lastOffset}`)
}

async function many(task) {
  const client = clientFor(task)
  const { topics } = task
  if (topics === undefined) {
    const producer = await client.topic(task.topic).getProducer(settingsFor(task))
    return { send: (quota) => producer.produceMany(quota), close: () => client.close() }
  }
  const producer = await client.getProducer(settingsFor(task))
  function* addressed(quota) {
    for (const value of quota) yield { topic: topics[quota.given % topics.length], value }
  }
  return { send: (quota) => producer.produceMany(addressed(quota)), close: () => client.close() }
}

async function awaited(producer, quota, lap) {
  for (let value = quota.next(); value !== undefined; value = quota.next()) {
    await producer.produce(value)
    lap()
  }
}

async function consumerOf(client, { topic }, options = {}) {
  return client.topic(topic).getSimpleConsumer({ autoOffsetReset: 'earliest', ...options })
}

async function messages(task, sink) {
  const client = clientFor(task)
  sink.begin()
  for await (const message of await consumerOf(client, task)) if (sink.take(message.value)) break
  await client.close()
}

const batches = (options) => async (task, sink) => {
  const client = clientFor(task)
  sink.begin()
  reading: for await (const batch of (await consumerOf(client, task, options)).batches()) {
    for (const { value } of batch) if (sink.take(value)) break reading
  }
  await client.close()
}

async function handler(task, sink) {
  const client = clientFor(task)
  sink.begin()
  const consumer = await consumerOf(client, task)
  const running = consumer.run((message) => void sink.take(message.value), { concurrency: 4 })
  await sink.done
  await client.close()
  await running.catch(() => undefined)
}

const memberOf = (client, { topic, group }) =>
  client.topic(topic).getBalancedConsumer({
    consumerGroup: group,
    managed: true,
    autoCommitEnable: true,
  })

async function shared(task, sink) {
  const client = clientFor(task)
  const consumer = await memberOf(client, task)
  const reading = (async () => {
    for await (const batch of consumer.batches()) for (const { value } of batch) sink.take(value)
  })()
  await sink.done
  await client.close()
  await reading.catch(() => undefined)
}

/** A value is accepted by the request for the next batch, or by a call. */
const sharing = (acknowledgementMode) => async (task, sink) => {
  const client = clientFor(task)
  const { topic, group } = task
  const set = { 'share.auto.offset.reset': 'earliest' }
  await client.admin.incrementalAlterConfigs([{ type: 'group', name: group, set }])
  const consumer = await client.getShareConsumer({
    topics: [topic],
    shareGroup: group,
    acknowledgementMode,
  })
  const isExplicit = acknowledgementMode === 'explicit'
  for await (const batch of consumer.batches()) {
    let isEnough = false
    for (const message of batch) {
      isEnough = sink.take(message.value)
      if (isExplicit) message.accept()
    }
    if (isEnough) break
  }
  await client.close()
}

async function join(task) {
  const client = clientFor(task)
  await memberOf(client, task)
  return { close: () => client.close() }
}

const ONLY = {
  zookeeper: ({ zookeeper }) => ({ zookeeperHosts: zookeeper }),
  eager: () => ({ managed: true, assignors: ['range'] }),
  cooperative: () => ({ managed: true, assignors: ['cooperative-sticky'] }),
  consumer: () => ({ groupProtocol: 'consumer' }),
}

async function joinToShare(task, member) {
  // The channel reports the requests of all clients in the process.
  if (member.isFirst) subscribe('samsa:request', member.asked)
  const owned = new Set()
  const change = (does) => (partitions) => {
    for (const { partition } of partitions) does(partition)
    member.owns(owned)
  }
  const client = clientFor(task)
  await client.topic(task.topic).getBalancedConsumer({
    consumerGroup: task.group,
    ...ONLY[task.mode](task),
    autoCommitEnable: true,
    onPartitionsAssigned: change((one) => owned.add(one)),
    onPartitionsRevoked: change((one) => owned.delete(one)),
    onPartitionsLost: change((one) => owned.delete(one)),
  })
  return () => client.close()
}

async function transform(task, sink) {
  const client = clientFor(task)
  sink.begin()
  const consumer = await consumerOf(client, task)
  const producer = await client.topic(task.output).getProducer(settingsFor(task))
  for await (const message of consumer) {
    if (!producer.hasRoom) await producer.ready()
    void producer.produce(changed(message.value))
    if (sink.messages + 1 >= task.messages) await producer.flush()
    if (sink.take(message.value)) break
  }
  await client.close()
}

async function transactional(task) {
  const client = clientFor(task)
  const transactionalId = `samsa-${process.pid}-${Date.now()}`
  const producer = await client.getTransactionalProducer({
    transactionalId,
    compression: task.compression,
  })
  return {
    async run(values, isSpread) {
      const tx = await producer.begin()
      for (let i = 0; i < values.length; i++) {
        if (!producer.hasRoom) await producer.ready()
        void tx.produce(task.topic, isSpread ? { value: values[i], partition: i } : values[i])
      }
      await tx.commit()
    },
    close: () => client.close(),
  }
}

async function idempotent(task) {
  const client = clientFor(task)
  const producer = await client.topic(task.topic).getProducer({
    ...settingsFor(task),
    idempotent: true,
  })
  return {
    async run(values) {
      for (const value of values) {
        if (!producer.hasRoom) await producer.ready()
        void producer.produce(value)
      }
      await producer.flush()
    },
    close: () => client.close(),
  }
}

async function slow(task, sink, handle) {
  const client = clientFor(task)
  for await (const message of await consumerOf(client, task)) if (await handle(message.value)) break
  await client.close()
}

async function echo(task, receive) {
  const client = clientFor(task)
  const consumer = await consumerOf(client, task)
  const producer = await client.topic(task.topic).getProducer(settingsFor(task))
  const reading = (async () => {
    for await (const message of consumer) receive(message.value)
  })()
  return {
    send: (value) => producer.produce(value),
    async close() {
      await client.close()
      await reading.catch(() => undefined)
    },
  }
}

const ASK = {
  topics: async (admin) => (await admin.listTopicNames()).length,
  partitions: async (admin) =>
    (await admin.listTopics()).reduce((sum, { partitions }) => sum + partitions.length, 0),
  groups: async (admin) => (await admin.listGroups()).groups.length,
  configs: async (admin, { topics }) => {
    const found = await admin.describeConfigs(topics.map((name) => ({ type: 'topic', name })))
    return found.filter(({ configs }) => configs.length > 0).length
  },
  lag: async (admin, { groups }) =>
    (await admin.lag(groups)).flatMap(({ partitions }) => partitions.filter(({ lag }) => lag >= 0))
      .length,
}

async function administer(task) {
  const client = clientFor(task)
  return { ask: () => ASK[task.mode](client.admin, task), close: () => client.close() }
}

const REUSED = ['`batches()` with `reuseMemory: true`', batches({ reuseMemory: true })]

await drive({
  version,
  best: { consume: 'reused' },
  produce: {
    single: [
      '`produce(value)`, not awaited; `await ready()` where there is no room',
      producing(oneByOne),
    ],
    told: ['`produce(value).then(…)`', producing(told)],
    many: ['`produceMany(values)`', many],
    awaited: ['`await produce(value)`', producing(awaited)],
  },
  consume: {
    messages: ['`for await (const message of consumer)`', messages],
    batches: ['`for await (const batch of consumer.batches())`', batches()],
    reused: REUSED,
    checked: REUSED,
    handler: ['`run(handler, { concurrency: 4 })`', handler],
  },
  group: { usual: ['`getBalancedConsumer({ managed: true })`, `batches()`', shared] },
  member: { usual: ['`getBalancedConsumer({ managed: true })`', join] },
  rebalance: {
    zookeeper: ['`getBalancedConsumer()`, `range`', joinToShare],
    eager: ['`managed: true`, `range`', joinToShare],
    cooperative: ['`managed: true`, `cooperative-sticky`', joinToShare],
    consumer: ["`groupProtocol: 'consumer'`", joinToShare],
  },
  share: {
    implicit: ['`for await (const batch of consumer.batches())`', sharing('implicit')],
    explicit: ['the same, `message.accept()`', sharing('explicit')],
  },
  transform: { usual: ['`for await`, `produce` not awaited', transform] },
  transactions: transactionWays('`begin`, `tx.produce`, `commit`', transactional, [
    '`produce`, `flush`',
    idempotent,
  ]),
  slow: { usual: ['`for await`', slow] },
  storm: stormWays('`Spout`, `Bolt`', () => ({ topology: 'samsa', env: {} })),
  echo: { usual: ['defaults', echo] },
  options: optionWays(clientFor),
  admin: {
    topics: ['`listTopicNames()`', administer],
    partitions: ['`listTopics()`', administer],
    groups: ['`listGroups()`', administer],
    lag: ['`lag(groups)`', administer],
    configs: ['`describeConfigs(topics)`', administer],
  },
})
