import {
  produce,
  type ProduceRequest,
  type ProduceResponse,
} from '../../../protocol/apis/produce.ts'
import type { Compression } from '../../../protocol/compression/index.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/schema/fields.ts'
import { appendTo } from '../../cluster/append-to.ts'
import type { NamedLeader } from '../../cluster/metadata-cache.ts'
import type { Batch } from '../accumulator/batch.ts'
import { wireOf } from './seal.ts'

/** The first version of Produce that identifies topics by their ids (KIP-516). */
const TOPIC_IDS_FROM = 13

export interface ProduceSettings {
  readonly compression: Compression
  readonly requiredAcks: -1 | 0 | 1
  readonly ackTimeoutMs: number
}

export type TopicIdOf = (topic: string) => string | undefined

/** The highest version that can carry these batches: topic ids need to be known for all of them. */
export function maxProduceVersion(batches: readonly Batch[], topicIdOf: TopicIdOf): number {
  let topic: string | undefined
  for (const { queue } of batches) {
    if (queue.topic === topic) continue
    topic = queue.topic
    if (topicIdOf(topic) === undefined) return TOPIC_IDS_FROM - 1
  }
  return produce.versions.max
}

/** One request with all these batches, which are sealed. */
export function produceRequest(
  batches: readonly Batch[],
  { requiredAcks, ackTimeoutMs, compression }: ProduceSettings,
  topicIdOf: TopicIdOf,
  transactionalId: string | null,
  version: number,
): ProduceRequest {
  const byTopic = new Map<string, Batch[]>()
  for (const batch of batches) appendTo(byTopic, batch.queue.topic, batch)
  return {
    transactionalId,
    acks: requiredAcks,
    timeoutMs: ackTimeoutMs,
    topicData: [...byTopic].map(([topic, itsBatches]) => ({
      ...(version >= TOPIC_IDS_FROM ? { topicId: topicIdOf(topic) ?? ZERO_UUID } : { name: topic }),
      partitionData: itsBatches.map((batch) => ({
        index: batch.queue.partition,
        records: wireOf(batch, compression),
      })),
    })),
  }
}

/** The response for one partition's batch. */
export type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

/** Finds the response for each batch; undefined if the response does not contain it. */
export function answersTo(
  batches: readonly Batch[],
  { responses }: ProduceResponse,
  topicIdOf: TopicIdOf,
): (PartitionResponse | undefined)[] {
  const topics = new Map<string, Map<number, PartitionResponse>>()
  for (const { name, topicId, partitionResponses } of responses) {
    const byPartition = new Map(partitionResponses.map((response) => [response.index, response]))
    topics.set(topicId === ZERO_UUID ? name : topicId, byPartition)
  }
  return batches.map(({ queue }) => {
    const topic = topics.get(queue.topic) ?? topics.get(topicIdOf(queue.topic) ?? '')
    return topic?.get(queue.partition)
  })
}

/** The leaders that a broker names beside the errors of partitions that it does not lead (KIP-951), by topic. */
export function namedLeaders(
  batches: readonly Batch[],
  answers: readonly (PartitionResponse | undefined)[],
): ReadonlyMap<string, readonly NamedLeader[]> {
  const named = new Map<string, NamedLeader[]>()
  batches.forEach(({ queue: { topic, partition } }, index) => {
    const { errorCode = ErrorCode.NONE, currentLeader } = answers[index] ?? {}
    if (errorCode === ErrorCode.NONE || currentLeader === undefined) return
    if (currentLeader.leaderId >= 0) appendTo(named, topic, { partition, ...currentLeader })
  })
  return named
}
