import { ErrorCode } from '../../protocol/errors.ts'

/** What has the error: the fetches of a partition, by its session key, or the metadata of the topic. */
export type ErrorSource = string

interface KnownError {
  readonly topic: string
  readonly errorCode: number
}

/** Errors that concern a topic as a whole. No retry corrects them, but an administrator may. */
const OF_TOPIC = new Set<number>([
  ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.GROUP_AUTHORIZATION_FAILED,
  ErrorCode.INVALID_TOPIC_EXCEPTION,
])

export function isOfTopic(errorCode: number): boolean {
  return OF_TOPIC.has(errorCode)
}

/**
 * The errors that the application knows. It gets an error of a topic once, no matter how many partitions and responses have
 * it, and an error of a partition once for the partition; both again when the code changes, and after the error was
 * gone.
 */
export class TopicErrors {
  readonly #known = new Map<ErrorSource, KnownError>()

  /** Returns true if the application has to get this error. */
  isNew(source: ErrorSource, topic: string, errorCode: number): boolean {
    const isKnown = isOfTopic(errorCode)
      ? this.#isKnownOf(topic, errorCode)
      : this.#known.get(source)?.errorCode === errorCode
    this.#known.set(source, { topic, errorCode })
    return !isKnown
  }

  /** Called when the source no longer has an error. */
  solved(source: ErrorSource): void {
    this.#known.delete(source)
  }

  #isKnownOf(topic: string, errorCode: number): boolean {
    for (const known of this.#known.values()) {
      if (known.topic === topic && known.errorCode === errorCode) return true
    }
    return false
  }
}
