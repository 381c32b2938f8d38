import { setTimeout as delay } from 'node:timers/promises'
import type { TopicMetadata } from '../../cluster/metadata.ts'
import { metadataOfNonMember, type GroupMetadata } from '../../cluster/group-metadata.ts'
import type { OffsetStore } from '../../consumer/offsets/offset-store.ts'
import { nameOf, type TopicPartition } from '../../consumer/topic-partition.ts'
import { KafkaError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import type { ClaimResult, CoordinatorEvents } from '../coordinator.ts'
import type { MemberCoordinator } from '../group-protocol.ts'
import { namesOf } from '../partitions.ts'
import type { Subscription } from '../subscription.ts'
import { ZooKeeperError } from './errors.ts'
import { Members } from './members.ts'
import type { TopicDecision } from './membership-protocol.ts'
import { Owners, type Claimable } from './owners.ts'
import { ZooKeeperSession, type ZooKeeperSessionOptions } from './session.ts'
import { TopicWatch } from './topic-watch.ts'
import { GroupPaths } from './znodes.ts'

/**
 * The time between two checks of the owners while this member waits for a partition. Owners change many times in a
 * rebalance.
 */
const LOOK_EVERY_MS = 50
/** The same while it waits for none: each of many members reads all owners. */
const LOOK_EVERY_IDLY_MS = 200

export interface ZooKeeperCoordinatorOptions {
  readonly group: string
  /** `host:uuid`, as in pykafka. */
  readonly memberId: string
  readonly subscription: Subscription
  readonly decide: TopicDecision
  /** How often the brokers are asked for new partitions and topics. */
  readonly metadataMaxAgeMs: number
  readonly session: Omit<ZooKeeperSessionOptions, 'events' | 'logger'>
  readonly logger: Logger
  readonly offsets: OffsetStore
}

/**
 * Coordinates a group by ZooKeeper, as pykafka 2.8 does: each member computes its own assignment from the current
 * members, and claims its partitions by ephemeral znodes. znodes.ts lists the znodes and their reasons.
 */
export class ZooKeeperCoordinator implements MemberCoordinator {
  readonly name: string
  readonly memberId: string
  readonly offsets: OffsetStore
  /** Brokers do not know the members: commits are made like those of any consumer. */
  readonly groupMetadata: GroupMetadata
  /** Members do not wait for each other. */
  readonly longestRebalanceMs = 0
  readonly #options: ZooKeeperCoordinatorOptions
  readonly #events: CoordinatorEvents
  readonly #session: ZooKeeperSession
  readonly #paths: GroupPaths
  readonly #members: Members
  readonly #owners: Owners
  readonly #topicWatch: TopicWatch
  /** The topics of the last round, as the brokers reported them. */
  #topics: ReadonlyMap<string, TopicMetadata> = new Map()
  /** Folders that are known to exist. */
  readonly #ensured = new Set<string>()
  /** The partitions that others held when this member last claimed them, and how often in a row. */
  #held = new Map<string, { readonly partition: TopicPartition; readonly times: number }>()
  #isChecking = false
  #mustCheckAgain = false
  #hasLeft = false

  constructor(options: ZooKeeperCoordinatorOptions, events: CoordinatorEvents) {
    const { group, session, memberId, subscription, logger } = options
    this.name = `group '${group}' in ZooKeeper at ${session.hosts}`
    this.memberId = memberId
    this.offsets = options.offsets
    this.groupMetadata = metadataOfNonMember(group)
    this.#options = options
    this.#events = events
    this.#paths = new GroupPaths(group)
    this.#session = new ZooKeeperSession({
      ...session,
      logger,
      events: {
        reconnected: () => this.#changed('the connection to ZooKeeper is established again'),
        renewed: () => events.renewed(),
        expired: (error) => this.#onExpired(error),
      },
    })
    const memberOf = (topic: string) => this.#memberOf(topic)
    const onMembers = () => this.#changed('the list of members changed')
    this.#members = new Members(this.#session, this.#paths, logger, onMembers)
    this.#owners = new Owners(this.#session, this.#paths, memberOf, () => void this.#check())
    const { metadataMaxAgeMs } = options
    this.#topicWatch = new TopicWatch(
      { session: this.#session, subscription, metadataMaxAgeMs, logger },
      (reason) => this.#changed(reason),
    )
  }

  get ownedUntil(): number {
    return this.#session.aliveUntil
  }

  /** A member keeps the partitions that it owns for as long as it is to own them. */
  givenUpBeforeJoining(): readonly TopicPartition[] {
    return []
  }

  async join(
    owned: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<readonly TopicPartition[]> {
    await this.#open(signal)
    const { subscription, decide } = this.#options
    const topics = await subscription.topics()
    if (topics.length === 0) {
      this.#options.logger.warn(
        `${this.name}: nothing to read, because ${subscription.name} does not exist yet`,
      )
    }
    this.#topics = new Map(topics.map((topic) => [topic.name, topic]))
    await this.#ensureFolders()
    await this.#members.register(new Map(topics.map(({ name }) => [this.#memberOf(name), name])))
    await this.#topicWatch.watch(topics)
    await this.#checkOwners()
    const unclaimed = owned.filter((one) => !this.#owners.has(one))
    if (unclaimed.length > 0) {
      const what = `${namesOf(unclaimed)} have no entries any more`
      this.#events.lost(new KafkaError('PARTITION_OWNED', what, true), unclaimed)
    }
    await this.#owners.removeStale(this.#topics.keys())
    const members = await this.#members.byTopic()
    return topics.flatMap((topic) =>
      decide(topic, members.get(topic.name) ?? [], this.#memberOf(topic.name)),
    )
  }

  release(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#owners.release(partitions)
  }

  async claim(partitions: readonly TopicPartition[]): Promise<ClaimResult> {
    const claim = await this.#owners.claim(partitions.flatMap((one) => this.#claimable(one)))
    const before = this.#held
    this.#held = new Map(
      claim.heldByOthers.map((partition) => {
        const name = nameOf(partition)
        // If a member gave up some of its partitions, it is about to give up the rest.
        const times = claim.claimed.length > 0 ? 0 : (before.get(name)?.times ?? 0)
        return [name, { partition, times: times + 1 }]
      }),
    )
    await this.#triggerRebalanceIfStuck()
    // No watch reports partitions that were released before this member knew that it waits for them.
    if (this.#held.size > 0) void this.#check()
    return claim
  }

  async leave(): Promise<void> {
    this.#hasLeft = true
    this.#topicWatch.stop()
    if (!this.#options.session.isOwn) {
      // The session continues, so its ephemeral znodes would stay.
      await this.#members.unregister().catch(() => undefined)
    }
    await this.#session.close()
  }

  async #open(signal: AbortSignal): Promise<void> {
    try {
      await this.#session.open(signal)
    } catch (error) {
      // If no server was ever reached, a wrong address is more likely than a failure of all servers.
      if (error instanceof ZooKeeperError && !this.#session.wasReached) this.#events.failed(error)
      throw error
    }
  }

  async #ensureFolders(): Promise<void> {
    const folders = [...this.#topics.keys()].flatMap((topic) => this.#paths.owners(topic))
    for (const folder of [this.#paths.ids, ...folders]) {
      if (this.#ensured.has(folder)) continue
      await this.#session.ensure(folder)
      this.#ensured.add(folder)
    }
  }

  #memberOf(topic: string): string {
    // One entry has one topic, so a member of several topics has several entries.
    const isOnly = this.#options.subscription.onlyTopic === topic
    return isOnly ? this.memberId : `${this.memberId}:${topic}`
  }

  #claimable({ topic, partition }: TopicPartition): Claimable[] {
    const found = this.#topics.get(topic)?.partitions.find((one) => one.partition === partition)
    return found === undefined ? [] : [{ topic, partition, metadata: found }]
  }

  #changed(reason: string): void {
    if (!this.#hasLeft) this.#events.changed(reason)
  }

  #onExpired(error: ZooKeeperError): void {
    if (this.#hasLeft) return
    this.#owners.forget()
    this.#members.forget()
    this.#ensured.clear()
    this.#events.lost(error)
  }

  /**
   * Owners have changed: checks if the claimed partitions are still this member's, and if awaited partitions are
   * free.
   */
  async #check(): Promise<void> {
    if (this.#hasLeft) return
    if (this.#isChecking) {
      this.#mustCheckAgain = true
      return
    }
    this.#isChecking = true
    await this.#checkOnce()
    const pauseMs = this.#held.size > 0 ? LOOK_EVERY_MS : LOOK_EVERY_IDLY_MS
    await delay(pauseMs, undefined, { ref: false })
    this.#isChecking = false
    // The owners changed in the meantime.
    if (!this.#mustCheckAgain) return
    this.#mustCheckAgain = false
    await this.#check()
  }

  async #checkOnce(): Promise<void> {
    try {
      const free = await this.#checkOwners()
      if (free.length > 0) this.#changed(`${namesOf(free)} can be claimed`)
    } catch {
      // There is no connection. After a reconnect a round checks everything.
    }
  }

  /** Resolves with the partitions that others held and that are free now. */
  async #checkOwners(): Promise<readonly TopicPartition[]> {
    const held = [...this.#held.values()].map((one) => one.partition)
    const { violations, free } = await this.#owners.verify(this.#topics.keys(), held)
    if (violations.length > 0 && !this.#hasLeft) {
      const reasons = violations.map(({ reason }) => reason).join(', ')
      this.#events.lost(new KafkaError('PARTITION_OWNED', reasons, true), violations)
    }
    return free
  }

  /**
   * A member that holds a partition for long may have used other leaders or an older partition count, because members
   * are not notified of those. Then all members have to check again; a change of the list of members makes them do
   * so.
   */
  async #triggerRebalanceIfStuck(): Promise<void> {
    const times = [...this.#held.values()].reduce((most, one) => Math.max(most, one.times), 0)
    // After 3, 6, 12 … attempts, which is not before 2 s, so that a member that is only slow is not disturbed.
    if (times < 3 || Math.log2(times / 3) % 1 !== 0) return
    await this.#members.triggerRebalance()
  }
}
