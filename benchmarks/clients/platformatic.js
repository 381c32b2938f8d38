/** @platformatic/kafka. A `send` is a request a leader: many messages go into one. Values stay Buffers. */
import { readFileSync } from 'node:fs'
import { changed } from './driver/consume.js'
import { drive } from './driver/drive.js'
import { peer, versionOf } from './driver/peer.js'
import { concurrently } from './driver/values.js'

const {
  Admin,
  ConfigResourceTypes,
  Consumer,
  ListOffsetTimestamps,
  MessagesStreamModes,
  Producer,
} = peer('@platformatic/kafka')

const BATCH = 1_000
const IN_FLIGHT_BATCHES = 5
const IN_FLIGHT_MESSAGES = 1_000

const base = ({ brokers, tls }) => ({
  clientId: 'bench',
  bootstrapBrokers: brokers.split(','),
  ...(tls === undefined ? {} : { tls: { ca: readFileSync(tls.caFile, 'utf8') } }),
})

function producerOf(task) {
  const { acks, compression } = task
  const producer = new Producer({ ...base(task), acks, compression })
  const topics = task.topics ?? [task.topic]
  let turn = 0
  const send = (values) => {
    const topic = topics[turn++ % topics.length]
    return producer.send({ messages: values.map((value) => ({ topic, value })) })
  }
  return { producer, send }
}

const producing = (way) => async (task) => {
  const { producer, send } = producerOf(task)
  return { send: (quota, lap) => way(send, quota, lap), close: () => producer.close() }
}

const single = (send, quota) =>
  concurrently(
    IN_FLIGHT_MESSAGES,
    () => quota.next(),
    (value) => send([value]),
  )

const many = (send, quota) =>
  concurrently(IN_FLIGHT_BATCHES, () => quota.take(batchFor(quota)), send)

/** A request of large values must stay below what brokers take. */
const batchFor = (quota) => Math.max(1, Math.min(BATCH, Math.floor(1_000_000 / quota.valueBytes)))

async function awaited(send, quota, lap) {
  for (let value = quota.next(); value !== undefined; value = quota.next()) {
    await send([value])
    lap()
  }
}

async function streamOf(task, onJoin = () => undefined) {
  const consumer = new Consumer({ ...base(task), groupId: task.group })
  consumer.on('consumer:group:join', onJoin)
  const mode = MessagesStreamModes.EARLIEST
  const stream = await consumer.consume({ topics: [task.topic], mode, autocommit: true })
  // In the middle of a rebalance it throws for requests that closing itself has cut off.
  const close = async () => {
    stream.on('error', () => undefined)
    await stream.close().catch(() => undefined)
    await consumer.close(true).catch(() => undefined)
  }
  return { stream, close }
}

async function messages(task, sink) {
  const { stream, close } = await streamOf(task, () => sink.begin())
  for await (const message of stream) if (sink.take(message.value)) break
  await close()
}

async function data(task, sink) {
  const { stream, close } = await streamOf(task, () => sink.begin())
  stream.on('data', (message) => void sink.take(message.value))
  await sink.done
  await close()
}

async function slow(task, sink, handle) {
  const { stream, close } = await streamOf(task)
  for await (const message of stream) if (await handle(message.value)) break
  await close()
}

async function join(task) {
  const { stream, close } = await streamOf(task)
  stream.on('data', () => undefined)
  return { close }
}

async function transform(task, sink) {
  const { producer, send } = producerOf({ ...task, topic: task.output })
  const { stream, close } = await streamOf(task, () => sink.begin())
  let batch = []
  let last
  for await (const { value } of stream) {
    batch.push(changed(value))
    if (batch.length === BATCH || sink.messages + 1 >= task.messages) {
      await last
      last = send(batch)
      batch = []
      if (sink.messages + 1 >= task.messages) await last
    }
    if (sink.take(value)) break
  }
  await close()
  await producer.close()
}

async function echo(task, receive) {
  const { producer, send } = producerOf(task)
  const { stream, close } = await streamOf(task)
  stream.on('data', (message) => receive(message.value))
  return {
    send: (value) => send([value]),
    async close() {
      await close()
      await producer.close()
    },
  }
}

const ASK = {
  topics: async (admin) => (await admin.listTopics()).length,
  partitions: async (admin, { topics }) => {
    const found = await admin.metadata({ topics, forceUpdate: true })
    return [...found.topics.values()].reduce((sum, { partitions }) => sum + partitions.length, 0)
  },
  groups: async (admin) => (await admin.listGroups()).size,
  configs: async (admin, { topics }) => {
    const resourceType = ConfigResourceTypes.TOPIC
    const resources = topics.map((resourceName) => ({ resourceType, resourceName }))
    const found = await admin.describeConfigs({ resources })
    return found.filter(({ configs }) => configs.length > 0).length
  },
  lag: async (admin, { groups }) => {
    const [, committed] = await Promise.all([
      admin.describeGroups({ groups }),
      admin.listConsumerGroupOffsets({ groups }),
    ])
    const wanted = new Map()
    for (const { name, partitions } of committed.flatMap(({ topics }) => topics)) {
      const ofTopic = wanted.get(name) ?? new Set()
      wanted.set(name, ofTopic)
      for (const { partitionIndex } of partitions) ofTopic.add(partitionIndex)
    }
    const timestamp = ListOffsetTimestamps.LATEST
    const ends = await admin.listOffsets({
      topics: [...wanted].map(([name, ofTopic]) => ({
        name,
        partitions: [...ofTopic].map((partitionIndex) => ({ partitionIndex, timestamp })),
      })),
    })
    const endOf = new Map(
      ends.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, offset }) => [`${name}-${partitionIndex}`, offset]),
      ),
    )
    return committed
      .flatMap(({ topics }) => topics)
      .flatMap(({ name, partitions }) =>
        partitions.filter(
          ({ partitionIndex, committedOffset }) =>
            endOf.get(`${name}-${partitionIndex}`) - committedOffset >= 0n,
        ),
      ).length
  },
}

function administer(task) {
  const admin = new Admin(base(task))
  return { ask: () => ASK[task.mode](admin, task), close: () => admin.close() }
}

await drive({
  version: versionOf('@platformatic/kafka'),
  best: { consume: 'handler' },
  produce: {
    single: ['`send` of one message, 1,000 in flight', producing(single)],
    told: ['`send` of one message, 1,000 in flight', producing(single)],
    many: ['`send` of 1,000 messages, 5 in flight', producing(many)],
    awaited: ['`await send` of one message', producing(awaited)],
  },
  consume: {
    messages: ['`for await (const message of stream)`', messages],
    handler: ["`stream.on('data')`", data],
  },
  group: { usual: ["`stream.on('data')`", data] },
  member: { usual: ["`stream.on('data')`", join] },
  transform: { usual: ['`for await`, `send` of 1,000 messages', transform] },
  slow: { usual: ['`for await`', slow] },
  echo: { usual: ["`send` of one message, `stream.on('data')`", echo] },
  admin: {
    topics: ['`listTopics()`', administer],
    partitions: ['`metadata(topics)`', administer],
    groups: ['`listGroups()`', administer],
    lag: ['`describeGroups`, `listConsumerGroupOffsets`, `listOffsets`', administer],
    configs: ['`describeConfigs`', administer],
  },
})
