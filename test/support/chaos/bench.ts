import { KafkaClient, type ConsumedMessage, type KafkaClientOptions } from '../../../src/index.ts'
import { startKafka, type KafkaCluster } from '../kafka/cluster.ts'
import { waitFor } from '../kafka/wait.ts'
import { Proxy } from '../proxy.ts'
import { Ledger } from './ledger.ts'
import { PATIENCE_MS } from '../patience.ts'

/** Short, so that failures end soon; long enough for a broker on a busy machine. */
export const TIMES = {
  socketTimeoutMs: 1_000,
  connectTimeoutMs: 1_000,
  operationTimeoutMs: 2_000,
  retryBackoffMs: 5,
  retryBackoffMaxMs: 50,
  reconnectBackoffMs: 5,
  reconnectBackoffMaxMs: 50,
} as const

/** Of a producer that gives up soon. */
export const DELIVERY_TIMEOUT_MS = 2_000

const FETCH_WAIT_MS = 100

/** A broker with a proxy before it. */
export class Bench implements AsyncDisposable {
  readonly kafka: KafkaCluster
  readonly proxy: Proxy
  /** Past the proxy. */
  readonly direct: KafkaClient
  #topics = 0

  private constructor(kafka: KafkaCluster, proxy: Proxy) {
    this.kafka = kafka
    this.proxy = proxy
    this.direct = new KafkaClient({ hosts: kafka.hosts })
  }

  static async start(version: string): Promise<Bench> {
    const kafka = await startKafka({ version })
    return new Bench(kafka, await Proxy.start(kafka.ports[0]!))
  }

  /** A new topic of one partition. */
  async topic(): Promise<string> {
    const name = `chaos-${++this.#topics}`
    await this.kafka.createTopic(name, { partitions: 1 })
    return name
  }

  /** Through the proxy. */
  client(options: KafkaClientOptions = {}): KafkaClient {
    return new KafkaClient({ ...TIMES, hosts: this.proxy.name, ...options })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.direct.close()
    await this.proxy[Symbol.asyncDispose]()
    await this.kafka.stop()
  }
}

/** A producer and a consumer of one client that continue, whatever happens. */
export class Traffic implements AsyncDisposable {
  readonly ledger: Ledger
  readonly received: ConsumedMessage[] = []
  /** Settles when the consumer ends, which is when it is closed. */
  readonly #consuming: Promise<unknown>

  private constructor(ledger: Ledger, consumer: AsyncIterable<ConsumedMessage>) {
    this.ledger = ledger
    this.#consuming = this.#consume(consumer).catch((error: unknown) => error)
  }

  static async start(client: KafkaClient, topic: string): Promise<Traffic> {
    const ackTimeoutMs = TIMES.socketTimeoutMs
    const producer = await client.topic(topic).getProducer({ ackTimeoutMs })
    const consumer = await client
      .topic(topic)
      .getSimpleConsumer({ autoOffsetReset: 'earliest', fetchWaitMaxMs: FETCH_WAIT_MS })
    return new Traffic(new Ledger('steady', producer), consumer)
  }

  /** Waits until the consumer was given the message at this offset. */
  async receivedUntil(offset: number): Promise<void> {
    await waitFor(() => ((this.received.at(-1)?.offset ?? -1) >= offset ? true : undefined), {
      timeoutMs: PATIENCE_MS,
      everyMs: 1,
      onTimeout: () =>
        new Error(`The consumer is at ${this.received.at(-1)?.offset}, not yet at ${offset}`),
    })
  }

  /** Why the consumer has ended; call it when it was closed. */
  ended(): Promise<unknown> {
    return this.#consuming
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consuming
  }

  async #consume(consumer: AsyncIterable<ConsumedMessage>): Promise<void> {
    for await (const message of consumer) this.received.push(message)
  }
}
