import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { ShareMessage } from './share-message.ts'

/**
 * Messages of one partition that were acquired together. Offsets rise, with gaps if other members have the messages
 * between.
 */
export class ShareBatch<Value = Buffer | null, Key = Buffer | null>
  implements TopicPartition, Iterable<ShareMessage<Value, Key>>
{
  /** The topic of all messages of the batch. */
  readonly topic: string
  /** The partition of all messages of the batch. */
  readonly partition: number
  /** The messages, in the order of their offsets; at least one. */
  readonly messages: readonly ShareMessage<Value, Key>[]

  /** @internal The consumer creates it. */
  constructor(messages: readonly [ShareMessage<Value, Key>, ...ShareMessage<Value, Key>[]]) {
    this.topic = messages[0].topic
    this.partition = messages[0].partition
    this.messages = messages
  }

  /** The number of messages. */
  get length(): number {
    return this.messages.length
  }

  /** Accepts the messages that are not acknowledged yet. */
  accept(): void {
    for (const message of this.#open()) message.accept()
  }

  /** Releases the messages that are not acknowledged yet: they are delivered again. */
  release(): void {
    for (const message of this.#open()) message.release()
  }

  /** Rejects the messages that are not acknowledged yet: they are not delivered again. */
  reject(): void {
    for (const message of this.#open()) message.reject()
  }

  /** Restarts the locks of the messages that are not acknowledged yet (KIP-1222). */
  renew(): void {
    for (const message of this.#open()) message.renew()
  }

  [Symbol.iterator](): IterableIterator<ShareMessage<Value, Key>> {
    return this.messages.values()
  }

  #open(): readonly ShareMessage<Value, Key>[] {
    return this.messages.filter(({ isAcknowledged }) => !isAcknowledged)
  }
}
