import type { KafkaClient } from '../../index.ts'
import type { Session } from '../connection/session.ts'
import type { TopicMetadata } from '../connection/topic-metadata.ts'
import { errorFrom } from '../error-from.ts'
import {
  KafkaJSAggregateError,
  KafkaJSDeleteGroupsError,
  KafkaJSNonRetriableError,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
} from '../errors.ts'
import { exhausted, type RetrySettings } from '../retry.ts'
import type { Logger } from '../types/common.ts'

/** The parts that the operations of an admin client share. */
export interface AdminParts {
  readonly session: Session
  readonly topics: TopicMetadata
  readonly retry: RetrySettings
  readonly logger: Logger
}

/**
 * Runs an operation with the client, whose requests samsa retries, and throws the errors of kafkajs. kafkajs throws an
 * error of a broker as it is, except for the types that the operation retries.
 */
export async function operate<T>(
  { session, retry }: AdminParts,
  run: (client: KafkaClient) => Promise<T>,
  retried: readonly string[] = [],
): Promise<T> {
  const client = await session.client()
  try {
    return await run(client)
  } catch (thrown) {
    const error = errorFrom(thrown)
    if (error instanceof KafkaJSAggregateError || error instanceof KafkaJSDeleteGroupsError)
      throw error
    // kafkajs does not retry a request of its admin client that gets no response.
    if (error instanceof KafkaJSRequestTimeoutError) throw error
    const isOfBroker = error instanceof KafkaJSProtocolError
    if (isOfBroker && error.type !== 'NOT_CONTROLLER' && !retried.includes(error.type)) throw error
    throw exhausted(error, retry)
  }
}

export function refuse(message: string): never {
  throw new KafkaJSNonRetriableError(message)
}

/** Throws unless it is the name of a topic: callers without types may pass any value. */
export function checkTopicName(topic: unknown): asserts topic is string {
  if (!topic || typeof topic !== 'string') refuse(`Invalid topic ${String(topic)}`)
}

/** Throws unless it is a list of entries with different topics. */
export function checkTopicList(topics: unknown, what = 'topics'): void {
  if (!Array.isArray(topics)) refuse(`Invalid ${what} array ${String(topics)}`)
  const all: readonly { topic?: unknown }[] = topics
  const names = all.map(({ topic }) => topic)
  if (names.some((name) => typeof name !== 'string')) {
    refuse(`Invalid ${what} array, the topic names have to be a valid string`)
  }
  if (new Set(names).size < names.length) {
    refuse(`Invalid ${what} array, it cannot have multiple entries for the same topic`)
  }
}
