import type { Iteration } from '../async/iteration.ts'
import type { Readable } from 'node:stream'
import { Deadline } from '../async/deadline.ts'
import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { metadataOfNonMember, type GroupMetadata } from '../cluster/group-metadata.ts'
import { ClosedError, InvalidArgumentError, PartitionRevokedError } from '../errors.ts'
import type {
  AssignedConsumerOptions,
  PartitionToAssign,
  TopicPartitionLag,
} from './assigned-consumer-options.ts'
import type { ConsumedMessage } from './consumed-message.ts'
import { ConsumerSource } from './consumer-source.ts'
import type { ConsumerBatch } from './delivery/consumer-batch.ts'
import type { Work } from './delivery/work.ts'
import { MessageReader } from './delivery/message-reader.ts'
import type { ConsumeOptions, ReadOptions } from './delivery/read-options.ts'
import type { Gatherer } from './delivery/gatherer.ts'
import type { MessageHandler } from './delivery/handler.ts'
import type { BatchHandler } from './delivery/run-by-batch.ts'
import type { BatchRunOptions, RunOptions } from './delivery/run.ts'
import { Fetcher } from './fetch/fetcher.ts'
import { SHARES_WITH_COMPRESSION } from './fetch/fetch-budget.ts'
import { visibleEnd } from './fetch/responses.ts'
import { Inbox } from './inbox.ts'
import { listOffsets } from './list-offsets.ts'
import { AutomaticCommits } from './offsets/automatic-commits.ts'
import { Committer } from './offsets/committer.ts'
import type { CommittedOffset, OffsetToCommit } from './offsets/offset-store.ts'
import {
  checkOffsets,
  givenOffsets,
  offsetsToCommit,
  type PartitionToCommit,
  type UpTo,
} from './offsets/to-commit.ts'
import type { ConsumerSettings } from './options.ts'
import { PartitionState } from './partition-state.ts'
import { offsetsOfPlaces, type PositionToReset } from './places.ts'
import { checkPartitions, findStarts } from './starting-positions.ts'
import { Processing } from './processing.ts'
import {
  inOrder,
  nameOf,
  type TopicPartition,
  type TopicPartitionOffset,
} from './topic-partition.ts'

export type { AssignedConsumerOptions, PartitionToAssign, TopicPartitionLag }
export type { PartitionToCommit, PositionToReset }

/**
 * Reads partitions of any topics; the set may change at any time. All consumers share this core: SimpleConsumer,
 * Consumer and the balanced consumers choose the partitions and forward the calls below.
 *
 * Positions move when messages are delivered: a message that was only fetched does not count as read.
 */
export class AssignedConsumer<Value = Buffer | null, Key = Buffer | null>
  implements AsyncDisposable, AsyncIterable<ConsumedMessage<Value, Key>>
{
  readonly #cluster: Cluster
  readonly #settings: ConsumerSettings<Value, Key>
  readonly #parts: AssignedConsumerOptions
  readonly #states = new Map<string, PartitionState>()
  readonly #fetcher: Fetcher
  readonly #inbox: Inbox<Value, Key>
  readonly #reader: MessageReader<Value, Key>
  readonly #committer: Committer
  readonly #processing: Processing<Value, Key>
  readonly #automaticCommits: AutomaticCommits
  readonly #source: ConsumerSource
  #closing: Promise<void> | undefined
  /** The consumer is closed, and the application has processed everything that it was processing. */
  #isStopped = false

  constructor(
    cluster: Cluster,
    settings: ConsumerSettings<Value, Key>,
    parts: AssignedConsumerOptions = {},
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#parts = parts
    const metrics = cluster.options.metrics.consumer(settings.consumerGroup)
    const events = {
      onArrived: (state: PartitionState) => this.#inbox.arrived(state),
      onProblem: (error: Error) => this.#inbox.report(error),
      onTruncated: (state: PartitionState) => this.#inbox.suspend(state),
    }
    this.#fetcher = new Fetcher(cluster, settings, events, metrics)
    this.#inbox = new Inbox({
      convert: settings.convert,
      mayDeliver: parts.mayDeliver,
      stopAtEnd: settings.stopAtEnd,
      decompressedBytes: settings.queuedMaxBytes / SHARES_WITH_COMPRESSION,
      states: this.#states,
      onTaken: (state) => this.#fetcher.roomMade(state),
      isSkipped: (damage) => {
        if (settings.skipCorrupt) cluster.options.logger.warn(`skipped: ${damage.message}`)
        return settings.skipCorrupt
      },
    })
    this.#reader = new MessageReader({
      inbox: this.#inbox,
      consumerTimeoutMs: settings.consumerTimeoutMs,
      reuseMemory: settings.reuseMemory,
      endOf: (state) => visibleEnd(state, settings.isReadCommitted),
      rewind: (state, offset) => {
        this.#moveTo(state, offset)
        this.#fetcher.pump()
      },
      commit: (offset, call) => this.commitOffsets([offset], call),
      isWorkKnown: parts.offsets !== undefined,
      metrics,
      onRun: () => this.#automaticCommits.onRun(),
    })
    this.#processing = new Processing(this.#inbox, this.#reader)
    this.#committer = new Committer(parts.offsets, metrics, (one) => {
      this.#automaticCommits.onCommitted()
      const state = this.#states.get(nameOf(one))
      if (state === undefined) return
      state.committed = one.offset
      this.#inbox.committed(state, one.offset)
    })
    this.#automaticCommits = new AutomaticCommits({
      settings,
      logger: cluster.options.logger,
      timeoutMs: cluster.options.operationTimeoutMs,
      remindAfterMs: parts.remindAfterMs,
      commit: (deadline) => this.#commitProcessed(deadline),
      onError: (error) => this.#inbox.report(error),
      hasConsumed: () => this.heldOffsets.length > 0,
    })
    this.#source = new ConsumerSource({
      metrics,
      states: this.#states,
      isReadCommitted: settings.isReadCommitted,
      failure: () => this.#inbox.failure,
      isOwnershipCertain: parts.isOwnershipCertain ?? (() => true),
    })
    cluster.options.metrics.add(this.#source)
  }

  /** True if the consumer commits at intervals, before partitions are given up, and when it is closed. */
  get commitsByItself(): boolean {
    return this.#automaticCommits.areMade
  }

  // The partitions that are read

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  isAssigned(one: TopicPartition): boolean {
    return this.#states.has(nameOf(one))
  }

  /** Whether offsets can be committed. */
  get hasGroup(): boolean {
    return this.#committer.isThere
  }

  get assignment(): readonly TopicPartition[] {
    return this.#all().map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * Adds these partitions. Resolves when their starting positions are known and they are being fetched. A partition
   * that is already assigned continues at its position, or at the offset that is given. Throws UnknownTopicError,
   * NoOffsetError, BrokerError, NoBrokersAvailableError: then none of the partitions is assigned.
   */
  async assign(partitions: readonly PartitionToAssign[], call: CallOptions = {}): Promise<void> {
    this.#throwIfClosed()
    const deadline = this.#deadline(call)
    const added: { state: PartitionState; offset: number | undefined; isNew: boolean }[] = []
    for (const one of partitions) {
      const known = this.#states.get(nameOf(one))
      if (known !== undefined && one.offset !== undefined) this.seek(one, one.offset)
      if (known !== undefined) continue
      const state = new PartitionState(one, this.#settings.fetchMessageMaxBytes)
      state.isHeld = one.isHeld ?? false
      this.#states.set(state.name, state)
      added.push({ state, offset: one.offset, isNew: one.isNew ?? false })
    }
    try {
      const states = added.map(({ state }) => state)
      await checkPartitions(this.#cluster, states, deadline)
      const toFind = added.filter(({ offset }) => offset === undefined)
      const { offsets } = this.#parts
      const starts = await findStarts(this.#cluster, this.#settings, offsets, toFind, deadline)
      const ends = this.#settings.stopAtEnd
        ? await listOffsets(
            this.#cluster,
            states,
            'latest',
            deadline,
            this.#settings.isReadCommitted,
          )
        : undefined
      for (const { state, offset } of added) {
        // The partition was moved by a seek or given up in the meantime.
        if (!state.isAssigned) continue
        state.topicId ??= this.#cluster.known(state.topic)?.topicId
        if (ends !== undefined) state.endOffset = ends.get(state.name) ?? 0
        const start = starts.get(state)
        if (state.fetch.phase === 'starting') {
          state.moveTo(offset ?? start?.offset ?? 0, start?.leaderEpoch)
          state.isBeyondEnd = state.position > state.endOffset
        }
        // The starting position is committed, too, if the group has no offset yet, as in Java. Otherwise the next
        // owner of the partition would start at an end of the log that has moved in the meantime.
        state.committed = start?.committed
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
   * Removes these partitions. After the call returns, none of their messages is delivered, even if they are already
   * fetched. Handlers that have begun continue: see `settled`. Partitions that are not assigned are ignored.
   */
  unassign(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) {
      const state = this.#states.get(nameOf(one))
      if (state === undefined) continue
      state.isAssigned = false
      state.end(new PartitionRevokedError(state))
      this.#inbox.suspend(state)
      this.#fetcher.remove(state)
      this.#states.delete(state.name)
      this.#source.forget(state)
      state.buffer.drop()
    }
    this.#fetcher.lessBuffered()
    this.#inbox.lookAgain()
    this.#inbox.wake()
  }

  /**
   * Stops delivering these partitions until `release`. This is the group's own `pause`, which the application's
   * `resume` does not undo.
   */
  hold(partitions: readonly TopicPartition[]): void {
    for (const state of this.#some(partitions)) {
      state.isHeld = true
      this.#inbox.suspend(state)
    }
    this.#fetcher.lessBuffered()
  }

  release(partitions: readonly TopicPartition[]): void {
    for (const state of this.#some(partitions)) {
      state.isHeld = false
      this.#inbox.arrived(state)
    }
    this.#fetcher.pump()
  }

  /**
   * Holds these partitions, aborts the signals of their handlers, and waits until all delivered messages are
   * processed. It runs before the last commit for partitions that are about to be revoked.
   */
  async settled(partitions: readonly TopicPartition[]): Promise<void> {
    this.hold(partitions)
    const states = this.#some(partitions)
    for (const state of states) state.end(new PartitionRevokedError(state))
    await this.#processing.finished(states)
  }

  /** Calls a hook of the application. Calls from within the hook can be recognized by their async context. */
  callHook<T>(hook: () => T): T {
    return this.#reader.callHook(hook)
  }

  /** Callers call this when `mayDeliver` is true again. */
  lookAgain(): void {
    this.#inbox.wake()
  }

  /** True while the application waits for messages, rather than processing some or doing something else. */
  get isWaitedFor(): boolean {
    return this.#inbox.isWaitedFor && this.#all().every(({ handling }) => handling === undefined)
  }

  /** Reports an error from outside, which the next read throws once. */
  report(error: Error): void {
    this.#inbox.report(error)
  }

  /** Undoes `fail` with this error. */
  recover(error: Error): void {
    this.#inbox.recover(error)
  }

  /** Reports an error from outside, such as one of the group membership, which every read throws from now on. */
  fail(error: Error): void {
    this.#inbox.fail(error)
  }

  // Positions

  /** The offset of the next message of each partition that will be delivered. */
  get positions(): readonly TopicPartitionOffset[] {
    return this.#started().map(({ topic, partition, position }) => ({
      topic,
      partition,
      offset: position,
    }))
  }

  /** Undefined if the partition is not assigned, or if its starting position is not known yet. */
  position(one: TopicPartition): number | undefined {
    const state = this.#states.get(nameOf(one))
    return state === undefined || state.fetch.phase === 'starting' ? undefined : state.position
  }

  /** The offset of the last delivered message of each partition, without partitions that have delivered none. */
  get heldOffsets(): readonly TopicPartitionOffset[] {
    return this.#all().flatMap(({ topic, partition, buffer: { held } }) =>
      held === undefined ? [] : [{ topic, partition, offset: held }],
    )
  }

  /**
   * The number of offsets between the position and the end that consumers can see, as of the last fetch. Partitions
   * without a fetch response yet are left out.
   */
  get lag(): readonly TopicPartitionLag[] {
    return this.#started().flatMap((state) => {
      const { topic, partition, position } = state
      const end = visibleEnd(state, this.#settings.isReadCommitted)
      return end < 0 ? [] : [{ topic, partition, lag: Math.max(0, end - position) }]
    })
  }

  /** Continues at this offset, even if an error has ended the partition. Throws InvalidArgumentError. */
  seek(one: TopicPartition, offset: number): void {
    this.#throwIfClosed()
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new InvalidArgumentError(`${offset} is not an offset to seek`, one)
    }
    this.#moveTo(this.#assigned(one), offset)
    this.#fetcher.pump()
  }

  /** The position that `autoOffsetReset` names. */
  get beginning(): PositionToReset['to'] {
    const { startAt } = this.#settings
    if (typeof startAt === 'number') return new Date(startAt)
    if (startAt !== 'none') return startAt
    throw new InvalidArgumentError("autoOffsetReset is 'none': pass the new position")
  }

  /** Continues at these positions. In a group it also commits them. */
  async resetOffsets(targets: readonly PositionToReset[], call: CallOptions = {}): Promise<void> {
    this.#throwIfClosed()
    const deadline = this.#deadline(call)
    const states = targets.map((target) => this.#assigned(target))
    const { isReadCommitted } = this.#settings
    const offsets = await offsetsOfPlaces(this.#cluster, targets, isReadCommitted, deadline)
    offsets.forEach(({ offset }, index) => {
      const state = states[index]!
      if (state.isAssigned) this.seek(state, offset)
    })
    if (this.hasGroup) await this.#committer.commit(() => offsets, deadline)
  }

  /** Returns the offsets that the places stand for. The partitions need not be assigned. */
  lookUp(
    targets: readonly PositionToReset[],
    call: CallOptions = {},
  ): Promise<readonly TopicPartitionOffset[]> {
    const { isReadCommitted } = this.#settings
    return offsetsOfPlaces(this.#cluster, targets, isReadCommitted, this.#deadline(call))
  }

  /** Stops delivering and fetching these partitions (default: all). Messages that are already fetched are kept. */
  pause(partitions: readonly TopicPartition[] = this.assignment): void {
    for (const state of this.#some(partitions)) {
      state.isPaused = true
      this.#inbox.suspend(state)
    }
    this.#fetcher.lessBuffered()
  }

  resume(partitions: readonly TopicPartition[] = this.assignment): void {
    for (const state of this.#some(partitions)) {
      state.isPaused = false
      if (state.buffer.isEmpty) state.fetch.hurry()
      this.#inbox.arrived(state)
    }
    this.#fetcher.pump()
  }

  get paused(): readonly TopicPartition[] {
    return this.#all()
      .filter(({ isPaused }) => isPaused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  // Offsets

  /**
   * Commits the processed offsets of all partitions or of the given ones, or commits the given offsets (the offset of
   * the next message). The current message or batch counts as processed when the loop that is processing it calls
   * this, and between calls of `consume()`; it does not when other code calls this, such as a hook or a timer.
   * Handlers of `run` that are running have not processed their messages. Throws OffsetCommitError, whose code gives
   * the reason: REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID and FENCED_INSTANCE_ID mean that the
   * group has revoked partitions.
   */
  commitOffsets(what?: readonly PartitionToCommit[], call?: CallOptions): Promise<void> {
    const { caller, isInLoop } = this.#reader
    const isAtHand = caller === 'loop' || (caller !== 'hook' && !isInLoop)
    return this.#commit(what, call, isAtHand ? 'given' : 'finished')
  }

  /** Where commits are reported that are made by other means. */
  get commits(): Pick<Committer, 'reported'> {
    return this.#committer
  }

  /** Like `commitOffsets`, but never includes the message that the application is processing, for any caller. */
  commitProcessed(partitions: readonly TopicPartition[], call?: CallOptions): Promise<void> {
    return this.#commit(partitions, call, 'finished')
  }

  /**
   * Returns the committed offsets of the assigned or the given partitions, without partitions that have none. With
   * `resetOffsetOnFetch` it also moves assigned partitions to these offsets.
   */
  async fetchOffsets(
    call: CallOptions = {},
    partitions: readonly TopicPartition[] = this.#all(),
  ): Promise<readonly CommittedOffset[]> {
    this.#throwIfClosed()
    const found = await this.#committer.store.fetch(partitions, this.#deadline(call))
    if (!this.#settings.resetOffsetOnFetch) return found
    for (const one of found) {
      const state = this.#states.get(nameOf(one))
      if (state !== undefined) this.#moveTo(state, one.offset, one.leaderEpoch)
    }
    this.#fetcher.pump()
    return found
  }

  /** Throws InvalidArgumentError without a group. */
  groupMetadata(): GroupMetadata {
    const { consumerGroup } = this.#settings
    if (consumerGroup !== undefined) return metadataOfNonMember(consumerGroup)
    throw new InvalidArgumentError('groupMetadata: the consumer needs a consumerGroup')
  }

  // Messages: documented in BaseConsumer

  consume(options: ConsumeOptions = {}): Promise<ConsumedMessage<Value, Key> | undefined> {
    return this.#reader.consume(options)
  }

  messages(options: ReadOptions = {}): Iteration<ConsumedMessage<Value, Key>> {
    return this.#reader.messages(options)
  }

  [Symbol.asyncIterator](): Iteration<ConsumedMessage<Value, Key>> {
    return this.#reader.messages({})
  }

  batches(options: ReadOptions = {}): Iteration<ConsumerBatch<Value, Key>> {
    return this.#reader.batches(options)
  }

  /** Calls `work` with batches that it finishes together, such as those of a transaction: see Gatherer. */
  gather(work: (batches: Gatherer<Value, Key>) => Promise<void>, options: ReadOptions) {
    return this.#reader.gather(work, options)
  }

  run(handler: MessageHandler<Value, Key>, options: RunOptions = {}): Promise<void> {
    return this.#reader.run(handler, options)
  }

  runBatches(handler: BatchHandler<Value, Key>, options: BatchRunOptions = {}): Promise<void> {
    return this.#reader.runBatches(handler, options)
  }

  stream(options: ReadOptions = {}): Readable {
    return this.#reader.stream(options)
  }

  /**
   * Stops delivering, waits for what the application is processing, commits with `autoCommitEnable`, and stops
   * fetching. It does not wait for the loop or handler that calls it. Later calls throw ClosedError. Throws
   * OffsetCommitError; the consumer is closed all the same. Safe to call again.
   */
  close(call: CallOptions = {}): Promise<void> {
    const deadline = this.#deadline(call)
    this.closing()
    this.#closing ??= this.#close(deadline)
    return this.#closing
  }

  /**
   * Callers call this when the application closes the consumer. Returns the kind of application code that the call is
   * a part of.
   */
  closing(): Work['kind'] | undefined {
    return this.#processing.closing()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(deadline: Deadline): Promise<void> {
    const closed = new ClosedError('consumer')
    this.#inbox.end(closed)
    for (const state of this.#all()) state.end(closed)
    this.#automaticCommits.stop()
    try {
      if (!(await this.#processing.finishedInTime(this.#all(), deadline))) {
        this.#cluster.options.logger.warn(
          'a consumer was closed while the application was processing messages: they are not committed',
        )
      }
      this.#isStopped = true
      if (this.commitsByItself) await this.#commitProcessed(deadline)
    } finally {
      this.#isStopped = true
      this.#fetcher.stop()
      const { positions } = this
      this.unassign(this.assignment)
      this.#cluster.options.metrics.remove(this.#source)
      this.#parts.onClosed?.(positions)
    }
  }

  async #commit(
    what: readonly PartitionToCommit[] = this.assignment,
    call: CallOptions = {},
    upTo: UpTo,
  ): Promise<void> {
    // Code that is running while the consumer is being closed may still commit.
    if (this.#isStopped) throw new ClosedError('consumer')
    checkOffsets(what)
    await this.#committer.commit((refuse) => {
      const delivered = this.#some(what.filter(({ offset }) => offset === undefined))
      const given = givenOffsets(this.#cluster, what, this.#states, refuse)
      return [...this.#offsetsOf(delivered, upTo), ...given]
    }, this.#deadline(call))
  }

  #moveTo(state: PartitionState, offset: number, leaderEpoch?: number): void {
    this.#inbox.suspend(state)
    // The offset applies to the topic that has the name now.
    state.topicId = undefined
    state.moveTo(offset, leaderEpoch)
    this.#inbox.moved()
  }

  #commitProcessed(deadline: Deadline): Promise<void> {
    return this.#committer.commit(() => this.#offsetsOf(this.#all(), 'finished'), deadline)
  }

  #offsetsOf(states: readonly PartitionState[], upTo: UpTo): OffsetToCommit[] {
    return offsetsToCommit(this.#cluster, states, upTo, this.#committer.expires)
  }

  /** Sorted, independent of the order in which the partitions were assigned. */
  #all(): PartitionState[] {
    return [...this.#states.values()].sort(inOrder)
  }

  #started(): PartitionState[] {
    return this.#all().filter(({ fetch }) => fetch.phase !== 'starting')
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
