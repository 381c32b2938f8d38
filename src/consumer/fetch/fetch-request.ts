import { fetch, type FetchRequest, type FetchResponse } from '../../../protocol/apis/fetch.ts'
import { ZERO_UUID } from '../../../protocol/schema/fields.ts'
import { appendTo } from '../../cluster/append-to.ts'
import { keyOf, type PartitionToFetch, type SessionRequest } from './fetch-session.ts'

/** The first version that identifies topics by id. */
const TOPIC_IDS = 13

/** Returns the highest usable version: versions up to 12 name topics, which is necessary if an id is not known. */
export function maxFetchVersion(partitions: readonly PartitionToFetch[]): number {
  const haveIds = partitions.every(({ topicId }) => topicId !== undefined)
  return haveIds ? fetch.versions.max : TOPIC_IDS - 1
}

export function usesTopicIds(version: number): boolean {
  return version >= TOPIC_IDS
}

export type FetchLimits = Required<
  Pick<FetchRequest, 'minBytes' | 'maxWaitMs' | 'maxBytes' | 'isolationLevel' | 'rackId'>
>

export function fetchRequest(
  { sessionId, sessionEpoch, named, forgotten, usesTopicIds: byId }: SessionRequest,
  limits: FetchLimits,
): FetchRequest {
  const nameOf = ({ topic, topicId }: PartitionToFetch) =>
    byId ? { topicId: topicId ?? ZERO_UUID } : { topic }
  return {
    ...limits,
    sessionId,
    sessionEpoch,
    topics: byTopic(named).map((ofTopic) => ({
      ...nameOf(ofTopic[0]!),
      partitions: ofTopic.map(({ partition, offset, maxBytes, leaderEpoch }) => ({
        partition,
        currentLeaderEpoch: leaderEpoch,
        fetchOffset: BigInt(offset),
        partitionMaxBytes: maxBytes,
      })),
    })),
    forgottenTopicsData: byTopic(forgotten).map((ofTopic) => ({
      ...nameOf(ofTopic[0]!),
      partitions: ofTopic.map(({ partition }) => partition),
    })),
  }
}

function byTopic(partitions: readonly PartitionToFetch[]): PartitionToFetch[][] {
  const found = new Map<string, PartitionToFetch[]>()
  for (const one of partitions) appendTo(found, `${one.topic} ${one.topicId}`, one)
  return [...found.values()]
}

/** The part of a response about one partition. */
export type FetchedPartition = FetchResponse['responses'][number]['partitions'][number]

/** Returns the partitions of a response by `keyOf`. */
export function fetchedPartitions(
  response: FetchResponse,
  byId: boolean,
): Map<string, FetchedPartition> {
  const found = new Map<string, FetchedPartition>()
  for (const { topic, topicId, partitions } of response.responses) {
    for (const one of partitions) {
      found.set(keyOf({ topic, topicId, partition: one.partitionIndex }, byId), one)
    }
  }
  return found
}
