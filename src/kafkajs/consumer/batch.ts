import type { ConsumedMessage, ConsumerBatch } from '../../index.ts'
import type { IHeaders } from '../types/common.ts'
import type { Batch, KafkaMessage } from '../types/consumer.ts'

/** A batch in the form of kafkajs. Its messages are converted when `messages` is first read. */
export class KafkaBatch implements Batch {
  readonly topic: string
  readonly partition: number
  readonly highWatermark: string
  readonly #batch: ConsumerBatch
  #messages: KafkaMessage[] | undefined

  constructor(batch: ConsumerBatch) {
    this.topic = batch.topic
    this.partition = batch.partition
    this.highWatermark = String(batch.highWatermark)
    this.#batch = batch
  }

  get messages(): KafkaMessage[] {
    this.#messages ??= this.#batch.messages.map(messageFrom)
    return this.#messages
  }

  isEmpty(): boolean {
    return this.#batch.length === 0
  }

  firstOffset(): string | null {
    return this.isEmpty() ? null : String(this.#batch.firstOffset)
  }

  /** The last message may be followed by records that are not delivered, such as the marker that ends a transaction. */
  lastOffset(): string {
    return String(this.#batch.nextOffset - 1)
  }

  offsetLag(): string {
    return String(this.#batch.highWatermark - this.#batch.nextOffset)
  }

  offsetLagLow(): string {
    return this.isEmpty() ? '0' : String(this.#batch.highWatermark - 1 - this.#batch.firstOffset)
  }
}

export function messageFrom(message: ConsumedMessage): KafkaMessage {
  return {
    key: message.key,
    value: message.value,
    timestamp: String(message.timestamp),
    // The attributes of a record: none of their bits is in use yet.
    attributes: 0,
    offset: String(message.offset),
    headers: headersFrom(message.headers),
  }
}

/** A key that occurs several times has a list of values. */
function headersFrom(headers: ConsumedMessage['headers']): IHeaders {
  const found: IHeaders = {}
  for (const { key, value } of headers) {
    // The value may be null, which kafkajs does not declare.
    const bytes = value as Buffer
    // Producers choose the keys, so that `__proto__` and `toString` are possible.
    const before = Object.hasOwn(found, key) ? found[key] : undefined
    if (Array.isArray(before)) before.push(bytes)
    else setOwn(found, key, before === undefined ? bytes : [before, bytes])
  }
  return found
}

function setOwn(headers: IHeaders, key: string, value: IHeaders[string]): void {
  Object.defineProperty(headers, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  })
}
