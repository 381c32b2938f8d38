import {
  KafkaClient,
  KafkaError,
  type ConsumedMessage,
  type OutgoingMessage,
  type Producer,
  type ProducerOptions,
  type SimpleConsumer,
  type SimpleConsumerOptions,
  type Topic,
} from '../../../src/index.ts'
import { until } from '../../support/until.ts'

/** What can be compared: plain JSON. */
export type Outcome =
  null | boolean | number | string | readonly Outcome[] | { readonly [name: string]: Outcome }

export type Case = (scene: Scene) => Promise<Outcome>

/** What an error of either client means; scenario.py has the same words. */
const KINDS: Readonly<Record<string, string>> = {
  NO_BROKERS_AVAILABLE: 'no brokers',
  CLOSED: 'stopped',
  MESSAGE_TOO_LARGE: 'too large',
  PRODUCER_QUEUE_FULL: 'queue full',
  INVALID_ARGUMENT: 'refused',
  UNSUPPORTED_VERSION: 'unsupported',
}

function kindOf(error: unknown): string {
  if (error instanceof KafkaError) return KINDS[error.code] ?? error.code
  // Under Jest, errors of Node's own are not `instanceof Error`.
  const { name } = error as { readonly name?: unknown }
  return typeof name === 'string' ? name : String(error)
}

/** The kind of what it throws, or what it returns. */
export async function failure(
  run: () => Outcome | undefined | Promise<Outcome | undefined>,
): Promise<Outcome> {
  try {
    return (await run()) ?? null
  } catch (error) {
    return { throws: kindOf(error) }
  }
}

export const text = (value: Buffer | null): string | null => value && value.toString()

/** pykafka's dictionaries by partition. */
export function byPartition(numbers: ReadonlyMap<number, Outcome>): Outcome {
  return Object.fromEntries(numbers)
}

interface Consumes {
  consume(options?: { block?: boolean }): Promise<ConsumedMessage | undefined>
}

export async function next(consumer: Consumes): Promise<ConsumedMessage> {
  const message = await consumer.consume()
  if (message === undefined) throw new Error('no message came in time')
  return message
}

export async function values(consumer: Consumes, count: number): Promise<readonly string[]> {
  const found: string[] = []
  while (found.length < count) found.push(String((await next(consumer)).value))
  return found
}

/** What a case has: a client, and a topic of its own with two partitions. */
export class Scene implements AsyncDisposable {
  readonly hosts: string
  readonly zookeeperHosts: string
  /** Also the name of its group. */
  readonly name: string
  readonly client: KafkaClient
  readonly #others: KafkaClient[] = []

  constructor(hosts: string, zookeeperHosts: string, name: string) {
    this.hosts = hosts
    this.zookeeperHosts = zookeeperHosts
    this.name = name
    this.client = this.another()
  }

  another(options: { readonly zookeeperHosts?: string } = {}): KafkaClient {
    const to = options.zookeeperHosts === undefined ? { hosts: this.hosts } : options
    const client = new KafkaClient(to)
    this.#others.push(client)
    return client
  }

  /** Creates the topic as pykafka's `client.topics[name]` does, which here only producers do. */
  async topic(): Promise<Topic> {
    const topic = this.client.topic(this.name)
    await (await topic.getProducer()).close()
    return topic
  }

  /** Writes the values 0, 1, …: even ones to partition 0, odd ones to 1. */
  async fill(count = 10, key: string | null = null): Promise<Topic> {
    const topic = this.client.topic(this.name)
    await using producer = await topic.getProducer()
    for (let number = 0; number < count; number++) {
      void producer.produce(`${number}`, { key, partition: number % 2 })
    }
    await producer.flush()
    return topic
  }

  async consumer(options: Partial<SimpleConsumerOptions> = {}): Promise<SimpleConsumer> {
    const topic = await this.topic()
    return topic.getSimpleConsumer({ consumerTimeoutMs: 8_000, ...options })
  }

  /** A consumer of partition 0, or of another. */
  one(options: Partial<SimpleConsumerOptions> = {}, partition = 0): Promise<SimpleConsumer> {
    return this.consumer({ partitions: [partition], ...options })
  }

  /** The same in the group of the case. */
  member(options: Partial<SimpleConsumerOptions> = {}): Promise<SimpleConsumer> {
    return this.one({ consumerGroup: this.name, ...options })
  }

  sync(options: ProducerOptions = {}): Promise<Producer> {
    return this.client.topic(this.name).getSyncProducer(options)
  }

  /** How many messages the topic has. */
  async count(): Promise<number> {
    const latest = await this.client.topic(this.name).latestAvailableOffsets()
    return [...latest.values()].reduce((sum, offset) => sum + offset, 0)
  }

  /** The value and key of the message that one `produce()` has put into the topic. */
  async produced(message: OutgoingMessage, options: ProducerOptions = {}): Promise<Outcome> {
    await using producer = await this.sync(options)
    await producer.produceMany([message])
    const { value, key } = await next(await this.consumer())
    return [text(value), text(key)]
  }

  async until<T>(check: () => T | Promise<T>): Promise<T> {
    let found = await check()
    await until(async () => {
      found = await check()
      return Boolean(found)
    })
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What a case has left open ends at once: some close while they wait for messages.
    await Promise.allSettled(this.#others.map((client) => client.close({ timeoutMs: 2_000 })))
  }
}
