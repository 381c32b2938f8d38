import type { Readable } from 'node:stream'
import { Deadline } from '../async/deadline.ts'
import { aSignal, deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import {
  ClosedError,
  ConsumerBusyError,
  InvalidArgumentError,
  OffsetCommitError,
  type KafkaError,
} from '../errors.ts'
import { anInteger, checkOptions, oneOf } from '../options.ts'
import type { ConsumedMessage } from './consumed-message.ts'
import { ConsumerBatch } from './delivery/consumer-batch.ts'
import { MessageIterator } from './delivery/message-iterator.ts'
import { MessageStream } from './delivery/message-stream.ts'
import { runByKey } from './delivery/run-by-key.ts'
import { runByPartition, type MessageHandler, type RunOptions } from './delivery/run.ts'
import { Fetcher } from './fetch/fetcher.ts'
import { Inbox, type Peeked } from './inbox.ts'
import type { CommittedOffset, OffsetStore, OffsetToCommit } from './offsets/offset-store.ts'
import type { ConsumerSettings } from './options.ts'
import { PartitionState } from './partition-state.ts'
import { checkPartitions, offsetsAt, startingPositions } from './starting-positions.ts'
import { nameOf, type TopicPartition, type TopicPartitionOffset } from './topic-partition.ts'

export interface AssignedConsumerParts {
  /** Where the group keeps its offsets; none without a group. */
  readonly offsets?: OffsetStore | undefined
  /**
   * Told of a commit at an interval that failed; the default is to throw it to whoever asks for a message next.
   */
  readonly onAutoCommitError?: (error: OffsetCommitError) => void
  /** Told when it was closed. */
  readonly onClosed?: () => unknown
}

export interface ConsumeOptions {
  /** Wait for a message: otherwise undefined is returned where none is at hand. Default: true. */
  readonly block?: boolean
  /** How long to wait for one. Default: the consumer's `consumerTimeoutMs`. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface ReadOptions {
  /** Ends the reading when it is aborted: it then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** A partition to be read, and where from: without an offset from the group's, or as `autoOffsetReset` says. */
export interface PartitionToAssign extends TopicPartition {
  readonly offset?: number | undefined
}

/** Where to go on with a partition. */
export interface PositionToReset extends TopicPartition {
  /** An offset; a Date for the first message at or after it; or an end of the log. */
  readonly to: number | Date | 'earliest' | 'latest'
}

/**
 * Reads partitions of any topics, which may change at any time. What all consumers have in common: SimpleConsumer,
 * Consumer and the balanced ones say what is to be read, and hand on what is below.
 *
 * Positions move when messages are handed over: what was only fetched is not counted as read.
 */
export class AssignedConsumer<Value = Buffer | null, Key = Buffer | null>
  implements AsyncDisposable, AsyncIterable<ConsumedMessage<Value, Key>>
{
  readonly #cluster: Cluster
  readonly #settings: ConsumerSettings<Value, Key>
  readonly #parts: AssignedConsumerParts
  readonly #states = new Map<string, PartitionState>()
  readonly #fetcher: Fetcher
  readonly #inbox: Inbox<Value, Key>
  /** Who reads it at the moment: `for await`, `batches()`, …; consume() may be called by several. */
  #reader: string | undefined
  #consumeCalls = 0
  #commits: Promise<void> = Promise.resolve()
  #autoCommitTimer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(
    cluster: Cluster,
    settings: ConsumerSettings<Value, Key>,
    parts: AssignedConsumerParts = {},
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#parts = parts
    this.#fetcher = new Fetcher(cluster, settings, (state) => this.#inbox.arrived(state))
    this.#inbox = new Inbox({
      convert: settings.convert,
      stopAtEnd: settings.stopAtEnd,
      states: this.#states,
      onTaken: (state) => this.#fetcher.roomMade(state),
      isSkipped: (damage) => {
        if (settings.skipCorrupt) cluster.options.logger.warn(`skipped: ${damage.message}`)
        return settings.skipCorrupt
      },
    })
    if (settings.autoCommitEnable) this.#commitAtIntervals()
  }

  // What is read

  /** What it reads now. */
  get assignment(): readonly TopicPartition[] {
    return this.#all().map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * Reads these partitions, too. Resolves when it is known where they begin, and they are being fetched. One that
   * is assigned already goes on where it is, or at the offset that is given.
   * Throws UnknownTopicError, NoOffsetError, BrokerError, NoBrokersAvailableError: then none of them is assigned.
   */
  async assign(partitions: readonly PartitionToAssign[], call: CallOptions = {}): Promise<void> {
    this.#throwIfClosed()
    const deadline = this.#deadline(call)
    const added: { state: PartitionState; offset: number | undefined }[] = []
    for (const one of partitions) {
      const known = this.#states.get(nameOf(one))
      if (known !== undefined && one.offset !== undefined) this.seek(one, one.offset)
      if (known !== undefined) continue
      const state = new PartitionState(one, this.#settings.fetchMessageMaxBytes)
      this.#states.set(state.name, state)
      added.push({ state, offset: one.offset })
    }
    try {
      const states = added.map(({ state }) => state)
      await checkPartitions(this.#cluster, states, deadline)
      const toFind = added.filter(({ offset }) => offset === undefined).map(({ state }) => state)
      const { offsets } = this.#parts
      const starts = await startingPositions(
        this.#cluster,
        this.#settings,
        offsets,
        toFind,
        deadline,
      )
      const ends = this.#settings.stopAtEnd
        ? await offsetsAt(this.#cluster, states, 'latest', deadline, this.#settings.isReadCommitted)
        : undefined
      for (const { state, offset } of added) {
        // Sought meanwhile, or given up.
        if (!state.isAssigned) continue
        if (ends !== undefined) state.endOffset = ends.get(state.name) ?? 0
        const start = starts.get(state)
        if (state.preparation === 'starting') {
          state.moveTo(offset ?? start?.offset ?? 0, start?.leaderEpoch)
        }
        state.committed = start?.committed ?? (offset === undefined ? state.position : undefined)
        this.#fetcher.add(state)
      }
    } catch (error) {
      this.unassign(added.map(({ state }) => state).filter(({ isAssigned }) => isAssigned))
      throw error
    }
    this.#fetcher.pump()
    this.#inbox.wake()
  }

  /**
   * Reads these no more: nothing of them is handed over once it has returned, whatever was fetched. Handlers that
   * have begun go on: see `settled`. Partitions that are not assigned are passed over.
   */
  unassign(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) {
      const state = this.#states.get(nameOf(one))
      if (state === undefined) continue
      state.isAssigned = false
      this.#inbox.withhold(state)
      this.#fetcher.remove(state)
      this.#states.delete(state.name)
      state.dropBuffered()
    }
    this.#inbox.wake()
  }

  /**
   * Hands nothing more of these over and waits until handlers that have begun with one have finished: what to do
   * before the last commit for partitions that are about to be taken away. `resume` undoes it.
   */
  async settled(partitions: readonly TopicPartition[] = this.assignment): Promise<void> {
    this.pause(partitions)
    await handlersOf(this.#some(partitions))
  }

  /** An error from outside, such as of the group's membership: whoever reads or will read gets it. */
  fail(error: Error): void {
    this.#inbox.fail(error)
  }

  // Positions

  /** The offset of the next message of each partition that will be handed over. */
  get positions(): readonly TopicPartitionOffset[] {
    return this.#started().map(({ topic, partition, position }) => ({
      topic,
      partition,
      offset: position,
    }))
  }

  /** Undefined where the partition is not assigned, or it isn't known yet where it begins. */
  position(one: TopicPartition): number | undefined {
    const state = this.#states.get(nameOf(one))
    return state === undefined || state.preparation === 'starting' ? undefined : state.position
  }

  /** The offset of the last message of each partition that was handed over; without those of which none was. */
  get heldOffsets(): readonly TopicPartitionOffset[] {
    return this.#all().flatMap(({ topic, partition, held }) =>
      held === undefined ? [] : [{ topic, partition, offset: held }],
    )
  }

  /**
   * How many offsets there are between the position and the end that consumers can see, as of the last fetch;
   * without partitions that nothing was fetched of yet.
   */
  get lag(): readonly (TopicPartition & { readonly lag: number })[] {
    return this.#started().flatMap((state) => {
      const { topic, partition, position } = state
      const end = this.#endOf(state)
      return end < 0 ? [] : [{ topic, partition, lag: Math.max(0, end - position) }]
    })
  }

  /** Goes on at this offset, also where an error has ended the partition. Throws InvalidArgumentError. */
  seek(one: TopicPartition, offset: number): void {
    this.#throwIfClosed()
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new InvalidArgumentError(`${offset} is not an offset to seek`, one)
    }
    this.#moveTo(this.#assigned(one), offset)
    this.#fetcher.pump()
  }

  /** Goes on at these places, and commits them where there is a group. */
  async resetOffsets(targets: readonly PositionToReset[], call: CallOptions = {}): Promise<void> {
    this.#throwIfClosed()
    const deadline = this.#deadline(call)
    const moves = await Promise.all(
      targets.map(async (target) => {
        const { to } = target
        const state = this.#assigned(target)
        if (typeof to === 'number') return { state, offset: to }
        const spec = to instanceof Date ? to.getTime() : to
        const { isReadCommitted } = this.#settings
        const found = await offsetsAt(this.#cluster, [state], spec, deadline, isReadCommitted)
        return { state, offset: found.get(state.name) ?? 0 }
      }),
    )
    for (const { state, offset } of moves) if (state.isAssigned) this.seek(state, offset)
    if (this.#parts.offsets === undefined) return
    const offsets = moves.map(({ state: { topic, partition }, offset }) => ({
      topic,
      partition,
      offset,
    }))
    await this.#commit(() => offsets, deadline)
  }

  /** Hands over nothing of these (default: of any) and fetches no more; what was fetched is kept. */
  pause(partitions: readonly TopicPartition[] = this.assignment): void {
    for (const state of this.#some(partitions)) {
      state.isPaused = true
      this.#inbox.withhold(state)
    }
  }

  resume(partitions: readonly TopicPartition[] = this.assignment): void {
    for (const state of this.#some(partitions)) {
      state.isPaused = false
      this.#inbox.arrived(state)
    }
    this.#fetcher.pump()
  }

  /** Those that are paused. */
  get paused(): readonly TopicPartition[] {
    return this.#all()
      .filter(({ isPaused }) => isPaused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  // Offsets

  /**
   * Commits what was handed over, and nothing more; or the offsets given, each that of the next message. Handlers
   * of `run` that are at work count as not handed over.
   * Throws OffsetCommitError, whose code says why: REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID
   * and FENCED_INSTANCE_ID where the group has taken partitions away.
   */
  async commitOffsets(offsets?: readonly OffsetToCommit[], call: CallOptions = {}): Promise<void> {
    this.#throwIfClosed()
    for (const { topic, partition, offset } of offsets ?? []) {
      if (Number.isSafeInteger(offset) && offset >= 0) continue
      throw new InvalidArgumentError(`${offset} is not an offset to commit`, { topic, partition })
    }
    await this.#commit(() => offsets ?? this.#toCommit('given'), this.#deadline(call))
  }

  /**
   * The offsets that the group has committed for what is assigned, without partitions that have none. With
   * `resetOffsetOnFetch` it also goes on there.
   */
  async fetchOffsets(call: CallOptions = {}): Promise<readonly CommittedOffset[]> {
    this.#throwIfClosed()
    const found = await this.#store().fetch(this.#all(), this.#deadline(call))
    if (!this.#settings.resetOffsetOnFetch) return found
    for (const one of found) {
      const state = this.#states.get(nameOf(one))
      if (state !== undefined) this.#moveTo(state, one.offset, one.leaderEpoch)
    }
    this.#fetcher.pump()
    return found
  }

  // Messages

  /**
   * The next message; undefined when none came in time, or at the end for a consumer with `stopAtEnd`.
   * Throws what ended a partition (CorruptBatchError, DeserializationError, BrokerError, …), once while others go
   * on, each time where none does; what the group's membership failed with; ClosedError; ConsumerBusyError while
   * it is read otherwise.
   */
  async consume(options: ConsumeOptions = {}): Promise<ConsumedMessage<Value, Key> | undefined> {
    if (this.#reader !== undefined) throw busy(this.#reader)
    this.#consumeCalls++
    try {
      const message = this.#inbox.take()
      if (message !== undefined) return message
      if (options.block === false) {
        this.#inbox.ignoreTurn()
        return this.#inbox.take()
      }
      const { timeoutMs = this.#settings.consumerTimeoutMs, signal } = options
      return await this.#next(() => this.#inbox.take(), timeoutMs, signal)
    } finally {
      this.#consumeCalls--
    }
  }

  /** Its messages, to be read with `for await`; `break` loses none that was not given out. */
  messages({ signal }: ReadOptions = {}): AsyncIterableIterator<
    ConsumedMessage<Value, Key>,
    undefined
  > {
    const { consumerTimeoutMs } = this.#settings
    return new MessageIterator(
      {
        take: () => this.#inbox.take(),
        next: (aborting) => this.#next(() => this.#inbox.take(), consumerTimeoutMs, aborting),
        begin: () => this.#begin('an iterator'),
      },
      signal,
    )
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumedMessage<Value, Key>, undefined> {
    return this.messages()
  }

  /** Its messages as they were fetched: several of one partition at a time. The fastest way to read. */
  async *batches({ signal }: ReadOptions = {}): AsyncGenerator<
    ConsumerBatch<Value, Key>,
    void,
    undefined
  > {
    const end = this.#begin('batches()')
    try {
      for (;;) {
        signal?.throwIfAborted()
        const take = () => this.#takeBatch()
        const batch = take() ?? (await this.#next(take, this.#settings.consumerTimeoutMs, signal))
        if (batch === undefined) return
        yield batch
      }
    } finally {
      end()
    }
  }

  /**
   * Calls the handler for each message: in order within a partition, for several partitions at the same time
   * where `concurrency` allows. Resolves at the end of a consumer with `stopAtEnd`. Throws what the handler
   * throws: the message that it was called for is then the next of its partition, and not committed.
   */
  async run(handler: MessageHandler<Value, Key>, options: RunOptions = {}): Promise<void> {
    checkOptions<RunOptions>('run', options, {
      concurrency: anInteger(1),
      orderBy: oneOf('partition', 'key'),
      signal: aSignal,
    })
    const { concurrency = 1, orderBy = 'partition', signal } = options
    const end = this.#begin('run()')
    try {
      if (orderBy === 'partition') await runByPartition(this.#inbox, handler, concurrency, signal)
      else {
        await runByKey(this.#inbox, handler, concurrency, signal, (state, offset) => {
          this.#moveTo(state, offset)
          this.#fetcher.pump()
        })
      }
    } finally {
      end()
    }
  }

  /** Its messages as a Readable, which reads nothing ahead. Destroying it ends the reading, not the consumer. */
  stream({ signal }: ReadOptions = {}): Readable {
    const end = this.#begin('stream()')
    const source = {
      peek: () => this.#inbox.peek(),
      give: (peeked: Peeked<Value, Key>) => this.#inbox.give(peeked),
      arrival: async (aborting: AbortSignal) => {
        const { consumerTimeoutMs } = this.#settings
        const next = await this.#next(() => this.#inbox.peek(), consumerTimeoutMs, aborting)
        return next !== undefined
      },
      end,
    }
    return new MessageStream(source, signal)
  }

  /**
   * Hands over nothing more, waits for handlers that have begun, commits with `autoCommitEnable`, and stops fetching.
   * Later calls throw ClosedError. Throws OffsetCommitError, closed all the same. Safe to call again.
   */
  close(call: CallOptions = {}): Promise<void> {
    this.#closing ??= this.#close(this.#deadline(call))
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(deadline: Deadline): Promise<void> {
    this.#inbox.fail(new ClosedError('consumer'))
    clearInterval(this.#autoCommitTimer)
    try {
      await handlersOf(this.#all())
      if (this.#settings.autoCommitEnable) {
        await this.#commit(() => this.#toCommit('given'), deadline)
      }
    } finally {
      this.#fetcher.stop()
      this.unassign(this.assignment)
      this.#parts.onClosed?.()
    }
  }

  #moveTo(state: PartitionState, offset: number, leaderEpoch?: number): void {
    this.#inbox.withhold(state)
    state.moveTo(offset, leaderEpoch)
  }

  /** Waits until there is something to take; undefined at the end, and when the time is over. */
  async #next<T>(
    take: () => T | undefined,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> {
    const deadline = timeoutMs === undefined ? undefined : new Deadline(timeoutMs)
    for (;;) {
      if (this.#inbox.isFinished) return undefined
      signal?.throwIfAborted()
      if (deadline?.isOver === true) return undefined
      await this.#inbox.arrival(deadline?.remainingMs, signal)
      const taken = take()
      if (taken !== undefined) return taken
    }
  }

  #takeBatch(): ConsumerBatch<Value, Key> | undefined {
    for (;;) {
      const chunk = this.#inbox.takeChunk()
      if (chunk === undefined) return undefined
      const { state } = chunk
      chunk.start = state.position
      const messages: ConsumedMessage<Value, Key>[] = []
      try {
        while (chunk.index < chunk.messages.length) {
          const message = this.#inbox.converted(chunk)
          if (message !== undefined) messages.push(message)
        }
      } catch (error) {
        if (messages.length === 0) throw error
        // Those before it first.
        this.#inbox.report(error as Error)
      }
      if (messages.length === 0) continue
      chunk.isWhole = true
      const { topic, partition, position: nextOffset } = state
      return new ConsumerBatch(
        { topic, partition, nextOffset, highWatermark: this.#endOf(state) },
        messages,
        (offset, call) => this.commitOffsets([{ topic, partition, offset }], call),
      )
    }
  }

  #endOf({ highWatermark, lastStableOffset }: PartitionState): number {
    return this.#settings.isReadCommitted && lastStableOffset >= 0
      ? lastStableOffset
      : highWatermark
  }

  /** Returns what ends the reading. */
  #begin(reader: string): () => void {
    if (this.#reader !== undefined) throw busy(this.#reader)
    if (this.#consumeCalls > 0) throw busy('consume()')
    this.#reader = reader
    return () => {
      this.#reader = undefined
    }
  }

  #commitAtIntervals(): void {
    const { autoCommitIntervalMs } = this.#settings
    this.#autoCommitTimer = setInterval(() => {
      const deadline = new Deadline(this.#cluster.options.operationTimeoutMs)
      this.#commit(() => this.#toCommit('finished'), deadline).catch((error: unknown) => {
        const { onAutoCommitError = (failure: Error) => this.#inbox.report(failure) } = this.#parts
        if (this.#closing === undefined) onAutoCommitError(error as OffsetCommitError)
      })
    }, autoCommitIntervalMs).unref()
  }

  /** What is not committed yet: up to what was given, or only up to what the application is not busy with. */
  #toCommit(upTo: 'given' | 'finished'): OffsetToCommit[] {
    return this.#started().flatMap((state) => {
      const { topic, partition, positionEpoch: leaderEpoch } = state
      const isHandled = upTo === 'finished' || state.handling !== undefined
      const offset = isHandled ? state.finished : state.position
      return offset === state.committed ? [] : [{ topic, partition, offset, leaderEpoch }]
    })
  }

  /** One after the other, so that an earlier one that is tried again does not undo a later one. */
  #commit(what: () => readonly OffsetToCommit[], deadline: Deadline): Promise<void> {
    const store = this.#store()
    const committed = this.#commits.then(async () => {
      const offsets = what()
      if (offsets.length === 0) return
      const states = offsets.map((one) => this.#states.get(nameOf(one)))
      const results = await store.commit(offsets, deadline)
      const failures: KafkaError[] = []
      results.forEach(({ error }, index) => {
        const state = states[index]
        if (error !== undefined) failures.push(error)
        else if (state !== undefined) state.committed = offsets[index]!.offset
      })
      const [first, ...others] = failures
      if (first !== undefined) throw new OffsetCommitError([first, ...others])
    })
    this.#commits = committed.catch(() => undefined)
    return committed
  }

  #store(): OffsetStore {
    const { offsets } = this.#parts
    if (offsets !== undefined) return offsets
    throw new InvalidArgumentError(
      'offsets are kept for a group: give the consumer a consumerGroup',
    )
  }

  #all(): PartitionState[] {
    return [...this.#states.values()]
  }

  #started(): PartitionState[] {
    return this.#all().filter(({ preparation }) => preparation !== 'starting')
  }

  #some(partitions: readonly TopicPartition[]): PartitionState[] {
    return partitions.flatMap((one) => this.#states.get(nameOf(one)) ?? [])
  }

  #assigned(one: TopicPartition): PartitionState {
    const state = this.#states.get(nameOf(one))
    if (state !== undefined) return state
    throw new InvalidArgumentError(`${nameOf(one)} is not assigned to this consumer`, one)
  }

  #throwIfClosed(): void {
    if (this.#closing !== undefined) throw new ClosedError('consumer')
  }

  #deadline(call: CallOptions): Deadline {
    return deadlineOf(call, this.#cluster.options.operationTimeoutMs)
  }
}

async function handlersOf(states: readonly PartitionState[]): Promise<void> {
  await Promise.all(states.flatMap(({ handling }) => handling ?? []))
}

function busy(reader: string): ConsumerBusyError {
  return new ConsumerBusyError(
    `the consumer is being read by ${reader} already: end that first, a loop by break, an iterator by return()`,
  )
}
