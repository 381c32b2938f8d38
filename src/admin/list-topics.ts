import {
  describeTopicPartitions,
  type DescribeTopicPartitionsResponse,
} from '../../protocol/apis/describe-topic-partitions.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { metadataRequest } from '../cluster/metadata-request.ts'
import { BrokerError, UnsupportedVersionError } from '../errors.ts'
import { compareText, itemError, outcomeOf } from './items.ts'
import { topicDescription, type TopicDescription } from './topic-description.ts'

const WHAT = 'listing the topics'
const WITH_OPERATIONS = 8
/** How many topics one request names, so that its response stays of a size that a broker makes at once. */
const TOPICS_IN_A_REQUEST = 1_000

export async function listAllTopics(
  cluster: Cluster,
  deadline: Deadline,
  includeInternal: boolean,
): Promise<readonly TopicDescription[]> {
  const response = await cluster.router.call(
    metadata,
    (version) => metadataRequest(version, 'all'),
    { to: 'any', what: WHAT, deadline },
  )
  return response.topics
    .flatMap((found) => (found.name === null ? [] : [topicDescription(found, found.name)]))
    .filter(({ isInternal }) => includeInternal || !isInternal)
    .sort((a, b) => compareText(a.topic, b.topic))
}

export async function describeTopicsByName(
  cluster: Cluster,
  topics: readonly string[],
  deadline: Deadline,
  includeAuthorizedOperations: boolean,
): Promise<readonly TopicDescription[]> {
  const outcomes = await cluster.fanOut.run<string, TopicDescription>({
    items: topics,
    to: () => 'any',
    what: 'describing topics',
    deadline,
    maxItems: TOPICS_IN_A_REQUEST,
    ask: async (names, recipient) => {
      const response = await recipient.request(metadata, (version) => ({
        ...metadataRequest(version, names),
        ...(includeAuthorizedOperations && version >= WITH_OPERATIONS
          ? { includeTopicAuthorizedOperations: true }
          : {}),
      }))
      const found = new Map(response.topics.map((topic) => [topic.name, topic]))
      return names.map((name) => {
        const topic = found.get(name)
        const errorCode = topic?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        // A topic that a broker does not know yet is an answer: only the leader's election is waited for.
        const error =
          errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            ? undefined
            : itemError(errorCode, `describing topic '${name}'`, recipient.name, null, {
                topic: name,
              })
        return outcomeOf(
          name,
          error,
          topic === undefined ? unknown(name) : topicDescription(topic, name),
        )
      })
    },
  })
  return outcomes.map(({ item, result, error }) =>
    error === undefined ? result : { topic: item, isInternal: false, partitions: [], error },
  )
}

export async function* eachTopic(
  cluster: Cluster,
  deadline: Deadline,
  includeInternal: boolean,
): AsyncGenerator<TopicDescription, undefined> {
  let cursor: DescribeTopicPartitionsResponse['nextCursor'] = null
  /** A topic whose partitions go on in the next page. */
  let begun: TopicDescription | undefined
  do {
    const page = await nextPage(cluster, cursor, deadline)
    if (page === undefined) {
      yield* await listAllTopics(cluster, deadline, includeInternal)
      return
    }
    if (page.nextCursor !== null && !isAfter(page.nextCursor, cursor)) {
      const detail = 'the next page begins no later than the one before'
      throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, WHAT, {}, detail)
    }
    if (page.nextCursor !== null && page.topics.length === 0) {
      const detail = 'a page is empty and not the last one'
      throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, WHAT, {}, detail)
    }
    cursor = page.nextCursor
    for (const found of page.topics) {
      if (found.name === null) continue
      const topic = topicDescription(found, found.name)
      if (begun?.topic === topic.topic) {
        begun = { ...begun, partitions: [...begun.partitions, ...topic.partitions] }
      } else {
        if (begun !== undefined && (includeInternal || !begun.isInternal)) yield begun
        begun = topic
      }
    }
  } while (cursor !== null)
  if (begun !== undefined && (includeInternal || !begun.isInternal)) yield begun
}

type Cursor = NonNullable<DescribeTopicPartitionsResponse['nextCursor']>

/** In the order of the brokers: by name, then by partition. A cursor that stands still would be followed for ever. */
function isAfter(next: Cursor, before: Cursor | null): boolean {
  if (before === null) return true
  const order = compareText(next.topicName, before.topicName)
  return order > 0 || (order === 0 && next.partitionIndex > before.partitionIndex)
}

/** Undefined where the brokers have no pages: before Kafka 3.8. */
async function nextPage(
  cluster: Cluster,
  cursor: DescribeTopicPartitionsResponse['nextCursor'],
  deadline: Deadline,
): Promise<DescribeTopicPartitionsResponse | undefined> {
  try {
    // No topic means all of them.
    const body = { topics: [], cursor }
    const settings = { to: 'any', what: WHAT, deadline } as const
    return await cluster.router.call(describeTopicPartitions, body, settings)
  } catch (error) {
    if (error instanceof UnsupportedVersionError && cursor === null) return undefined
    throw error
  }
}

function unknown(topic: string): TopicDescription {
  const what = `describing topic '${topic}'`
  const error = itemError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, what, undefined, null, { topic })
  return { topic, isInternal: false, partitions: [], ...(error === undefined ? {} : { error }) }
}
