import { fetch, listOffsets, metadata, produce } from '../../../protocol/apis/index.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import type { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { RawClient } from './raw-client.ts'

/** A batch v2 of values without keys. */
export function batchOf(
  values: readonly string[],
  options: Parameters<typeof encodeBatch>[1] = {},
): Buffer {
  return encodeBatch(
    values.map((value) => new OutgoingRecord(null, value, 1_000)),
    options,
  )
}

/** What one partition's part of a Produce response says. */
export async function produceTo(
  client: RawClient,
  topic: string,
  partition: number,
  records: Uint8Array | null,
  { version = 9, acks = -1 } = {},
) {
  const { responses } = await client.request(produce, version, {
    acks,
    timeoutMs: 1_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  })
  return responses[0]!.partitionResponses[0]!
}

export interface FetchWish {
  readonly version?: number
  readonly offset?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly minBytes?: number
  readonly maxWaitMs?: number
  readonly sessionId?: number
  readonly sessionEpoch?: number
  readonly forget?: readonly number[]
}

export function fetchRequest(topic: string, partitions: readonly number[], wish: FetchWish = {}) {
  return {
    maxWaitMs: wish.maxWaitMs ?? 0,
    minBytes: wish.minBytes ?? 1,
    maxBytes: wish.maxBytes ?? 1_000_000,
    ...(wish.sessionEpoch === undefined
      ? {}
      : { sessionId: wish.sessionId ?? 0, sessionEpoch: wish.sessionEpoch }),
    topics:
      partitions.length === 0
        ? []
        : [
            {
              topic,
              partitions: partitions.map((partition) => ({
                partition,
                fetchOffset: BigInt(wish.offset ?? 0),
                partitionMaxBytes: wish.partitionMaxBytes ?? 1_000_000,
              })),
            },
          ],
    forgottenTopicsData: wish.forget === undefined ? [] : [{ topic, partitions: wish.forget }],
  }
}

export function fetchFrom(
  client: RawClient,
  topic: string,
  partitions: readonly number[],
  wish: FetchWish = {},
) {
  return client.request(fetch, wish.version ?? 12, fetchRequest(topic, partitions, wish))
}

/** The values that a partition's part of a Fetch response holds. */
export function valuesOf(records: Uint8Array | null): string[] {
  const data = Buffer.from(records ?? [])
  const { batches, error } = readBatches(data, { topic: 't', partition: 0 })
  if (error !== undefined) throw error
  return batches.flatMap((batch) => batch.messages().map(({ value }) => value?.toString() ?? ''))
}

/** A raw client of one broker, the first unless another is named. */
export function rawClientOf(cluster: EmbeddedCluster, broker = 1, clientId?: string) {
  return RawClient.open(cluster.ports[broker - 1]!, clientId)
}

export async function topicOf(client: RawClient, name: string, version = 12) {
  const { topics } = await client.request(metadata, version, { topics: [{ name }] })
  return topics[0]!
}

export async function offsetAt(client: RawClient, topic: string, timestamp: number, version = 7) {
  const { topics } = await client.request(listOffsets, version, {
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: BigInt(timestamp) }] }],
  })
  return topics[0]!.partitions[0]!
}
