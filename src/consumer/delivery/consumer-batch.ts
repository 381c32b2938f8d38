import type { CallOptions } from '../../call-options.ts'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { TopicPartition } from '../topic-partition.ts'

/** Messages of one partition that follow each other, as they were fetched. */
export class ConsumerBatch<Value = Buffer | null, Key = Buffer | null>
  implements TopicPartition, Iterable<ConsumedMessage<Value, Key>>
{
  readonly topic: string
  readonly partition: number
  readonly messages: readonly ConsumedMessage<Value, Key>[]
  /** Where the partition is read on: behind the last message, and what there is none to be given of. */
  readonly nextOffset: number
  /** The end of the partition that consumers could see when the batch was fetched. */
  readonly highWatermark: number
  readonly #commit: (offset: number, call?: CallOptions) => Promise<void>

  constructor(
    from: Pick<ConsumerBatch, 'topic' | 'partition' | 'nextOffset' | 'highWatermark'>,
    messages: readonly ConsumedMessage<Value, Key>[],
    commit: (offset: number, call?: CallOptions) => Promise<void>,
  ) {
    this.topic = from.topic
    this.partition = from.partition
    this.nextOffset = from.nextOffset
    this.highWatermark = from.highWatermark
    this.messages = messages
    this.#commit = commit
  }

  get length(): number {
    return this.messages.length
  }

  get firstOffset(): number {
    return this.messages[0]!.offset
  }

  get lastOffset(): number {
    return this.messages[this.messages.length - 1]!.offset
  }

  /** How many offsets there were behind it when it was fetched. */
  get lag(): number {
    return Math.max(0, this.highWatermark - this.nextOffset)
  }

  /** Commits that this batch and all before it in its partition are done. Throws OffsetCommitError. */
  commit(call?: CallOptions): Promise<void> {
    return this.#commit(this.nextOffset, call)
  }

  [Symbol.iterator](): IterableIterator<ConsumedMessage<Value, Key>> {
    return this.messages.values()
  }
}
