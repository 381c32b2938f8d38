import { produce, type ProduceRequest, type ProduceResponse } from '../../protocol/apis/produce.ts'
import type { Compression } from '../../protocol/compression/index.ts'
import { encodeBatch } from '../../protocol/records/encode-batch.ts'
import { encodeMessageSet } from '../../protocol/records/message-set.ts'
import { ZERO_UUID } from '../../protocol/schema/fields.ts'
import { addTo } from '../cluster/add-to.ts'
import { UnsupportedVersionError } from '../errors.ts'
import type { BrokerVersions } from '../network/api-versions.ts'
import type { Batch } from './batch.ts'

/** The first version of Produce that takes record batches v2, the first with v1 messages, with zstd, with topic ids. */
const BATCH_V2 = 3
const MESSAGE_V1 = 2
const ZSTD = 7
const TOPIC_IDS = 13

export interface ProduceSettings {
  readonly compression: Compression
  readonly requiredAcks: -1 | 0 | 1
  readonly ackTimeoutMs: number
}

export type TopicIdOf = (topic: string) => string | undefined

/** The highest version that these batches can go by: topic ids need to be known for all of them. */
export function maxProduceVersion(batches: readonly Batch[], topicIdOf: TopicIdOf): number {
  const haveIds = batches.every(({ topic }) => topicIdOf(topic) !== undefined)
  return haveIds ? produce.versions.max : TOPIC_IDS - 1
}

/** One request with all the batches. Throws UnsupportedVersionError for what the broker's format cannot hold. */
export function produceRequest(
  batches: readonly Batch[],
  settings: ProduceSettings,
  topicIdOf: TopicIdOf,
  version: number,
  { address }: Pick<BrokerVersions, 'address'>,
): ProduceRequest {
  const byTopic = new Map<string, Batch[]>()
  for (const batch of batches) addTo(byTopic, batch.topic, batch)
  return {
    acks: settings.requiredAcks,
    timeoutMs: settings.ackTimeoutMs,
    topicData: [...byTopic].map(([topic, itsBatches]) => ({
      ...(version >= TOPIC_IDS ? { topicId: topicIdOf(topic) ?? ZERO_UUID } : { name: topic }),
      partitionData: itsBatches.map((batch) => ({
        index: batch.partition,
        records: recordsOf(batch, settings.compression, version, address),
      })),
    })),
  }
}

function recordsOf(
  { records, topic }: Batch,
  compression: Compression,
  version: number,
  address: string,
): Buffer {
  if (compression === 'zstd' && version < ZSTD) {
    throw new UnsupportedVersionError(
      `${address} does not take zstd: that needs Kafka 2.1 or newer`,
      {
        broker: address,
        topic,
      },
    )
  }
  if (version >= BATCH_V2) return encodeBatch(records, { compression })
  if (records.some(({ headers }) => headers.length > 0)) {
    throw new UnsupportedVersionError(
      `${address} does not take headers: they need Kafka 0.11 or newer`,
      {
        broker: address,
        topic,
      },
    )
  }
  return encodeMessageSet(records, version >= MESSAGE_V1 ? 1 : 0, compression)
}

/** What became of one partition's batch. */
export interface PartitionOutcome {
  readonly errorCode: number
  readonly baseOffset: number
  /** Undefined where the producer's timestamps stand. */
  readonly appendTime: number | undefined
  readonly errorMessage: string | null
}

/** Finds the outcome of a batch in the response; undefined where the broker left it out. */
export function outcomeOf(
  response: ProduceResponse,
  { topic, partition }: Batch,
  topicIdOf: TopicIdOf,
): PartitionOutcome | undefined {
  const id = topicIdOf(topic)
  const found = response.responses
    .find(({ name, topicId }) => name === topic || (topicId !== ZERO_UUID && topicId === id))
    ?.partitionResponses.find(({ index }) => index === partition)
  if (found === undefined) return undefined
  return {
    errorCode: found.errorCode,
    baseOffset: Number(found.baseOffset),
    appendTime: found.logAppendTimeMs < 0n ? undefined : Number(found.logAppendTimeMs),
    errorMessage: found.errorMessage,
  }
}
