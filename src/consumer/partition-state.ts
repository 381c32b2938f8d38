import { setMaxListeners } from 'node:events'
import type { KafkaError } from '../errors.ts'
import { FetchPosition } from './fetch/fetch-position.ts'
import { PartitionBuffer, type DecodedChunk } from './partition-buffer.ts'
import { nameOf, type TopicPartition } from './topic-partition.ts'

/** Messages of one partition that follow each other, decoded: what is being delivered. */
export type Chunk = DecodedChunk<PartitionState>

/**
 * A partition as it is being read. Its offsets, in order: what was given to the application ends at
 * `position`, what is decoded or queued at `fetch.offset`.
 *
 * What is allowed in each state:
 *
 *   flag         set by                      fetched   delivered to loops   to the handlers of `run`
 *   (none)                                   yes       yes                  yes
 *   isClaimed    `run`, for its handler      yes       no                   yes
 *   isPaused     the application             no        no                   no
 *   isHeld       the group, in a rebalance   no        no                   no
 *   !isAssigned  giving it up, permanently      no        no                   no
 *
 * Flags may be set in any combination: what one of them forbids is forbidden. Beside them the buffer stops with an
 * error, and `fetch.phase` says whether the position can be fetched from.
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
  /** The topic's when it was assigned: a topic of the same name with another is another topic. */
  topicId: string | undefined
  /** What was last committed, by this consumer or before it. */
  committed: number | undefined
  /** Where to stop, for a consumer that stops at the end. */
  endOffset = Infinity
  /** It starts beyond `endOffset`, and no fetch has said yet whether such an offset exists. */
  isBeyondEnd = false
  /** Why its positions mean nothing any more, nor are committed: the topic was deleted, or created again. */
  lostTopic: KafkaError | undefined

  // The work of handlers: written by `run`
  isClaimed = false
  /** A handler is processing it: resolves when it has finished. */
  handling: Promise<void> | undefined
  /** What its reader has begun and not finished, where that is more than the last message. */
  firstUnfinished: (() => number | undefined) | undefined
  /** How often handlers threw for a message, by its offset. */
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

  /** Grows when the position is moved: what was delivered before is not worked on after it. */
  get moves(): number {
    return this.#moves
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

  /** Aborts the signals of handlers of its messages with the reason. The first reason counts. */
  end(reason: KafkaError): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#ending?.abort(reason)
  }

  /** Whether `error` is the reason that it was ended with. */
  isEndedBy(error: unknown): boolean {
    return this.#ended !== undefined && error === this.#ended
  }

  /** The offset of the next message that is delivered. */
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

  /** Whether anything of it is to be fetched and delivered. */
  get isDeliverable(): boolean {
    return this.isAssigned && !this.isPaused && !this.isHeld
  }

  /** Whether the application can be given something of it right now. */
  get isReady(): boolean {
    const { buffer } = this
    return this.isDeliverable && buffer.error === undefined && !this.isClaimed && !buffer.isEmpty
  }

  /** Goes on elsewhere: what is buffered is dropped, an error forgotten. */
  moveTo(offset: number, leaderEpoch = -1): void {
    this.#moves++
    this.buffer.moveTo(offset, leaderEpoch)
    this.fetch.startAt(offset, leaderEpoch)
    this.isBeyondEnd = false
    this.lostTopic = undefined
  }

  /** Fetches from there on, and moves the position there once what is queued has been delivered. */
  jumpTo(offset: number): void {
    this.isBeyondEnd = false
    this.fetch.moveTo(offset)
    this.buffer.enqueue({ kind: 'jump', to: offset })
  }

  /** The log was truncated behind the position: fetches again what is queued, or decoded and not in the log. */
  refetch(truncatedAt: number): void {
    const { offset, leaderEpoch } = this.buffer.truncate(truncatedAt)
    this.fetch.moveTo(offset, leaderEpoch)
  }
}
