import { fetch, type FetchRequest, type FetchResponse } from '../../protocol/apis/fetch.ts'
import { ZERO_UUID } from '../../protocol/schema/fields.ts'

/** The first version that names topics by id. */
const TOPIC_IDS = 13
/** All partitions of a response together: what a broker takes for the whole from v3 on. */
const MAX_RESPONSE_BYTES = 50 * 1024 * 1024

export interface PartitionToFetch {
  readonly partition: number
  readonly position: number
  readonly maxBytes: number
}

/** Versions up to 12 name the topic, which is all there is where its id is not known. */
export function maxFetchVersion(topicId: string | undefined): number {
  return topicId === undefined ? TOPIC_IDS - 1 : fetch.versions.max
}

export function fetchRequest(
  topic: string,
  topicId: string | undefined,
  partitions: readonly PartitionToFetch[],
  wait: Pick<FetchRequest, 'minBytes' | 'maxWaitMs'>,
  version: number,
): FetchRequest {
  return {
    ...wait,
    maxBytes: MAX_RESPONSE_BYTES,
    topics: [
      {
        ...(version >= TOPIC_IDS ? { topicId: topicId ?? ZERO_UUID } : { topic }),
        partitions: partitions.map(({ partition, position, maxBytes }) => ({
          partition,
          fetchOffset: BigInt(position),
          partitionMaxBytes: maxBytes,
        })),
      },
    ],
  }
}

export interface FetchedPartition {
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly records: Buffer
}

const NOTHING = Buffer.alloc(0)

export function fetchedPartitions(response: FetchResponse): FetchedPartition[] {
  return (response.responses[0]?.partitions ?? []).map(
    ({ partitionIndex, errorCode, highWatermark, records }) => ({
      partition: partitionIndex,
      errorCode,
      highWatermark: Number(highWatermark),
      records:
        records === null
          ? NOTHING
          : Buffer.from(records.buffer, records.byteOffset, records.length),
    }),
  )
}
