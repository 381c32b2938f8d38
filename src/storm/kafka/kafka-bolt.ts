import {
  KafkaClient,
  type KafkaClientOptions,
  type Producer,
  type ProducerOptions,
} from '../../index.ts'
import { Bolt } from '../component/bolt.ts'
import type { Tuple } from '../component/tuple.ts'
import type { StormConf } from '../multilang/messages.ts'

/** The types of a key, a value or a header: bytes, text that is sent as UTF-8, or null. */
export type Bytes = Uint8Array | string | null

/** A message as the bolt produces it. */
export interface MessageToProduce {
  /** The value to send; null is a tombstone. */
  readonly value: Bytes
  /** The key to send. Default: none. */
  readonly key?: Bytes
  /** The headers to send, in this order. Default: none. */
  readonly headers?: readonly (readonly [string, Bytes])[]
  /** The timestamp in milliseconds since 1970. Default: the time of sending. */
  readonly timestamp?: number
}

/** The options of a KafkaBolt. */
export interface KafkaBoltOptions {
  /** The options of the client: `{ hosts: 'kafka:9092' }`. */
  readonly client: KafkaClientOptions
  /** The topic to write to. */
  readonly topic: string
  /** Further options of the producer, such as `compression`. */
  readonly producer?: ProducerOptions
}

/**
 * Produces a message for each tuple, and acks the tuple when the message is delivered. If the
 * message cannot be delivered, the tuple fails, so that its spout may emit it again. The bolt
 * produces further tuples meanwhile.
 */
export class KafkaBolt<In extends object = Readonly<Record<string, unknown>>> extends Bolt<
  In,
  readonly []
> {
  /** It emits nothing. */
  static readonly outputs: readonly [] = []
  /** A tuple is acked when its message is delivered, not when `process` returns. */
  override autoAck = false
  readonly #given: KafkaBoltOptions | ((conf: StormConf) => KafkaBoltOptions)
  #client: KafkaClient | undefined
  #producer: Producer | undefined

  /** `options`, or a function that creates them from Storm's configuration. */
  constructor(options: KafkaBoltOptions | ((conf: StormConf) => KafkaBoltOptions)) {
    super()
    this.#given = options
  }

  /** Creates a message from a tuple. Default: its fields `value`, as text or JSON, and `key`. */
  messageOf(tuple: Tuple<In>): MessageToProduce {
    // In may have neither field.
    const { key, value } = tuple.fields as Readonly<Record<string, unknown>>
    return { value: textOf(value), key: textOf(key) }
  }

  /** Connects to Kafka, once for each process. Throws what `KafkaClient` and `getProducer` throw. */
  override async initialize(conf: StormConf): Promise<void> {
    const options = typeof this.#given === 'function' ? this.#given(conf) : this.#given
    this.#client = new KafkaClient(options.client)
    this.#producer = await this.#client.topic(options.topic).getProducer(options.producer)
  }

  /** Resolves when there is room for another message. */
  override async process(tuple: Tuple<In>): Promise<void> {
    // Storm calls `initialize` first.
    const producer = this.#producer!
    const { value, ...options } = this.messageOf(tuple)
    void producer.produce(value, options).then(
      () => this.ack(tuple),
      (error: unknown) => {
        this.raiseError(error, tuple)
        this.fail(tuple)
      },
    )
    if (!producer.hasRoom) await producer.ready()
  }

  /** Acks ticks, which have no message. */
  override processTick(tuple: Tuple): void {
    this.ack(tuple)
  }

  /** Sends the queued messages, and closes the client. */
  override async close(): Promise<void> {
    await this.#client?.close()
  }
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}
