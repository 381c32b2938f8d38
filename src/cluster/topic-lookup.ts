import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { BrokerError, UnknownTopicError } from '../errors.ts'
import type { BrokerPool } from './broker-pool.ts'
import { partitionNumbered, type TopicMetadata } from './metadata.ts'
import type { MetadataCache } from './metadata-cache.ts'
import { retrying } from './retry.ts'

/** How many responses may lack the topic or a partition, because a new one takes a moment to be known everywhere. */
const UNKNOWN_TOPIC_RESPONSES = 5

/** Metadata of this age is as good as new to what starts: another part of the same start has just looked it up. */
export const FRESH_METADATA_MS = 1_000

export interface LookUpOptions {
  readonly create: boolean
  readonly deadline: Deadline
  /** Partitions that the topic must have. Default: none. */
  readonly partitions?: readonly number[]
  /** Whether to wait for the topic, and for brokers that were never reached, until the deadline. Default: false. */
  readonly mayAppear?: boolean
  /** Cached metadata that is not older, and has all that is needed, is used without a request. Default: none is. */
  readonly maxAgeMs?: number
}

/** Requests metadata of a topic until it is usable: it exists, and the requested partitions are known. */
export function lookUpTopic(
  pool: BrokerPool,
  metadata: MetadataCache,
  name: string,
  { create, deadline, partitions = [], mayAppear = false, maxAgeMs = -1 }: LookUpOptions,
): Promise<TopicMetadata> {
  const cached = metadata.ageMs(name) <= maxAgeMs ? metadata.known(name) : undefined
  if (cached !== undefined && isUsable(cached) && missingIn(cached, partitions) === undefined) {
    return Promise.resolve(cached)
  }
  const { options: reporting } = pool
  const { backoff } = reporting
  const giveUp = (error: Error) => !mayAppear && pool.wasNeverReached(error)
  const what = `looking up topic '${name}'`
  // Only responses count: a failed attempt says nothing about the topic.
  let unknown = 0
  return retrying({ what, deadline, backoff, reporting, giveUp }, async () => {
    await metadata.refresh(name, create)
    const found = metadata.known(name)
    if (found !== undefined && isUsable(found)) {
      const missing = missingIn(found, partitions)
      if (missing === undefined) return found
      const context = { topic: name, partition: missing }
      const detail = `topic '${name}' has no partition ${missing}: it has ${found.partitions.length}`
      if (++unknown >= UNKNOWN_TOPIC_RESPONSES) throw new UnknownTopicError(detail, context)
      throw new BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, what, context, detail)
    }
    const errorCode =
      found === undefined || found.errorCode === ErrorCode.NONE
        ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        : found.errorCode
    const isUnknown = errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (isUnknown && ++unknown >= UNKNOWN_TOPIC_RESPONSES && !mayAppear) {
      const creation = create ? ', and the brokers do not create topics automatically' : ''
      throw new UnknownTopicError(`topic '${name}' does not exist${creation}`, { topic: name })
    }
    throw new BrokerError(errorCode, what, { topic: name })
  })
}

function isUsable({ errorCode, partitions }: TopicMetadata): boolean {
  return errorCode === ErrorCode.NONE && partitions.length > 0
}

/** Returns the first of these partitions that the topic does not have. */
function missingIn({ partitions }: TopicMetadata, wanted: readonly number[]): number | undefined {
  return wanted.find((one) => partitionNumbered(partitions, one) === undefined)
}
