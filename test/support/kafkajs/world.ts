/** The world in which a step of the comparison of kafkajs and samsa/kafkajs runs, and how its results become comparable. */
import type * as KafkaJS from 'kafkajs'

export type Library = Omit<typeof KafkaJS, 'default'>

/** The retries of both libraries. They are short, because the steps also compare failures. */
export const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 300 }

export interface Step {
  readonly name: string
  readonly run: (world: World) => Promise<unknown>
}

/** One of the libraries on a cluster, with its own names of topics and groups. */
export class World implements AsyncDisposable {
  readonly lib: Library
  readonly brokers: readonly string[]
  readonly #prefix: string
  readonly #opened: { disconnect(): Promise<void> }[] = []

  constructor(lib: Library, brokers: readonly string[], prefix: string) {
    this.lib = lib
    this.brokers = brokers
    this.#prefix = prefix
  }

  /** The name of a topic, group or transactional id of this world. */
  named(name: string): string {
    return `${this.#prefix}${name}`
  }

  kafka(config: Partial<KafkaJS.KafkaConfig> = {}): KafkaJS.Kafka {
    return new this.lib.Kafka({
      brokers: [...this.brokers],
      clientId: 'compared',
      retry: RETRY,
      logLevel: this.lib.logLevel.NOTHING,
      ...config,
    })
  }

  admin(kafka = this.kafka()): KafkaJS.Admin {
    return this.#keep(kafka.admin())
  }

  producer(config: KafkaJS.ProducerConfig = {}, kafka = this.kafka()): KafkaJS.Producer {
    return this.#keep(kafka.producer(config))
  }

  consumer(config: Partial<KafkaJS.ConsumerConfig> = {}, kafka = this.kafka()): KafkaJS.Consumer {
    return this.#keep(
      kafka.consumer({
        groupId: this.named('group'),
        maxWaitTimeInMs: 100,
        retry: RETRY,
        ...config,
      }),
    )
  }

  /** Creates a topic whose partitions have leaders. */
  async topic(name = 'topic', numPartitions = 1): Promise<string> {
    const admin = this.admin()
    await admin.connect()
    const topic = this.named(name)
    await admin.createTopics({ topics: [{ topic, numPartitions }] })
    await admin.disconnect()
    return topic
  }

  /** Creates a topic with one partition and these messages, and a connected producer. */
  async filled(values: readonly string[], numPartitions = 1): Promise<[string, KafkaJS.Producer]> {
    const topic = await this.topic('topic', numPartitions)
    const producer = this.producer()
    await producer.connect()
    if (values.length > 0) {
      await producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) })
    }
    return [topic, producer]
  }

  /** Removes what differs in each run: the prefix of names, ids and times. */
  normalized(found: unknown): unknown {
    const text = JSON.stringify(found, (key, value: unknown) => normalizedField(key, value))
    if (text === undefined) return undefined
    return JSON.parse(text.replaceAll(this.#prefix, ''))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#opened.map((one) => one.disconnect()))
  }

  #keep<T extends { disconnect(): Promise<void> }>(opened: T): T {
    this.#opened.push(opened)
    return opened
  }
}

const IDS = new Set(['memberId', 'leaderId', 'clusterId', 'id'])
const TIMES = new Set([
  'timestamp',
  'duration',
  'createdAt',
  'sentAt',
  'pendingDuration',
  'retryTime',
])

function normalizedField(key: string, value: unknown): unknown {
  if (IDS.has(key)) return '<id>'
  if (TIMES.has(key)) return '<time>'
  // Brokers list partitions in any order.
  if (key === 'partitions' && isPartitionMetadata(value)) return inOrder(value)
  return value
}

interface Metadata {
  readonly partitionId: number
}

export function inOrder<T extends Metadata>(partitions: readonly T[]): T[] {
  return [...partitions].sort((a, b) => a.partitionId - b.partitionId)
}

function isPartitionMetadata(value: unknown): value is Metadata[] {
  const isOne = (one: unknown) => typeof one === 'object' && one !== null && 'partitionId' in one
  return Array.isArray(value) && value.every(isOne)
}

/** The `shape` of the error that a call throws. */
export async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    return { resolved: await call() }
  } catch (error) {
    return shape(error)
  }
}

/** The class, name and fields of an error, without its message, in which the libraries differ. */
export function shape(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const read = (name: string): unknown => Reflect.get(error, name)
  const cause = read('cause')
  const errors = read('errors')
  const groups = read('groups')
  const partitions = read('partitions')
  return {
    class: error.constructor.name,
    name: error.name,
    type: read('type'),
    code: read('code'),
    retriable: read('retriable'),
    topic: read('topic'),
    partition: read('partition'),
    cause: cause instanceof Error ? shape(cause) : undefined,
    errors: Array.isArray(errors) ? errors.map(shape) : undefined,
    groups: withShapes(groups),
    partitions: withShapes(partitions),
  }
}

function withShapes(entries: unknown): unknown {
  if (!Array.isArray(entries)) return undefined
  return entries.map((entry: object) => ({ ...entry, error: shape(Reflect.get(entry, 'error')) }))
}

/** `done` resolves when `count` was called that many times. */
export function countdown(count: number): {
  readonly done: Promise<void>
  readonly count: () => void
} {
  let left = count
  let resolve: () => void = () => undefined
  const done = new Promise<void>((fulfil) => (resolve = fulfil))
  if (left === 0) resolve()
  return {
    done,
    count: () => {
      if (--left === 0) resolve()
    },
  }
}

export function byPartition<T extends { readonly partition: number }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => Number(a.partition) - Number(b.partition))
}
