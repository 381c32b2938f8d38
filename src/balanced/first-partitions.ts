import type { TopicMetadata } from '../cluster/metadata.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { Subscription } from './subscription.ts'

/**
 * The partitions that existed when a member started. A later one, also of a new topic that a pattern matches, is read
 * from its first message, whatever `autoOffsetReset` says: all its messages were written after the member started,
 * and some before any member detected the partition.
 */
export class FirstPartitions {
  #counts: ReadonlyMap<string, number> | undefined

  /** Only the first call counts. `found` are the topics of the subscription, if they were just looked up. */
  async look(
    subscription: Subscription,
    found: readonly TopicMetadata[] | undefined,
  ): Promise<void> {
    if (this.#counts !== undefined) return
    const topics = found ?? (await subscription.topics())
    this.#counts ??= new Map(topics.map(({ name, partitions }) => [name, partitions.length]))
  }

  isNew({ topic, partition }: TopicPartition): boolean {
    return this.#counts !== undefined && partition >= (this.#counts.get(topic) ?? 0)
  }
}
