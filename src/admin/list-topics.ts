import {
  describeTopicPartitions,
  type DescribeTopicPartitionsResponse,
} from '../../protocol/apis/describe-topic-partitions.ts'
import { metadata, metadataOfNames } from '../../protocol/apis/metadata.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { isInternalTopic } from '../cluster/metadata.ts'
import { metadataRequest } from '../cluster/metadata-request.ts'
import { UnsupportedVersionError } from '../errors.ts'
import {
  describeTopicsByName,
  joined,
  nextCursor,
  PARTITIONS_IN_A_PAGE,
  TOPICS_IN_A_REQUEST,
  type PageCursor,
} from './describe-topics.ts'
import { compareText } from './items.ts'
import { topicDescription, type TopicDescription } from './topic-description.ts'

const WHAT = 'listing the topics'

export async function listAllTopics(
  cluster: Cluster,
  deadline: Deadline,
  includeInternal: boolean,
): Promise<readonly TopicDescription[]> {
  const { topics } = await cluster.router.call(
    metadata,
    (version) => metadataRequest(version, 'all'),
    { to: 'any', what: WHAT, deadline },
  )
  return topics
    .flatMap((found) => (found.name === null ? [] : [topicDescription(found, found.name, false)]))
    .filter(({ isInternal }) => includeInternal || !isInternal)
    .sort((a, b) => compareText(a.topic, b.topic))
}

export async function listTopicNames(
  cluster: Cluster,
  deadline: Deadline,
  includeInternal: boolean,
): Promise<readonly string[]> {
  const { topics } = await cluster.router.call(
    metadataOfNames,
    (version) => metadataRequest(version, 'all'),
    { to: 'any', what: WHAT, deadline },
  )
  return topics
    .flatMap(({ name, isInternal }) =>
      name === null || (!includeInternal && isInternalTopic(name, isInternal)) ? [] : [name],
    )
    .sort(compareText)
}

export async function* eachTopic(
  cluster: Cluster,
  deadline: Deadline,
  includeInternal: boolean,
): AsyncGenerator<TopicDescription, undefined> {
  let cursor: PageCursor | null = null
  /** A topic whose partitions continue in the next page. */
  let begun: TopicDescription | undefined
  do {
    const page = await nextPage(cluster, cursor, deadline)
    if (page === undefined) {
      yield* eachByName(cluster, deadline, includeInternal)
      return
    }
    cursor = nextCursor(page, cursor, WHAT)
    for (const found of page.topics) {
      if (found.name === null) continue
      const topic = topicDescription(found, found.name, false)
      if (begun?.topic === topic.topic) begun = joined(begun, topic)
      else {
        if (begun !== undefined && (includeInternal || !begun.isInternal)) yield begun
        begun = topic
      }
    }
  } while (cursor !== null)
  if (begun !== undefined && (includeInternal || !begun.isInternal)) yield begun
}

/**
 * For brokers without pages. Only Metadata about all topics returns their names. Its other content
 * is discarded and requested again, some topics at a time, so that only those are in memory while
 * the caller reads them.
 */
async function* eachByName(
  cluster: Cluster,
  deadline: Deadline,
  includeInternal: boolean,
): AsyncGenerator<TopicDescription, undefined> {
  const names = await listTopicNames(cluster, deadline, includeInternal)
  for (let at = 0; at < names.length; at += TOPICS_IN_A_REQUEST) {
    const part = names.slice(at, at + TOPICS_IN_A_REQUEST)
    for (const topic of await describeTopicsByName(cluster, part, deadline)) {
      // The topic has been deleted since.
      if (topic.error?.code !== 'UNKNOWN_TOPIC_OR_PARTITION') yield topic
    }
  }
}

/** Undefined if the brokers have no pages: before Kafka 3.8, and with ZooKeeper. */
async function nextPage(
  cluster: Cluster,
  cursor: PageCursor | null,
  deadline: Deadline,
): Promise<DescribeTopicPartitionsResponse | undefined> {
  try {
    // An empty list means all topics.
    const body = { topics: [], responsePartitionLimit: PARTITIONS_IN_A_PAGE, cursor }
    const settings = { to: 'any', what: WHAT, deadline } as const
    return await cluster.router.call(describeTopicPartitions, body, settings)
  } catch (error) {
    if (error instanceof UnsupportedVersionError && cursor === null) return undefined
    throw error
  }
}
