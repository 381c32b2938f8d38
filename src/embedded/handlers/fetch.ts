import { fetch as fetchApi } from '../../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { toSafeNumber } from '../../../protocol/records/safe-number.ts'
import type { Decoded } from '../../../protocol/schema/fields.ts'
import { readPartitions, type PartitionRead } from './fetch-read.ts'
import {
  isNews,
  type FetchContext,
  type FetchPartition,
  type FetchRequestShape,
} from '../fetch/sessions.ts'
import { mostBytes, throttle, unrecord } from './throttle.ts'
import { waitForBytes } from './fetch-wait.ts'
import { leaderHint, uniqueEndpoints, type RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { groupedBy } from './grouped-by.ts'

type Request = Decoded<typeof fetchApi.request.fields>

const WITH_SESSIONS = 7
const WITH_LEADER_HINTS = 12
const WITH_TOPIC_IDS = 13
const WITH_NODE_ENDPOINTS = 16
const READ_COMMITTED = 1

const SESSION_ERRORS: readonly string[] = [
  'FETCH_SESSION_ID_NOT_FOUND',
  'INVALID_FETCH_SESSION_EPOCH',
  'FETCH_SESSION_TOPIC_ID_ERROR',
]

export const fetchHandler = handler(fetchApi, {
  injectsErrors: true,
  async handle(request, context) {
    const { injected, version } = context
    if (injected !== undefined && SESSION_ERRORS.includes(injected.error)) {
      return sessionError(ErrorCode[injected.error])
    }
    const session = context.broker.fetchSessions.open(shapeOf(request, version))
    if (session.kind === 'refused') return sessionError(ErrorCode[session.error])
    const isReadCommitted = request.isolationLevel === READ_COMMITTED
    const maxBytes = Math.min(request.maxBytes, mostBytes(context, 'consumer_byte_rate'))
    let read = readPartitions(context, session.partitions, maxBytes, isReadCommitted)
    const minBytes = Math.min(request.minBytes, maxBytes)
    const isEnough = read.bytes >= minBytes || read.hasError || session.partitions.length === 0
    if (!isEnough && request.maxWaitMs > 0) {
      const { maxWaitMs } = request
      await waitForBytes(context, session.partitions, minBytes, maxWaitMs, isReadCommitted)
      read = readPartitions(context, session.partitions, maxBytes, isReadCommitted)
    }
    // Data that exceeds the quota is read later: the client gets an empty response and a throttle
    // time.
    if (throttle(context, 'consumer_byte_rate', read.bytes) > 0) {
      unrecord(context, 'consumer_byte_rate', read.bytes)
      return throttled(session)
    }
    return responseOf(context, session, reported(session, read.partitions), isReadCommitted)
  },
  refuse: (errorCode) => sessionError(errorCode),
})

function sessionError(errorCode: number) {
  return { errorCode, sessionId: 0, responses: [] }
}

function throttled(session: FetchContext) {
  return { errorCode: 0, sessionId: sessionIdOf(session), responses: [] }
}

function sessionIdOf(session: FetchContext): number {
  return session.kind === 'full' || session.kind === 'incremental' ? session.session.id : 0
}

function reported(
  session: Exclude<FetchContext, { kind: 'refused' }>,
  partitions: readonly PartitionRead[],
): readonly PartitionRead[] {
  if (session.kind === 'sessionless') return partitions
  const news = partitions.filter((partition) => isNews(session.session, partition))
  return session.kind === 'incremental' ? news : partitions
}

function responseOf(
  context: RequestContext,
  session: FetchContext,
  partitions: readonly PartitionRead[],
  isReadCommitted: boolean,
) {
  const byTopic = groupedBy(partitions, ({ wanted }) => wanted.topicId ?? wanted.topic)
  const hints = partitions.map((partition) => hintOf(context, partition)?.endpoint)
  return {
    sessionId: sessionIdOf(session),
    responses: [...byTopic.values()].map((ofTopic) => ({
      ...nameOf(ofTopic[0]!.wanted),
      partitions: ofTopic.map((partition) => partitionOf(context, partition, isReadCommitted)),
    })),
    ...(context.version >= WITH_NODE_ENDPOINTS ? { nodeEndpoints: uniqueEndpoints(hints) } : {}),
  }
}

function partitionOf(context: RequestContext, read: PartitionRead, isReadCommitted: boolean) {
  const hint = hintOf(context, read)
  return {
    partitionIndex: read.wanted.partition,
    errorCode: read.errorCode,
    highWatermark: BigInt(read.highWatermark),
    lastStableOffset: BigInt(read.lastStableOffset),
    logStartOffset: BigInt(read.logStartOffset),
    // Kafka sends an empty list instead of null for topics that it does not know; both mean the
    // same.
    abortedTransactions:
      (isReadCommitted && read.errorCode === 0) || isUnknown(read)
        ? read.aborted.map(({ producerId, firstOffset }) => ({
            producerId,
            firstOffset: BigInt(firstOffset),
          }))
        : null,
    records: read.records,
    ...(hint === undefined
      ? {}
      : { currentLeader: { leaderId: hint.leaderId, leaderEpoch: hint.leaderEpoch } }),
  }
}

function isUnknown({ errorCode }: PartitionRead): boolean {
  return (
    errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
    errorCode === ErrorCode.UNKNOWN_TOPIC_ID ||
    errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED
  )
}

/** The current leader, for a client that knows another one (KIP-951). */
function hintOf(context: RequestContext, { errorCode, partition }: PartitionRead) {
  const isElsewhere =
    errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH
  return isElsewhere && context.version >= WITH_LEADER_HINTS
    ? leaderHint(context, partition)
    : undefined
}

function nameOf({ topic, topicId }: FetchPartition) {
  return topicId === undefined ? { topic } : { topicId }
}

function shapeOf(request: Request, version: number): FetchRequestShape {
  const usesTopicIds = version >= WITH_TOPIC_IDS
  const idOf = (topicId: string) => (usesTopicIds ? topicId : undefined)
  return {
    usesTopicIds,
    sessionId: version >= WITH_SESSIONS ? request.sessionId : 0,
    sessionEpoch: version >= WITH_SESSIONS ? request.sessionEpoch : -1,
    partitions: request.topics.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({
        topic,
        topicId: idOf(topicId),
        partition: partition.partition,
        fetchOffset: toSafeNumber(partition.fetchOffset, 'fetch offset'),
        maxBytes: partition.partitionMaxBytes,
        currentLeaderEpoch: partition.currentLeaderEpoch,
      })),
    ),
    forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({ topic, topicId: idOf(topicId), partition })),
    ),
  }
}
