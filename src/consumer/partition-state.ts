import type { Message } from '../../protocol/records/message.ts'
import type { MessageBatch } from '../../protocol/records/message-batch.ts'
import { CorruptBatchError } from '../errors.ts'

/** A partition as it is being read. */
export class PartitionState {
  readonly topic: string
  readonly partition: number
  /** What the next fetch asks for. */
  fetchOffset: number
  /** What the application gets next: behind what it was given, before what is only buffered. */
  position: number
  /** Where to stop, for a consumer that stops at the end. */
  endOffset = Infinity
  /** How much to ask for: grows where one batch is larger and the broker cuts it off. */
  maxBytes: number
  highWatermark = -1
  isFetching = false
  /** Not to be fetched before this time: the wait after a failure. */
  notBefore = 0
  failures = 0
  /** Once set, the partition is not read on: the position stays. */
  error: Error | undefined
  bufferedBytes = 0

  constructor(topic: string, partition: number, offset: number, maxBytes: number) {
    this.topic = topic
    this.partition = partition
    this.fetchOffset = offset
    this.position = offset
    this.maxBytes = maxBytes
  }

  get isAtEnd(): boolean {
    return this.position >= this.endOffset
  }

  moveTo(offset: number): void {
    this.fetchOffset = offset
    this.position = offset
  }

  /**
   * The messages of a batch that the application is to get; the position moves behind the batch. Offsets may
   * have gaps (compaction, transactions), and the first batch may begin before the offset that was asked for.
   */
  take(batch: MessageBatch): Message[] {
    let messages: Message[]
    try {
      messages = batch.control ? [] : batch.messages()
    } catch (error) {
      this.error = new CorruptBatchError(
        this.topic,
        this.partition,
        batch.baseOffset,
        error as Error,
      )
      throw this.error
    }
    const from = this.position
    const to = this.endOffset
    this.position = batch.lastOffset + 1
    const first = messages[0]
    const last = messages[messages.length - 1]
    if (first === undefined || last === undefined) return messages
    if (first.offset >= from && last.offset < to) return messages
    return messages.filter(({ offset }) => offset >= from && offset < to)
  }
}
