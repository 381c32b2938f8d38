import type { SavedEntry, SavedPartition } from './saved-entry.ts'

type OffsetEntry = Extract<SavedEntry, { kind: 'offset' }>
type TransactionEntry = Extract<SavedEntry, { kind: 'transaction' }>
type TopicEntry = Extract<SavedEntry, { kind: 'topic' }>
export interface SavedTopic extends TopicEntry {
  readonly partitions: SavedPartition[]
}

/** What a journal's entries come to. */
export class SavedState {
  clusterId: string | undefined
  nextProducerId = 0n
  readonly #topics = new Map<string, SavedTopic>()
  /** By group, then by topic and partition. */
  readonly #offsets = new Map<string, Map<string, OffsetEntry>>()

  readonly #transactions = new Map<string, TransactionEntry>()

  get transactions(): readonly TransactionEntry[] {
    return [...this.#transactions.values()]
  }

  get topics(): readonly SavedTopic[] {
    return [...this.#topics.values()]
  }

  get offsets(): readonly OffsetEntry[] {
    return [...this.#offsets.values()].flatMap((offsets) => [...offsets.values()])
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
        return
      case 'transaction':
        this.#transactions.set(entry.id, entry)
    }
  }

  /** As few entries as come to the same. */
  *entries(): Generator<SavedEntry> {
    if (this.clusterId !== undefined) yield { kind: 'cluster', clusterId: this.clusterId }
    yield { kind: 'producerIds', next: String(this.nextProducerId) }
    yield* this.#topics.values()
    yield* this.offsets
    yield* this.#transactions.values()
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
    if (topic === undefined) return
    for (const offsets of this.#offsets.values()) {
      for (const [key, offset] of offsets) if (offset.topic === topic.name) offsets.delete(key)
    }
  }
}

function keyOf({ topic, partition }: Pick<OffsetEntry, 'topic' | 'partition'>): string {
  return `${topic}:${partition}`
}
