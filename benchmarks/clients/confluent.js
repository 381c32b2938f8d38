/**
 * @confluentinc/kafka-javascript, a binding of librdkafka, by the API that its documentation shows. Sends are
 * not awaited one by one, and the batch size is raised: its INTRODUCTION.md and MIGRATION.md recommend both.
 */
import { changed } from './driver/consume.js'
import { drive } from './driver/drive.js'
import { concurrent, eachBatch, eachMessage, slowly } from './driver/kafkajs-handlers.js'
import { peer, versionOf } from './driver/peer.js'
import { concurrently } from './driver/values.js'

const confluent = peer('@confluentinc/kafka-javascript')
const { Kafka, logLevel } = confluent.KafkaJS

const BATCH = 1_000
const IN_FLIGHT_BATCHES = 10
const IN_FLIGHT_MESSAGES = 10_000

/** With the default a partition whose queue was full is not fetched for a second. */
const FETCH_SOON = { 'fetch.queue.backoff.ms': 10 }

const clientFor = ({ brokers, tls }) =>
  new Kafka({
    kafkaJS: { brokers: brokers.split(','), logLevel: logLevel.ERROR, ssl: tls !== undefined },
    ...(tls === undefined ? {} : { 'ssl.ca.location': tls.caFile }),
  })

async function producerOf(task, more = {}) {
  const { acks, compression, valueBytes } = task
  const producer = clientFor(task).producer({
    kafkaJS: { acks, compression },
    ...(valueBytes > 900_000 ? { 'message.max.bytes': 2 * valueBytes } : {}),
    ...more,
  })
  await producer.connect()
  const topics = task.topics ?? [task.topic]
  let turn = 0
  const send = (messages) => producer.send({ topic: topics[turn++ % topics.length], messages })
  return { producer, send }
}

const producing = (way, more) => async (task) => {
  const { producer, send } = await producerOf(task, more)
  return { send: (quota, lap) => way(send, quota, lap), close: () => producer.disconnect() }
}

const single = (send, quota) =>
  concurrently(
    IN_FLIGHT_MESSAGES,
    () => quota.next(),
    (value) => send([{ value }]),
  )

const many = (send, quota) => {
  const size = Math.max(1, Math.min(BATCH, Math.floor(1_000_000 / quota.valueBytes)))
  const sendAll = (values) => send(values.map((value) => ({ value })))
  return concurrently(IN_FLIGHT_BATCHES, () => quota.take(size), sendAll)
}

async function awaited(send, quota, lap) {
  for (let value = quota.next(); value !== undefined; value = quota.next()) {
    await send([{ value }])
    lap()
  }
}

async function consumerOf(task, onAssigned, more = {}) {
  const consumer = clientFor(task).consumer({
    kafkaJS: { groupId: task.group, fromBeginning: true },
    'js.consumer.max.batch.size': -1,
    ...more,
    ...(onAssigned === undefined ? {} : { rebalance_cb: onAssigned }),
  })
  await consumer.connect()
  await consumer.subscribe({ topic: task.topic })
  return consumer
}

const running = (runOptions, more) => async (task, sink, handle) => {
  const consumer = await consumerOf(task, () => sink.begin(), more)
  await consumer.run(runOptions(sink, handle))
  await sink.done
  await consumer.disconnect()
}

async function join(task) {
  let consumer
  await new Promise((resolve, reject) => {
    consumerOf(task, resolve).then(async (made) => {
      consumer = made
      await consumer.run({ eachBatch: async () => undefined })
    }, reject)
  })
  return { close: () => consumer.disconnect() }
}

async function transform(task, sink) {
  const { producer, send } = await producerOf({ ...task, topic: task.output })
  // Not all that was fetched at once, which would be one `send` of many seconds.
  const consumer = await consumerOf(task, () => sink.begin(), {
    'js.consumer.max.batch.size': BATCH,
  })
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
  const { producer, send } = await producerOf(task, { 'linger.ms': 0 })
  let consumer
  await new Promise((resolve, reject) => {
    consumerOf(task, resolve).then(async (made) => {
      consumer = made
      await consumer.run({ eachMessage: async ({ message }) => receive(message.value) })
    }, reject)
  })
  return {
    send: (value) => send([{ value }]),
    async close() {
      await consumer.disconnect()
      await producer.disconnect()
    },
  }
}

await drive({
  version: `${versionOf('@confluentinc/kafka-javascript')} (librdkafka ${confluent.librdkafkaVersion})`,
  best: { consume: 'batches' },
  produce: {
    single: ['`send` of one message, 10,000 in flight', producing(single)],
    told: ['`send` of one message, 10,000 in flight', producing(single)],
    many: [
      '`send` of 1,000 messages, 10 in flight, `linger.ms: 20`',
      producing(many, { 'linger.ms': 20 }),
    ],
    awaited: [
      '`await send` of one message, `linger.ms: 0`',
      producing(awaited, { 'linger.ms': 0 }),
    ],
  },
  consume: {
    messages: ['`eachMessage`', running(eachMessage)],
    batches: [
      '`eachBatch`, batch size not limited, `fetch.queue.backoff.ms: 10`',
      running(eachBatch, FETCH_SOON),
    ],
    handler: ['`eachMessage`, `partitionsConsumedConcurrently: 4`', running(concurrent)],
  },
  group: { usual: ['`eachBatch`, `fetch.queue.backoff.ms: 10`', running(eachBatch, FETCH_SOON)] },
  member: { usual: ['`eachBatch`', join] },
  transform: { usual: ['`eachBatch` of up to 1,000, one `send` a batch', transform] },
  slow: { usual: ['`eachMessage`', running(slowly)] },
  echo: { usual: ['`send` of one message, `linger.ms: 0`, `eachMessage`', echo] },
})
