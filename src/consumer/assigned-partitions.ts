import { InvalidArgumentError } from '../errors.ts'
import type { PartitionState } from './partition-state.ts'
import { comparePartitions, nameOf, type TopicPartition } from './topic-partition.ts'

/** The partitions that a consumer reads now. AssignedConsumer adds and removes them. */
export class AssignedPartitions {
  readonly #byName = new Map<string, PartitionState>()

  get byName(): ReadonlyMap<string, PartitionState> {
    return this.#byName
  }

  add(state: PartitionState): void {
    this.#byName.set(state.name, state)
  }

  delete({ name }: PartitionState): void {
    this.#byName.delete(name)
  }

  get(one: TopicPartition): PartitionState | undefined {
    return this.#byName.get(nameOf(one))
  }

  /** Throws InvalidArgumentError if the partition is not assigned. */
  assigned(one: TopicPartition): PartitionState {
    const state = this.get(one)
    if (state !== undefined) return state
    throw new InvalidArgumentError(`${nameOf(one)} is not assigned to this consumer`, one)
  }

  /** Returns all partitions, sorted, independent of the order in which they were assigned. */
  all(): PartitionState[] {
    return [...this.#byName.values()].sort(comparePartitions)
  }

  /** Returns the partitions whose starting position is known, sorted. */
  started(): PartitionState[] {
    return this.all().filter(({ fetch }) => fetch.phase !== 'starting')
  }

  /** Returns those of the given partitions that are assigned. */
  among(partitions: readonly TopicPartition[]): PartitionState[] {
    return partitions.flatMap((one) => this.get(one) ?? [])
  }
}
