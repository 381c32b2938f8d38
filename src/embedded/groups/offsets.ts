/** A group's position in a partition. */
export interface CommittedOffset {
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string
}

export class GroupOffsets {
  readonly #byTopic = new Map<string, Map<number, CommittedOffset>>()

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#byTopic.get(topic)?.get(partition)
  }

  set(topic: string, partition: number, committed: CommittedOffset): void {
    const partitions = this.#byTopic.get(topic) ?? new Map<number, CommittedOffset>()
    this.#byTopic.set(topic, partitions)
    partitions.set(partition, committed)
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#byTopic.get(topic)
    partitions?.delete(partition)
    if (partitions?.size === 0) this.#byTopic.delete(topic)
  }

  deleteTopic(topic: string): void {
    this.#byTopic.delete(topic)
  }

  /** The partitions that there is an offset for, by topic. */
  get topics(): readonly { readonly topic: string; readonly partitions: readonly number[] }[] {
    return [...this.#byTopic].map(([topic, partitions]) => ({
      topic,
      partitions: [...partitions.keys()],
    }))
  }
}
