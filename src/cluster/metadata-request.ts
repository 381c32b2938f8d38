import type { MetadataRequest } from '../../protocol/apis/metadata.ts'

/** From this version on an empty list means no topic and null means all topics; in v0 an empty list means all. */
const NULL_MEANS_ALL = 1
/** The first version that can request a topic without creating it. */
const WITHOUT_CREATION = 4

/**
 * A Metadata request for topics, which brokers may create only with `create`. Older versions create a topic that is
 * requested by name, if brokers are configured to: without `create` the request is then for all topics.
 */
export function metadataRequest(
  version: number,
  topics: readonly string[] | 'all',
  create = false,
): MetadataRequest {
  const isByName =
    topics !== 'all' && (create || version >= WITHOUT_CREATION || topics.length === 0)
  return {
    topics: isByName ? topics.map((name) => ({ name })) : version < NULL_MEANS_ALL ? [] : null,
    ...(version < WITHOUT_CREATION ? {} : { allowAutoTopicCreation: create }),
  }
}
