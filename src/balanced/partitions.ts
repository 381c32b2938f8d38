import { nameOf, type TopicPartition } from '../consumer/topic-partition.ts'

/** A log line with more names is useless, and a million names take twenty megabytes. */
const MOST_NAMES = 100

/** Formats partitions for logs: `orders-0, orders-3`, or `none`. */
export function namesOf(partitions: Iterable<TopicPartition>): string {
  const all = [...partitions]
  const names = all.slice(0, MOST_NAMES).map(nameOf).join(', ') || 'none'
  return all.length > MOST_NAMES ? `${names} and ${all.length - MOST_NAMES} more` : names
}

/**
 * A set of partitions by topic and number, not by object identity. It iterates in the order in which they were added.
 */
export class PartitionSet implements Iterable<TopicPartition> {
  readonly #byName = new Map<string, TopicPartition>()

  constructor(partitions: Iterable<TopicPartition> = []) {
    for (const partition of partitions) this.add(partition)
  }

  get size(): number {
    return this.#byName.size
  }

  has(partition: TopicPartition): boolean {
    return this.#byName.has(nameOf(partition))
  }

  add(partition: TopicPartition): void {
    this.#byName.set(nameOf(partition), partition)
  }

  delete(partition: TopicPartition): boolean {
    return this.#byName.delete(nameOf(partition))
  }

  /** Returns the partitions that are not in `others`. */
  without(others: PartitionSet): TopicPartition[] {
    return [...this].filter((partition) => !others.has(partition))
  }

  [Symbol.iterator](): Iterator<TopicPartition> {
    return this.#byName.values()
  }
}
