/** node-rdkafka, a binding of librdkafka: https://blizzard.github.io/node-rdkafka. It batches by itself. */
import { changed } from './driver/consume.js'
import { drive } from './driver/drive.js'
import { peer, versionOf } from './driver/peer.js'

const rdkafka = peer('node-rdkafka')

/** Delivery reports are fetched so often: the README's 100 ms would leave its queue full for most of the time. */
const POLL_MS = 5
/** Longer than the time between two messages that flow. */
const QUIET_MS = 100
const CONSUME_AT_ONCE = 1_000
/** A hundred at a time of the messages that one call of `produce` each takes, then the event loop gets its turn. */
const IN_FLIGHT = 10_000

/** With the default a partition whose queue was full is not fetched for a second. */
const FETCH_SOON = { 'fetch.queue.backoff.ms': 10 }

const base = ({ brokers, tls }) => ({
  'metadata.broker.list': brokers,
  ...(tls === undefined ? {} : { 'security.protocol': 'ssl', 'ssl.ca.location': tls.caFile }),
})

const producerSettings = (task, more) => ({
  ...base(task),
  'compression.codec': task.compression,
  'request.required.acks': task.acks,
  'queue.buffering.max.messages': 1_000_000,
  ...(task.valueBytes > 900_000 ? { 'message.max.bytes': 2 * task.valueBytes } : {}),
  ...more,
})

const connected = (client) =>
  new Promise((resolve, reject) => {
    client.once('ready', resolve).once('connection.failure', reject)
    client.connect()
  })

const disconnected = (client) => new Promise((resolve) => client.disconnect(resolve))

/** Counts what is on its way, and lets senders wait until it is less. */
class InFlight {
  count = 0
  #limit = 0
  #resolve

  settle() {
    this.count--
    if (this.count <= this.#limit) this.#resolve?.()
  }

  async below(limit) {
    if (this.count <= limit) return
    this.#limit = limit
    await new Promise((resolve) => (this.#resolve = resolve))
    this.#resolve = undefined
  }
}

/** A callback for each message. */
async function highLevel(task) {
  const producer = new rdkafka.HighLevelProducer(producerSettings(task))
  await connected(producer)
  const topics = task.topics ?? [task.topic]
  const inFlight = new InFlight()
  let failure
  const settle = (error) => {
    failure ??= error ?? undefined
    inFlight.settle()
  }
  return {
    async send(quota) {
      for (let value = quota.next(); value !== undefined; value = quota.next()) {
        inFlight.count++
        producer.produce(topics[quota.given % topics.length], null, value, null, null, settle)
        if (inFlight.count >= IN_FLIGHT) await inFlight.below(IN_FLIGHT / 2)
        if (failure !== undefined) throw failure
      }
      await inFlight.below(0)
    },
    close: () => disconnected(producer),
  }
}

/** Delivery reports that are only counted. */
async function lowLevel(task) {
  const producer = new rdkafka.Producer(producerSettings(task, { dr_cb: true, 'linger.ms': 20 }))
  await connected(producer)
  producer.setPollInterval(POLL_MS)
  const topics = task.topics ?? [task.topic]
  const inFlight = new InFlight()
  let failure
  producer.on('delivery-report', (error) => {
    failure ??= error ?? undefined
    inFlight.settle()
  })
  return {
    async send(quota) {
      for (let value = quota.next(); value !== undefined; value = quota.next()) {
        inFlight.count++
        producer.produce(topics[quota.given % topics.length], null, value)
        if (inFlight.count >= 10 * IN_FLIGHT) await inFlight.below(5 * IN_FLIGHT)
        if (failure !== undefined) throw failure
      }
      await inFlight.below(0)
    },
    close: () => disconnected(producer),
  }
}

async function awaited(task) {
  const settings = producerSettings(task, { 'linger.ms': 0 })
  const producer = new rdkafka.HighLevelProducer(settings)
  await connected(producer)
  const produce = (value) =>
    new Promise((resolve, reject) => {
      const settle = (error) => (error ? reject(error) : resolve())
      producer.produce(task.topic, null, value, null, null, settle)
    })
  return {
    async send(quota, lap) {
      for (let value = quota.next(); value !== undefined; value = quota.next()) {
        await produce(value)
        lap()
      }
    },
    close: () => disconnected(producer),
  }
}

async function consumerOf(task, onAssigned = () => undefined, more = {}) {
  const settings = { ...base(task), 'group.id': task.group, rebalance_cb: true, ...more }
  const consumer = new rdkafka.KafkaConsumer(settings, { 'auto.offset.reset': 'earliest' })
  await connected(consumer)
  consumer.on('rebalance', onAssigned)
  consumer.subscribe([task.topic])
  return consumer
}

/** It must not be disconnected while messages flow: that waits for a thread which waits for this one, or crashes. */
async function stopped(consumer) {
  let count = 0
  consumer.on('data', () => count++)
  consumer.unsubscribe()
  for (let before = -1; count > before;) {
    before = count
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
  }
  await disconnected(consumer)
}

async function data(task, sink) {
  const consumer = await consumerOf(task, () => sink.begin())
  consumer.on('data', ({ value }) => void sink.take(value))
  consumer.consume()
  await sink.done
  await stopped(consumer)
}

const consumeSome = (consumer, count) =>
  new Promise((resolve, reject) => {
    consumer.consume(count, (error, messages) => (error ? reject(error) : resolve(messages)))
  })

async function batches(task, sink) {
  const consumer = await consumerOf(task, () => sink.begin(), FETCH_SOON)
  consumer.setDefaultConsumeTimeout(50)
  while (!sink.isDone) {
    for (const { value } of await consumeSome(consumer, CONSUME_AT_ONCE))
      if (sink.take(value)) break
  }
  await disconnected(consumer)
}

async function slow(task, sink, handle) {
  const consumer = await consumerOf(task)
  while (!sink.isDone) {
    for (const { value } of await consumeSome(consumer, 1)) await handle(value)
  }
  await disconnected(consumer)
}

async function join(task) {
  let consumer
  await new Promise((resolve, reject) => {
    consumerOf(task, resolve).then((made) => {
      consumer = made
      consumer.on('data', () => undefined)
      consumer.consume()
    }, reject)
  })
  return { close: () => disconnected(consumer) }
}

async function transform(task, sink) {
  const producer = await lowLevel({ ...task, topic: task.output })
  const consumer = await consumerOf(task, () => sink.begin())
  consumer.setDefaultConsumeTimeout(50)
  while (!sink.isDone) {
    const messages = await consumeSome(consumer, CONSUME_AT_ONCE)
    const values = messages.map(({ value }) => changed(value)).values()
    await producer.send({ given: 0, next: () => values.next().value })
    for (const { value } of messages) if (sink.take(value)) break
  }
  await disconnected(consumer)
  await producer.close()
}

async function echo(task, receive) {
  const producer = new rdkafka.Producer(producerSettings(task, { 'linger.ms': 0 }))
  await connected(producer)
  producer.setPollInterval(POLL_MS)
  let consumer
  await new Promise((resolve, reject) => {
    consumerOf(task, resolve).then((made) => {
      consumer = made
      consumer.on('data', ({ value }) => receive(value))
      consumer.consume()
    }, reject)
  })
  return {
    send(value) {
      producer.produce(task.topic, null, value)
    },
    async close() {
      await stopped(consumer)
      await disconnected(producer)
    },
  }
}

await drive({
  version: `${versionOf('node-rdkafka')} (librdkafka ${rdkafka.librdkafkaVersion})`,
  best: { consume: 'batches' },
  produce: {
    single: ['`HighLevelProducer`, a callback a message', highLevel],
    told: ['`HighLevelProducer`, a callback a message', highLevel],
    many: ['`Producer`, delivery reports counted, `linger.ms: 20`', lowLevel],
    awaited: ['`HighLevelProducer`, `linger.ms: 0`, each callback awaited', awaited],
  },
  consume: {
    batches: ['`consume(1000, callback)`, `fetch.queue.backoff.ms: 10`', batches],
    handler: ["`consume()` and `on('data')`", data],
  },
  group: { usual: ['`consume(1000, callback)`, `fetch.queue.backoff.ms: 10`', batches] },
  member: { usual: ["`consume()` and `on('data')`", join] },
  transform: { usual: ['`consume(1000, callback)`, `Producer`', transform] },
  slow: { usual: ['`consume(1, callback)`', slow] },
  echo: { usual: ["`Producer` with `linger.ms: 0`, `on('data')`", echo] },
})
