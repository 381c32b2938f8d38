/**
 * The programs in the API of kafkajs: https://kafka.js.org/docs. kafkajs batches nothing by itself: many messages go into
 * one `send`.
 */
import { readFileSync } from 'node:fs'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { changed } from './consume.js'
import { drive } from './drive.js'
import { concurrent, eachBatch, eachMessage, slowly } from './kafkajs-handlers.js'
import { transactionWays } from './transactions.js'
import { concurrently } from './values.js'

/** Runs the task with a module that has the API of kafkajs. */
export async function driveKafkajs(module, version) {
  const {
    Kafka,
    CompressionCodecs,
    CompressionTypes,
    ConfigResourceTypes,
    Partitioners,
    logLevel,
  } = module

  /** Only gzip comes along; zstd is put in as its documentation says, with Node's own. */
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async (encoder) => zstdCompressSync(encoder.buffer),
    decompress: async (buffer) => zstdDecompressSync(buffer),
  })
  const CODECS = {
    none: CompressionTypes.None,
    gzip: CompressionTypes.GZIP,
    zstd: CompressionTypes.ZSTD,
  }

  function codecOf({ compression }) {
    if (CODECS[compression] === undefined) throw new Error(`it has no ${compression} of its own`)
    return CODECS[compression]
  }

  const BATCH = 1_000
  const IN_FLIGHT_BATCHES = 5
  const IN_FLIGHT_MESSAGES = 1_000

  const clientFor = ({ brokers, tls }) =>
    new Kafka({
      brokers: brokers.split(','),
      logLevel: logLevel.ERROR,
      ...(tls === undefined ? {} : { ssl: { ca: readFileSync(tls.caFile, 'utf8') } }),
    })

  async function producerOf(task) {
    const producer = clientFor(task).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    const compression = codecOf(task)
    const topics = task.topics ?? [task.topic]
    let turn = 0
    const send = (messages) =>
      producer.send({
        topic: topics[turn++ % topics.length],
        acks: task.acks,
        compression,
        messages,
      })
    return { producer, send }
  }

  const producing = (way) => async (task) => {
    const { producer, send } = await producerOf(task)
    return { send: (quota, lap) => way(send, quota, lap), close: () => producer.disconnect() }
  }

  async function transactional(task) {
    const producer = clientFor(task).producer({
      transactionalId: `kafkajs-${process.pid}-${Date.now()}`,
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    const compression = codecOf(task)
    return {
      async run(values, isSpread) {
        const transaction = await producer.transaction()
        if (values.length > 0) {
          const messages = values.map((value, i) =>
            isSpread ? { value, partition: i } : { value },
          )
          await transaction.send({ topic: task.topic, acks: -1, compression, messages })
        }
        await transaction.commit()
      },
      close: () => producer.disconnect(),
    }
  }

  const single = (send, quota) =>
    concurrently(
      IN_FLIGHT_MESSAGES,
      () => quota.next(),
      (value) => send([{ value }]),
    )

  const many = (send, quota) =>
    concurrently(
      IN_FLIGHT_BATCHES,
      () => quota.take(batchFor(quota)),
      (values) => send(values.map((value) => ({ value }))),
    )

  /** A request of large values must stay below what brokers take. */
  const batchFor = (quota) => Math.max(1, Math.min(BATCH, Math.floor(1_000_000 / quota.valueBytes)))

  async function awaited(send, quota, lap) {
    for (let value = quota.next(); value !== undefined; value = quota.next()) {
      await send([{ value }])
      lap()
    }
  }

  const running = (runOptions) => async (task, sink, handle) => {
    codecOf(task)
    const consumer = clientFor(task).consumer({ groupId: task.group })
    await consumer.connect()
    await consumer.subscribe({ topics: [task.topic], fromBeginning: true })
    consumer.on(consumer.events.GROUP_JOIN, () => sink.begin())
    await consumer.run(runOptions(sink, handle))
    await sink.done
    await consumer.disconnect()
  }

  async function join(task) {
    const consumer = clientFor(task).consumer({ groupId: task.group })
    await consumer.connect()
    await consumer.subscribe({ topics: [task.topic], fromBeginning: true })
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
    await consumer.run({ eachBatch: async () => undefined })
    await joined
    return { close: () => consumer.disconnect() }
  }

  async function joinToShare(task, member) {
    const consumer = clientFor(task).consumer({ groupId: task.group })
    const { GROUP_JOIN, REBALANCING, REQUEST } = consumer.events
    consumer.on(REQUEST, () => member.asked())
    consumer.on(REBALANCING, () => member.owns([]))
    consumer.on(GROUP_JOIN, ({ payload }) =>
      member.owns(payload.memberAssignment[task.topic] ?? []),
    )
    await consumer.connect()
    await consumer.subscribe({ topics: [task.topic], fromBeginning: true })
    await consumer.run({ eachBatch: async () => undefined })
    return () => consumer.disconnect()
  }

  async function transform(task, sink) {
    const { producer, send } = await producerOf({ ...task, topic: task.output })
    const consumer = clientFor(task).consumer({ groupId: task.group })
    await consumer.connect()
    await consumer.subscribe({ topics: [task.topic], fromBeginning: true })
    consumer.on(consumer.events.GROUP_JOIN, () => sink.begin())
    await consumer.run({
      eachBatch: async ({ batch }) => {
        if (sink.isDone) return
        await send(batch.messages.map(({ value }) => ({ value: changed(value) })))
        for (const { value } of batch.messages) if (sink.take(value)) break
      },
    })
    await sink.done
    await consumer.disconnect()
    await producer.disconnect()
  }

  async function echo(task, receive) {
    const { producer, send } = await producerOf(task)
    const consumer = clientFor(task).consumer({ groupId: task.group })
    await consumer.connect()
    await consumer.subscribe({ topics: [task.topic], fromBeginning: true })
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
    await consumer.run({ eachMessage: async ({ message }) => receive(message.value) })
    await joined
    return {
      send: (value) => send([{ value }]),
      async close() {
        await consumer.disconnect()
        await producer.disconnect()
      },
    }
  }

  const ASK = {
    topics: async (admin) => (await admin.listTopics()).length,
    partitions: async (admin) => {
      const { topics } = await admin.fetchTopicMetadata()
      return topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
    },
    groups: async (admin) => (await admin.listGroups()).groups.length,
    configs: async (admin, { topics }) => {
      const resources = topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name }))
      const found = await admin.describeConfigs({ resources, includeSynonyms: false })
      return found.resources.filter(({ configEntries }) => configEntries.length > 0).length
    },
    /** All its calls about one group or topic each, as many at a time as it sends. */
    lag: async (admin, { groups, topics }) => {
      const [, committed, ends] = await Promise.all([
        admin.describeGroups(groups),
        Promise.all(groups.map((groupId) => admin.fetchOffsets({ groupId }))),
        Promise.all(topics.map(async (topic) => [topic, await admin.fetchTopicOffsets(topic)])),
      ])
      const endOf = new Map(
        ends.flatMap(([topic, ofTopic]) =>
          ofTopic.map(({ partition, offset }) => [`${topic}-${partition}`, Number(offset)]),
        ),
      )
      return committed
        .flat()
        .flatMap(({ topic, partitions }) =>
          partitions.filter(
            ({ partition, offset }) => endOf.get(`${topic}-${partition}`) - Number(offset) >= 0,
          ),
        ).length
    },
  }

  async function administer(task) {
    const admin = clientFor(task).admin()
    await admin.connect()
    return { ask: () => ASK[task.mode](admin, task), close: () => admin.disconnect() }
  }

  await drive({
    version,
    best: { consume: 'batches' },
    produce: {
      single: ['`send` of one message, 1,000 in flight', producing(single)],
      told: ['`send` of one message, 1,000 in flight', producing(single)],
      many: ['`send` of 1,000 messages, 5 in flight', producing(many)],
      awaited: ['`await send` of one message', producing(awaited)],
    },
    consume: {
      messages: ['`eachMessage`', running(eachMessage)],
      batches: ['`eachBatch`', running(eachBatch)],
      handler: ['`eachMessage`, `partitionsConsumedConcurrently: 4`', running(concurrent)],
    },
    group: { usual: ['`eachBatch`', running(eachBatch)] },
    member: { usual: ['`eachBatch`', join] },
    rebalance: { eager: ['`eachBatch`, `RoundRobinAssigner`', joinToShare] },
    transactions: transactionWays('`transaction`, one `send`, `commit`', transactional),
    transform: { usual: ['`eachBatch`, one `send` a batch', transform] },
    slow: { usual: ['`eachMessage`', running(slowly)] },
    echo: { usual: ['`send` of one message, `eachMessage`', echo] },
    admin: {
      topics: ['`listTopics()`', administer],
      partitions: ['`fetchTopicMetadata()`', administer],
      groups: ['`listGroups()`', administer],
      lag: [
        '`describeGroups`, `fetchOffsets` of each group, `fetchTopicOffsets` of each topic',
        administer,
      ],
      configs: ['`describeConfigs`', administer],
    },
  })
}
