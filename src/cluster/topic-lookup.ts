import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { BrokerError, UnknownTopicError } from '../errors.ts'
import type { Cluster } from './cluster.ts'
import type { TopicMetadata } from './metadata.ts'
import { retrying } from './retry.ts'

/** How often a topic that a broker does not know is asked for again: a new one takes a moment to be known. */
const UNKNOWN_TOPIC_RETRIES = 4

/** Asks for a topic until it is usable: it exists, and its partitions are known. */
export function lookUpTopic(
  cluster: Cluster,
  name: string,
  { create, deadline }: { readonly create: boolean; readonly deadline: Deadline },
): Promise<TopicMetadata> {
  const { backoff, logger } = cluster.options
  const giveUp = (error: Error) => cluster.wasNeverReached(error)
  const what = `looking up topic '${name}'`
  return retrying({ what, deadline, backoff, logger, giveUp }, async (attempt) => {
    await cluster.refresh(name, create)
    const found = cluster.known(name)
    if (found?.errorCode === ErrorCode.NONE && found.partitions.length > 0) return found
    const errorCode =
      found === undefined || found.errorCode === ErrorCode.NONE
        ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        : found.errorCode
    if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION && attempt >= UNKNOWN_TOPIC_RETRIES) {
      const creation = create ? ', and the brokers do not create it by themselves' : ''
      throw new UnknownTopicError(`topic '${name}' does not exist${creation}`, { topic: name })
    }
    throw new BrokerError(errorCode, what, { topic: name })
  })
}
