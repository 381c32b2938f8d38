import type { Message } from '../../protocol/records/message.ts'
import { CodecUnavailableError } from '../../protocol/compression/index.ts'
import {
  UnderstatedSizeError,
  type MessageBatch,
  type MessageSlice,
} from '../../protocol/records/message-batch.ts'
import { CompressionUnavailableError, CorruptBatchError } from '../errors.ts'
import type { Lease } from './fetch/lease.ts'
import type { TopicPartition } from './topic-partition.ts'

/** What has arrived of a partition and was not looked into yet, in the order in which it is delivered. */
export type Queued = QueuedBatch | QueuedJump | { readonly kind: 'error'; readonly error: Error }

/**
 * The partition goes on at another offset: retention overtook the position, or a damaged batch is skipped. The
 * position moves when the messages queued before the jump have been delivered, not when the fetch offset does.
 */
export interface QueuedJump {
  readonly kind: 'jump'
  readonly to: number
}

export interface QueuedBatch {
  readonly kind: 'batch'
  readonly batch: MessageBatch
  /** The offset that was asked for: a batch may begin before it. */
  readonly from: number
  /** A marker, or of a transaction that was aborted: nothing of it is the application's. */
  readonly isLeftOut: boolean
  /** Of one that is decompressed on another thread. */
  decompression?: { isDone: boolean } | undefined
  /** Memory that is set aside for it decompressed; undefined where it is not to be decoded yet. */
  reservedBytes?: number | undefined
  /** Of the memory that it lies in, where that is used again. */
  readonly lease: Lease | undefined
}

/** Messages of one partition that follow each other, decoded: what is being delivered. */
export interface DecodedChunk<State> {
  readonly state: State
  /** Cut short only where the log turns out to have lost the rest of them. */
  readonly messages: Message[]
  /** How many of them have been delivered. */
  index: number
  /** The position before the first one, and behind the last. */
  start: number
  end: number
  /** The leader epoch of the last one's batch, −1 where it is not known. */
  readonly leaderEpoch: number
  /** What was given out last is the whole of it, rather than one message. */
  isWhole: boolean
  /** Memory that its batches take decompressed. */
  readonly decompressedBytes: number
  /** The application is processing what was given out last, and did not ask for it by `run`. */
  isInProcess: boolean
  /** It has asked for the signal that interrupts its work on the batch. */
  isInterruptible: boolean
  /** Of batches that end in it: to be released once the application is done with its messages. */
  readonly leases: readonly Lease[]
}

/** Batches that are smaller are delivered together, up to this many messages. */
const JOINED_MESSAGES = 500
/** Larger ones in parts: decoding that many takes the event loop a millisecond. */
const MOST_MESSAGES = 10_000

const NOTHING: MessageSlice = { messages: [], isLast: true }

/** Whether a reader receives it after this number of earlier messages. */
function isJoined(next: Queued, messages: number): boolean {
  return (
    next.kind === 'batch' &&
    messages + next.batch.count <= JOINED_MESSAGES &&
    (next.decompression?.isDone ?? !next.batch.isInflatedElsewhere)
  )
}

/** What a buffer needs of the partition that it belongs to. */
interface Buffered extends TopicPartition {
  /** Nothing from this offset on is delivered. */
  readonly endOffset: number
}

/**
 * What has arrived of a partition and was not delivered to the end: batches as they came, and the chunk that is being
 * delivered. The position is where the application is, behind what was delivered and before what is only buffered.
 *
 * Only its own methods change it, but for `chunk.index`, which the reader advances for each message.
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
  /** Of chunks that are released: those of the current one are added when it is asked for. */
  #delivered = 0
  /** The timestamp of the last message that was delivered to the end of its chunk. */
  #heldTimestamp: number | undefined

  constructor(state: State) {
    this.#state = state
  }

  get queue(): readonly Queued[] {
    return this.#queue
  }

  /** Of the batches in the queue, as they arrived. */
  get bytes(): number {
    return this.#bytes
  }

  get messages(): number {
    return this.#messages
  }

  /** Memory that its batches take decompressed, queued and in the chunk. */
  get decompressedBytes(): number {
    return this.#decompressedBytes
  }

  /** An error is queued or was thrown: nothing more is fetched. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** What is being delivered. */
  get chunk(): DecodedChunk<State> | undefined {
    return this.#chunk
  }

  /** What ended the partition, once that was thrown; the position stays. */
  get error(): Error | undefined {
    return this.#error
  }

  /** Whether nothing is available. */
  get isEmpty(): boolean {
    return this.#chunk === undefined && this.#queue.length === 0
  }

  /** The offset of the next message that is delivered. */
  get position(): number {
    const chunk = this.#chunk
    if (chunk === undefined || chunk.index === 0) return this.#position
    const last = chunk.index === chunk.messages.length ? undefined : chunk.messages[chunk.index - 1]
    return last === undefined ? chunk.end : last.offset + 1
  }

  /** The leader epoch of what is before the position, to be committed with it. */
  get positionEpoch(): number {
    const chunk = this.#chunk
    return chunk === undefined || chunk.index === 0 ? this.#positionEpoch : chunk.leaderEpoch
  }

  /** Like the position, but before what was delivered last while the application `isAtWork` on it. */
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

  /** How many messages were delivered. */
  get delivered(): number {
    return this.#delivered + (this.#chunk?.index ?? 0)
  }

  /**
   * The timestamp of the next message: its own where it is decoded, else the first of its batch, else that of the last
   * message that was delivered. Undefined where nothing was read yet.
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

  /** Continues elsewhere: drops everything, and forgets an error. */
  moveTo(offset: number, leaderEpoch: number): void {
    this.#held = this.held
    this.#heldTimestamp = undefined
    this.drop()
    this.#dropChunk()
    this.#error = undefined
    this.#position = offset
    this.#positionEpoch = leaderEpoch
  }

  /** The log was truncated behind the position. Returns where what is left of the chunk ends. */
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

  /** Delivers and fetches nothing more, until it is moved elsewhere. */
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

  /** Sets memory aside for a queued batch. */
  reserve(queued: QueuedBatch, bytes: number): void {
    queued.reservedBytes = bytes
    this.#decompressedBytes += bytes
  }

  /** A queued batch was decompressed: it may have taken less than was set aside. */
  settle(queued: QueuedBatch): void {
    const { inflatedBytes } = queued.batch
    if (inflatedBytes === 0 || queued.reservedBytes === undefined) return
    this.#release(queued)
    this.reserve(queued, inflatedBytes)
  }

  /** Drops what was decompressed ahead, but for what is being decoded already. */
  releaseQueued(): void {
    for (const queued of this.#queue) {
      if (queued.kind !== 'batch' || queued.reservedBytes === undefined) continue
      if (!queued.batch.dropInflated()) continue
      queued.decompression = undefined
      this.#release(queued)
    }
  }

  #release(queued: QueuedBatch): void {
    this.#decompressedBytes -= queued.reservedBytes ?? 0
    queued.reservedBytes = undefined
  }

  #dropChunk(): void {
    this.#decompressedBytes -= this.#chunk?.decompressedBytes ?? 0
    this.#delivered += this.#chunk?.index ?? 0
    this.#chunk = undefined
  }

  /** Releases the chunk that was delivered to the end. */
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
   * Decodes what comes next. The chunk has no messages where a batch has none for the application, and
   * for a jump; undefined where nothing is queued, or what is queued needs more memory than was set aside. Throws what is queued
   * as an error, and CorruptBatchError for damage that shows only now, unless `isSkipped` says to go on behind it, and
   * CompressionUnavailableError: these end the partition, and the position stays. `mayDecode` sets memory aside for
   * another batch.
   */
  nextChunk(
    isSkipped: (error: CorruptBatchError) => boolean,
    mayDecode: (queued: Queued) => boolean,
  ): DecodedChunk<State> | undefined {
    let messages: Message[] = []
    const leases: Lease[] = []
    let end = this.#position
    let leaderEpoch = -1
    let isFirst = true
    let decompressedBytes = 0
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (!isFirst && !(isJoined(next, messages.length) && mayDecode(next))) break
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
      let slice: MessageSlice = NOTHING
      try {
        if (!next.isLeftOut) slice = batch.nextMessages(MOST_MESSAGES)
      } catch (error) {
        if (error instanceof UnderstatedSizeError) {
          this.releaseQueued()
          break
        }
        if (!isFirst) break
        const { topic, partition } = this.#state
        if (error instanceof CodecUnavailableError) {
          this.drop()
          const unavailable = new CompressionUnavailableError(error, { topic, partition })
          this.stop(unavailable)
          throw unavailable
        }
        const damage = new CorruptBatchError(topic, partition, batch.baseOffset, error as Error)
        if (!isSkipped(damage)) {
          this.drop()
          this.stop(damage)
          throw damage
        }
      }
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
      if (next.lease !== undefined) leases.push(next.lease)
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

  #dequeue(queued: QueuedBatch): void {
    this.#queue.shift()
    this.#bytes -= queued.batch.sizeBytes
    this.#messages -= queued.batch.count
  }

  /** Those from the offset on that was asked for, and before the end. */
  #wanted(messages: Message[], from: number, { magic, lastOffset }: MessageBatch): Message[] {
    const { endOffset } = this.#state
    const first = messages[0]
    const last = messages[messages.length - 1]
    if (first === undefined || last === undefined) return messages
    // Offsets of batches v2 are checked when they are decoded; those of older formats only here.
    if (magic < 2) {
      return messages.filter(
        ({ offset }) => offset >= from && offset <= lastOffset && offset < endOffset,
      )
    }
    if (first.offset >= from && last.offset < endOffset) return messages
    return messages.filter(({ offset }) => offset >= from && offset < endOffset)
  }
}
