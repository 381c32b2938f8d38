import { metadata } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { BrokerError } from '../errors.ts'
import type { Cluster } from './cluster.ts'
import { topicsOf, type TopicMetadata } from './metadata.ts'
import { retrying } from './retry.ts'

/** From this version on an empty list means no topic, and null all of them. */
const NULL_MEANS_ALL = 1

/** All topics of the cluster that this client may see and that are usable, as the brokers tell now. */
export async function allTopics(cluster: Cluster, deadline: Deadline): Promise<TopicMetadata[]> {
  const { backoff, logger, requestTimeoutMs } = cluster.options
  const what = 'listing the topics'
  const giveUp = (error: Error) => cluster.wasNeverReached(error)
  return retrying({ what, deadline, backoff, logger, giveUp }, async () => {
    const response = await cluster.requestAny(
      metadata,
      (version) => ({ topics: version < NULL_MEANS_ALL ? [] : null }),
      { timeoutMs: requestTimeoutMs },
    )
    if (response.errorCode !== ErrorCode.NONE) throw new BrokerError(response.errorCode, what)
    return topicsOf(response).filter(({ errorCode }) => errorCode === ErrorCode.NONE)
  })
}
