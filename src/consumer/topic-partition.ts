/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number
}

/** `orders-3`: how logs and errors name it, and maps find it. No two share one: a number has no hyphen. */
export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
