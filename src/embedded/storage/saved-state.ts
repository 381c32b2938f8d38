import type { SavedEntry, SavedPartition } from './saved-entry.ts'

type OffsetEntry = Extract<SavedEntry, { kind: 'offset' }>
type GroupConfigEntry = Extract<SavedEntry, { kind: 'groupConfig' }>
type ClientMetricsEntry = Extract<SavedEntry, { kind: 'clientMetrics' }>
type ShareEntry = Extract<SavedEntry, { kind: 'share' }>
type TransactionEntry = Extract<SavedEntry, { kind: 'transaction' }>
type AclEntry = Extract<SavedEntry, { kind: 'acl' | 'aclDeleted' }>
type QuotaEntry = Extract<SavedEntry, { kind: 'quota' }>
type ScramUserEntry = Extract<SavedEntry, { kind: 'scramUser' }>
type TokenEntry = Extract<SavedEntry, { kind: 'token' }>
type TopicEntry = Extract<SavedEntry, { kind: 'topic' }>
export interface SavedTopic extends TopicEntry {
  readonly partitions: SavedPartition[]
}

/** The state that follows from a journal's entries. */
export class SavedState {
  clusterId: string | undefined
  nextProducerId = 0n
  readonly #topics = new Map<string, SavedTopic>()
  /** By group, then by topic and partition. */
  readonly #offsets = new Map<string, Map<string, OffsetEntry>>()

  readonly #groupConfigs = new Map<string, GroupConfigEntry>()
  readonly #clientMetrics = new Map<string, ClientMetricsEntry>()
  /** By group, then by topic id and partition. */
  readonly #shares = new Map<string, Map<string, ShareEntry>>()

  readonly #transactions = new Map<string, TransactionEntry>()

  get transactions(): readonly TransactionEntry[] {
    return [...this.#transactions.values()]
  }

  /** By the subject of the entry: the last entry of each counts. */
  readonly #acls = new Map<string, AclEntry>()
  readonly #quotas = new Map<string, QuotaEntry>()
  readonly #scramUsers = new Map<string, ScramUserEntry>()
  readonly #tokens = new Map<string, TokenEntry>()

  get acls(): readonly Omit<AclEntry, 'kind'>[] {
    return [...this.#acls.values()].map(({ kind: _, ...acl }) => acl)
  }

  get quotas(): readonly QuotaEntry[] {
    return [...this.#quotas.values()]
  }

  get scramUsers(): readonly ScramUserEntry[] {
    return [...this.#scramUsers.values()]
  }

  get tokens(): readonly TokenEntry[] {
    return [...this.#tokens.values()]
  }

  get topics(): readonly SavedTopic[] {
    return [...this.#topics.values()]
  }

  get offsets(): readonly OffsetEntry[] {
    return [...this.#offsets.values()].flatMap((offsets) => [...offsets.values()])
  }

  get groupConfigs(): readonly GroupConfigEntry[] {
    return [...this.#groupConfigs.values()]
  }

  get clientMetrics(): readonly ClientMetricsEntry[] {
    return [...this.#clientMetrics.values()]
  }

  get shares(): readonly ShareEntry[] {
    return [...this.#shares.values()].flatMap((partitions) => [...partitions.values()])
  }

  hasTopic(id: string): boolean {
    return this.#topics.has(id)
  }

  hasPartition(topicId: string, index: number): boolean {
    return this.#topics.get(topicId)?.partitions[index] !== undefined
  }

  apply(entry: SavedEntry): void {
    switch (entry.kind) {
      case 'cluster':
        this.clusterId = entry.clusterId
        return
      case 'producerIds':
        this.nextProducerId = BigInt(entry.next)
        return
      case 'topic':
        this.#topics.set(entry.id, { ...entry, partitions: [...entry.partitions] })
        return
      case 'topicDeleted':
        this.#deleteTopic(entry.id)
        return
      case 'leader': {
        const { replicas, leaderEpoch } = entry
        this.#changePartition(entry.topicId, entry.index, { replicas, leaderEpoch })
        return
      }
      case 'logStart':
        this.#changePartition(entry.topicId, entry.index, { startOffset: entry.startOffset })
        return
      case 'offset': {
        const offsets = this.#offsets.get(entry.group) ?? new Map<string, OffsetEntry>()
        this.#offsets.set(entry.group, offsets)
        offsets.set(keyOf(entry), entry)
        return
      }
      case 'offsetDeleted':
        this.#offsets.get(entry.group)?.delete(keyOf(entry))
        return
      case 'groupDeleted':
        this.#offsets.delete(entry.group)
        this.#shares.delete(entry.group)
        return
      case 'groupConfig':
        if (Object.keys(entry.values).length === 0) this.#groupConfigs.delete(entry.group)
        else this.#groupConfigs.set(entry.group, entry)
        return
      case 'clientMetrics':
        if (Object.keys(entry.values).length === 0) this.#clientMetrics.delete(entry.name)
        else this.#clientMetrics.set(entry.name, entry)
        return
      case 'share': {
        const partitions = this.#shares.get(entry.group) ?? new Map<string, ShareEntry>()
        this.#shares.set(entry.group, partitions)
        partitions.set(`${entry.topicId}:${entry.partition}`, entry)
        return
      }
      case 'shareDeleted':
        deleteTopicOf(this.#shares.get(entry.group), entry.topicId)
        return
      case 'transaction':
        this.#transactions.set(entry.id, entry)
        return
      case 'acl':
        this.#acls.set(aclKeyOf(entry), entry)
        return
      case 'aclDeleted':
        this.#acls.delete(aclKeyOf(entry))
        return
      case 'quota': {
        const key = JSON.stringify(Object.entries(entry.entity).sort())
        if (Object.keys(entry.values).length === 0) this.#quotas.delete(key)
        else this.#quotas.set(key, entry)
        return
      }
      case 'scramUser':
        this.#scramUsers.set(JSON.stringify([entry.user, entry.mechanism]), entry)
        return
      case 'token':
        this.#tokens.set(entry.tokenId, entry)
        return
      case 'tokenDeleted':
        this.#tokens.delete(entry.tokenId)
    }
  }

  /** The fewest entries that produce the same state. */
  *entries(): Generator<SavedEntry> {
    if (this.clusterId !== undefined) yield { kind: 'cluster', clusterId: this.clusterId }
    yield { kind: 'producerIds', next: String(this.nextProducerId) }
    yield* this.#topics.values()
    yield* this.offsets
    yield* this.#groupConfigs.values()
    yield* this.#clientMetrics.values()
    yield* this.shares
    yield* this.#transactions.values()
    yield* this.#acls.values()
    yield* this.#quotas.values()
    yield* this.#scramUsers.values()
    yield* this.#tokens.values()
  }

  #changePartition(topicId: string, index: number, change: Partial<SavedPartition>): void {
    const partitions = this.#topics.get(topicId)?.partitions
    const partition = partitions?.[index]
    if (partitions === undefined || partition === undefined) return
    partitions[index] = { ...partition, ...change }
  }

  #deleteTopic(id: string): void {
    const topic = this.#topics.get(id)
    this.#topics.delete(id)
    for (const partitions of this.#shares.values()) deleteTopicOf(partitions, id)
    if (topic === undefined) return
    for (const offsets of this.#offsets.values()) {
      for (const [key, offset] of offsets) if (offset.topic === topic.name) offsets.delete(key)
    }
  }
}

function deleteTopicOf(partitions: Map<string, ShareEntry> | undefined, topicId: string): void {
  for (const [key, entry] of partitions ?? [])
    if (entry.topicId === topicId) partitions?.delete(key)
}

function aclKeyOf({ kind: _, ...acl }: AclEntry): string {
  return JSON.stringify(Object.entries(acl).sort())
}

function keyOf({ topic, partition }: Pick<OffsetEntry, 'topic' | 'partition'>): string {
  return `${topic}:${partition}`
}
