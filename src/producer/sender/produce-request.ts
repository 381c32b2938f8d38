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

/** The ids of the topics of these batches, which stay the same until the response is read. */
export function topicIdsOf(
  batches: readonly Batch[],
  lookUp: (topic: string) => string | undefined,
): TopicIdOf {
  const topic = onlyTopicOf(batches)
  if (topic !== undefined) {
    const id = lookUp(topic)
    return () => id
  }
  const ids = new Map<string, string | undefined>()
  for (const { queue } of batches) {
    if (!ids.has(queue.topic)) ids.set(queue.topic, lookUp(queue.topic))
  }
  return (name) => ids.get(name)
}

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
  const dataOf = (topic: string, itsBatches: readonly Batch[]) => {
    const partitionData = itsBatches.map((batch) => ({
      index: batch.queue.partition,
      records: wireOf(batch, compression),
    }))
    if (version < TOPIC_IDS_FROM) return { name: topic, partitionData }
    return { topicId: topicIdOf(topic) ?? ZERO_UUID, partitionData }
  }
  const topicData: ReturnType<typeof dataOf>[] = []
  const onlyTopic = onlyTopicOf(batches)
  if (onlyTopic !== undefined) topicData.push(dataOf(onlyTopic, batches))
  else {
    const byTopic = new Map<string, Batch[]>()
    for (const batch of batches) appendTo(byTopic, batch.queue.topic, batch)
    for (const [topic, itsBatches] of byTopic) topicData.push(dataOf(topic, itsBatches))
  }
  return { transactionalId, acks: requiredAcks, timeoutMs: ackTimeoutMs, topicData }
}

/** The topic of all these batches; undefined if there are several. A producer for one topic needs no maps then. */
function onlyTopicOf(batches: readonly Batch[]): string | undefined {
  const topic = batches[0]?.queue.topic
  return batches.every(({ queue }) => queue.topic === topic) ? topic : undefined
}

/** The response for one partition's batch. */
export type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

/** Finds the response for each batch; undefined if the response does not contain it. */
export function answersTo(
  batches: readonly Batch[],
  { responses }: ProduceResponse,
  topicIdOf: TopicIdOf,
): readonly (PartitionResponse | undefined)[] {
  const topic = onlyTopicOf(batches)
  if (topic !== undefined && responses.length === 1) {
    const { name, topicId, partitionResponses } = responses[0]!
    const isNamed = topicId === ZERO_UUID ? name === topic : topicId === topicIdOf(topic)
    // Brokers answer in the order of the request.
    const isInOrder = batches.every(
      ({ queue }, index) => partitionResponses[index]?.index === queue.partition,
    )
    if (isNamed && isInOrder) return partitionResponses
  }
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
