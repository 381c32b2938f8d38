import type { CallOptions } from '../../call-options.ts'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { TopicPartition } from '../topic-partition.ts'

interface BatchActions {
  commit(offset: number, call?: CallOptions): Promise<void>
  signal(): AbortSignal
}

/** Messages of one partition that follow each other, as they were fetched. */
export class ConsumerBatch<Value = Buffer | null, Key = Buffer | null>
  implements TopicPartition, Iterable<ConsumedMessage<Value, Key>>
{
  /** The topic of all messages of the batch. */
  readonly topic: string
  /** The partition of all messages of the batch. */
  readonly partition: number
  /** The messages, in the order of their offsets; at least one. */
  readonly messages: readonly ConsumedMessage<Value, Key>[]
  /** The offset to continue at: after the last message, and after records that are not delivered (control and aborted records). */
  readonly nextOffset: number
  /** The end of the partition that consumers could see when the batch was fetched. */
  readonly highWatermark: number
  readonly #parts: BatchActions

  constructor(
    from: Pick<ConsumerBatch, 'topic' | 'partition' | 'nextOffset' | 'highWatermark'>,
    messages: readonly ConsumedMessage<Value, Key>[],
    parts: BatchActions,
  ) {
    this.topic = from.topic
    this.partition = from.partition
    this.nextOffset = from.nextOffset
    this.highWatermark = from.highWatermark
    this.messages = messages
    this.#parts = parts
  }

  /** The number of messages. */
  get length(): number {
    return this.messages.length
  }

  /** The offset of the first message. */
  get firstOffset(): number {
    return this.messages[0]!.offset
  }

  /** The offset of the last message. */
  get lastOffset(): number {
    return this.messages[this.messages.length - 1]!.offset
  }

  /** How many offsets there were behind it when it was fetched. */
  get lag(): number {
    return Math.max(0, this.highWatermark - this.nextOffset)
  }

  /**
   * Aborted when the batch's partition is about to be taken away, with a PartitionRevokedError, or the consumer is
   * being closed: there are `rebalanceTimeoutMs`, or the timeout of `close()`, left to finish the batch or to leave it.
   * Also aborted when the partition was lost. Once it is aborted, asking for the next batch does not say that this one
   * is processed, since the loop may have left it half done: `commit()` does.
   */
  get signal(): AbortSignal {
    return this.#parts.signal()
  }

  /** Commits that this batch and all before it in its partition are processed. Throws OffsetCommitError. */
  commit(call?: CallOptions): Promise<void> {
    return this.#parts.commit(this.nextOffset, call)
  }

  [Symbol.iterator](): IterableIterator<ConsumedMessage<Value, Key>> {
    return this.messages.values()
  }
}
