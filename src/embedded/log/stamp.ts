import { crc32c } from '../../../protocol/buffer/crc32c.ts'
import { ATTRIBUTE, BATCH_HEADER_BYTES, CRC_COVERS_FROM } from '../../../protocol/records/format.ts'
import type { Message } from '../../../protocol/records/message.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import type { ReadyBatch } from './partition-log.ts'
import type { RecordRules } from './record-rules.ts'

const ATTRIBUTES_AT = 21
const MAX_TIMESTAMP_AT = 35
const CRC_AT = 17

/** Sets the fields that the broker sets; copies the batch only if that changes it. */
export function stamped(
  data: Buffer,
  rules: RecordRules,
  maxTimestamp: number,
  nowMs: number,
): Buffer {
  const isLogAppendTime = rules.timestampType === 'LogAppendTime'
  const attributes = data.readInt16BE(ATTRIBUTES_AT)
  const wantedAttributes = isLogAppendTime
    ? attributes | ATTRIBUTE.logAppendTime
    : attributes & ~ATTRIBUTE.logAppendTime
  const wantedTimestamp = BigInt(isLogAppendTime ? nowMs : maxTimestamp)
  if (
    attributes === wantedAttributes &&
    data.readBigInt64BE(MAX_TIMESTAMP_AT) === wantedTimestamp
  ) {
    return data
  }
  const copy = Buffer.from(data)
  copy.writeInt16BE(wantedAttributes, ATTRIBUTES_AT)
  copy.writeBigInt64BE(wantedTimestamp, MAX_TIMESTAMP_AT)
  copy.writeUInt32BE(crc32c(copy, CRC_COVERS_FROM), CRC_AT)
  return copy
}

/** Prepares a batch v2 that the broker wrote itself for storage. */
export function ready(data: Buffer, rules: RecordRules, nowMs: number): ReadyBatch {
  const maxTimestamp = Number(data.readBigInt64BE(MAX_TIMESTAMP_AT))
  return {
    data: stamped(data, rules, maxTimestamp, nowMs),
    count: data.readInt32BE(BATCH_HEADER_BYTES - 4),
    maxTimestamp: rules.timestampType === 'LogAppendTime' ? nowMs : maxTimestamp,
  }
}

export function outgoing({ key, value, timestamp, headers }: Message): OutgoingRecord {
  return new OutgoingRecord(key, value, timestamp, headers)
}
