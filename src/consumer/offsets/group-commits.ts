import type { Deadline } from '../../async/deadline.ts'
import type { Lifecycle } from '../../async/lifecycle.ts'
import { deadlineOf, type CallOptions } from '../../call-options.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { metadataOfNonMember, type GroupMetadata } from '../../cluster/group-metadata.ts'
import { ClosedError, InvalidArgumentError } from '../../errors.ts'
import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import type { AssignedPartitions } from '../assigned-partitions.ts'
import type { MessageReader } from '../delivery/message-reader.ts'
import type { Inbox } from '../inbox.ts'
import type { ConsumerSettings } from '../options.ts'
import type { PartitionState } from '../partition-state.ts'
import type { PositionToReset } from '../places.ts'
import type { Positions } from '../positions.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { AutomaticCommits } from './automatic-commits.ts'
import { Committer } from './committer.ts'
import type { CommittedOffset, OffsetStore, OffsetToCommit } from './offset-store.ts'
import {
  checkOffsets,
  givenOffsets,
  offsetsToCommit,
  type PartitionToCommit,
  type UpTo,
} from './to-commit.ts'

export interface GroupCommitsDependencies<Value, Key> {
  readonly cluster: Cluster
  readonly settings: ConsumerSettings<Value, Key>
  readonly lifecycle: Lifecycle
  readonly partitions: AssignedPartitions
  readonly positions: Positions
  readonly inbox: Inbox<Value, Key>
  /** The reader knows which code of the application calls. */
  readonly reader: Pick<MessageReader<Value, Key>, 'caller' | 'isInLoop'>
  /** Undefined without a group. */
  readonly store: OffsetStore | undefined
  readonly metrics: ConsumerMetrics
  readonly remindAfterMs: number | undefined
}

/** The offsets that a consumer commits for its group, and reads back. */
export class GroupCommits<Value, Key> {
  readonly #parts: GroupCommitsDependencies<Value, Key>
  readonly #committer: Committer
  readonly #automatic: AutomaticCommits
  #isEnded = false

  constructor(parts: GroupCommitsDependencies<Value, Key>) {
    const { cluster, settings, partitions, positions, inbox, store, metrics, remindAfterMs } = parts
    this.#parts = parts
    this.#committer = new Committer(store, metrics, (one) => {
      this.#automatic.onCommitted()
      const state = partitions.get(one)
      if (state === undefined) return
      state.committed = one.offset
      inbox.committed(state, one.offset)
    })
    this.#automatic = new AutomaticCommits({
      settings,
      logger: cluster.options.logger,
      timeoutMs: cluster.options.operationTimeoutMs,
      remindAfterMs,
      commit: (deadline) => this.commitAllProcessed(deadline),
      onError: (error) => inbox.report(error),
      hasConsumed: () => positions.held.length > 0,
    })
  }

  /** Whether offsets can be committed. */
  get hasGroup(): boolean {
    return this.#committer.isThere
  }

  /** True if the consumer commits at intervals, before partitions are given up, and when it is closed. */
  get areAutomatic(): boolean {
    return this.#automatic.areMade
  }

  /** Call this when a `run` begins. */
  onRun(): void {
    this.#automatic.onRun()
  }

  /**
   * Commits the processed offsets of all partitions or of the given ones, or commits the given offsets (the offset of
   * the next message). The current message or batch counts as processed when the loop that is processing it calls
   * this, and between calls of `consume()`; it does not when other code calls this, such as a hook or a timer.
   * Handlers of `run` that are running have not processed their messages. Throws OffsetCommitError, whose code gives
   * the reason: REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID and FENCED_INSTANCE_ID mean that the
   * group has revoked partitions.
   */
  commit(what?: readonly PartitionToCommit[], call?: CallOptions): Promise<void> {
    const { caller, isInLoop } = this.#parts.reader
    const isAtHand = caller === 'loop' || (caller !== 'hook' && !isInLoop)
    return this.#commit(what, call, isAtHand ? 'given' : 'finished')
  }

  /** Like `commit`, but never includes the message that the application is processing, for any caller. */
  commitProcessed(partitions: readonly TopicPartition[], call?: CallOptions): Promise<void> {
    return this.#commit(partitions, call, 'finished')
  }

  /** Like `commitProcessed`, for all partitions, also after `end`. */
  commitAllProcessed(deadline: Deadline): Promise<void> {
    const { partitions } = this.#parts
    return this.#committer.commit(() => this.#offsetsOf(partitions.all(), 'finished'), deadline)
  }

  /** Calls `commit`, which commits these offsets by other means, and reports it as a commit of this consumer. */
  reported(offsets: readonly OffsetToCommit[], commit: () => Promise<void>): Promise<void> {
    return this.#committer.reported(offsets, commit)
  }

  /** Moves the positions to these places. In a group it also commits them. */
  async reset(targets: readonly PositionToReset[], call: CallOptions = {}): Promise<void> {
    const { lifecycle, partitions, positions } = this.#parts
    lifecycle.throwIfClosed()
    const deadline = this.#deadline(call)
    const states = targets.map((target) => partitions.assigned(target))
    const offsets = await positions.lookUp(targets, deadline)
    offsets.forEach(({ offset }, index) => {
      const state = states[index]!
      if (state.isAssigned) positions.seek(state, offset)
    })
    if (this.hasGroup) await this.#committer.commit(() => offsets, deadline)
  }

  /**
   * Returns the committed offsets of the assigned or the given partitions, without partitions that have none. With
   * `resetOffsetOnFetch` it also moves assigned partitions to these offsets.
   */
  async fetch(
    call: CallOptions = {},
    partitions: readonly TopicPartition[] = this.#parts.partitions.all(),
  ): Promise<readonly CommittedOffset[]> {
    const { lifecycle, settings, positions } = this.#parts
    lifecycle.throwIfClosed()
    const found = await this.#committer.store.fetch(partitions, this.#deadline(call))
    if (!settings.resetOffsetOnFetch) return found
    positions.move(
      found.flatMap((one) => {
        const state = this.#parts.partitions.get(one)
        return state === undefined ? [] : [{ state, ...one }]
      }),
    )
    return found
  }

  /** Throws InvalidArgumentError without a group. */
  groupMetadata(): GroupMetadata {
    const { consumerGroup } = this.#parts.settings
    if (consumerGroup !== undefined) return metadataOfNonMember(consumerGroup)
    throw new InvalidArgumentError('groupMetadata: the consumer needs a consumerGroup')
  }

  /** Ends the commits at intervals. */
  stopAutomatic(): void {
    this.#automatic.stop()
  }

  /** The consumer is closed, and the application has processed everything: `commit` throws ClosedError from now on. */
  end(): void {
    this.#isEnded = true
  }

  async #commit(
    what: readonly PartitionToCommit[] | undefined,
    call: CallOptions = {},
    upTo: UpTo,
  ): Promise<void> {
    // Code that is running while the consumer is being closed may still commit.
    if (this.#isEnded) throw new ClosedError('consumer')
    const { cluster, partitions } = this.#parts
    const wanted: readonly PartitionToCommit[] = what ?? partitions.all().map(ofState)
    checkOffsets(wanted)
    await this.#committer.commit((refuse) => {
      const delivered = partitions.among(wanted.filter(({ offset }) => offset === undefined))
      const given = givenOffsets(cluster, wanted, partitions.byName, refuse)
      return [...this.#offsetsOf(delivered, upTo), ...given]
    }, this.#deadline(call))
  }

  #offsetsOf(states: readonly PartitionState[], upTo: UpTo): OffsetToCommit[] {
    return offsetsToCommit(this.#parts.cluster, states, upTo, this.#committer.expires)
  }

  #deadline(call: CallOptions): Deadline {
    return deadlineOf(call, this.#parts.cluster.options.operationTimeoutMs)
  }
}

function ofState({ topic, partition }: PartitionState): TopicPartition {
  return { topic, partition }
}
