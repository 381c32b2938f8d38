import { InvalidArgumentError } from '../errors.ts'
import { anInteger, aString, shown } from '../options.ts'
import { nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { compareText } from './items.ts'

/** Throws InvalidArgumentError for a list that is none, or names a partition twice. */
export function checkPartitions(operation: string, partitions: readonly TopicPartition[]): void {
  if (!Array.isArray(partitions)) {
    throw new InvalidArgumentError(`${operation} takes an array of partitions`)
  }
  const seen = new Set<string>()
  for (const given of partitions as readonly (Partial<TopicPartition> | null | undefined)[]) {
    const { topic, partition } = given ?? {}
    const problem =
      aString(topic) === undefined ? anInteger(0, 2 ** 31 - 1)(partition) : aString(topic)
    if (topic === undefined || partition === undefined || problem !== undefined) {
      throw new InvalidArgumentError(
        `${operation}: a partition is { topic, partition }, not ${shown(given)}`,
      )
    }
    const name = nameOf({ topic, partition })
    if (seen.has(name)) throw new InvalidArgumentError(`${operation} names ${name} twice`)
    seen.add(name)
  }
}

/** By topic and partition. */
export function inOrder<One extends TopicPartition>(partitions: readonly One[]): readonly One[] {
  return [...partitions].sort((a, b) => compareText(a.topic, b.topic) || a.partition - b.partition)
}

/** The partitions of a response by name. */
export function partitionsByName<One extends { readonly partitionIndex: number }>(
  topics: readonly { readonly name: string; readonly partitions: readonly One[] }[],
): ReadonlyMap<string, One> {
  return new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map((one) => [nameOf({ topic: name, partition: one.partitionIndex }), one]),
    ),
  )
}
