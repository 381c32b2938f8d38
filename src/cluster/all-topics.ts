import { metadata } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from './cluster.ts'
import { metadataRequest } from './metadata-request.ts'
import { topicsOf, type TopicMetadata } from './metadata.ts'

/** Returns all topics that this client may see and that are usable, from a new Metadata response. */
export async function allTopics(cluster: Cluster, deadline: Deadline): Promise<TopicMetadata[]> {
  const response = await cluster.router.call(
    metadata,
    (version) => metadataRequest(version, 'all'),
    { to: 'any', what: 'listing the topics', deadline },
  )
  return topicsOf(response).filter(({ errorCode }) => errorCode === ErrorCode.NONE)
}
