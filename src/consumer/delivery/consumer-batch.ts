import type { CallOptions } from '../../call-options.ts'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { ShouldContinue } from './handle-each.ts'
import type { MessageHandler } from './handler.ts'

interface BatchActions<Value, Key> {
  commit(offset: number, call?: CallOptions): Promise<void>
  signal(): AbortSignal
  handleEach(
    handler: MessageHandler<Value, Key>,
    shouldContinue: ShouldContinue<Value, Key>,
  ): Promise<void>
}

/** Consecutive messages of one partition, as they were fetched. */
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
  readonly #parts: BatchActions<Value, Key>

  constructor(
    from: Pick<ConsumerBatch, 'topic' | 'partition' | 'nextOffset' | 'highWatermark'>,
    messages: readonly ConsumedMessage<Value, Key>[],
    parts: BatchActions<Value, Key>,
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

  /** The number of offsets behind the batch when it was fetched. */
  get lag(): number {
    return Math.max(0, this.highWatermark - this.nextOffset)
  }

  /**
   * Aborted with a PartitionRevokedError when the batch's partition is about to be revoked, and when the consumer is
   * being closed: the application has `rebalanceTimeoutMs`, or the timeout of `close()`, to finish the batch or to
   * stop. Also aborted when the partition was lost. After the signal is aborted, requesting the next batch does not
   * mark this one as processed, because the loop may have stopped in the middle of it; `commit()` does.
   */
  get signal(): AbortSignal {
    return this.#parts.signal()
  }

  /** Commits this batch and everything before it in its partition. Throws OffsetCommitError. */
  commit(call?: CallOptions): Promise<void> {
    return this.#parts.commit(this.nextOffset, call)
  }

  /**
   * Calls the handler for each message, one after another, and reports each call in metrics and traces as `run` does;
   * without this call, `runBatches` reports the whole batch. After each message it calls `shouldContinue`, and returns
   * if the result is false. Throws what `handler` and `shouldContinue` throw.
   */
  handleEach(
    handler: MessageHandler<Value, Key>,
    shouldContinue: (message: ConsumedMessage<Value, Key>) => boolean | Promise<boolean> = () =>
      true,
  ): Promise<void> {
    return this.#parts.handleEach(handler, shouldContinue)
  }

  [Symbol.iterator](): IterableIterator<ConsumedMessage<Value, Key>> {
    return this.messages.values()
  }
}
