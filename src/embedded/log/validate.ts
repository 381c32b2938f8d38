/**
 * Checks what a producer sends and prepares it for storage, as Kafka's LogValidator does: record
 * batches v2 stay unchanged if possible, and message sets of older producers are converted.
 */
import { codecOf, type Compression } from '../../../protocol/compression/index.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { BatchV2 } from '../../../protocol/records/batch-v2.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { BATCH_HEADER_BYTES } from '../../../protocol/records/format.ts'
import type { Message } from '../../../protocol/records/message.ts'
import { Refused } from '../refused.ts'
import { convertUp } from './convert-up.ts'
import {
  checkMessages,
  corrupt,
  INFLATE_LIMIT_BYTES,
  type CheckedBatch,
  type RecordRules,
} from './record-rules.ts'
import { FIRST_WITH_BATCH_V2 } from './request-records.ts'
import { scanRecords } from './scan-records.ts'
import { outgoing, ready, stamped } from './stamp.ts'

/** Takes the result of `requestRecords`. Throws Refused. */
export function checkRecords(
  records: Buffer,
  produceVersion: number,
  rules: RecordRules,
  nowMs: number,
): readonly CheckedBatch[] {
  return produceVersion >= FIRST_WITH_BATCH_V2
    ? [checkBatch(records, rules, nowMs)]
    : convertUp(records, rules, nowMs)
}

function checkBatch(data: Buffer, rules: RecordRules, nowMs: number): CheckedBatch {
  if (data.length > rules.maxMessageBytes) {
    throw new Refused(
      'MESSAGE_TOO_LARGE',
      `The record batch size in the append to ${rules.topic}-${rules.partition} is ${data.length} ` +
        `bytes which exceeds the maximum configured value of ${rules.maxMessageBytes}.`,
    )
  }
  const batch = readBatch(data, rules)
  checkHeader(batch)
  if (rules.compression !== 'producer' && rules.compression !== batch.compression) {
    const { messages } = checkedMessages(batch, rules, nowMs)
    return recompressed(batch, messages, rules.compression, rules, nowMs)
  }
  const maxTimestamp =
    scannedTimestamp(data, batch, rules, nowMs) ?? checkedMessages(batch, rules, nowMs).maxTimestamp
  return {
    data: stamped(data, rules, maxTimestamp, nowMs),
    count: batch.count,
    maxTimestamp: rules.timestampType === 'LogAppendTime' ? nowMs : maxTimestamp,
    ...identityOf(batch),
  }
}

/**
 * The largest timestamp of a batch that passes the fast check; undefined if the records must be
 * decoded to find out.
 */
function scannedTimestamp(
  data: Buffer,
  batch: BatchV2,
  rules: RecordRules,
  nowMs: number,
): number | undefined {
  const { baseTimestamp, timestampType, compression, count } = batch
  if (timestampType !== 'create-time' || !Number.isSafeInteger(baseTimestamp)) return undefined
  const scan =
    compression === 'none'
      ? scanRecords(data, BATCH_HEADER_BYTES, count)
      : scanRecords(inflated(data, compression), 0, count)
  if (scan === undefined || (rules.needsKey && !scan.hasKeys)) return undefined
  const oldest = baseTimestamp + scan.minTimestampDelta
  const newest = baseTimestamp + scan.maxTimestampDelta
  const isInTime =
    rules.timestampType === 'LogAppendTime' ||
    (nowMs - oldest <= rules.timestampBeforeMaxMs && newest - nowMs <= rules.timestampAfterMaxMs)
  // Negative timestamps mean that the record has none.
  return isInTime && oldest >= 0 ? newest : undefined
}

/** Empty if decompression fails: decoding the records then finds the cause. */
function inflated(data: Buffer, compression: Compression): Uint8Array {
  try {
    return codecOf(compression).decompress(data.subarray(BATCH_HEADER_BYTES), INFLATE_LIMIT_BYTES)
  } catch (error) {
    if (error instanceof ProtocolError) return new Uint8Array(0)
    throw error
  }
}

/** Throws Refused, with the error of the record. */
function checkedMessages(batch: BatchV2, rules: RecordRules, nowMs: number) {
  const messages = messagesOf(batch)
  messages.forEach(({ offset }, index) => {
    if (offset === batch.baseOffset + index) return
    throw new Refused('INVALID_RECORD', `Record ${index} has an offset that is not the next`)
  })
  return { messages, maxTimestamp: checkMessages(messages, rules, nowMs) }
}

function readBatch(data: Buffer, rules: RecordRules): BatchV2 {
  try {
    return new BatchV2(data, rules, INFLATE_LIMIT_BYTES)
  } catch (error) {
    throw corrupt(error)
  }
}

function checkHeader({ baseOffset, lastOffset, count, control, ...batch }: BatchV2): void {
  if (control) {
    throw new Refused('INVALID_RECORD', 'Clients are not allowed to write control records')
  }
  if (count <= 0 || lastOffset - baseOffset + 1 !== count) {
    throw new Refused(
      'INVALID_RECORD',
      `Inconsistent batch offset range explicitly stated in the batch header: ` +
        `[${baseOffset}, ${lastOffset}] for ${count} records`,
    )
  }
  if (batch.producerId >= 0n && batch.baseSequence < 0) {
    throw new Refused('INVALID_RECORD', `Invalid sequence number ${batch.baseSequence}`)
  }
}

function messagesOf(batch: BatchV2): Message[] {
  try {
    return batch.messages()
  } catch (error) {
    // The checksum is correct but the records are not: the producer wrote them so, and they were
    // not damaged on the way.
    if (!(error instanceof ProtocolError)) throw error
    throw new Refused('INVALID_RECORD', `Found invalid records (${error.message})`)
  }
}

function identityOf({ producerId, producerEpoch, baseSequence, transactional }: BatchV2) {
  return { producerId, producerEpoch, baseSequence, transactional }
}

function recompressed(
  batch: BatchV2,
  messages: readonly Message[],
  compression: Compression,
  rules: RecordRules,
  nowMs: number,
): CheckedBatch {
  const identity = identityOf(batch)
  const data = encodeBatch(messages.map(outgoing), { compression, ...identity })
  return { ...ready(data, rules, nowMs), ...identity }
}
