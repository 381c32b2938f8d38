/** Checks the arguments of a consumer's methods, because callers may not use types. Throws the errors of kafkajs. */
import { KafkaJSNonRetriableError } from '../errors.ts'
import type { TopicPartitionOffsetAndMetadata } from '../types/common.ts'
import type { ConsumerSubscribeTopic, ConsumerSubscribeTopics } from '../types/consumer.ts'

/** The offsets that stand for the ends of the log. */
export const LATEST = -1
export const EARLIEST = -2

export interface CheckedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface CheckedCommit extends CheckedOffset {
  readonly metadata: string | null
}

export function checkTopicPartition(topic: unknown, partition: unknown): void {
  if (!topic) throw new KafkaJSNonRetriableError(`Invalid topic ${String(topic)}`)
  if (Number.isNaN(Number(partition)) || partition === undefined) {
    throw new KafkaJSNonRetriableError(
      `Invalid partition, expected a number received ${String(partition)}`,
    )
  }
}

function offsetOf(offset: unknown): number {
  let value: bigint | undefined
  try {
    if (typeof offset === 'string' || typeof offset === 'number' || typeof offset === 'bigint') {
      value = BigInt(offset)
    }
  } catch {
    // Not a number: the error below reports it.
  }
  if (value !== undefined) return Number(value)
  throw new KafkaJSNonRetriableError(`Invalid offset, expected a long received ${String(offset)}`)
}

export function checkedSeek(entry: {
  topic: unknown
  partition: unknown
  offset: unknown
}): CheckedOffset {
  const { topic, partition } = entry
  checkTopicPartition(topic, partition)
  const offset = offsetOf(entry.offset)
  if (offset < 0 && offset !== LATEST && offset !== EARLIEST) {
    throw new KafkaJSNonRetriableError('Offset must not be a negative number')
  }
  return { topic: String(topic), partition: Number(partition), offset }
}

export function checkedCommits(
  entries: readonly TopicPartitionOffsetAndMetadata[],
): CheckedCommit[] {
  return entries.map((entry) => {
    const {
      topic,
      partition,
      metadata = null,
    }: { topic: unknown; partition: unknown; metadata?: unknown } = entry
    checkTopicPartition(topic, partition)
    const offset = offsetOf(entry.offset)
    if (offset < 0) throw new KafkaJSNonRetriableError('Offset must not be a negative number')
    if (metadata !== null && typeof metadata !== 'string') {
      throw new KafkaJSNonRetriableError(
        `Invalid offset metadata, expected string or null, received ${String(metadata)}`,
      )
    }
    return { topic: String(topic), partition: Number(partition), offset, metadata }
  })
}

/** For `pause` and `resume`. */
export function checkTopics(
  what: 'pause' | 'resume',
  topics: readonly { topic: string; partitions?: number[] }[],
): void {
  // Callers without types may pass any value.
  const all: readonly ({ topic?: unknown; partitions?: unknown } | undefined)[] = topics
  for (const one of all) {
    if (!one?.topic) {
      throw new KafkaJSNonRetriableError(`Invalid topic ${String(one?.topic ?? one)}`)
    }
    const { partitions } = one
    if (partitions === undefined) continue
    if (Array.isArray(partitions) && !partitions.some((one: unknown) => Number.isNaN(Number(one))))
      continue
    throw new KafkaJSNonRetriableError(
      `Array of valid partitions required to ${what} specific partitions instead of ${String(partitions)}`,
    )
  }
}

/** The names and patterns of a subscription. */
export function checkedSubscription(
  subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic,
): readonly (string | RegExp)[] {
  const { topic, topics }: { topic?: unknown; topics?: unknown } = { ...subscription }
  if (!topic && !topics) {
    throw new KafkaJSNonRetriableError('Missing required argument "topics"')
  }
  if (topics !== undefined && topics !== null && !Array.isArray(topics)) {
    throw new KafkaJSNonRetriableError('Argument "topics" must be an array')
  }
  const given: unknown[] = Array.isArray(topics) ? topics : [topic]
  return given.map((one) => {
    if (typeof one === 'string' || one instanceof RegExp) return one
    throw new KafkaJSNonRetriableError(
      `Invalid topic ${String(one)} (${typeof one}), the topic name has to be a String or a RegExp`,
    )
  })
}
