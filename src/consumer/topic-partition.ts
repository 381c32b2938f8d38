import { appendTo } from '../cluster/append-to.ts'

/** One partition of a topic. */
export interface TopicPartition {
  /** The name of the topic. */
  readonly topic: string
  /** The number of the partition. */
  readonly partition: number
}

/** An offset in a partition. */
export interface TopicPartitionOffset extends TopicPartition {
  /** The offset. */
  readonly offset: number
}

/** `orders-3`: the name in logs and errors, and the key in maps. It is unique, because a number has no hyphen. */
export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** A comparison for `sort`: by topic, then by number. */
export function comparePartitions(a: TopicPartition, b: TopicPartition): number {
  if (a.topic === b.topic) return a.partition - b.partition
  return a.topic < b.topic ? -1 : 1
}

/** Groups partitions by topic. */
export function byTopic<One extends TopicPartition>(all: readonly One[]): Map<string, One[]> {
  const found = new Map<string, One[]>()
  for (const one of all) appendTo(found, one.topic, one)
  return found
}

/** Groups the partition numbers by topic, as Kafka's messages list them. */
export function numbersByTopic(
  all: readonly TopicPartition[],
): { topic: string; partitions: number[] }[] {
  return [...byTopic(all)].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition }) => partition),
  }))
}

/** Returns the partitions of such a list. */
export function partitionsOf(
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}
