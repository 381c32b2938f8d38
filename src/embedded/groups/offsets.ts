import type { Save } from '../storage/saved-entry.ts'

/** The committed offset of a group in a partition. */
export interface CommittedOffset {
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string
}

export class GroupOffsets {
  readonly #byTopic = new Map<string, Map<number, CommittedOffset>>()
  /** The offsets of open transactions, by producer. */
  readonly #pending = new Map<bigint, Map<string, Map<number, CommittedOffset>>>()
  readonly #group: string
  readonly #save: Save

  constructor(group: string, save: Save) {
    this.#group = group
    this.#save = save
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#byTopic.get(topic)?.get(partition)
  }

  /** Whether an open transaction commits an offset here. */
  isPending(topic: string, partition: number): boolean {
    return [...this.#pending.values()].some(
      (offsets) => offsets.get(topic)?.has(partition) === true,
    )
  }

  /** The offsets that a transaction commits become visible when it commits (KIP-98). */
  commitInTransaction(
    producerId: bigint,
    topic: string,
    partition: number,
    committed: CommittedOffset,
  ): void {
    const offsets = this.#pending.get(producerId) ?? new Map<string, Map<number, CommittedOffset>>()
    this.#pending.set(producerId, offsets)
    const partitions = offsets.get(topic) ?? new Map<number, CommittedOffset>()
    offsets.set(topic, partitions)
    partitions.set(partition, committed)
  }

  /** Throws Refused. */
  endTransaction(producerId: bigint, outcome: 'commit' | 'abort'): void {
    const offsets = this.#pending.get(producerId)
    this.#pending.delete(producerId)
    if (offsets === undefined || outcome === 'abort') return
    for (const [topic, partitions] of offsets) {
      for (const [partition, committed] of partitions) this.commit(topic, partition, committed)
    }
  }

  /** Throws Refused. */
  commit(topic: string, partition: number, committed: CommittedOffset): void {
    const offset = String(committed.offset)
    this.#save({ kind: 'offset', group: this.#group, topic, partition, ...committed, offset })
    this.set(topic, partition, committed)
  }

  /** Restores the offsets that were committed before a restart. */
  set(topic: string, partition: number, committed: CommittedOffset): void {
    const partitions = this.#byTopic.get(topic) ?? new Map<number, CommittedOffset>()
    this.#byTopic.set(topic, partitions)
    partitions.set(partition, committed)
  }

  delete(topic: string, partition: number): void {
    this.#save({ kind: 'offsetDeleted', group: this.#group, topic, partition })
    const partitions = this.#byTopic.get(topic)
    partitions?.delete(partition)
    if (partitions?.size === 0) this.#byTopic.delete(topic)
  }

  deleteTopic(topic: string): void {
    this.#byTopic.delete(topic)
    for (const offsets of this.#pending.values()) offsets.delete(topic)
  }

  /** The partitions with a committed offset, by topic. */
  get topics(): readonly { readonly topic: string; readonly partitions: readonly number[] }[] {
    return [...this.#byTopic].map(([topic, partitions]) => ({
      topic,
      partitions: [...partitions.keys()],
    }))
  }
}
