/**
 * What the null broker answers: it acknowledges everything and keeps nothing. Of each partition it remembers the last
 * batch, and serves that again and again, at ever later offsets.
 */
import { apiVersions } from '../../protocol/apis/api-versions.ts'
import { createTopics } from '../../protocol/apis/create-topics.ts'
import { deleteTopics } from '../../protocol/apis/delete-topics.ts'
import { fetch } from '../../protocol/apis/fetch.ts'
import { initProducerId } from '../../protocol/apis/init-producer-id.ts'
import { listOffsets } from '../../protocol/apis/list-offsets.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { produce } from '../../protocol/apis/produce.ts'
import { Reader } from '../../protocol/buffer/reader.ts'
import { encodeResponse, requestHeader, requestHeaderVersion } from '../../protocol/headers.ts'
import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../protocol/schema/fields.ts'

/** Where the offset of a batch's last record stands, from its first (KIP-98). */
const LAST_OFFSET_DELTA_AT = 23
const END_OF_LOG = 1n << 40n
const NODE = 1

interface Topic {
  readonly partitions: number
  readonly lastBatches: Map<number, Buffer>
}

const topics = new Map<string, Topic>()
/** What the broker names as its address. */
export const address = { port: 0 }

function topicOf(name: string): Topic {
  let topic = topics.get(name)
  if (topic === undefined) {
    topic = { partitions: 4, lastBatches: new Map() }
    topics.set(name, topic)
  }
  return topic
}

type Answer = (
  version: number,
  reader: Reader,
  correlationId: number,
) => readonly Uint8Array[] | undefined

interface Handler {
  readonly api: Pick<Api, 'key' | 'request'>
  readonly min: number
  readonly max: number
  readonly answer: Answer
}

/** `run` returns nothing where no answer is wanted. */
function handle<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  min: number,
  max: number,
  run: (request: Decoded<Request>) => Encodable<Response> | undefined,
): Handler {
  const answer: Answer = (version, reader, correlationId) => {
    const body = run(api.request.decode(reader, version))
    return body === undefined ? undefined : encodeResponse(api, version, correlationId, body)
  }
  return { api, min, max, answer }
}

// Topics by name everywhere: the versions with topic ids are left out.
const handlers: readonly Handler[] = [
  handle(produce, 3, 12, ({ acks, topicData }) => {
    const responses = topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        if (records !== null)
          topicOf(name).lastBatches.set(
            index,
            Buffer.from(records.buffer, records.byteOffset, records.length),
          )
        return { index, errorCode: 0, baseOffset: 0n }
      }),
    }))
    return acks === 0 ? undefined : { responses }
  }),
  handle(fetch, 4, 12, (request) => {
    let leftBytes = request.maxBytes
    return {
      errorCode: 0,
      sessionId: 0,
      responses: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, fetchOffset, partitionMaxBytes }) => {
          const isFirst = leftBytes === request.maxBytes
          const mostBytes = Math.min(partitionMaxBytes, leftBytes)
          const batch = topicOf(topic).lastBatches.get(partition)
          const records = repeated(batch, fetchOffset, mostBytes, isFirst)
          leftBytes -= records.length
          return {
            partitionIndex: partition,
            errorCode: 0,
            highWatermark: END_OF_LOG,
            lastStableOffset: END_OF_LOG,
            logStartOffset: 0n,
            abortedTransactions: null,
            records,
          }
        }),
      })),
    }
  }),
  handle(listOffsets, 1, 6, (request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => ({
        partitionIndex,
        errorCode: 0,
        timestamp: -1n,
        offset: timestamp === -1n ? END_OF_LOG : 0n,
        leaderEpoch: 0,
      })),
    })),
  })),
  handle(metadata, 0, 9, (request) => ({
    brokers: [{ nodeId: NODE, host: '127.0.0.1', port: address.port }],
    clusterId: 'null-broker',
    controllerId: NODE,
    topics: (request.topics ?? [...topics.keys()].map((name) => ({ name }))).map(({ name }) => ({
      errorCode: 0,
      name,
      partitions: Array.from({ length: topicOf(name!).partitions }, (_, partitionIndex) => ({
        errorCode: 0,
        partitionIndex,
        leaderId: NODE,
        leaderEpoch: 0,
        replicaNodes: [NODE],
        isrNodes: [NODE],
        offlineReplicas: [],
      })),
    })),
  })),
  handle(createTopics, 0, 4, (request) => {
    for (const { name, numPartitions } of request.topics) {
      topics.set(name, { partitions: numPartitions, lastBatches: new Map() })
    }
    return {
      topics: request.topics.map(({ name }) => ({
        name,
        errorCode: 0,
        errorMessage: null,
        configs: null,
      })),
    }
  }),
  handle(deleteTopics, 0, 3, ({ topicNames }) => {
    for (const name of topicNames) topics.delete(name)
    return { responses: topicNames.map((name) => ({ name, errorCode: 0 })) }
  }),
  handle(initProducerId, 0, 4, () => ({
    throttleTimeMs: 0,
    errorCode: 0,
    producerId: 1n,
    producerEpoch: 0,
  })),
  handle(apiVersions, 0, 3, () => ({
    errorCode: 0,
    apiKeys: handlers.map(({ api, min, max }) => ({
      apiKey: api.key,
      minVersion: min,
      maxVersion: max,
    })),
  })),
]

const handlersByKey = new Map(handlers.map((handler) => [handler.api.key, handler]))

/**
 * As many copies as fit, their offsets counted up from the one that was asked for; at least one for the first
 * partition of a response (KIP-74).
 */
function repeated(
  batch: Buffer | undefined,
  from: bigint,
  maxBytes: number,
  isFirst: boolean,
): Buffer {
  if (batch === undefined) return Buffer.alloc(0)
  const copies = Math.max(isFirst ? 1 : 0, Math.floor(maxBytes / batch.length))
  const step = BigInt(batch.readInt32BE(LAST_OFFSET_DELTA_AT) + 1)
  const block = Buffer.allocUnsafe(copies * batch.length)
  for (let copy = 0; copy < copies; copy++) {
    block.set(batch, copy * batch.length)
    block.writeBigInt64BE(from + BigInt(copy) * step, copy * batch.length)
  }
  return block
}

/** Returns the response to a request; undefined if none is wanted. */
export function answered(frame: Buffer): readonly Uint8Array[] | undefined {
  const [key, version] = [frame.readInt16BE(0), frame.readInt16BE(2)]
  const handler = handlersByKey.get(key)
  if (handler === undefined) throw new Error(`The null broker has no API ${key}`)
  // A request for the versions in a version that is too new gets the error in version 0 (KIP-511).
  if (key === apiVersions.key && version > handler.max) {
    const correlationId = frame.readInt32BE(4)
    const apiKeys = [{ apiKey: key, minVersion: 0, maxVersion: handler.max }]
    return encodeResponse(apiVersions, 0, correlationId, { errorCode: 35, apiKeys })
  }
  const reader = new Reader(frame)
  const { correlationId } = requestHeader.decode(reader, requestHeaderVersion(handler.api, version))
  return handler.answer(version, reader, correlationId)
}
