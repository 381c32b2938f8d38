import type { TopicPartition } from '../../index.ts'
import type { TopicOffsets } from '../types/common.ts'

interface Offsets extends TopicPartition {
  /** The next message, by what the application has processed; undefined before it has processed anything. */
  resolved: number | undefined
  committed: number | undefined
}

/** What was processed and what was committed of the partitions that are assigned. */
export class ResolvedOffsets {
  readonly #partitions = new Map<string, Offsets>()
  #lastCommit = Date.now()

  /** A message was processed. */
  resolve(topic: string, partition: number, offset: number): void {
    this.#of(topic, partition).resolved = offset + 1
  }

  /** The offset of the next message, where something was processed. */
  next(topic: string, partition: number): number | undefined {
    const offsets = this.#partitions.get(nameOf(topic, partition))
    return offsets?.resolved ?? offsets?.committed
  }

  committed(topics: readonly TopicOffsets[]): void {
    for (const { topic, partitions } of topics) {
      for (const { partition, offset } of partitions) {
        this.#of(topic, Number(partition)).committed = Number(offset)
      }
    }
    this.#lastCommit = Date.now()
  }

  /** There was nothing to commit. */
  nothingToCommit(): void {
    this.#lastCommit = Date.now()
  }

  uncommitted(): TopicOffsets[] {
    const topics = new Map<string, TopicOffsets>()
    for (const { topic, partition, resolved, committed } of this.#partitions.values()) {
      if (resolved === undefined || resolved === committed) continue
      let offsets = topics.get(topic)
      if (offsets === undefined) {
        offsets = { topic, partitions: [] }
        topics.set(topic, offsets)
      }
      offsets.partitions.push({ partition, offset: String(resolved) })
    }
    return [...topics.values()]
  }

  /** How many messages were processed since the last commits. */
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

  /** Where it is to be read from is decided elsewhere: it was sought, or given up. */
  forget(topic: string, partition: number): void {
    this.#partitions.delete(nameOf(topic, partition))
  }

  /** What a partition begins with: nothing is processed or committed. */
  begin(topic: string, partition: number, position: number): void {
    const known = this.#of(topic, partition)
    known.resolved = undefined
    known.committed = position
  }

  #of(topic: string, partition: number): Offsets {
    const name = nameOf(topic, partition)
    let offsets = this.#partitions.get(name)
    if (offsets === undefined) {
      offsets = { topic, partition, resolved: undefined, committed: undefined }
      this.#partitions.set(name, offsets)
    }
    return offsets
  }
}

export function nameOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
