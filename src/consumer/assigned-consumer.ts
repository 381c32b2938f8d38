import type { Deadline } from '../async/deadline.ts'
import { Lifecycle } from '../async/lifecycle.ts'
import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { ClosedError, PartitionRevokedError } from '../errors.ts'
import type {
  AssignedConsumerOptions,
  PartitionToAssign,
  TopicPartitionLag,
} from './assigned-consumer-options.ts'
import { AssignedPartitions } from './assigned-partitions.ts'
import { ConsumerSource } from './consumer-source.ts'
import { MessageReader } from './delivery/message-reader.ts'
import type { Work } from './delivery/work.ts'
import { SHARES_WITH_COMPRESSION } from './fetch/fetch-budget.ts'
import { Fetcher } from './fetch/fetcher.ts'
import { Inbox } from './inbox.ts'
import { lookUpOffsets } from './list-offsets.ts'
import { GroupCommits } from './offsets/group-commits.ts'
import type { PartitionToCommit } from './offsets/to-commit.ts'
import type { ConsumerSettings } from './options.ts'
import { PartitionState } from './partition-state.ts'
import type { PositionToReset } from './places.ts'
import { Positions } from './positions.ts'
import { Processing } from './processing.ts'
import { checkPartitionsExist, findStarts } from './starting-positions.ts'
import type { TopicPartition } from './topic-partition.ts'

export type { AssignedConsumerOptions, PartitionToAssign, TopicPartitionLag }
export type { PartitionToCommit, PositionToReset }

/**
 * Reads partitions of any topics; the set may change at any time. All consumers share this core: SimpleConsumer,
 * Consumer and the balanced consumers choose the partitions.
 *
 * This class has the assignment and the life of a consumer. `positions` has where it reads, `commits` what it commits
 * for its group, and `reader` the ways to read.
 */
export class AssignedConsumer<
  Value = Buffer | null,
  Key = Buffer | null,
> implements AsyncDisposable {
  readonly positions: Positions
  readonly commits: GroupCommits<Value, Key>
  readonly reader: MessageReader<Value, Key>
  readonly #cluster: Cluster
  readonly #settings: ConsumerSettings<Value, Key>
  readonly #parts: AssignedConsumerOptions
  readonly #lifecycle = new Lifecycle('consumer')
  readonly #partitions = new AssignedPartitions()
  readonly #fetcher: Fetcher
  readonly #inbox: Inbox<Value, Key>
  readonly #processing: Processing<Value, Key>
  readonly #source: ConsumerSource

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
      states: this.#partitions.byName,
      onTaken: (state) => this.#fetcher.roomMade(state),
      isSkipped: (damage) => {
        if (settings.skipCorrupt) cluster.options.logger.warn(`skipped: ${damage.message}`)
        return settings.skipCorrupt
      },
    })
    const [lifecycle, partitions, inbox] = [this.#lifecycle, this.#partitions, this.#inbox]
    const fetcher = this.#fetcher
    this.positions = new Positions({ cluster, settings, lifecycle, partitions, fetcher, inbox })
    this.reader = new MessageReader({
      inbox,
      consumerTimeoutMs: settings.consumerTimeoutMs,
      reuseMemory: settings.reuseMemory,
      endOf: (state) => this.positions.endOf(state),
      rewind: (state, offset) => this.positions.move([{ state, offset }]),
      commit: (offset, call) => this.commits.commit([offset], call),
      isWorkKnown: parts.offsets !== undefined,
      metrics,
      onRun: () => this.commits.onRun(),
    })
    this.commits = new GroupCommits({
      cluster,
      settings,
      lifecycle,
      partitions,
      positions: this.positions,
      inbox,
      reader: this.reader,
      store: parts.offsets,
      metrics,
      remindAfterMs: parts.remindAfterMs,
    })
    this.#processing = new Processing(inbox, this.reader)
    this.#source = new ConsumerSource({
      metrics,
      states: partitions.byName,
      isReadCommitted: settings.isReadCommitted,
      failure: () => inbox.failure,
      isOwnershipCertain: parts.isOwnershipCertain ?? (() => true),
    })
    cluster.options.metrics.add(this.#source)
  }

  get isClosed(): boolean {
    return this.#lifecycle.isClosed
  }

  isAssigned(one: TopicPartition): boolean {
    return this.#partitions.get(one) !== undefined
  }

  get assignment(): readonly TopicPartition[] {
    return this.#partitions.all().map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * Adds these partitions. Resolves when their starting positions are known and they are being fetched. A partition
   * that is already assigned continues at its position, or at the offset that is given. Throws UnknownTopicError,
   * NoOffsetError, BrokerError, NoBrokersAvailableError: then none of the partitions is assigned.
   */
  async assign(partitions: readonly PartitionToAssign[], call: CallOptions = {}): Promise<void> {
    this.#lifecycle.throwIfClosed()
    const deadline = this.#deadline(call)
    const added: { state: PartitionState; offset: number | undefined; isNew: boolean }[] = []
    for (const one of partitions) {
      const known = this.#partitions.get(one)
      if (known !== undefined && one.offset !== undefined) this.positions.seek(one, one.offset)
      if (known !== undefined) continue
      const state = new PartitionState(one, this.#settings.fetchMessageMaxBytes)
      state.isHeld = one.isHeld ?? false
      this.#partitions.add(state)
      added.push({ state, offset: one.offset, isNew: one.isNew ?? false })
    }
    try {
      const states = added.map(({ state }) => state)
      const checked = checkPartitionsExist(
        this.#cluster,
        states,
        deadline,
        this.#parts.metadataMaxAgeMs,
      )
      // Offsets are fetched by topic id.
      if (states.some(({ topic }) => this.#cluster.known(topic) === undefined)) await checked
      const toFind = added.filter(({ offset }) => offset === undefined)
      const { offsets } = this.#parts
      const finding = findStarts(this.#cluster, this.#settings, offsets, toFind, deadline, checked)
      const connecting = checked.then(() => {
        this.#fetcher.connect(states.filter(({ isAssigned }) => isAssigned))
      })
      const [starts] = await Promise.all([finding, connecting])
      const ends = this.#settings.stopAtEnd
        ? await lookUpOffsets(
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
      const state = this.#partitions.get(one)
      if (state === undefined) continue
      state.isAssigned = false
      state.end(new PartitionRevokedError(state))
      this.#inbox.suspend(state)
      this.#fetcher.remove(state)
      this.#partitions.delete(state)
      this.#source.forget(state)
      state.buffer.drop()
    }
    this.#fetcher.lessBuffered()
    this.#inbox.lookAgain()
    this.#inbox.wake()
  }

  /** Stops delivering and fetching these partitions (default: all). Messages that are already fetched are kept. */
  pause(partitions: readonly TopicPartition[] = this.assignment): void {
    for (const state of this.#partitions.among(partitions)) {
      state.isPaused = true
      this.#inbox.suspend(state)
    }
    this.#fetcher.lessBuffered()
  }

  resume(partitions: readonly TopicPartition[] = this.assignment): void {
    for (const state of this.#partitions.among(partitions)) {
      state.isPaused = false
      if (state.buffer.isEmpty) state.fetch.hurry()
      this.#inbox.arrived(state)
    }
    this.#fetcher.pump()
  }

  get paused(): readonly TopicPartition[] {
    return this.#partitions
      .all()
      .filter(({ isPaused }) => isPaused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * Stops delivering these partitions until `release`. This is the group's own `pause`, which the application's
   * `resume` does not undo.
   */
  hold(partitions: readonly TopicPartition[]): void {
    for (const state of this.#partitions.among(partitions)) {
      state.isHeld = true
      this.#inbox.suspend(state)
    }
    this.#fetcher.lessBuffered()
  }

  release(partitions: readonly TopicPartition[]): void {
    for (const state of this.#partitions.among(partitions)) {
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
    const states = this.#partitions.among(partitions)
    for (const state of states) state.end(new PartitionRevokedError(state))
    await this.#processing.finished(states)
  }

  /** Call this when `mayDeliver` is true again. */
  lookAgain(): void {
    this.#inbox.wake()
  }

  /** True while the application waits for messages, rather than processing some or doing something else. */
  get isWaitedFor(): boolean {
    return (
      this.#inbox.isWaitedFor &&
      this.#partitions.all().every(({ handling }) => handling === undefined)
    )
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

  /**
   * Stops delivering, waits for what the application is processing, commits with `autoCommitEnable`, and stops
   * fetching. It does not wait for the loop or handler that calls it. Later calls throw ClosedError. Throws
   * OffsetCommitError; the consumer is closed nevertheless. Safe to call again.
   */
  close(call: CallOptions = {}): Promise<void> {
    const deadline = this.#deadline(call)
    this.closing()
    return this.#lifecycle.close(() => this.#close(deadline))
  }

  /**
   * Call this when the application closes the consumer. Returns the kind of application code that the call is
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
    for (const state of this.#partitions.all()) state.end(closed)
    this.commits.stopAutomatic()
    try {
      if (!(await this.#processing.finishedInTime(this.#partitions.all(), deadline))) {
        this.#cluster.options.logger.warn(
          'a consumer was closed while the application was processing messages: they are not committed',
        )
      }
      this.commits.end()
      if (this.commits.areAutomatic) await this.commits.commitAllProcessed(deadline)
    } finally {
      this.commits.end()
      this.#fetcher.stop()
      const positions = this.positions.next
      this.unassign(this.assignment)
      this.#cluster.options.metrics.remove(this.#source)
      this.#parts.onClosed?.(positions)
    }
  }

  #deadline(call: CallOptions): Deadline {
    return deadlineOf(call, this.#cluster.options.operationTimeoutMs)
  }
}
