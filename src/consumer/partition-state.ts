import { setMaxListeners } from 'node:events'
import type { Message } from '../../protocol/records/message.ts'
import { CodecUnavailableError } from '../../protocol/compression/index.ts'
import {
  UnderstatedSizeError,
  type MessageBatch,
  type MessageSlice,
} from '../../protocol/records/message-batch.ts'
import { CompressionUnavailableError, CorruptBatchError, type KafkaError } from '../errors.ts'
import type { Lease } from './fetch/lease.ts'
import { nameOf, type TopicPartition } from './topic-partition.ts'

/** What has arrived of a partition and was not looked into yet, in the order in which it is handed over. */
export type Queued = QueuedBatch | QueuedJump | { readonly kind: 'error'; readonly error: Error }

/**
 * The partition goes on at another offset: retention overtook the position, or a damaged batch is skipped. The
 * position moves when the messages queued before the jump have been handed over, not when the fetch offset does.
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

/** Messages of one partition that follow each other, decoded: what is being handed over. */
export interface Chunk {
  readonly state: PartitionState
  /** Cut short only where the log turns out to have lost the rest of them. */
  readonly messages: Message[]
  /** How many of them have been handed over. */
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
  /** The application is at work on what was given out last, and did not ask for it by `run`. */
  isInProcess: boolean
  /** It has asked for the signal that interrupts its work on the batch. */
  isInterruptible: boolean
  /** Of batches that end in it: to be let go of once the application is done with its messages. */
  readonly leases: readonly Lease[]
}

/** Batches that are smaller are handed over together, up to so many messages. */
const JOINED_MESSAGES = 500
/** Larger ones in parts: decoding that many takes the event loop a millisecond. */
const MOST_MESSAGES = 10_000

const NOTHING: MessageSlice = { messages: [], isLast: true }

/** Whether it is handed over with so many messages that come before it. */
function isJoined(next: Queued, messages: number): boolean {
  return (
    next.kind === 'batch' &&
    messages + next.batch.count <= JOINED_MESSAGES &&
    (next.decompression?.isDone ?? !next.batch.isInflatedElsewhere)
  )
}

/** Where a position is on its way to being one that can be fetched from. */
export type Preparation = 'none' | 'starting' | 'resetting' | 'validating' | 'finding-end'

/** Responses in a row that deny the partition. */
export interface UnknownResponses {
  readonly count: number
  /** When the first of them came, by `performance.now()`. */
  readonly since: number
}

/**
 * A partition as it is being read. Its offsets, in order: what was given to the application ends at
 * `position`, what is decoded or queued at `fetchOffset`.
 */
export class PartitionState implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** `topic-partition`. */
  readonly name: string
  /** False once it was given up: what is still under way for it is thrown away. */
  isAssigned = true
  isPaused = false
  /** The same, by whoever assigned it rather than by the application. */
  isHeld = false
  /** A reader of its own has it (run): it is not in the ring until that lets go. */
  isClaimed = false
  /** A handler is at work on it: resolves when it has finished. */
  handling: Promise<void> | undefined
  /** What its reader has begun and not finished, where that is more than the last message. */
  firstUnfinished: (() => number | undefined) | undefined
  /** How often handlers threw for a message, by its offset. */
  readonly failedAttempts = new Map<number, number>()
  #ending: AbortController | undefined
  #ended: KafkaError | undefined

  // Fetching
  preparation: Preparation = 'starting'
  /** What the next fetch asks for. */
  fetchOffset = 0
  /** Grows with every jump: what was asked for before one is not taken after it. */
  jumps = 0
  /** Grows when the position is moved: what was handed over before is not worked on after it. */
  moves = 0
  /** Of the last batch before `fetchOffset`; −1 where it is not known. */
  fetchEpoch = -1
  /** The leader's epoch with which `fetchOffset` was last known to be in the log; −1 for none. */
  validEpoch = -1
  /** The topic's when it was assigned: a topic of the same name with another is another topic. */
  topicId: string | undefined
  /** Why its positions mean nothing any more, nor are committed: the topic was deleted, or created again. */
  lostTopic: KafkaError | undefined
  /** A replica that the leader said is closer (KIP-392), until a time. */
  preferredReplica = -1
  preferredUntil = 0
  /** How much to ask for: grows where one batch is larger and the broker cuts it off. */
  maxBytes: number
  isFetching = false
  /** The application waits for what comes first from a new position: a long poll that leaves it out is cut short. */
  isUrgent = false
  /** Not to be fetched before this time: the wait after a failure. */
  notBefore = 0
  /** Attempts in a row that failed, for whatever reason: the wait before the next one grows with them. */
  failures = 0
  /** Of responses only: an attempt that gets none says nothing about the topic. */
  unknown: UnknownResponses | undefined
  /** Fetches in a row that brought no batch behind `fetchOffset`, although there were records in the response. */
  fruitless = 0
  highWatermark = -1
  lastStableOffset = -1

  // Buffered
  readonly queue: Queued[] = []
  bufferedBytes = 0
  bufferedMessages = 0
  /** Memory that its batches take decompressed, queued and handed over. */
  decompressedBytes = 0
  /** Set when an error is queued or was thrown: nothing more is fetched. */
  isStopped = false

  // Handing over
  chunk: Chunk | undefined
  /** What ended it, once that was thrown; the position stays. */
  error: Error | undefined
  /** What was last committed, by this consumer or before it. */
  committed: number | undefined
  /** Where to stop, for a consumer that stops at the end. */
  endOffset = Infinity
  /** It starts beyond `endOffset`, and no fetch has said yet whether such an offset exists. */
  isBeyondEnd = false
  #position = 0
  #positionEpoch = -1
  #held: number | undefined

  constructor({ topic, partition }: TopicPartition, maxBytes: number) {
    this.topic = topic
    this.partition = partition
    this.name = nameOf({ topic, partition })
    this.maxBytes = maxBytes
  }

  /** Aborted by `end`. Made when it is first asked for, as few handlers look at it. */
  get signal(): AbortSignal {
    if (this.#ending === undefined) {
      this.#ending = new AbortController()
      // Each handler that waits has a listener on it.
      setMaxListeners(0, this.#ending.signal)
      if (this.#ended !== undefined) this.#ending.abort(this.#ended)
    }
    return this.#ending.signal
  }

  /** Tells who works on messages of it that it is being taken away, and why. The first reason counts. */
  end(reason: KafkaError): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#ending?.abort(reason)
  }

  /** Whether `error` is the reason that it was ended with. */
  isEndedBy(error: unknown): boolean {
    return this.#ended !== undefined && error === this.#ended
  }

  /** The offset of the next message that is handed over: behind what was, before what is only queued. */
  get position(): number {
    const { chunk } = this
    if (chunk === undefined || chunk.index === 0) return this.#position
    const last = chunk.index === chunk.messages.length ? undefined : chunk.messages[chunk.index - 1]
    return last === undefined ? chunk.end : last.offset + 1
  }

  /** The leader epoch of what is before the position, to be committed with it. */
  get positionEpoch(): number {
    const { chunk } = this
    return chunk === undefined || chunk.index === 0 ? this.#positionEpoch : chunk.leaderEpoch
  }

  /** Like the position, but before the message or batch that the application is at work on. */
  get finished(): number {
    const unfinished = this.firstUnfinished?.()
    if (unfinished !== undefined) return unfinished
    const { chunk } = this
    if (chunk === undefined || chunk.index === 0) return this.#position
    if (!chunk.isInProcess && this.handling === undefined) return this.position
    if (chunk.isWhole) return chunk.start
    return chunk.messages[chunk.index - 1]!.offset
  }

  /** The offset of the last message that was handed over. */
  get held(): number | undefined {
    const { chunk } = this
    return chunk === undefined || chunk.index === 0
      ? this.#held
      : chunk.messages[chunk.index - 1]!.offset
  }

  get isAtEnd(): boolean {
    return !this.isBeyondEnd && this.position >= this.endOffset
  }

  /** Whether nothing of it is at hand. */
  get isEmpty(): boolean {
    return this.chunk === undefined && this.queue.length === 0
  }

  /** Whether anything of it is to be handed over. */
  get isHandedOver(): boolean {
    return this.isAssigned && !this.isPaused && !this.isHeld
  }

  /** Whether the application can be given something of it right now. */
  get isReady(): boolean {
    return (
      this.isHandedOver &&
      this.error === undefined &&
      !this.isClaimed &&
      (this.chunk !== undefined || this.queue.length > 0)
    )
  }

  /** Goes on elsewhere: what is buffered is dropped, an error forgotten. */
  moveTo(offset: number, leaderEpoch = -1): void {
    this.moves++
    this.#held = this.held
    this.dropBuffered()
    this.#dropChunk()
    this.error = undefined
    this.fetchFrom(offset, leaderEpoch)
    this.#position = offset
    this.#positionEpoch = leaderEpoch
    this.failures = 0
    this.unknown = undefined
    this.fruitless = 0
    this.notBefore = 0
    this.isBeyondEnd = false
    this.lostTopic = undefined
    this.isUrgent = true
  }

  /** Fetches from there on, and moves the position there once what is queued has been handed over. */
  jumpTo(offset: number): void {
    this.isBeyondEnd = false
    this.fetchFrom(offset)
    this.enqueue({ kind: 'jump', to: offset })
  }

  /** Fetches from there on; what is buffered stays. What was asked for before is thrown away when it comes. */
  fetchFrom(offset: number, leaderEpoch = -1): void {
    this.jumps++
    this.isFetching = false
    this.fetchOffset = offset
    this.fetchEpoch = leaderEpoch
    this.validEpoch = -1
    this.preparation = 'none'
  }

  /** The log was truncated behind the position: fetches again what is queued, or decoded and not in the log. */
  refetch(truncatedAt: number): void {
    this.dropBuffered()
    const { chunk, position } = this
    if (chunk !== undefined && truncatedAt < chunk.end) {
      chunk.messages.length = chunk.index
      chunk.end = position
      if (chunk.index === 0) this.#dropChunk()
    }
    this.fetchFrom(
      this.chunk?.end ?? this.#position,
      this.chunk?.leaderEpoch ?? this.#positionEpoch,
    )
  }

  dropBuffered(): void {
    for (const queued of this.queue) {
      if (queued.kind !== 'batch') continue
      queued.decompression = undefined
      this.#release(queued)
    }
    this.queue.length = 0
    this.bufferedBytes = 0
    this.bufferedMessages = 0
    this.isStopped = false
  }

  /** Hands over and fetches nothing more, until it is moved elsewhere. */
  stop(error: Error): void {
    this.error = error
    this.isStopped = true
  }

  enqueue(queued: Queued): void {
    this.queue.push(queued)
    if (queued.kind === 'error') this.isStopped = true
    if (queued.kind === 'batch') {
      this.bufferedBytes += queued.batch.sizeBytes
      this.bufferedMessages += queued.batch.count
    }
  }

  /** Sets memory aside for a queued batch. */
  reserve(queued: QueuedBatch, bytes: number): void {
    queued.reservedBytes = bytes
    this.decompressedBytes += bytes
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
    for (const queued of this.queue) {
      if (queued.kind !== 'batch' || queued.reservedBytes === undefined) continue
      if (!queued.batch.dropInflated()) continue
      queued.decompression = undefined
      this.#release(queued)
    }
  }

  #release(queued: QueuedBatch): void {
    this.decompressedBytes -= queued.reservedBytes ?? 0
    queued.reservedBytes = undefined
  }

  #dropChunk(): void {
    this.decompressedBytes -= this.chunk?.decompressedBytes ?? 0
    this.chunk = undefined
  }

  /** Lets go of the chunk that was handed over to the end. */
  finishChunk(): void {
    const { chunk } = this
    if (chunk === undefined) return
    const last = chunk.messages[chunk.messages.length - 1]
    if (last !== undefined) this.#held = last.offset
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
  ): Chunk | undefined {
    let messages: Message[] = []
    const leases: Lease[] = []
    let end = this.#position
    let leaderEpoch = -1
    let isFirst = true
    let decompressedBytes = 0
    for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
      if (!isFirst && !(isJoined(next, messages.length) && mayDecode(next))) break
      if (next.kind === 'error') {
        this.queue.shift()
        this.error = next.error
        throw next.error
      }
      if (next.kind === 'jump') {
        this.queue.shift()
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
        const { topic, partition } = this
        if (error instanceof CodecUnavailableError) {
          this.dropBuffered()
          const unavailable = new CompressionUnavailableError(error, { topic, partition })
          this.stop(unavailable)
          throw unavailable
        }
        const damage = new CorruptBatchError(topic, partition, batch.baseOffset, error as Error)
        if (!isSkipped(damage)) {
          this.dropBuffered()
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
    this.chunk = {
      state: this,
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
    return this.chunk
  }

  #dequeue(queued: QueuedBatch): void {
    this.queue.shift()
    this.bufferedBytes -= queued.batch.sizeBytes
    this.bufferedMessages -= queued.batch.count
  }

  /** Those from the offset on that was asked for, and before the end. */
  #wanted(messages: Message[], from: number, { magic, lastOffset }: MessageBatch): Message[] {
    const first = messages[0]
    const last = messages[messages.length - 1]
    if (first === undefined || last === undefined) return messages
    // Offsets of batches v2 are checked when they are decoded; those of older formats only here.
    if (magic < 2) {
      return messages.filter(
        ({ offset }) => offset >= from && offset <= lastOffset && offset < this.endOffset,
      )
    }
    if (first.offset >= from && last.offset < this.endOffset) return messages
    return messages.filter(({ offset }) => offset >= from && offset < this.endOffset)
  }
}
