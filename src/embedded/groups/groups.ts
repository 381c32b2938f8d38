import type { Brokers } from '../cluster/brokers.ts'
import type { Topic, Topics } from '../cluster/topics.ts'
import { Refused } from '../refused.ts'
import type { ClusterStorage } from '../storage/cluster-storage.ts'
import type { Timers } from '../timers.ts'
import { ClassicGroup, type GroupSettings } from './classic-group.ts'
import { GroupConfigs, type GroupDefaults } from './configs/group-configs.ts'
import { ConsumerGroup } from './consumer/consumer-group.ts'
import type { Group } from './group.ts'
import { GroupOffsets } from './offsets.ts'
import { ShareGroup } from './share-group.ts'

export interface CoordinatorSettings extends GroupSettings {
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly defaults: GroupDefaults
}

/**
 * All groups, and their coordinators. Groups outlive their coordinator, because Kafka keeps them in
 * a log.
 */
export class Groups {
  readonly configs: GroupConfigs
  readonly #byId = new Map<string, Group>()
  readonly #moved = new Map<string, number>()
  readonly #brokers: Brokers
  readonly #settings: CoordinatorSettings
  readonly #timers: Timers
  readonly #storage: ClusterStorage

  constructor(
    brokers: Brokers,
    topics: Topics,
    settings: CoordinatorSettings,
    timers: Timers,
    storage: ClusterStorage,
  ) {
    this.#brokers = brokers
    this.#settings = settings
    this.#timers = timers
    this.#storage = storage
    this.configs = new GroupConfigs(settings.defaults, storage)
    for (const { group, topic, partition, ...saved } of storage.saved.offsets) {
      const { leaderEpoch, metadata } = saved
      const committed = { offset: BigInt(saved.offset), leaderEpoch, metadata }
      this.findOrCreateClassic(group).offsets.set(topic, partition, committed)
    }
    for (const { group, topicId, partition: index, ...saved } of storage.saved.shares) {
      const partition = topics.byId(topicId)?.partitions[index]
      if (partition !== undefined) this.findOrCreateShare(group).restore(topicId, partition, saved)
    }
  }

  get all(): readonly Group[] {
    return [...this.#byId.values()]
  }

  find(id: string): Group | undefined {
    return this.#byId.get(id)
  }

  /** Undefined if there is none, or one of another type. */
  findClassic(id: string): ClassicGroup | undefined {
    const group = this.#byId.get(id)
    return group instanceof ClassicGroup ? group : undefined
  }

  /**
   * Converts an empty group of the consumer protocol. Throws INCONSISTENT_GROUP_PROTOCOL if the group is of another
   * type.
   */
  findOrCreateClassic(id: string): ClassicGroup {
    const known = this.#byId.get(id)
    if (known instanceof ClassicGroup) return known
    const isConvertible = known instanceof ConsumerGroup && known.isEmpty
    if (known !== undefined && !isConvertible) throw new Refused('INCONSISTENT_GROUP_PROTOCOL')
    const { save } = this.#storage
    const group = new ClassicGroup(id, this.#settings, this.#timers, save, known?.offsets)
    this.#byId.set(id, group)
    return group
  }

  /** Undefined if there is none, or one of another type. */
  findShare(id: string): ShareGroup | undefined {
    const group = this.#byId.get(id)
    return group instanceof ShareGroup ? group : undefined
  }

  /** Throws GROUP_ID_NOT_FOUND if there is none, or one of another type. */
  share(id: string, missing = `Group ${id} not found.`): ShareGroup {
    const group = this.#byId.get(id)
    if (group instanceof ShareGroup) return group
    const detail = group === undefined ? missing : `Group ${id} is not a share group.`
    throw new Refused('GROUP_ID_NOT_FOUND', detail)
  }

  /** Throws GROUP_ID_NOT_FOUND if the group is of another type. */
  findOrCreateShare(id: string): ShareGroup {
    const known = this.#byId.get(id)
    if (known instanceof ShareGroup) return known
    if (known !== undefined) return this.share(id)
    const group = new ShareGroup(
      id,
      this.configs.shareSettings(id),
      this.#timers,
      this.#storage.isKept ? this.#storage.save : undefined,
    )
    this.#byId.set(id, group)
    return group
  }

  /**
   * Returns the group of the consumer protocol. Throws GROUP_ID_NOT_FOUND if there is none, or one
   * of another type.
   */
  consumer(id: string, missing = `Group ${id} not found.`): ConsumerGroup {
    const group = this.#byId.get(id)
    if (group instanceof ConsumerGroup) return group
    const detail = group === undefined ? missing : `Group ${id} is not a consumer group.`
    throw new Refused('GROUP_ID_NOT_FOUND', detail)
  }

  /**
   * Returns the group that a member joins. An empty classic group is converted to this type. A new
   * group is stored only when `keep` is called. Throws GROUP_ID_NOT_FOUND if it is of another type
   * and has members.
   */
  consumerToJoin(id: string): ConsumerGroup {
    const known = this.#byId.get(id)
    const isConvertible = known instanceof ClassicGroup && known.isEmpty
    if (known !== undefined && !isConvertible) return this.consumer(id)
    const offsets = known?.offsets ?? new GroupOffsets(id, this.#storage.save)
    return new ConsumerGroup(id, offsets, this.configs.consumerSettings(id), this.#timers)
  }

  keep(group: Group): void {
    this.#byId.set(group.id, group)
  }

  /** Throws Refused. */
  delete(id: string): void {
    const group = this.#byId.get(id)
    if (group === undefined) throw new Refused('GROUP_ID_NOT_FOUND')
    group.delete()
    this.#storage.save({ kind: 'groupDeleted', group: id })
    this.#byId.delete(id)
  }

  topicDeleted({ name, id, partitions }: Topic): void {
    for (const group of this.#byId.values()) {
      group.offsets.deleteTopic(name)
      if (group instanceof ShareGroup) group.forget(id, partitions.length)
    }
  }

  /** The id of the broker that coordinates a group; undefined while no broker runs. */
  coordinatorOf(groupId: string): number | undefined {
    const moved = this.#moved.get(groupId)
    if (moved !== undefined && this.#brokers.isAlive(moved)) return moved
    const { all } = this.#brokers
    const first = hashOf(groupId) % all.length
    for (let i = 0; i < all.length; i++) {
      const broker = all[(first + i) % all.length]!
      if (broker.isAlive) return broker.id
    }
    return undefined
  }

  moveCoordinator(groupId: string, brokerId: number): void {
    this.#moved.set(groupId, brokerId)
    this.#byId.get(groupId)?.unload()
  }

  /** Throws Refused unless the broker coordinates the group. */
  checkCoordinator(groupId: string, brokerId: number): void {
    if (this.coordinatorOf(groupId) !== brokerId) throw new Refused('NOT_COORDINATOR')
  }

  /** Throws INVALID_SESSION_TIMEOUT. */
  checkSessionTimeout(timeoutMs: number): void {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#settings
    if (timeoutMs < minSessionTimeoutMs || timeoutMs > maxSessionTimeoutMs) {
      throw new Refused('INVALID_SESSION_TIMEOUT')
    }
  }
}

/** Java's String.hashCode, made non-negative. */
function hashOf(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash & 0x7fffffff
}
