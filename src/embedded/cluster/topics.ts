import { Refused } from '../refused.ts'
import type { ClusterStorage } from '../storage/cluster-storage.ts'
import type { SavedPartition } from '../storage/saved-entry.ts'
import type { SavedTopic } from '../storage/saved-state.ts'
import type { Brokers } from './brokers.ts'
import { NO_LEADER, Partition } from './partition.ts'
import { completeMove } from './reassign.ts'
import { retainByTime } from './retention.ts'
import { TopicConfig } from './topic-config.ts'
import { newUuid } from './uuid.ts'

export class Topic {
  readonly name: string
  readonly id: string
  readonly partitions: Partition[] = []
  config: TopicConfig

  constructor(name: string, config: TopicConfig, id = newUuid()) {
    this.name = name
    this.config = config
    this.id = id
  }

  get replicationFactor(): number {
    return this.partitions[0]?.replicas.length ?? 0
  }
}

export interface NewTopic {
  readonly name: string
  /** −1 for the cluster's default. */
  readonly partitionCount: number
  /** −1 for the cluster's default. */
  readonly replicationFactor: number
  /** The replicas of each partition, instead of the two numbers. */
  readonly assignments?: readonly (readonly number[])[]
  readonly config?: TopicConfig
}

export interface TopicDefaults {
  readonly partitionCount: number
  readonly replicationFactor: number
}

/** Kafka's MAX_PARTITIONS_PER_BATCH: the controller creates at most this many in one step. */
export const MAX_PARTITIONS_AT_ONCE = 10_000

/** The controller's state: topics, their partitions, and the leaders. */
export class Topics {
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()
  /** Called after every change of topics, partitions and their leaders. */
  onChange: () => void = () => undefined
  readonly #brokers: Brokers
  readonly #defaults: TopicDefaults
  readonly #storage: ClusterStorage
  /**
   * The broker of the next topic's first replica; it advances so that leaders spread over the
   * brokers.
   */
  #nextBroker = 0

  constructor(brokers: Brokers, defaults: TopicDefaults, storage: ClusterStorage) {
    this.#brokers = brokers
    this.#defaults = defaults
    this.#storage = storage
    for (const topic of storage.saved.topics) this.#restore(topic)
  }

  get all(): readonly Topic[] {
    return [...this.#byName.values()]
  }

  byName(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  byId(id: string): Topic | undefined {
    return this.#byId.get(id)
  }

  /** Throws Refused, with Kafka's error messages. `validateOnly` changes nothing. */
  create(wanted: NewTopic, validateOnly = false): Topic {
    checkTopicName(wanted.name)
    if (this.#byName.has(wanted.name)) {
      throw new Refused('TOPIC_ALREADY_EXISTS', `Topic '${wanted.name}' already exists.`)
    }
    const topic = new Topic(wanted.name, wanted.config ?? new TopicConfig())
    const replicas =
      wanted.assignments ??
      this.#assign(
        this.#partitionCount(wanted.partitionCount),
        this.#replicationFactor(wanted.replicationFactor),
      )
    for (const ids of replicas) topic.partitions.push(this.#newPartition(topic, ids))
    if (validateOnly) return topic
    this.#save(topic)
    this.#add(topic)
    this.onChange()
    return topic
  }

  delete(topic: Topic): void {
    this.#storage.save({ kind: 'topicDeleted', id: topic.id })
    this.#byName.delete(topic.name)
    this.#byId.delete(topic.id)
    for (const partition of topic.partitions) partition.delete()
    this.#storage.deleteTopic(topic.id)
    this.onChange()
  }

  configure(topic: Topic, config: TopicConfig): void {
    this.#save(topic, { config })
    topic.config = config
    this.onChange()
  }

  /** Throws Refused unless the number of partitions increases. */
  addPartitions(
    topic: Topic,
    count: number,
    assignments: readonly (readonly number[])[] | undefined,
    validateOnly: boolean,
  ): void {
    const has = topic.partitions.length
    if (count === has) {
      throw new Refused('INVALID_PARTITIONS', `Topic already has ${has} partition(s).`)
    }
    if (count < has) {
      throw new Refused(
        'INVALID_PARTITIONS',
        `The topic ${topic.name} currently has ${has} partition(s); ${count} would not be an increase.`,
      )
    }
    if (count - has > MAX_PARTITIONS_AT_ONCE) throw tooManyAdded()
    if (assignments !== undefined && assignments.length !== count - has) {
      throw new Refused(
        'INVALID_REPLICA_ASSIGNMENT',
        `Attempted to add ${count - has} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
      )
    }
    const replicas = assignments ?? this.#assign(count - has, topic.replicationFactor)
    if (validateOnly) return
    const added = replicas.map((ids, index) => this.#newPartition(topic, ids, has + index))
    this.#save(topic, { partitions: [...topic.partitions, ...added] })
    topic.partitions.push(...added)
    this.onChange()
  }

  /** Deletes records and producer ids that have expired. */
  removeExpired(nowMs: number, producerIdExpirationMs: number): void {
    for (const { partitions, config } of this.#byName.values()) {
      for (const { log, state } of partitions) {
        retainByTime(log, config, nowMs)
        state.expireProducers(nowMs - producerIdExpirationMs)
      }
    }
  }

  partition(name: string, index: number): Partition | undefined {
    return this.#byName.get(name)?.partitions[index]
  }

  /** Partitions that the broker led get another leader, if one is in sync. */
  brokerStopped(id: number): void {
    for (const partition of this.#partitions()) {
      const inSync = partition.isr.filter((replica) => replica !== id)
      // The last in-sync replica stays in sync: only it has all records.
      if (inSync.length > 0) partition.isr = inSync
      if (partition.leader !== id) continue
      partition.setLeader(
        partition.isr.find((replica) => this.#brokers.isAlive(replica)) ?? NO_LEADER,
      )
      // A follower that becomes the leader has seen all batches; a leader that starts again
      // continues from its snapshot.
      if (partition.leader === NO_LEADER) partition.state.producers.keepLast()
    }
    this.onChange()
  }

  /** The broker catches up immediately, and leads partitions that have no leader. */
  brokerStarted(id: number): void {
    for (const partition of this.#partitions()) {
      if (!partition.replicas.includes(id)) continue
      partition.isr = partition.replicas.filter(
        (replica) => replica === id || partition.isr.includes(replica),
      )
      if (partition.leader === NO_LEADER) partition.setLeader(id)
      completeMove(partition, this.#brokers)
    }
    this.onChange()
  }

  *#partitions(): Generator<Partition> {
    for (const { partitions } of this.#byName.values()) yield* partitions
  }

  #add(topic: Topic): void {
    this.#byName.set(topic.name, topic)
    this.#byId.set(topic.id, topic)
  }

  /** Saves the current state of a topic, or its state after a change that is about to be made. */
  #save(topic: Topic, change: Partial<Pick<Topic, 'config' | 'partitions'>> = {}): void {
    const { config = topic.config, partitions = topic.partitions } = change
    this.#storage.save({
      kind: 'topic',
      id: topic.id,
      name: topic.name,
      config: Object.fromEntries(config.overrides),
      partitions: partitions.map(({ saved }) => saved),
    })
  }

  /** Restores a topic. All brokers have just started, so every leader gets a new epoch. */
  #restore({ id, name, config, partitions }: SavedTopic): void {
    const topic = new Topic(name, new TopicConfig(Object.entries(config)), id)
    for (const [index, saved] of partitions.entries()) {
      const replicas = this.#replicasThatAre(saved, index)
      const partition = new Partition(topic, index, replicas, this.#storage, saved.startOffset)
      partition.leaderEpoch = saved.leaderEpoch
      partition.setLeader(partition.leader)
      topic.partitions.push(partition)
    }
    this.#add(topic)
  }

  /** The saved replicas whose brokers exist: the cluster may have had more brokers when it saved them. */
  #replicasThatAre({ replicas }: SavedPartition, index: number): readonly number[] {
    const { all } = this.#brokers
    const known = replicas.filter((id) => this.#brokers.find(id) !== undefined)
    return known.length > 0 ? known : [all[index % all.length]!.id]
  }

  /** Throws INVALID_REPLICA_ASSIGNMENT. */
  #newPartition(
    topic: Topic,
    replicas: readonly number[],
    index = topic.partitions.length,
  ): Partition {
    if (replicas.length === 0 || new Set(replicas).size < replicas.length) {
      throw new Refused(
        'INVALID_REPLICA_ASSIGNMENT',
        'The manual partition assignment includes an empty or a repeated replica list.',
      )
    }
    const stranger = replicas.find((id) => this.#brokers.find(id) === undefined)
    if (stranger !== undefined) {
      throw new Refused(
        'INVALID_REPLICA_ASSIGNMENT',
        `The manual partition assignment includes broker ${stranger}, but no such broker is registered.`,
      )
    }
    const partition = new Partition(topic, index, replicas, this.#storage)
    const alive = replicas.filter((id) => this.#brokers.isAlive(id))
    if (alive.length > 0) partition.isr = alive
    partition.leader = alive[0] ?? NO_LEADER
    return partition
  }

  #partitionCount(count: number): number {
    if (count === -1) return this.#defaults.partitionCount
    if (count > MAX_PARTITIONS_AT_ONCE) {
      throw new Refused('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
    }
    if (count > 0) return count
    throw new Refused(
      'INVALID_PARTITIONS',
      'Number of partitions was set to an invalid non-positive value.',
    )
  }

  #replicationFactor(factor: number): number {
    const registered = this.#brokers.alive.length
    if (factor === -1) return Math.min(this.#defaults.replicationFactor, registered)
    if (factor < 1) {
      throw new Refused(
        'INVALID_REPLICATION_FACTOR',
        'Replication factor must be larger than 0, or -1 to use the default value.',
      )
    }
    if (factor <= registered) return factor
    throw new Refused(
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${factor} time(s): The target replication factor of ${factor} cannot be reached because only ${registered} broker(s) are registered or some brokers have all their log directories cordoned.`,
    )
  }

  /** Round robin over the running brokers. */
  #assign(count: number, replicationFactor: number): readonly (readonly number[])[] {
    const ids = this.#brokers.alive.map(({ id }) => id)
    return Array.from({ length: count }, () => {
      const first = this.#nextBroker++
      return Array.from(
        { length: Math.min(replicationFactor, ids.length) },
        (_, replica) => ids[(first + replica) % ids.length]!,
      )
    })
  }
}

export function tooManyAdded(): Refused {
  return new Refused(
    'POLICY_VIOLATION',
    'Excessively large number of additional partitions per request.',
  )
}

const LONGEST_NAME = 249

/** Throws INVALID_TOPIC_EXCEPTION. */
export function checkTopicName(name: string): void {
  const problem = problemOfName(name)
  if (problem !== undefined) {
    throw new Refused('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${problem}`)
  }
}

function problemOfName(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > LONGEST_NAME) {
    return `the length of '${name}' is longer than the max allowed length ${LONGEST_NAME}`
  }
  return /^[\w.-]+$/.test(name)
    ? undefined
    : `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
}
