/** The options of samsa that the question `options` asks for: each is what differs from the default. */

const headersOf = (count) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`header-${index}`, 'a value']))
const HEADERS = headersOf(1)
const THREE_HEADERS = headersOf(3)

const asIs = (value) => [value]
let keyNumber = 0
/** As many as a hundred thousand customers. */
const keyed = (value) => [value, { key: `key-${keyNumber++ % 100_000}` }]

/** A linger that made batches smaller would show most with a codec, whose cost is that of a batch. */
const lingering = (compression) => [{ lingerMs: 5, compression }, asIs, undefined, { compression }]

/** The name of an option, the producer's options, the arguments of each call, the text of a value, and what it is compared with. */
const PRODUCING = {
  'lingerMs 5': [{ lingerMs: 5 }],
  'lingerMs 5, zstd': lingering('zstd'),
  'lingerMs 5, gzip': lingering('gzip'),
  'lingerMs 100': [{ lingerMs: 100 }],
  'batchBytes 16 KiB': [{ batchBytes: 16 << 10 }],
  'batchBytes 64 KiB': [{ batchBytes: 64 << 10 }],
  'maxQueuedBytes 1 MiB': [{ maxQueuedBytes: 1 << 20 }],
  'maxQueuedMessages 1,000': [{ maxQueuedMessages: 1_000 }],
  'acks all, idempotent': [{ requiredAcks: -1 }],
  keys: [{}, keyed],
  'one header': [{}, (value) => [value, { headers: HEADERS }]],
  'three headers': [{}, (value) => [value, { headers: THREE_HEADERS }]],
  strings: [{}, undefined, (value) => value.toString('latin1')],
  'delivery reports': [{ deliveryReports: () => undefined }],
}

/** A producer for each run: its queue is empty at the beginning, and flushed at the end. */
const producing = (given) => async (client, task, values) => {
  const run = async (options, argumentsOf, texts, quota) => {
    const producer = await client.topic(task.topic).getProducer({ requiredAcks: 1, ...options })
    for (let value = quota.next(); value !== undefined; value = quota.next()) {
      if (!producer.hasRoom) await producer.ready()
      const sent = texts === undefined ? value : texts[quota.given % texts.length]
      void producer.produce(...argumentsOf(sent))
    }
    await producer.close()
  }
  const [options, argumentsOf = asIs, toText, compared = {}] = given
  const texts = toText === undefined ? undefined : values.map(toText)
  return {
    plain: (quota) => run(compared, asIs, undefined, quota),
    option: (quota) => run(options, argumentsOf, texts, quota),
    close: () => client.close(),
  }
}

async function forAwait(consumer, quota) {
  for await (const message of consumer) {
    if (message.value.length === 0 || quota.next() === undefined) break
  }
}

async function byBatch(consumer, quota) {
  reading: for await (const batch of consumer.batches()) {
    for (const message of batch) {
      if (message.value.length === 0 || quota.next() === undefined) break reading
    }
  }
}

async function byStream(consumer, quota) {
  for await (const message of consumer.stream()) {
    if (message.value.length === 0 || quota.next() === undefined) break
  }
}

async function byStreamEvents(consumer, quota) {
  const stream = consumer.stream()
  await new Promise((resolve) => {
    stream.on('data', (message) => {
      if (message.value.length === 0 || quota.next() === undefined) {
        stream.destroy()
        resolve()
      }
    })
  })
}

async function byConsume(consumer, quota) {
  for (;;) {
    const message = await consumer.consume()
    if (message.value.length === 0 || quota.next() === undefined) break
  }
}

const byHeaders = async (consumer, quota) => {
  for await (const message of consumer) {
    if (message.headers.length > 9 || quota.next() === undefined) break
  }
}

const running = (options, isAsync) => async (consumer, quota) => {
  const stop = new AbortController()
  const take = (message) => {
    if (message.value.length === 0 || quota.next() === undefined) stop.abort()
  }
  const handler = isAsync ? async (message) => take(message) : take
  await consumer.run(handler, { ...options, stopSignal: stop.signal })
}

const PARTITION = { concurrency: 10 }
const KEY = { concurrency: 10, orderBy: 'key' }

/** The name of an option, the consumer's options, the way to read, and the way that it is compared with. */
const READING = {
  batches: [{}, byBatch],
  'stream()': [{}, byStream],
  "stream().on('data')": [{}, byStreamEvents],
  'consume()': [{}, byConsume],
  'headers read': [{}, byHeaders],
  run: [{}, running({}, false)],
  'run, concurrency 10': [{}, running(PARTITION, false)],
  'run, concurrency 10 by key': [{}, running(KEY, false)],
  'run, async handler, against run': [{}, running({}, true), running({}, false)],
  'run, async handler, concurrency 10': [{}, running(PARTITION, true), running({}, true)],
  'run, async handler, concurrency 10 by key': [{}, running(KEY, true), running({}, true)],
  'queuedMaxBytes 1 MiB': [{ queuedMaxBytes: 1 << 20 }, forAwait],
  'queuedMaxMessages 1,000': [{ queuedMaxMessages: 1_000 }, forAwait],
  'fetchMessageMaxBytes 64 KiB': [{ fetchMessageMaxBytes: 64 << 10 }, forAwait],
  reuseMemory: [{ reuseMemory: true }, forAwait],
  'isolationLevel read_committed': [{ isolationLevel: 'read_committed' }, forAwait],
}

/** The messages that the null broker repeats have keys and a header. */
const SEED_MESSAGES = 4_000

const reading = (given) => async (client, task, values) => {
  const producer = await client.topic(task.topic).getProducer({ requiredAcks: 1, lingerMs: 50 })
  for (let index = 0; index < SEED_MESSAGES; index++) {
    const [value, options] = keyed(values[index % values.length])
    void producer.produce(value, {
      ...options,
      headers: HEADERS,
      partition: index % task.partitions,
    })
  }
  await producer.close()
  const run = async (options, read, quota) => {
    const consumer = await client
      .topic(task.topic)
      .getSimpleConsumer({ autoOffsetReset: 'earliest', ...options })
    await read(consumer, quota)
    await consumer.close()
  }
  const [options, read, plain = forAwait] = given
  return {
    plain: (quota) => run({}, plain, quota),
    option: (quota) => run(options, read, quota),
    close: () => client.close(),
  }
}

/** A way for each option: `produce, lingerMs 5`. */
export function optionWays(clientFor) {
  const withClient = (open) => (task, values) => open(clientFor(task), task, values)
  const waysOf = (side, table, wayOf) =>
    Object.entries(table).map(([name, given]) => [
      `${side}, ${name}`,
      [`${side} with ${name}`, withClient(wayOf(given))],
    ])
  return Object.fromEntries([
    ...waysOf('produce', PRODUCING, producing),
    ...waysOf('consume', READING, reading),
  ])
}
