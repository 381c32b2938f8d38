import { describeTopicPartitions } from '../../../protocol/apis/describe-topic-partitions.ts'
import { ErrorCode, type ErrorName } from '../../../protocol/errors.ts'
import { ZERO_UUID, type Decoded } from '../../../protocol/schema/fields.ts'
import { checkTopicName, type Topic } from '../cluster/topics.ts'
import { outcomeOf } from '../refused.ts'
import { authorizedOperations, mayDo } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { describedPartition } from './metadata.ts'

/** Kafka's max.request.partition.size.limit. */
const MOST_PARTITIONS = 2000

const NOTHING = { topicId: ZERO_UUID, isInternal: false, partitions: [] } as const

type Request = Decoded<typeof describeTopicPartitions.request.fields>

/** Topics by name, one page at a time (KIP-966); the cursor is the start of the next page. */
export const describeTopicPartitionsHandler = handler(describeTopicPartitions, {
  handle: (request, context) => {
    const names = namesFrom(request, context)
    const hidden = request.topics
      .filter(({ name }) => !mayDo(context, 'describe', 'topic', name))
      .map(({ name }) => failed(name, 'TOPIC_AUTHORIZATION_FAILED'))
    return names === undefined
      ? {
          throttleTimeMs: 0,
          topics: request.topics.map(({ name }) => failed(name, 'INVALID_REQUEST')),
        }
      : { throttleTimeMs: 0, ...page(names, hidden, request, context) }
  },
  refuse: (errorCode, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name }) => ({ ...NOTHING, name, errorCode })),
  }),
})

/**
 * The topics from the cursor on, in order; undefined for an invalid cursor. An empty list means all
 * topics.
 */
function namesFrom({ topics, cursor }: Request, context: RequestContext) {
  const all = (topics.length === 0 ? context.cluster.topics.all : topics).filter(({ name }) =>
    mayDo(context, 'describe', 'topic', name),
  )
  const names = [...new Set(all.map(({ name }) => name))].sort()
  if (cursor === null) return names
  const rest = names.filter((name) => name >= cursor.topicName)
  const isOfThese = topics.length === 0 || rest[0] === cursor.topicName
  return cursor.partitionIndex >= 0 && isOfThese ? rest : undefined
}

function page(
  names: readonly string[],
  hidden: readonly ReturnType<typeof failed>[],
  request: Request,
  context: RequestContext,
) {
  const { cursor, responsePartitionLimit } = request
  let room = Math.min(Math.max(1, responsePartitionLimit), MOST_PARTITIONS)
  const topics: (ReturnType<typeof described> | ReturnType<typeof failed>)[] = [...hidden]
  for (const name of names) {
    if (room === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
    const topic = context.cluster.topics.byName(name)
    if (topic === undefined) {
      topics.push(unknown(name, context))
      continue
    }
    const from = name === cursor?.topicName ? cursor.partitionIndex : 0
    topics.push(described(topic, from, room, context))
    const partitionIndex = from + room
    if (partitionIndex < topic.partitions.length) {
      return { topics, nextCursor: { topicName: name, partitionIndex } }
    }
    room -= Math.max(0, topic.partitions.length - from)
  }
  return { topics, nextCursor: null }
}

function described(topic: Topic, from: number, count: number, context: RequestContext) {
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: false,
    partitions: topic.partitions.slice(from, from + count).map((partition) => ({
      ...describedPartition(partition, context),
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    })),
    topicAuthorizedOperations: authorizedOperations(context, 'topic', topic.name),
  }
}

function unknown(name: string, context: RequestContext) {
  const { refused } = outcomeOf(() => checkTopicName(name))
  return {
    ...failed(name, refused === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : refused.error),
    topicAuthorizedOperations: authorizedOperations(context, 'topic', name),
  }
}

function failed(name: string, error: ErrorName) {
  return { ...NOTHING, name, errorCode: ErrorCode[error] }
}
