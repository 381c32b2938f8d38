/** Converts between lists of partitions and lists of topics with their partitions, which kafkajs and requests have. */
import type { TopicOffsets } from './types/common.ts'

/** Groups the entries by their topics, in the order in which the topics first occur. */
export function byTopic<T extends { readonly topic: string }>(all: readonly T[]): Map<string, T[]> {
  const topics = new Map<string, T[]>()
  for (const one of all) {
    const ofTopic = topics.get(one.topic)
    if (ofTopic === undefined) topics.set(one.topic, [one])
    else ofTopic.push(one)
  }
  return topics
}

/** The entries of all topics in one list. Without types, callers may pass partitions as text. */
export function partitionOffsets(
  topics: readonly TopicOffsets[],
): { topic: string; partition: number; offset: number }[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => ({
      topic,
      partition: Number(partition),
      offset: Number(offset),
    })),
  )
}
