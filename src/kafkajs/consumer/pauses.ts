interface Paused {
  /** The partitions that were paused by number. */
  readonly partitions: Set<number>
  /** Whether the topic was paused as a whole. */
  isWhole: boolean
  /** The partitions that were resumed after the topic was paused as a whole. */
  readonly resumed: Set<number>
}

type Topics = readonly { topic: string; partitions?: number[] }[]

/** The topics and partitions that the application has paused, assigned or not. */
export class Pauses {
  readonly #topics = new Map<string, Paused>()

  pause(topics: Topics): void {
    for (const { topic, partitions } of topics) {
      const paused = this.#of(topic)
      paused.isWhole = partitions === undefined
      if (partitions === undefined) {
        paused.partitions.clear()
        paused.resumed.clear()
      }
      for (const partition of partitions ?? []) {
        paused.partitions.add(partition)
        paused.resumed.delete(partition)
      }
    }
  }

  resume(topics: Topics): void {
    for (const { topic, partitions } of topics) {
      if (partitions === undefined) {
        this.#topics.delete(topic)
        continue
      }
      const paused = this.#of(topic)
      for (const partition of partitions) {
        paused.partitions.delete(partition)
        if (paused.isWhole) paused.resumed.add(partition)
      }
    }
  }

  has(topic: string, partition: number): boolean {
    const paused = this.#topics.get(topic)
    if (paused === undefined) return false
    return (paused.isWhole && !paused.resumed.has(partition)) || paused.partitions.has(partition)
  }

  #of(topic: string): Paused {
    let paused = this.#topics.get(topic)
    if (paused === undefined) {
      paused = { partitions: new Set(), isWhole: false, resumed: new Set() }
      this.#topics.set(topic, paused)
    }
    return paused
  }
}
