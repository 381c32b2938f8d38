import type { Writer } from '../../../protocol/buffer/writer.ts'
import { compressionCodeOf, type Compression } from '../../../protocol/compression/index.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'

export interface PlainRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

/** The properties of a batch and its records, for writers and readers. */
export interface PlainBatch {
  readonly magic: 0 | 1 | 2
  readonly compression: Compression
  readonly timestampType: 'none' | 'create-time' | 'log-append-time'
  readonly baseOffset: number
  readonly lastOffset: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional: boolean
  readonly control: boolean
  readonly leaderEpoch: number
  readonly records: readonly PlainRecord[]
}

/** What to ask Kafka to write. */
export interface BatchOrder extends PlainBatch {
  /** The time of all records where the timestamp type is log-append-time. */
  readonly logAppendTime: number
  /** −1 for none (KIP-534). */
  readonly deleteHorizon: number
}

const JAVAS_TIMESTAMP_TYPE = {
  none: 'NoTimestampType',
  'create-time': 'CreateTime',
  'log-append-time': 'LogAppendTime',
}

/** How Records.java, too, reports what it has read. */
export function linesOf(batches: Iterable<PlainBatch>): string {
  let text = ''
  for (const batch of batches) {
    const kind = `v${batch.magic} ${batch.compression} ${JAVAS_TIMESTAMP_TYPE[batch.timestampType]}`
    if (batch.magic === 2) {
      text +=
        `${kind} from ${batch.baseOffset} to ${batch.lastOffset} by ${batch.producerId}` +
        ` ${batch.producerEpoch} ${batch.baseSequence} in ${batch.leaderEpoch}` +
        `${batch.transactional ? ' transactional' : ''}${batch.control ? ' control' : ''}` +
        ` with ${batch.records.length}\n`
    }
    for (const { offset, timestamp, key, value, headers } of batch.records) {
      text += `${kind} at ${offset} ${timestamp} ${hex(key)} = ${hex(value)}`
      for (const header of headers)
        text += `, ${hex(Buffer.from(header.key))} = ${hex(header.value)}`
      text += '\n'
    }
  }
  return text
}

function hex(data: Buffer | null): string {
  return data === null ? 'null' : `'${data.toString('hex')}'`
}

/** What we read from these bytes, in the same lines. */
export function linesReadFrom(data: Buffer): string {
  const { batches, cutOffBytes, error } = readBatches(data, { topic: 't', partition: 0 })
  if (error !== undefined) throw error
  const read = batches.map((batch): PlainBatch => {
    const { magic, compression, timestampType, baseOffset, lastOffset, producerId } = batch
    const { producerEpoch, baseSequence, transactional, control, leaderEpoch } = batch
    return {
      ...{ magic, compression, timestampType, baseOffset, lastOffset, producerId },
      ...{ producerEpoch, baseSequence, transactional, control, leaderEpoch },
      records: batch.messages(),
    }
  })
  return linesOf(read) + (cutOffBytes > 0 ? `and ${cutOffBytes} bytes that are cut off\n` : '')
}

/** The order as it is then read: the batch's time where the records have none of their own. */
export function asItIsRead(order: BatchOrder): PlainBatch {
  if (order.timestampType === 'create-time') return order
  const timestamp = order.timestampType === 'none' ? -1 : order.logAppendTime
  return { ...order, records: order.records.map((record) => ({ ...record, timestamp })) }
}

/** As Records.java reads it. */
export function writeOrder(writer: Writer, order: BatchOrder): void {
  writer.int8(order.magic)
  writer.int8(compressionCodeOf(order.compression))
  writeBytes(writer, JAVAS_TIMESTAMP_TYPE[order.timestampType])
  writer.int64(BigInt(order.baseOffset))
  writer.int64(BigInt(order.lastOffset))
  writer.int64(BigInt(order.logAppendTime))
  writer.int64(order.producerId)
  writer.int16(order.producerEpoch)
  writer.int32(order.baseSequence)
  writer.bool(order.transactional)
  writer.bool(order.control)
  writer.int32(order.leaderEpoch)
  writer.int64(BigInt(order.deleteHorizon))
  writer.int32(order.records.length)
  for (const { offset, timestamp, key, value, headers } of order.records) {
    writer.int64(BigInt(offset))
    writer.int64(BigInt(timestamp))
    writeBytes(writer, key)
    writeBytes(writer, value)
    writer.int32(headers.length)
    for (const header of headers) {
      writeBytes(writer, header.key)
      writeBytes(writer, header.value)
    }
  }
}

function writeBytes(writer: Writer, data: Buffer | string | null): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  writer.int32(bytes?.length ?? -1)
  if (bytes !== null) writer.bytes(bytes)
}
