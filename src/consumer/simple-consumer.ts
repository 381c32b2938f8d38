import type { Message } from '../../protocol/records/message.ts'
import { deferred, type Deferred } from '../async/deferred.ts'
import { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { ClosedError, InvalidArgumentError, UnknownTopicError } from '../errors.ts'
import { Fetcher, type Fetched } from './fetcher.ts'
import { listOffsets } from './list-offsets.ts'
import {
  simpleConsumerSettings,
  type SimpleConsumerOptions,
  type SimpleConsumerSettings,
} from './options.ts'
import { PartitionState } from './partition-state.ts'

export interface ConsumeOptions {
  /** How long to wait for a message. Default: until there is one. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Reads a topic's partitions without a group. Made by `topic.getSimpleConsumer()`, and read with
 * `for await (const message of consumer)` or `consume()`.
 *
 * Positions move when messages are handed over: what was only fetched is not counted as read.
 */
export class SimpleConsumer implements AsyncDisposable, AsyncIterable<Message> {
  readonly topic: string
  readonly #states: readonly PartitionState[]
  readonly #settings: SimpleConsumerSettings
  readonly #fetcher: Fetcher
  readonly #onClosed: () => void
  readonly #arrived: Fetched[] = []
  /** What of the current batch has not been handed over, last first. */
  #current: Message[] = []
  #waiting: Deferred<void> | undefined
  #isClosed = false

  private constructor(
    cluster: Cluster,
    topic: string,
    settings: SimpleConsumerSettings,
    states: readonly PartitionState[],
    onClosed: () => void,
  ) {
    this.#onClosed = onClosed
    this.topic = topic
    this.#settings = settings
    this.#states = states
    this.#fetcher = new Fetcher(cluster, topic, settings, states, (fetched) => {
      this.#arrived.push(fetched)
      this.#wake()
    })
    this.#fetcher.pump()
  }

  /**
   * Finds the topic's partitions and where to start in them.
   * Throws InvalidArgumentError, UnknownTopicError, BrokerError, NoBrokersAvailableError.
   */
  static async open(
    cluster: Cluster,
    topic: string,
    options: SimpleConsumerOptions,
    deadline: Deadline,
    onClosed: () => void,
  ): Promise<SimpleConsumer> {
    const settings = simpleConsumerSettings(options)
    const metadata = await cluster.topic(topic, { create: false, deadline })
    const existing = metadata.partitions.map(({ partition }) => partition)
    const partitions = settings.partitions ?? existing
    for (const partition of partitions) {
      if (existing.includes(partition)) continue
      const reason = `topic '${topic}' has no partition ${partition}: it has ${existing.length}`
      throw new UnknownTopicError(reason, { topic, partition })
    }
    if (partitions.length === 0) throw new InvalidArgumentError('partitions: none is given')
    const starts = await listOffsets(cluster, topic, partitions, settings.autoOffsetReset, deadline)
    const states = partitions.map(
      (partition) =>
        new PartitionState(
          topic,
          partition,
          starts.get(partition) ?? 0,
          settings.fetchMessageMaxBytes,
        ),
    )
    if (settings.stopAtEnd) {
      const ends = await listOffsets(cluster, topic, partitions, 'latest', deadline)
      for (const state of states) state.endOffset = ends.get(state.partition) ?? 0
    }
    return new SimpleConsumer(cluster, topic, settings, states, onClosed)
  }

  /** The next offset of each partition that will be handed over. */
  get positions(): ReadonlyMap<number, number> {
    return new Map(this.#states.map(({ partition, position }) => [partition, position]))
  }

  /**
   * The next message; undefined when none came within `timeoutMs`, or at the end for a consumer with
   * `stopAtEnd`. Throws what ended a partition (CorruptBatchError, BrokerError), once while others go on,
   * each time where none does; and ClosedError.
   */
  async consume({ timeoutMs, signal }: ConsumeOptions = {}): Promise<Message | undefined> {
    const ready = this.#next()
    if (ready !== undefined || this.#isFinished()) return ready
    this.#throwIfAllEnded()
    const deadline = timeoutMs === undefined ? undefined : new Deadline(timeoutMs)
    for (;;) {
      signal?.throwIfAborted()
      if (deadline?.isOver === true) return undefined
      await this.#arrival(deadline?.remainingMs, signal)
      const message = this.#next()
      if (message !== undefined || this.#isFinished()) return message
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (;;) {
      const message = await this.consume()
      if (message === undefined) return
      yield message
      // Those that are at hand need no promise each.
      for (let next = this.#next(); next !== undefined; next = this.#next()) yield next
    }
  }

  /** Stops fetching; later calls of consume() throw. Safe to call again. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#fetcher.stop()
    this.#wake()
    this.#onClosed()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #throwIfAllEnded(): void {
    const [first] = this.#states
    if (first?.error !== undefined && this.#states.every(({ error }) => error !== undefined)) {
      throw first.error
    }
  }

  #isFinished(): boolean {
    return this.#settings.stopAtEnd && this.#states.every(({ isAtEnd }) => isAtEnd)
  }

  #next(): Message | undefined {
    if (this.#isClosed) throw new ClosedError('consumer')
    for (;;) {
      const message = this.#current.pop()
      if (message !== undefined) return message
      const fetched = this.#arrived.shift()
      if (fetched === undefined) return undefined
      if (fetched.kind === 'error') throw fetched.error
      fetched.state.bufferedBytes -= fetched.batch.sizeBytes
      this.#current = fetched.state.take(fetched.batch).reverse()
      this.#fetcher.pump()
    }
  }

  #wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  async #arrival(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    this.#waiting ??= deferred()
    const wake = () => this.#wake()
    const timer = timeoutMs === undefined ? undefined : setTimeout(wake, timeoutMs)
    signal?.addEventListener('abort', wake)
    try {
      await this.#waiting.promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
    }
  }
}
