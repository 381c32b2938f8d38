import { crc32 } from '../../../protocol/buffer/crc32.ts'
import {
  codecOf,
  compressionCodeOf,
  lz4Legacy,
  type Compression,
} from '../../../protocol/compression/index.ts'
import { LOG_OVERHEAD_BYTES } from '../../../protocol/records/format.ts'
import type { MessageBatch } from '../../../protocol/records/message-batch.ts'
import { encodeMessageSet } from '../../../protocol/records/message-set.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import { Refused } from '../refused.ts'
import { INFLATE_LIMIT_BYTES } from './record-rules.ts'
import { outgoing } from './stamp.ts'

const ATTRIBUTES_AT = 17
const CRC_AT = 12
const CRC_COVERS_FROM = 16
const NOWHERE = { topic: '', partition: 0 }

/**
 * Converts stored batches to message sets, for fetches before v4 (magic 1) and v2 (magic 0). As in
 * Kafka, headers and producer ids are lost. Records before the requested offset are left out.
 */
export function convertDown(stored: Buffer, magic: 0 | 1, fromOffset: number): Buffer {
  const { batches } = readBatches(stored, NOWHERE, INFLATE_LIMIT_BYTES)
  return Buffer.concat(batches.map((batch) => convertBatch(batch, magic, fromOffset)))
}

function convertBatch(batch: MessageBatch, magic: 0 | 1, fromOffset: number): Buffer {
  if (batch.control) return Buffer.alloc(0)
  if (batch.compression === 'zstd') {
    throw new Refused('UNSUPPORTED_COMPRESSION_TYPE', 'zstd requires Fetch version 10')
  }
  const messages = batch.messages().filter(({ offset }) => offset >= fromOffset)
  const first = messages[0]
  if (first === undefined) return Buffer.alloc(0)
  const plain = encodeMessageSet(messages.map(outgoing), magic)
  if (batch.compression === 'none') {
    setOffsets(plain, first.offset)
    return plain
  }
  // Inside a compressed message, offsets are relative in v1 (KIP-31) and absolute in v0.
  if (magic === 0) setOffsets(plain, first.offset)
  const last = messages[messages.length - 1]!
  const timestamp = messages.reduce((max, message) => Math.max(max, message.timestamp), -1)
  return wrapped(plain, batch.compression, magic, last.offset, timestamp)
}

/** No checksum covers the offset of a message. */
function setOffsets(set: Buffer, baseOffset: number): void {
  let offset = BigInt(baseOffset)
  for (let at = 0; at < set.length; at += LOG_OVERHEAD_BYTES + set.readInt32BE(at + 8)) {
    set.writeBigInt64BE(offset++, at)
  }
}

function wrapped(
  plain: Buffer,
  compression: Compression,
  magic: 0 | 1,
  lastOffset: number,
  timestamp: number,
): Buffer {
  // Clients before 0.10 accept lz4 only with a wrong header checksum (KAFKA-3160).
  const codec = compression === 'lz4' && magic === 0 ? lz4Legacy : codecOf(compression)
  const set = encodeMessageSet([new OutgoingRecord(null, codec.compress(plain), timestamp)], magic)
  set[ATTRIBUTES_AT] = compressionCodeOf(compression)
  set.writeUInt32BE(crc32(set, CRC_COVERS_FROM, set.length), CRC_AT)
  setOffsets(set, lastOffset)
  return set
}
