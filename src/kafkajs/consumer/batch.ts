import type { ConsumerBatch } from '../../index.ts'
import type { Batch, KafkaMessage } from '../types/consumer.ts'
import { messageConverter } from './message.ts'

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
    this.#messages ??= this.#batch.messages.map(messageConverter())
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
