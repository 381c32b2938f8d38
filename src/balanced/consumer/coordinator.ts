import { abortable } from '../../async/abortable.ts'
import { appendTo } from '../../cluster/append-to.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { GroupMetadata } from '../../cluster/group-metadata.ts'
import { connectToCoordinator } from '../../cluster/connect-to-coordinator.ts'
import { nameOf, type TopicPartition } from '../../consumer/topic-partition.ts'
import type { ClaimResult, CoordinatorEvents } from '../coordinator.ts'
import type { MemberCoordinator } from '../group-protocol.ts'
import { namesOf } from '../partitions.ts'
import type { AssignedTopic } from './assignment.ts'
import { MemberOffsets, type EpochMember, type EpochStoreFor } from './member-offsets.ts'
import { Membership } from './membership.ts'
import { SessionTimeout } from './session-timeout.ts'
import type { ConsumerGroupSettings } from './settings.ts'
import { SubscribedTopics } from './subscribed-topics.ts'
import { TopicNames } from './topic-names.ts'

/** A partition with the id of its topic. */
interface IdentifiedPartition extends TopicPartition {
  readonly topicId: string
}

interface ClaimedPartition extends IdentifiedPartition {
  /** The number of the claim: see `EpochMember.heldSince`. */
  readonly since: number
}

/**
 * A group whose partitions the broker assigns (KIP-848). Each heartbeat response may contain a new assignment. The
 * machine gives up the partitions that are not in it, which `release` acknowledges by a heartbeat at once, and claims
 * the rest.
 */
export class ConsumerCoordinator implements MemberCoordinator, EpochMember {
  readonly name: string
  readonly offsets: MemberOffsets
  readonly #cluster: Cluster
  readonly #settings: ConsumerGroupSettings
  readonly #events: CoordinatorEvents
  readonly #session: SessionTimeout
  readonly #topics: SubscribedTopics
  readonly #names: TopicNames
  readonly #membership: Membership
  /** The partitions that were claimed and not released, by name. */
  #held = new Map<string, ClaimedPartition>()
  #claims = 0
  #prepared: Promise<void> | undefined

  constructor(
    cluster: Cluster,
    settings: ConsumerGroupSettings,
    events: CoordinatorEvents,
    storeFor: EpochStoreFor,
  ) {
    this.name = `group '${settings.groupId}'`
    this.#cluster = cluster
    this.#settings = settings
    this.#events = events
    this.#session = new SessionTimeout(cluster, settings.groupId)
    this.#names = new TopicNames(cluster, () => this.#topics.names)
    this.#topics = new SubscribedTopics(cluster, settings.subscription, () =>
      this.#membership.subscribed(),
    )
    this.#membership = new Membership(cluster, settings, this.#topics, this.#session, {
      ...events,
      lost: (reason) => {
        this.#held = new Map()
        events.lost(reason)
      },
    })
    this.offsets = new MemberOffsets(this, storeFor)
  }

  get memberId(): string {
    return this.#membership.memberId
  }

  get ownedUntil(): number {
    return this.#membership.ownedUntil
  }

  /**
   * The first heartbeat response contains the assignment, except for partitions that other members have not given up
   * yet.
   */
  get longestRebalanceMs(): number {
    return this.#settings.groupInstanceWaitMs
  }

  get groupMetadata(): GroupMetadata {
    const { groupId, groupInstanceId } = this.#settings
    const { memberId, epoch } = this.#membership
    return { groupId, generationId: epoch, memberId, groupInstanceId }
  }

  heldSince(partition: TopicPartition): number | undefined {
    return this.#held.get(nameOf(partition))?.since
  }

  untilAnswered(): Promise<void> {
    return this.#membership.untilAnswered()
  }

  prepare(): void {
    void this.#session.refresh()
    this.#prepared = connectToCoordinator(this.#cluster, this.#settings.groupId)
  }

  /** Partitions that are not in the assignment are given up when the assignment is known. */
  givenUpBeforeJoining(): readonly TopicPartition[] {
    return []
  }

  async join(
    _owned: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<readonly TopicPartition[]> {
    if (this.#membership.state !== 'member') {
      await abortable(Promise.all([this.#prepared, this.#topics.look()]), signal)
      // Without the session timeout it is not known how long the assignment is this member's.
      await abortable(Promise.all([this.#session.refresh(), this.#membership.join(signal)]), signal)
    }
    const target = await this.#namedTarget(signal)
    this.#cluster.options.logger.info(
      `${this.name}, epoch ${this.#membership.epoch}: '${this.memberId}' gets ${namesOf(target)}`,
    )
    // A new topic of the same name is another topic: it is claimed when the old one is given up.
    const isReplaced = (one: IdentifiedPartition) => {
      const held = this.#held.get(nameOf(one))
      return held !== undefined && held.topicId !== one.topicId
    }
    if (!target.some(isReplaced)) return target
    const kept = target.filter((one) => !isReplaced(one))
    const keptNames = new Set(kept.map(nameOf))
    // The round after this one claims the new partitions, unless a faulty broker assigns the old ones as well.
    if (target.some((one) => isReplaced(one) && !keptNames.has(nameOf(one)))) {
      this.#events.changed('an assigned topic was deleted and created again')
    }
    return kept
  }

  release(partitions: readonly TopicPartition[]): Promise<void> {
    for (const partition of partitions) this.#held.delete(nameOf(partition))
    this.#acknowledge()
    return Promise.resolve()
  }

  /**
   * Claims only what is still assigned: the coordinator may have assigned the rest to others after a heartbeat
   * reported that this member does not own it.
   */
  claim(partitions: readonly TopicPartition[]): Promise<ClaimResult> {
    const assigned = new Map(this.#assigned().map((one) => [nameOf(one), one]))
    const claimed: TopicPartition[] = []
    const since = ++this.#claims
    for (const { topic, partition } of partitions) {
      const one = assigned.get(nameOf({ topic, partition }))
      if (one === undefined) continue
      this.#held.set(nameOf(one), { ...one, since })
      claimed.push({ topic, partition })
    }
    if (claimed.length > 0) this.#acknowledge()
    return Promise.resolve({ claimed, heldByOthers: [] })
  }

  leave(): Promise<void> {
    this.#topics.stop()
    this.#names.stop()
    return this.#membership.leave()
  }

  #acknowledge(): void {
    const byId = new Map<string, number[]>()
    for (const { topicId, partition } of this.#held.values()) appendTo(byId, topicId, partition)
    this.#membership.own([...byId].map(([topicId, partitions]) => ({ topicId, partitions })))
  }

  /** Returns the assigned partitions whose names are known; the others wait for their names. */
  async #namedTarget(signal: AbortSignal): Promise<readonly IdentifiedPartition[]> {
    const ids = this.#membership.target.map(({ topicId }) => topicId)
    const again = () => this.#events.changed('topics may have names now')
    await abortable(this.#names.find(ids, again), signal)
    const kept = new Set([...ids, ...this.#membership.target.map(({ topicId }) => topicId)])
    this.#names.keepOnly(kept)
    const target = this.#assigned()
    const { subscription } = this.#settings
    const unwanted = target.filter(({ topic }) => !subscription.includes(topic))
    if (unwanted.length === 0) return target
    // A faulty broker must not make this member read partitions that it did not subscribe to.
    this.#cluster.options.logger.warn(
      `${this.name}: the coordinator assigned ${namesOf(unwanted)}, to which this member has not subscribed: the consumer does not read it`,
    )
    return target.filter(({ topic }) => subscription.includes(topic))
  }

  /** The current assignment, as far as names are known. */
  #assigned(): IdentifiedPartition[] {
    return this.#membership.target.flatMap(({ topicId, partitions }: AssignedTopic) => {
      const topic = this.#names.known(topicId)
      return topic === undefined
        ? []
        : partitions.map((partition) => ({ topic, partition, topicId }))
    })
  }
}
