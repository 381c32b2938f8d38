import type { TopicPartition } from '../../index.ts'
import { byTopic, partitionOffsets } from '../topic-offsets.ts'
import { declaredAsNumber } from '../text.ts'
import type { TopicOffsets } from '../types/common.ts'

interface Offsets extends TopicPartition {
  /** The offset after the last message that the application has processed; undefined before the first one. */
  resolved: number | undefined
  committed: number | undefined
  /** Where reading began. Differs from `committed` after the application has committed offsets by itself. */
  readonly from: number | undefined
}

/**
 * The processed and the committed offsets of the assigned partitions. Other partitions have no entry, so that a handler
 * that outlives its partition does not overwrite the commits of the next owner.
 */
export class ResolvedOffsets {
  readonly #partitions = new Map<string, Offsets>()
  #lastCommit = Date.now()

  /**
   * Returns the function for handlers to call with the offset of each processed message. It has no effect after the
   * partition was given up, even if it is assigned again.
   */
  resolver(topic: string, partition: number): (offset: number) => void {
    const offsets = this.#partitions.get(nameOf(topic, partition))
    return (offset) => {
      if (offsets !== undefined) offsets.resolved = offset + 1
    }
  }

  /** The offset of the next message to process. */
  next(topic: string, partition: number): number | undefined {
    const offsets = this.#partitions.get(nameOf(topic, partition))
    return offsets?.resolved ?? offsets?.from
  }

  committed(topics: readonly TopicOffsets[]): void {
    for (const { topic, partition, offset } of partitionOffsets(topics)) {
      const offsets = this.#partitions.get(nameOf(topic, partition))
      if (offsets !== undefined) offsets.committed = offset
    }
    this.#lastCommit = Date.now()
  }

  /** Restarts the commit interval without a commit, because there was nothing to commit. */
  nothingToCommit(): void {
    this.#lastCommit = Date.now()
  }

  uncommitted(): TopicOffsets[] {
    const uncommitted = [...this.#partitions.values()].filter(
      ({ resolved, committed }) => resolved !== undefined && resolved !== committed,
    )
    return [...byTopic(uncommitted)].map(([topic, ofTopic]) => ({
      topic,
      partitions: ofTopic.map(({ partition, resolved }) => ({
        partition: declaredAsNumber(partition),
        offset: String(resolved),
      })),
    }))
  }

  /** The number of messages that were processed since the last commits. */
  get uncommittedCount(): number {
    let count = 0
    for (const { resolved, committed } of this.#partitions.values()) {
      if (resolved !== undefined) count += resolved - (committed ?? 0)
    }
    return count
  }

  get sinceLastCommitMs(): number {
    return Date.now() - this.#lastCommit
  }

  /** Removes a partition that is no longer assigned. */
  forget(topic: string, partition: number): void {
    this.#partitions.delete(nameOf(topic, partition))
  }

  /** Starts a partition that was assigned or sought: nothing of it has been processed yet. */
  begin(topic: string, partition: number, position: number | undefined): void {
    this.#partitions.set(nameOf(topic, partition), {
      topic,
      partition,
      resolved: undefined,
      committed: position,
      from: position,
    })
  }
}

export function nameOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
