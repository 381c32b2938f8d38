import { ErrorCode } from '../../protocol/errors.ts'
import { bounded } from '../async/bounded.ts'
import { TookTooLongError } from '../async/limited.ts'
import { Deadline } from '../async/deadline.ts'
import { Lifecycle } from '../async/lifecycle.ts'
import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { GroupMetadata } from '../cluster/group-metadata.ts'
import type { TopicMetadata } from '../cluster/metadata.ts'
import { FRESH_METADATA_MS } from '../cluster/topic-lookup.ts'
import { AssignedConsumer, type PositionToReset } from '../consumer/assigned-consumer.ts'
import type { ConsumerAssignment } from '../consumer/consumer-assignment.ts'
import type { CommittedOffset } from '../consumer/offsets/offset-store.ts'
import { consumerSettings, type ConsumerOptions } from '../consumer/options.ts'
import { comparePartitions, type TopicPartition } from '../consumer/topic-partition.ts'
import { passesByItself } from '../consumer/offsets/auto-commit.ts'
import {
  BrokerError,
  NotStartedError,
  RequestTimeoutError,
  UnknownTopicError,
  type KafkaError,
} from '../errors.ts'
import { rebalanceChannel } from '../observe/channels.ts'
import { FirstPartitions } from './first-partitions.ts'
import type { GroupProtocolOptions, MemberCoordinator } from './group-protocol.ts'
import { RebalanceMachine } from './machine.ts'
import { rebalanceSettings, type RebalanceOptions } from './options.ts'
import { OwnedOffsets } from './owned-offsets.ts'
import type { Phase } from './phases.ts'
import { protocolOf, type GroupProtocolChoice } from './protocols.ts'
import type { MemberReader, RebalanceHooks } from './member-reader.ts'
import { RebalanceLog } from './rebalance-log.ts'
import type { Subscription } from './subscription.ts'

export interface BalancedMemberDependencies<Value, Key> {
  readonly cluster: Cluster
  readonly subscription: Subscription
  readonly options: GroupProtocolOptions &
    GroupProtocolChoice &
    ConsumerOptions<Value, Key> &
    RebalanceOptions<never>
  /** The application's hooks, bound to its consumer. */
  readonly hooks: RebalanceHooks
  readonly onClosed: () => unknown
}

/** Returns a new member. `before` is the member that the same consumer had before it was stopped. */
export type MakeMember<Value, Key> = (
  parts: BalancedMemberDependencies<Value, Key>,
  before: BalancedMember<Value, Key> | undefined,
) => BalancedMember<Value, Key>

/**
 * A consumer of a changing set of partitions, and the machine that changes the set: the core of balanced consumers.
 */
export class BalancedMember<Value, Key> implements ConsumerAssignment<Value, Key> {
  readonly core: AssignedConsumer<Value, Key>
  readonly #machine: RebalanceMachine<MemberCoordinator>
  /**
   * resetOffsetOnStart applies only to the first assignment, as in pykafka, even if that was empty or before a
   * `stop`.
   */
  readonly #settings: { resetOffsetOnStart: boolean }
  readonly #parts: BalancedMemberDependencies<Value, Key>
  readonly #notStarted = new NotStartedError()
  readonly #log: RebalanceLog
  readonly #first = new FirstPartitions()
  #lastDeliveredAt = performance.now()
  /** Open as soon as the topics are found: the machine joins the group from then on, until the member is closed. */
  readonly #lifecycle = new Lifecycle('consumer')
  /** Errors while the member was closing, when consume() can no longer throw them. */
  readonly #errorsOfClosing: KafkaError[] = []

  /** `before` is the member that the same consumer had before it was stopped. */
  constructor(parts: BalancedMemberDependencies<Value, Key>, before?: BalancedMember<Value, Key>) {
    const { cluster, subscription, options } = parts
    this.#parts = parts
    const settings = { ...consumerSettings(cluster, options) }
    if (before !== undefined) settings.resetOffsetOnStart = before.#settings.resetOffsetOnStart
    const busyForMs = () => (this.core.isWaitedFor ? 0 : performance.now() - this.#lastDeliveredAt)
    const protocol = protocolOf(options)
    const makeCoordinator = protocol.coordinate({ cluster, options, subscription, busyForMs })
    this.#settings = settings
    this.#machine = new RebalanceMachine(makeCoordinator, {
      ...rebalanceSettings(options),
      reader: this.#reader(),
      hooks: this.#hooks(),
      logger: cluster.options.logger,
      onPhase: (phase) => this.#onPhase(phase),
    })
    const { coordinator } = this.#machine
    this.core = new AssignedConsumer(cluster, settings, {
      offsets: new OwnedOffsets(coordinator.offsets, (one) => this.#machine.mayCommit(one)),
      mayDeliver: () => {
        this.#lastDeliveredAt = performance.now()
        return this.#machine.mayDeliver
      },
      isOwnershipCertain: () => this.#machine.mayDeliver,
      metadataMaxAgeMs: FRESH_METADATA_MS,
      onClosed: () => parts.onClosed(),
    })
    this.core.fail(this.#notStarted)
    this.#log = new RebalanceLog(
      cluster.options.metrics.clientId,
      options.consumerGroup,
      coordinator,
    )
  }

  get assignment(): readonly TopicPartition[] {
    return [...this.#machine.assignment].sort(comparePartitions)
  }

  get isOwnershipCertain(): boolean {
    return this.#machine.mayDeliver
  }

  groupMetadata(): GroupMetadata {
    return this.#machine.coordinator.groupMetadata
  }

  get autoCommitEnable(): boolean {
    return this.#parts.options.autoCommitEnable === true
  }

  get memberId(): string {
    return this.#machine.coordinator.memberId
  }

  checkStarted(): void {
    if (this.#lifecycle.state === 'new') throw new NotStartedError()
  }

  async partitions(): Promise<readonly TopicPartition[]> {
    this.checkStarted()
    return Promise.resolve(this.assignment)
  }

  seek(one: TopicPartition, offset: number): void {
    this.checkStarted()
    this.core.positions.seek(one, offset)
  }

  async fetchOffsets(call?: CallOptions): Promise<readonly CommittedOffset[]> {
    this.checkStarted()
    return this.core.commits.fetch(call)
  }

  async resetOffsets(targets: readonly PositionToReset[], call?: CallOptions): Promise<void> {
    this.checkStarted()
    return this.core.commits.reset(targets, call)
  }

  async start(call: CallOptions): Promise<void> {
    const { operationTimeoutMs } = this.#parts.cluster.options
    // If the group is in a rebalance, joining takes as long as the slowest member needs to finish its work.
    const { longestRebalanceMs } = this.#machine.coordinator
    const deadline = deadlineOf(call, operationTimeoutMs + longestRebalanceMs)
    await this.#lifecycle.start(
      async () => {
        this.#machine.coordinator.prepare?.()
        const found = await this.#topicsFound(deadlineOf(call, operationTimeoutMs))
        await this.#first.look(this.#parts.subscription, found)
      },
      () => this.core.recover(this.#notStarted),
    )
    try {
      await bounded(deadline.remainingMs, deadline.signal, () =>
        this.#machine.start(call.timeoutMs ?? operationTimeoutMs),
      )
    } catch (error) {
      if (!(error instanceof TookTooLongError)) throw error
      const { name } = this.#machine.coordinator
      throw new RequestTimeoutError(
        `joining ${name} for ${this.#parts.subscription.name} took longer than ${deadline.timeoutMs} ms: it was ${this.#machine.phase}`,
        { cause: error },
      )
    }
  }

  /**
   * Returns the topics of a subscription by name that exist; undefined for a pattern. Throws UnknownTopicError if the
   * only topic does not exist. With several topics it waits for the missing ones, as a pattern does.
   */
  async #topicsFound(deadline: Deadline): Promise<readonly TopicMetadata[] | undefined> {
    const { cluster, subscription } = this.#parts
    const { names } = subscription
    if (names === undefined) return undefined
    const found = await Promise.allSettled(
      names.map((name) => cluster.topic(name, { create: false, deadline })),
    )
    for (const one of found) {
      if (one.status === 'fulfilled') continue
      if (names.length === 1 || !(one.reason instanceof UnknownTopicError)) throw one.reason
      cluster.options.logger.warn(`${one.reason.message}: the consumer reads it when it does`)
    }
    return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  }

  /**
   * First gives back everything that it has. Throws the errors of its hooks and commits. A hook that calls this
   * continues at once, because closing waits for the hook. Safe to call again.
   */
  async close(call: CallOptions = {}): Promise<void> {
    const deadline = deadlineOf(call, this.#parts.cluster.options.operationTimeoutMs)
    const caller = this.core.closing()
    const closing = this.#lifecycle.close(() => this.#close(deadline))
    if (caller !== 'hook') return closing
    const { logger } = this.#parts.cluster.options
    closing.catch((error: unknown) => logger.error(`closing a consumer: ${String(error)}`))
  }

  async #close(deadline: Deadline): Promise<void> {
    await this.#machine.close(deadline)
    await this.core.close({ timeoutMs: Math.max(1, Math.ceil(deadline.remainingMs)) })
    deadline.signal?.throwIfAborted()
    const [first] = this.#errorsOfClosing
    if (first !== undefined) throw first
  }

  #reader(): MemberReader {
    return {
      prepare: async (partitions, signal) => {
        // This is a second attempt if looking up the positions, or a later step, has failed.
        const wanted = partitions.map((one) => ({
          ...one,
          isHeld: true,
          isNew: this.#first.isNew(one),
        }))
        await this.core.assign(wanted, { signal }).catch(rethrowUnlessDeleted)
        this.#settings.resetOffsetOnStart = false
      },
      start: (partitions) => this.core.release(partitions),
      hold: (partitions) => this.core.settled(partitions),
      commit: async (partitions, signal) => {
        if (this.core.commits.areAutomatic) await this.#commitBeforeGivingUp(partitions, signal)
      },
      stop: (partitions) => this.core.unassign(partitions),
      resume: () => this.core.lookAgain(),
      report: (error) => {
        if (this.#lifecycle.isClosed) this.#errorsOfClosing.push(error)
        else this.core.report(error)
      },
      fail: (error) => this.core.fail(error),
    }
  }

  /** A failure that the client resolves by itself causes duplicates, and is no reason to end a loop. */
  async #commitBeforeGivingUp(
    partitions: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.core.commits.commitProcessed(partitions, { signal })
    } catch (error) {
      if (this.#lifecycle.isClosed || !passesByItself(error)) throw error
      const { logger } = this.#parts.cluster.options
      logger.warn(
        `the commit before partitions were revoked failed, so that their next owner reads processed messages again: ${String(error)}`,
      )
    }
  }

  #hooks(): RebalanceHooks {
    const { hooks } = this.#parts
    return {
      assigned: (partitions) => {
        this.#log.assigned(partitions)
        return this.core.reader.callHook(() => hooks.assigned(partitions))
      },
      revoked: (partitions) => {
        this.#log.revoked(partitions)
        return this.core.reader.callHook(() => hooks.revoked(partitions))
      },
      lost: (partitions) => {
        this.#log.lost(partitions)
        return this.core.reader.callHook(() => hooks.lost(partitions))
      },
    }
  }

  #onPhase(phase: Phase): void {
    if (phase === 'settled') this.#settings.resetOffsetOnStart = false
    const event = this.#log.phase(phase, this.#machine.assignment)
    if (event === undefined) return
    const { logger } = this.#parts.cluster.options
    const { assignment, assigned, revoked, lost } = event
    logger.info(
      `${this.#machine.coordinator.name}, member ${event.memberId}: ${assignment.length} partitions after ` +
        `${Math.round(event.durationMs)} ms: ${assigned.length} assigned, ${revoked.length} revoked, ${lost.length} lost`,
    )
    const metrics = this.#parts.cluster.options.metrics.group(event.group)
    metrics.rebalanceDuration.recordMs(event.durationMs)
    metrics.lostPartitions += lost.length
    if (rebalanceChannel.hasSubscribers) rebalanceChannel.publish(event)
  }
}

/**
 * A topic that was deleted since it was assigned is left out of the next rebalance; the member stays in the group.
 */
function rethrowUnlessDeleted(error: unknown): never {
  if (!(error instanceof UnknownTopicError)) throw error
  const { topic, partition, message } = error
  const what = 'looking up the positions'
  throw new BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, what, { topic, partition }, message)
}
