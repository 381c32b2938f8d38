import { setMaxListeners } from 'node:events'
import type { KafkaError } from '../errors.ts'
import { FetchPosition } from './fetch/fetch-position.ts'
import { PartitionBuffer, type DecodedChunk } from './partition-buffer.ts'
import { nameOf, type TopicPartition } from './topic-partition.ts'

/** Consecutive decoded messages of one partition: what is being delivered. */
export type Chunk = DecodedChunk<PartitionState>

/**
 * A partition that is being read. Its offsets, in order: delivered messages end at `position`, decoded and
 * queued ones at `fetch.offset`.
 *
 * What is allowed in each state:
 *
 *   flag         set by                      fetched   delivered to loops   to the handlers of `run`
 *   (none)                                   yes       yes                  yes
 *   isClaimed    `run`, for its handler      yes       no                   yes
 *   isPaused     the application             no        no                   no
 *   isHeld       the group, in a rebalance   no        no                   no
 *   !isAssigned  giving it up: permanent     no        no                   no
 *
 * Flags may be set in any combination, and each one forbids what its row says. In addition the buffer stops with an
 * error, and `fetch.phase` decides if the position can be fetched.
 */
export class PartitionState implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** `topic-partition`. */
  readonly name: string
  /** Written by fetch/, and by the moves below. */
  readonly fetch: FetchPosition
  /** Filled by fetch/, emptied by the inbox. */
  readonly buffer: PartitionBuffer<PartitionState>

  // The assignment: written by AssignedConsumer
  isAssigned = true
  isPaused = false
  isHeld = false
  /**
   * The id of the topic when the partition was assigned: a topic of the same name with another id is another topic.
   */
  topicId: string | undefined
  /** The last committed offset, by this consumer or before it. */
  committed: number | undefined
  /** The offset to stop at, for a consumer that stops at the end. */
  endOffset = Infinity
  /** The partition starts beyond `endOffset`, and no fetch has shown yet if such an offset exists. */
  isBeyondEnd = false
  /**
   * The reason why its positions are no longer valid and are not committed: the topic was deleted, or created again.
   */
  lostTopic: KafkaError | undefined

  // The work of handlers: written by `run`
  isClaimed = false
  /** Set while a handler is processing the partition. Resolves when the handler has finished. */
  handling: Promise<void> | undefined
  /**
   * Returns the first offset that the partition's reader has begun and not finished; set if this is more than the
   * last message.
   */
  firstUnfinished: (() => number | undefined) | undefined
  /** How often handlers threw for a message, by offset. */
  readonly failedAttempts = new Map<number, number>()

  #ending: AbortController | undefined
  #ended: KafkaError | undefined
  #moves = 0

  constructor({ topic, partition }: TopicPartition, maxBytes: number) {
    this.topic = topic
    this.partition = partition
    this.name = nameOf({ topic, partition })
    this.fetch = new FetchPosition(maxBytes)
    this.buffer = new PartitionBuffer<PartitionState>(this)
  }

  /** Grows when the position is moved: messages that were delivered before a move are not processed after it. */
  get moves(): number {
    return this.#moves
  }

  /** Aborted by `end`. It is created at the first access, because few handlers read it. */
  get signal(): AbortSignal {
    if (this.#ending === undefined) {
      this.#ending = new AbortController()
      // Each waiting handler adds a listener to it.
      setMaxListeners(0, this.#ending.signal)
      if (this.#ended !== undefined) this.#ending.abort(this.#ended)
    }
    return this.#ending.signal
  }

  /** Aborts the signals of the handlers of its messages with the reason. The first reason counts. */
  end(reason: KafkaError): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#ending?.abort(reason)
  }

  /** True if `error` is the reason that `end` was called with. */
  isEndedBy(error: unknown): boolean {
    return this.#ended !== undefined && error === this.#ended
  }

  /** The offset of the next message to deliver. */
  get position(): number {
    return this.buffer.position
  }

  /** Like the position, but before the message or batch that the application is processing. */
  get finished(): number {
    return this.firstUnfinished?.() ?? this.buffer.finished(this.handling !== undefined)
  }

  get isAtEnd(): boolean {
    return !this.isBeyondEnd && this.position >= this.endOffset
  }

  /** True if the partition may be fetched and delivered. */
  get isDeliverable(): boolean {
    return this.isAssigned && !this.isPaused && !this.isHeld
  }

  /** True if something of it can be delivered to the application right now. */
  get isReady(): boolean {
    const { buffer } = this
    return this.isDeliverable && buffer.error === undefined && !this.isClaimed && !buffer.isEmpty
  }

  /** Continues at another offset: drops the buffer, and forgets an error. */
  moveTo(offset: number, leaderEpoch = -1): void {
    this.#moves++
    this.buffer.moveTo(offset, leaderEpoch)
    this.fetch.startAt(offset, leaderEpoch)
    this.isBeyondEnd = false
    this.lostTopic = undefined
  }

  /** Fetches from this offset on, and moves the position there after the queued messages have been delivered. */
  jumpTo(offset: number): void {
    this.isBeyondEnd = false
    this.fetch.moveTo(offset)
    this.buffer.enqueue({ kind: 'jump', to: offset })
  }

  /**
   * The log was truncated after the position: fetches again what is queued, and what is decoded but no longer in the
   * log.
   */
  refetch(truncatedAt: number): void {
    const { offset, leaderEpoch } = this.buffer.truncate(truncatedAt)
    this.fetch.moveTo(offset, leaderEpoch)
  }
}
