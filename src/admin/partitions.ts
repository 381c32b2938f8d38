import { InvalidArgumentError, type KafkaError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import { anInteger, aString, shown } from '../options.ts'
import { comparePartitions, nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Item } from './items.ts'
import { PartitionMap } from './partition-map.ts'
import { checkArray } from './items.ts'

/** The checks of `TopicPartition`. */
export const TOPIC_PARTITION = {
  topic: { check: aString, required: true },
  partition: { check: anInteger(0, 2 ** 31 - 1), required: true },
} as const satisfies OptionTable<TopicPartition>

/**
 * Throws InvalidArgumentError for a value that is not an array of partitions, or names one twice. Partitions that a
 * call only names may have other fields, because they are often results of other calls. If a call reads more than the
 * names, `table` lists all fields.
 */
export function checkPartitions<One extends TopicPartition>(
  operation: string,
  partitions: readonly One[],
  table?: OptionTable<One>,
): void {
  checkArray(operation, 'partitions', partitions)
  const seen = new Set<string>()
  // Callers without types may pass any elements.
  const all: readonly (Partial<One> | null | undefined)[] = partitions
  for (const given of all) {
    const { topic, partition } = given ?? {}
    const problem = TOPIC_PARTITION.topic.check(topic) ?? TOPIC_PARTITION.partition.check(partition)
    if (topic === undefined || partition === undefined || problem !== undefined) {
      throw new InvalidArgumentError(
        `${operation}: a partition must be { topic, partition }, not ${shown(given)}`,
      )
    }
    const name = nameOf({ topic, partition })
    if (table !== undefined) checkTable(`${name} of ${operation}`, given ?? {}, table)
    if (seen.has(name)) throw new InvalidArgumentError(`${operation}: ${name} is given twice`)
    seen.add(name)
  }
}

/** By topic and partition. */
export function inOrder<One extends TopicPartition>(partitions: readonly One[]): readonly One[] {
  // Most responses have this order already.
  const isInOrder = partitions.every(
    (one, index) => index === 0 || comparePartitions(partitions[index - 1]!, one) <= 0,
  )
  return isInOrder ? partitions : [...partitions].sort(comparePartitions)
}

/**
 * The partitions of a response in which topics have a `name` and partitions a `partitionIndex`. Responses with other
 * fields, such as the `topic` and `partition` of OffsetForLeaderEpoch, are not handled.
 */
export function partitionsByName<One extends { readonly partitionIndex: number }>(
  topics: readonly { readonly name: string; readonly partitions: readonly One[] }[],
): PartitionMap<One> {
  const found = new PartitionMap<One>()
  for (const { name: topic, partitions } of topics) {
    for (const one of partitions) found.set({ topic, partition: one.partitionIndex }, one)
  }
  return found
}

/** The outcome of a partition. */
export interface PartitionResult extends TopicPartition, Item {}

/** The results of partitions that have only an error, by topic and partition. */
export function partitionResults(
  outcomes: readonly Outcome<TopicPartition, undefined>[],
): readonly PartitionResult[] {
  return inOrder(
    outcomes.map(({ item: { topic, partition }, error }) => ({
      topic,
      partition,
      ...(error === undefined ? {} : { error }),
    })),
  )
}

/** The value of a partition, or its error. */
export type PartitionFound<Found extends object> = TopicPartition &
  (Found | { readonly error: KafkaError })

/** The results of partitions with a value or an error, by topic and partition. */
export function partitionsFound<Found extends object>(
  outcomes: readonly Outcome<TopicPartition, Found>[],
): readonly PartitionFound<Found>[] {
  return inOrder(
    outcomes.map(({ item: { topic, partition }, result, error }) =>
      error === undefined ? { topic, partition, ...result } : { topic, partition, error },
    ),
  )
}
