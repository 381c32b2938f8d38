import { abortable } from '../../async/abortable.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { GroupMetadata } from '../../cluster/group-metadata.ts'
import { nameOf, type TopicPartition } from '../../consumer/topic-partition.ts'
import { BrokerError } from '../../errors.ts'
import { groupChannel, type GroupEvent } from '../../observe/channels.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import type { Assignor, GroupMember, LastAssignment } from '../assignors/assignor.ts'
import type { ClaimResult, CoordinatorEvents } from '../coordinator.ts'
import type { MemberCoordinator } from '../group-protocol.ts'
import { namesOf } from '../partitions.ts'
import { userDataBy } from './assignor-calls.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './consumer-protocol.ts'
import { ClassicGroupOffsets, type GroupMembership, type StoreFor } from './group-offsets.ts'
import type { JoinedMember, JoinProtocol } from './group-requests.ts'
import { computeAssignment } from './compute-assignment.ts'
import { Membership, type Role, type SyncedGeneration } from './membership.ts'
import type { GroupSettings } from './settings.ts'
import { TopicWatch } from './topic-watch.ts'

/** A group with Kafka's classic protocol: its leader assigns, and the broker distributes the assignment. */
export class ClassicCoordinator implements MemberCoordinator {
  readonly name: string
  readonly offsets: ClassicGroupOffsets
  readonly #cluster: Cluster
  readonly #settings: GroupSettings
  readonly #events: CoordinatorEvents
  readonly #membership: Membership
  readonly #topics: TopicWatch
  /** The connections that `prepare` opens. */
  #connected: Promise<void> = Promise.resolve()
  #last: LastAssignment = { partitions: [], generation: -1 }
  /**
   * The partitions that this member holds or was assigned in this generation, each with the number that `ownedSince`
   * returns.
   */
  #held: ReadonlyMap<string, number> = new Map()
  #holdings = 0

  constructor(
    cluster: Cluster,
    settings: GroupSettings,
    events: CoordinatorEvents,
    storeFor: StoreFor,
  ) {
    this.name = `group '${settings.groupId}'`
    this.#cluster = cluster
    this.#settings = settings
    this.#events = events
    this.offsets = new ClassicGroupOffsets(this, storeFor)
    this.#membership = new Membership(cluster, settings, {
      ...events,
      lost: (reason) => {
        this.#held = new Map()
        events.lost(reason)
      },
    })
    this.#topics = new TopicWatch(cluster, settings, (reason) => this.#joinAgain(reason))
  }

  get memberId(): string {
    return this.#membership.identity.memberId
  }

  get ownedUntil(): number {
    return this.#membership.ownedUntil
  }

  get longestRebalanceMs(): number {
    return this.#settings.maxPollIntervalMs
  }

  get groupMetadata(): GroupMetadata {
    const { groupId, groupInstanceId } = this.#settings
    const { memberId, generation } = this.#membership.identity
    return { groupId, generationId: generation, memberId, groupInstanceId }
  }

  get membership(): GroupMembership {
    return { metadata: this.groupMetadata, isJoining: this.#membership.isJoining }
  }

  /**
   * Returns a number that identifies the period in which this member has had the partition; undefined if it does not
   * have it. A commit is valid as long as the number is the same: otherwise others may have read the partition in
   * between.
   */
  ownedSince(partition: TopicPartition): number | undefined {
    return this.#held.get(nameOf(partition))
  }

  /** Resolves when no rebalance is in the stage in which commits are refused. */
  untilJoined(): Promise<void> {
    return this.#membership.untilJoined()
  }

  /** A commit was refused: checks at once, rather than at the next interval, if the generation is over. */
  verifyMembership(): void {
    this.#membership.verify()
  }

  prepare(): void {
    this.#connected = this.#membership.connect()
  }

  givenUpBeforeJoining(owned: readonly TopicPartition[]): readonly TopicPartition[] {
    if (this.#settings.protocol === 'eager') return owned
    return owned.filter(({ topic }) => !this.#settings.subscription.includes(topic))
  }

  async join(
    owned: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<readonly TopicPartition[]> {
    const role: Role = {
      protocols: (generation) => this.#protocols(owned, generation),
      assign: (...joined) => this.#assign(...joined),
    }
    const startedAt = performance.now()
    await abortable(this.#connected, signal)
    const synced = await this.#membership.join(role, owned.length > 0, signal)
    const { identity, assignment } = synced
    const assigned = decodeAssignment(assignment)
    const partitions = this.#checked(assigned)
    this.#last = { partitions, generation: identity.generation }
    this.#hold([...owned, ...partitions])
    this.#topics.watch()
    this.#publishJoined(synced, assigned, performance.now() - startedAt)
    this.#cluster.options.logger.info(
      `${this.name}, generation ${identity.generation}: '${identity.memberId}' gets ${namesOf(partitions)}`,
    )
    return partitions
  }

  /**
   * In the cooperative protocol others get the partitions in a rebalance that begins when this member joins again.
   */
  release(partitions: readonly TopicPartition[]): Promise<void> {
    const released = new Set(partitions.map(nameOf))
    this.#held = new Map([...this.#held].filter(([name]) => !released.has(name)))
    if (this.#settings.protocol === 'cooperative' && this.#membership.state === 'stable') {
      this.#joinAgain(`it gave up ${namesOf(partitions)}`)
    }
    return Promise.resolve()
  }

  /** No other member holds what the leader assigned. */
  claim(partitions: readonly TopicPartition[]): Promise<ClaimResult> {
    return Promise.resolve({ claimed: partitions, heldByOthers: [] })
  }

  leave(): Promise<void> {
    this.#topics.stop()
    return this.#membership.leave()
  }

  #publishJoined(
    { identity, leaderId, protocolName }: SyncedGeneration,
    assignment: readonly TopicPartition[],
    durationMs: number,
  ): void {
    if (!groupChannel.hasSubscribers) return
    const event: GroupEvent = {
      kind: 'joined',
      clientId: this.#cluster.options.metrics.clientId,
      group: this.#settings.groupId,
      instanceId: this.#cluster.options.broker.instanceId ?? 0,
      ...identity,
      leaderId,
      assignor: protocolName,
      durationMs,
      assignment,
    }
    groupChannel.publish(event)
  }

  #hold(partitions: readonly TopicPartition[]): void {
    const since = ++this.#holdings
    this.#held = new Map(
      partitions.map(nameOf).map((name) => [name, this.#held.get(name) ?? since]),
    )
  }

  #joinAgain(reason: string): void {
    this.#membership.wantsToJoin(reason)
    this.#events.changed(reason)
  }

  async #protocols(
    owned: readonly TopicPartition[],
    generation: number,
  ): Promise<readonly JoinProtocol[]> {
    const topics = await this.#topics.wanted()
    const { assignors, clientRack: rack } = this.#settings
    return assignors.map((assignor) => {
      const userData = userDataBy(assignor, this.#last)
      const metadata = encodeSubscription({ topics, userData, owned, generation, rack })
      return { name: assignor.name, metadata }
    })
  }

  async #assign(
    protocolName: string,
    joined: readonly JoinedMember[],
    keepsAssignment: boolean,
  ): Promise<ReadonlyMap<string, Buffer>> {
    const { groupId, protocol } = this.#settings
    const { logger } = this.#cluster.options
    const assignor = this.#assignor(protocolName)
    const { members, unreadable } = this.#membersOf(joined)
    const topics = await this.#topics.describe([...new Set(members.flatMap((one) => one.topics))])
    // The leader watches the topics nevertheless.
    if (keepsAssignment) return new Map()
    const assignment = await computeAssignment({
      groupId,
      assignor,
      protocol,
      members,
      topics,
      logger,
    })
    return new Map(
      [...members, ...unreadable].map(({ memberId }) => [
        memberId,
        encodeAssignment(assignment.get(memberId) ?? []),
      ]),
    )
  }

  /**
   * Decodes the members. A member with unreadable metadata gets no partitions; the other members still get theirs.
   */
  #membersOf(joined: readonly JoinedMember[]): {
    readonly members: readonly GroupMember[]
    readonly unreadable: readonly JoinedMember[]
  } {
    const members: GroupMember[] = []
    const unreadable: JoinedMember[] = []
    for (const one of joined) {
      try {
        members.push(decodeSubscription(one))
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        unreadable.push(one)
        this.#cluster.options.logger.warn(
          `${this.name}: member '${one.memberId}' gets no partitions, because its metadata cannot be read: ${error.message}`,
        )
      }
    }
    return { members, unreadable }
  }

  #assignor(name: string): Assignor {
    const assignor = this.#settings.assignors.find((one) => one.name === name)
    if (assignor !== undefined) return assignor
    const detail = `the coordinator chose '${name}', which this member did not offer`
    throw new BrokerError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, 'leading the group', {}, detail)
  }

  /** A faulty leader must not make this member read partitions that it did not subscribe to. */
  #checked(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
    const { subscription } = this.#settings
    const unwanted = partitions.filter(({ topic }) => !subscription.includes(topic))
    if (unwanted.length === 0) return partitions
    this.#cluster.options.logger.warn(
      `${this.name}: the leader gave ${namesOf(unwanted)}, to which this member has not subscribed: the consumer does not read it`,
    )
    return partitions.filter(({ topic }) => subscription.includes(topic))
  }
}
