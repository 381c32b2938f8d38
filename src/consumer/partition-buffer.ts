import type { Message } from '../../protocol/records/message.ts'
import { CodecUnavailableError } from '../../protocol/compression/index.ts'
import {
  UnderstatedSizeError,
  type MessageBatch,
  type MessageSlice,
} from '../../protocol/records/message-batch.ts'
import { CompressionUnavailableError, CorruptBatchError } from '../errors.ts'
import { asError } from '../observe/thrown.ts'
import type { Lease } from './fetch/lease.ts'
import type { TopicPartition } from './topic-partition.ts'

/** Data of a partition that has arrived and is not decoded yet, in the order of delivery. */
export type Queued = FetchedBatch | QueuedJump | { readonly kind: 'error'; readonly error: Error }

/**
 * The partition continues at another offset: retention overtook the position, or a damaged batch is skipped. The
 * position moves after the messages queued before the jump have been delivered, later than the fetch offset.
 */
export interface QueuedJump {
  readonly kind: 'jump'
  readonly to: number
}

export interface FetchedBatch {
  readonly kind: 'batch'
  readonly batch: MessageBatch
  /** The requested offset: a batch may begin before it. */
  readonly from: number
  /** The batch is a marker, or belongs to an aborted transaction: none of it is delivered. */
  readonly isLeftOut: boolean
  /** Set for a batch that is decompressed on another thread. */
  decompression?: { isDone: boolean } | undefined
  /** Memory reserved for the decompressed batch; undefined if the batch may not be decoded yet. */
  reservedBytes?: number | undefined
  /** The lease of the memory that contains the batch, if this memory is reused. */
  readonly lease: Lease | undefined
}

/** Consecutive decoded messages of one partition: what is being delivered. */
export interface DecodedChunk<State> {
  readonly state: State
  /** Shortened only if it turns out that the log has lost the rest of them. */
  readonly messages: Message[]
  /** The number of messages that have been delivered. */
  index: number
  /** The position before the first message, and after the last. */
  start: number
  end: number
  /** The leader epoch of the last message's batch; −1 if it is not known. */
  readonly leaderEpoch: number
  /** The last delivery was the whole chunk, rather than one message. */
  isWhole: boolean
  /** The memory of its decompressed batches. */
  readonly decompressedBytes: number
  /** The application is processing the last delivery, and did not get it by `run`. */
  isInProcess: boolean
  /** The application has read the signal that interrupts its work on the batch. */
  isInterruptible: boolean
  /**
   * What has the memory of batches that end in the chunk, if memory is reused: the leases of their responses, and the
   * batches themselves, which have decompressed records. They are released when the application has finished with its
   * messages.
   */
  readonly leases: readonly Releasable[]
}

type Releasable = Pick<Lease | MessageBatch, 'release'>

/** Smaller batches are delivered together, up to this number of messages unless the reader has another limit. */
export const JOINED_MESSAGES = 500
/** Larger batches are delivered in parts: decoding this number of messages takes the event loop a millisecond. */
const MOST_MESSAGES = 10_000

const NOTHING: MessageSlice = { messages: [], isLast: true }

/** True if the next batch is delivered together with this number of earlier messages. */
function isJoined(next: Queued, messages: number, most: number): boolean {
  return (
    next.kind === 'batch' &&
    messages + next.batch.count <= most &&
    (next.decompression?.isDone ?? !next.batch.isInflatedElsewhere)
  )
}

/** The parts of a partition that its buffer needs. */
interface Buffered extends TopicPartition {
  /** Nothing from this offset on is delivered. */
  readonly endOffset: number
}

/**
 * Data of a partition that has arrived and is not completely delivered: the batches as they came, and the chunk that is
 * being delivered. The position is the application's: after the delivered messages and before the buffered ones.
 *
 * Only its own methods change it, except for `chunk.index`, which the reader advances for each message.
 */
export class PartitionBuffer<State extends Buffered> {
  readonly #state: State
  readonly #queue: Queued[] = []
  #bytes = 0
  #messages = 0
  #decompressedBytes = 0
  #isStopped = false
  #chunk: DecodedChunk<State> | undefined
  #error: Error | undefined
  #position = 0
  #positionEpoch = -1
  #held: number | undefined
  /** The count of released chunks; the messages of the current one are added on access. */
  #delivered = 0
  /** The timestamp of the last message of the last chunk that was delivered to its end. */
  #heldTimestamp: number | undefined

  constructor(state: State) {
    this.#state = state
  }

  get queue(): readonly Queued[] {
    return this.#queue
  }

  /** The bytes of the queued batches, as they arrived. */
  get bytes(): number {
    return this.#bytes
  }

  get messages(): number {
    return this.#messages
  }

  /** The memory of its decompressed batches, in the queue and in the chunk. */
  get decompressedBytes(): number {
    return this.#decompressedBytes
  }

  /** An error is queued or was thrown: nothing more is fetched. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** The chunk that is being delivered. */
  get chunk(): DecodedChunk<State> | undefined {
    return this.#chunk
  }

  /** The error that ended the partition, once it was thrown; the position stays. */
  get error(): Error | undefined {
    return this.#error
  }

  /** True if nothing is available. */
  get isEmpty(): boolean {
    return this.#chunk === undefined && this.#queue.length === 0
  }

  /** The offset of the next message to deliver. */
  get position(): number {
    const chunk = this.#chunk
    if (chunk === undefined || chunk.index === 0) return this.#position
    const last = chunk.index === chunk.messages.length ? undefined : chunk.messages[chunk.index - 1]
    return last === undefined ? chunk.end : last.offset + 1
  }

  /** The leader epoch of the last message before the position, to be committed with it. */
  get positionEpoch(): number {
    const chunk = this.#chunk
    return chunk === undefined || chunk.index === 0 ? this.#positionEpoch : chunk.leaderEpoch
  }

  /** Like the position, but before the last delivery while the application `isAtWork` on it. */
  finished(isAtWork: boolean): number {
    const chunk = this.#chunk
    if (chunk === undefined || chunk.index === 0) return this.#position
    if (!chunk.isInProcess && !isAtWork) return this.position
    if (chunk.isWhole) return chunk.start
    return chunk.messages[chunk.index - 1]!.offset
  }

  /** The offset of the last message that was delivered. */
  get held(): number | undefined {
    const chunk = this.#chunk
    return chunk === undefined || chunk.index === 0
      ? this.#held
      : chunk.messages[chunk.index - 1]!.offset
  }

  /** The number of delivered messages. */
  get delivered(): number {
    return this.#delivered + (this.#chunk?.index ?? 0)
  }

  /**
   * The timestamp of the next message: its own if it is decoded, otherwise the first of its batch, otherwise that of
   * the last delivered message. Undefined if nothing was read yet.
   */
  get nextTimestamp(): number | undefined {
    const chunk = this.#chunk
    const next = chunk?.messages[chunk.index]
    if (next !== undefined) return next.nearTimestamp
    const queued = this.#queue.find((one) => one.kind === 'batch')
    if (queued !== undefined) return queued.batch.baseTimestamp
    const last = chunk?.messages[chunk.index - 1]
    return last?.nearTimestamp ?? this.#heldTimestamp
  }

  /** Continues at another offset: drops everything, and forgets an error. */
  moveTo(offset: number, leaderEpoch: number): void {
    this.#held = this.held
    this.#heldTimestamp = undefined
    this.drop()
    this.#dropChunk()
    this.#error = undefined
    this.#position = offset
    this.#positionEpoch = leaderEpoch
  }

  /** The log was truncated after the position. Returns the end of what is left of the chunk. */
  truncate(truncatedAt: number): { readonly offset: number; readonly leaderEpoch: number } {
    this.drop()
    const { position } = this
    const chunk = this.#chunk
    if (chunk !== undefined && truncatedAt < chunk.end) {
      chunk.messages.length = chunk.index
      chunk.end = position
      if (chunk.index === 0) this.#dropChunk()
    }
    return {
      offset: this.#chunk?.end ?? this.#position,
      leaderEpoch: this.#chunk?.leaderEpoch ?? this.#positionEpoch,
    }
  }

  drop(): void {
    for (const queued of this.#queue) {
      if (queued.kind !== 'batch') continue
      queued.decompression = undefined
      this.#release(queued)
    }
    this.#queue.length = 0
    this.#bytes = 0
    this.#messages = 0
    this.#isStopped = false
  }

  /** Stops delivering and fetching until the partition is moved. */
  stop(error: Error): void {
    this.#error = error
    this.#isStopped = true
  }

  enqueue(queued: Queued): void {
    this.#queue.push(queued)
    if (queued.kind === 'error') this.#isStopped = true
    if (queued.kind === 'batch') {
      this.#bytes += queued.batch.sizeBytes
      this.#messages += queued.batch.count
    }
  }

  /** Reserves memory for a queued batch. */
  reserve(queued: FetchedBatch, bytes: number): void {
    queued.reservedBytes = bytes
    this.#decompressedBytes += bytes
  }

  /** A queued batch was decompressed: it may have used less memory than was reserved. */
  settle(queued: FetchedBatch): void {
    // Nothing is reserved for a batch that is not compressed: most batches end here.
    if ((queued.reservedBytes ?? 0) === 0) return
    const { inflatedBytes } = queued.batch
    if (inflatedBytes === 0) return
    this.#release(queued)
    this.reserve(queued, inflatedBytes)
  }

  /** Drops what was decompressed ahead, except for batches that are already being decoded. */
  releaseQueued(): void {
    for (const queued of this.#queue) {
      if (queued.kind !== 'batch' || queued.reservedBytes === undefined) continue
      if (!queued.batch.dropInflated()) continue
      queued.decompression = undefined
      this.#release(queued)
    }
  }

  #release(queued: FetchedBatch): void {
    this.#decompressedBytes -= queued.reservedBytes ?? 0
    queued.reservedBytes = undefined
  }

  #dropChunk(): void {
    this.#decompressedBytes -= this.#chunk?.decompressedBytes ?? 0
    this.#delivered += this.#chunk?.index ?? 0
    this.#chunk = undefined
  }

  /** Releases the chunk after all of it was delivered. */
  finishChunk(): void {
    const chunk = this.#chunk
    if (chunk === undefined) return
    const last = chunk.messages[chunk.messages.length - 1]
    if (last !== undefined) {
      this.#held = last.offset
      this.#heldTimestamp = last.nearTimestamp
    }
    this.#position = chunk.end
    this.#positionEpoch = chunk.leaderEpoch
    this.#dropChunk()
  }

  /**
   * Decodes the next chunk. The chunk has no messages if its batch has none for the application, and for a jump.
   * Returns undefined if nothing is queued, or if the next batch needs more memory than was reserved. Throws a queued
   * error; CorruptBatchError for damage that only decoding finds, unless `isSkipped` says to continue after it; and
   * CompressionUnavailableError. These errors end the partition, and the position stays. `mayDecode` reserves memory
   * for another batch. Batches are joined up to `mostJoined` messages.
   */
  nextChunk(
    isSkipped: (error: CorruptBatchError) => boolean,
    mayDecode: (queued: Queued) => boolean,
    mostJoined = JOINED_MESSAGES,
  ): DecodedChunk<State> | undefined {
    let messages: Message[] = []
    const leases: Releasable[] = []
    let end = this.#position
    let leaderEpoch = -1
    let isFirst = true
    let decompressedBytes = 0
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (!isFirst && !(isJoined(next, messages.length, mostJoined) && mayDecode(next))) break
      if (next.kind === 'error') {
        this.#queue.shift()
        this.#error = next.error
        throw next.error
      }
      if (next.kind === 'jump') {
        this.#queue.shift()
        end = next.to
        isFirst = false
        break
      }
      const { batch } = next
      let slice: MessageSlice | undefined = NOTHING
      try {
        if (!next.isLeftOut) slice = batch.nextMessages(MOST_MESSAGES)
      } catch (error) {
        slice = this.#undecoded(batch, error, isFirst, isSkipped)
      }
      if (slice === undefined) break
      this.settle(next)
      const last = slice.messages[slice.messages.length - 1]
      end = slice.isLast || last === undefined ? batch.lastOffset + 1 : last.offset + 1
      leaderEpoch = batch.leaderEpoch
      const wanted = this.#wanted(slice.messages, next.from, batch)
      if (messages.length === 0) messages = wanted
      else for (const message of wanted) messages.push(message)
      isFirst = false
      if (!slice.isLast) break
      decompressedBytes += next.reservedBytes ?? 0
      this.#dequeue(next)
      if (next.lease !== undefined) {
        leases.push(next.lease)
        if (batch.compression !== 'none') leases.push(batch)
      }
    }
    if (isFirst) return undefined
    this.#chunk = {
      state: this.#state,
      messages,
      index: 0,
      start: this.#position,
      end,
      leaderEpoch,
      isWhole: false,
      decompressedBytes,
      isInProcess: false,
      isInterruptible: false,
      leases,
    }
    return this.#chunk
  }

  /**
   * A batch could not be decoded. Returns undefined if the chunk ends before it, and no messages if its damage is
   * skipped; otherwise the error ends the partition.
   */
  #undecoded(
    { baseOffset }: MessageBatch,
    error: unknown,
    isFirst: boolean,
    isSkipped: (error: CorruptBatchError) => boolean,
  ): MessageSlice | undefined {
    if (error instanceof UnderstatedSizeError) {
      this.releaseQueued()
      return undefined
    }
    if (!isFirst) return undefined
    const { topic, partition } = this.#state
    if (error instanceof CodecUnavailableError) {
      const unavailable = new CompressionUnavailableError(error, { topic, partition })
      this.drop()
      this.stop(unavailable)
      throw unavailable
    }
    const damage = new CorruptBatchError(topic, partition, baseOffset, asError(error))
    if (isSkipped(damage)) return NOTHING
    this.drop()
    this.stop(damage)
    throw damage
  }

  #dequeue(queued: FetchedBatch): void {
    this.#queue.shift()
    this.#bytes -= queued.batch.sizeBytes
    this.#messages -= queued.batch.count
  }

  /** Returns the messages from the requested offset on and before the end. */
  #wanted(messages: Message[], from: number, { magic, lastOffset }: MessageBatch): Message[] {
    const { endOffset } = this.#state
    const first = messages[0]
    const last = messages[messages.length - 1]
    if (first === undefined || last === undefined) return messages
    // Decoding checks the offsets of v2 batches; those of older formats are checked only here.
    if (magic < 2) {
      return messages.filter(
        ({ offset }) => offset >= from && offset <= lastOffset && offset < endOffset,
      )
    }
    if (first.offset >= from && last.offset < endOffset) return messages
    return messages.filter(({ offset }) => offset >= from && offset < endOffset)
  }
}
