/**
 * What does it cost that the APIs are declared rather than programmed? Produce v9 requests encoded and
 * Fetch v12 responses decoded, from the declarations and by straight-line code over the same Writer and
 * Reader, with 1, 10 and 1,000 partitions of small records. Medians, in turns.
 *
 *     npm run bench:generic-codec
 */
import { Reader } from '../protocol/buffer/reader.ts'
import { Writer } from '../protocol/buffer/writer.ts'
import { fetch, type FetchResponse } from '../protocol/apis/fetch.ts'
import { produce, type ProduceRequest } from '../protocol/apis/produce.ts'
import { inTurns } from './support/turns.ts'

const PRODUCE_VERSION = 9
const FETCH_VERSION = 12
const RECORDS = Buffer.alloc(120, 'small records ')
const PARTITIONS_A_TOPIC = 10

/** `of(partition)` for this many partitions, in topics of ten. */
function topics<T>(partitions: number, of: (partition: number) => T): { name: string; of: T[] }[] {
  return Array.from({ length: Math.ceil(partitions / PARTITIONS_A_TOPIC) }, (_, topic) => ({
    name: `a-topic-of-usual-length-${topic}`,
    of: Array.from({ length: Math.min(partitions, PARTITIONS_A_TOPIC) }, (_, index) => of(index)),
  }))
}

function produceRequest(partitions: number): ProduceRequest {
  return {
    acks: -1,
    timeoutMs: 30_000,
    topicData: topics(partitions, (index) => ({ index, records: RECORDS })).map((topic) => ({
      name: topic.name,
      partitionData: topic.of,
    })),
  }
}

function encodeProduceByHand(writer: Writer, request: ProduceRequest): void {
  writeNullableString(writer, request.transactionalId ?? null)
  writer.int16(request.acks)
  writer.int32(request.timeoutMs)
  writer.unsignedVarint(request.topicData.length + 1)
  for (const { name = '', partitionData } of request.topicData) {
    writeNullableString(writer, name)
    writer.unsignedVarint(partitionData.length + 1)
    for (const { index, records } of partitionData) {
      writer.int32(index)
      if (records === null) writer.unsignedVarint(0)
      else {
        writer.unsignedVarint(records.length + 1)
        writer.bytes(records)
      }
      writer.unsignedVarint(0)
    }
    writer.unsignedVarint(0)
  }
  writer.unsignedVarint(0)
}

function writeNullableString(writer: Writer, text: string | null): void {
  if (text === null) {
    writer.unsignedVarint(0)
    return
  }
  const length = Buffer.byteLength(text)
  writer.unsignedVarint(length + 1)
  writer.utf8(text, length)
}

function fetchResponse(partitions: number): Buffer {
  const writer = new Writer()
  fetch.response.encode(writer, FETCH_VERSION, {
    sessionId: 12_345,
    responses: topics(partitions, (partitionIndex) => ({
      partitionIndex,
      errorCode: 0,
      highWatermark: 1_000_000n,
      lastStableOffset: 1_000_000n,
      logStartOffset: 0n,
      abortedTransactions: null,
      records: RECORDS,
    })).map((topic) => ({ topic: topic.name, partitions: topic.of })),
  })
  return Buffer.concat(writer.finish())
}

type Topic = FetchResponse['responses'][number]
type Partition = Topic['partitions'][number]

const NOWHERE = { epoch: -1, endOffset: -1n }
const NO_LEADER = { leaderId: -1, leaderEpoch: -1 }

function decodeFetchByHand(reader: Reader): FetchResponse {
  const throttleTimeMs = reader.int32()
  const errorCode = reader.int16()
  const sessionId = reader.int32()
  const responses: Topic[] = []
  for (let left = reader.unsignedVarint() - 1; left > 0; left--) {
    const topic = reader.utf8(reader.unsignedVarint() - 1)
    const partitions: Partition[] = []
    for (let left = reader.unsignedVarint() - 1; left > 0; left--) {
      partitions.push(decodePartitionByHand(reader))
    }
    noTaggedFields(reader)
    responses.push({ topic, topicId: '', partitions })
  }
  noTaggedFields(reader)
  return { throttleTimeMs, errorCode, sessionId, responses, nodeEndpoints: [] }
}

function decodePartitionByHand(reader: Reader): Partition {
  const partitionIndex = reader.int32()
  const errorCode = reader.int16()
  const highWatermark = reader.int64()
  const lastStableOffset = reader.int64()
  const logStartOffset = reader.int64()
  const aborted = reader.unsignedVarint() - 1
  const abortedTransactions: Partition['abortedTransactions'] = aborted < 0 ? null : []
  if (aborted > 0) throw new Error('not in these responses')
  const preferredReadReplica = reader.int32()
  const bytes = reader.unsignedVarint() - 1
  const records = bytes < 0 ? null : reader.bytes(bytes)
  noTaggedFields(reader)
  return {
    partitionIndex,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    divergingEpoch: NOWHERE,
    currentLeader: NO_LEADER,
    snapshotId: NOWHERE,
    abortedTransactions,
    preferredReadReplica,
    records,
  }
}

function noTaggedFields(reader: Reader): void {
  if (reader.unsignedVarint() !== 0) throw new Error('not in these responses')
}

async function compare(
  what: string,
  partitions: number,
  declared: () => unknown,
  byHand: () => unknown,
): Promise<void> {
  const [one, other] = await inTurns([
    { name: 'declared', run: declared },
    { name: 'by hand', run: byHand },
  ])
  const each = (microseconds: number) => `${(microseconds / partitions).toFixed(3)} µs a partition`
  console.log(
    `${what}, ${partitions} partitions`.padEnd(40),
    `declared ${each(one!.microseconds)}, by hand ${each(other!.microseconds)}:`,
    `${(one!.microseconds / other!.microseconds).toFixed(1)} times`,
  )
}

function encoded(write: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  write(writer)
  return Buffer.concat(writer.finish())
}

console.log(`Node ${process.version}\n`)
for (const partitions of [1, 10, 1000]) {
  const request = produceRequest(partitions)
  const declared = (writer: Writer) => produce.request.encode(writer, PRODUCE_VERSION, request)
  const byHand = (writer: Writer) => encodeProduceByHand(writer, request)
  if (!encoded(declared).equals(encoded(byHand))) throw new Error('not the same request')
  const run = (encode: (writer: Writer) => void) => {
    const writer = new Writer()
    encode(writer)
    return writer.finish()
  }
  await compare(
    'encode Produce v9',
    partitions,
    () => run(declared),
    () => run(byHand),
  )
  const response = fetchResponse(partitions)
  await compare(
    'decode Fetch v12',
    partitions,
    () => fetch.response.decode(new Reader(response), FETCH_VERSION),
    () => decodeFetchByHand(new Reader(response)),
  )
}
