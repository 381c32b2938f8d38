import type { Deadline } from '../async/deadline.ts'
import type {
  CommitResult,
  CommittedOffset,
  OffsetStore,
  OffsetToCommit,
} from '../consumer/offsets/offset-store.ts'
import { nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { NotOwnedError } from './errors.ts'

/**
 * A group's offsets, of which a member commits only those of the partitions that it owns. With ZooKeeper brokers
 * accept commits of any client: a late commit of a former member would move the new owner back.
 */
export class OwnedOffsets implements OffsetStore {
  readonly #store: OffsetStore
  readonly #owns: (partition: TopicPartition) => boolean

  constructor(store: OffsetStore, owns: (partition: TopicPartition) => boolean) {
    this.#store = store
    this.#owns = owns
  }

  get expires(): boolean {
    return this.#store.expires
  }

  fetch(
    partitions: readonly TopicPartition[],
    deadline: Deadline,
  ): Promise<readonly CommittedOffset[]> {
    return this.#store.fetch(partitions, deadline)
  }

  async commit(
    offsets: readonly OffsetToCommit[],
    deadline: Deadline,
  ): Promise<readonly CommitResult[]> {
    const owned = offsets.filter((one) => this.#owns(one))
    const results = new Map<string, CommitResult>()
    for (const { topic, partition } of offsets) {
      const error = new NotOwnedError({ topic, partition })
      results.set(nameOf({ topic, partition }), { topic, partition, error })
    }
    const committed = owned.length > 0 ? await this.#store.commit(owned, deadline) : []
    for (const result of committed) results.set(nameOf(result), result)
    return [...results.values()]
  }
}
