import type { Message } from '../../../protocol/records/message.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import type { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import { Refused } from '../refused.ts'
import {
  checkMessages,
  corrupt,
  INFLATE_LIMIT_BYTES,
  type CheckedBatch,
  type RecordRules,
} from './record-rules.ts'
import { outgoing, ready } from './stamp.ts'

const NOT_IDEMPOTENT = {
  producerId: -1n,
  producerEpoch: -1,
  baseSequence: -1,
  transactional: false,
} as const

/** Bytes of a batch v2 before its records. */
const HEADER_BYTES = 61

/**
 * Converts message sets v0 and v1 to batches v2, as brokers from 0.11 on do. Old brokers accepted
 * any number of plain messages and limited the size of each: they are split if one batch cannot
 * contain them.
 */
export function convertUp(
  data: Buffer,
  rules: RecordRules,
  nowMs: number,
): readonly CheckedBatch[] {
  const { batches, error } = readBatches(data, rules, INFLATE_LIMIT_BYTES)
  if (error !== undefined) throw corrupt(error)
  const checked: CheckedBatch[] = []
  for (const batch of batches) {
    if (batch.magic === 2) {
      throw new Refused('INVALID_RECORD', 'record batches require Produce version 3')
    }
    const messages = messagesOf(() => batch.messages())
    checkMessages(messages, rules, nowMs)
    const compression = rules.compression === 'producer' ? batch.compression : rules.compression
    for (const records of splitBySize(messages.map(outgoing), rules)) {
      checked.push({
        ...ready(encodeBatch(records, { compression }), rules, nowMs),
        ...NOT_IDEMPOTENT,
      })
    }
  }
  if (checked.length === 0)
    throw new Refused('INVALID_RECORD', 'the message set has no complete message')
  return checked
}

function messagesOf(decode: () => Message[]): Message[] {
  try {
    return decode()
  } catch (error) {
    throw corrupt(error)
  }
}

function* splitBySize(
  records: readonly OutgoingRecord[],
  { topic, partition, maxMessageBytes }: RecordRules,
): Generator<readonly OutgoingRecord[]> {
  let part: OutgoingRecord[] = []
  let partBytes = HEADER_BYTES
  for (const record of records) {
    if (Math.max(0, record.keyBytes) + Math.max(0, record.valueBytes) > maxMessageBytes) {
      throw new Refused(
        'MESSAGE_TOO_LARGE',
        `A message to ${topic}-${partition} exceeds the maximum configured value of ${maxMessageBytes}.`,
      )
    }
    if (part.length > 0 && partBytes + record.sizeBytes > maxMessageBytes) {
      yield part
      part = []
      partBytes = HEADER_BYTES
    }
    part.push(record)
    partBytes += record.sizeBytes
  }
  if (part.length > 0) yield part
}
