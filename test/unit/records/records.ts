import { expect } from '@jest/globals'
import type { Message } from '../../../protocol/records/message.ts'
import type { MessageBatch } from '../../../protocol/records/message-batch.ts'
import { OutgoingRecord, type OutgoingHeader } from '../../../protocol/records/outgoing-record.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'

export const SOURCE = { topic: 'events', partition: 1 }
export const NOW = 1_700_000_000_000

export type Data = Uint8Array | string | null

export function record(
  key: Data,
  value: Data,
  timestamp = NOW,
  headers?: readonly OutgoingHeader[],
): OutgoingRecord {
  return new OutgoingRecord(key, value, timestamp, headers)
}

/** Keys, values and headers of all kinds. */
export const SAMPLES: readonly OutgoingRecord[] = [
  record('key', 'value'),
  record(null, 'no key', NOW + 1),
  record('tombstone', null, NOW + 2),
  record(null, null, NOW + 3),
  record('', '', NOW + 4),
  record('ключ', 'value → 値', NOW + 5),
  record(Buffer.from([0, 255]), Buffer.from([255, 254, 0, 10]), NOW + 6),
  record('long', 'x'.repeat(20_000), NOW + 7),
]

/** What a message must be equal to, as text of its bytes. */
export function plain({ offset, timestamp, key, value, headers }: Message): object {
  const text = (data: Buffer | null) => data?.toString('latin1') ?? null
  return {
    offset,
    timestamp,
    key: text(key),
    value: text(value),
    headers: headers.map((header) => [header.key, text(header.value)]),
  }
}

/** The same of a record that was written. */
export function expected(
  { key, value, timestamp, headers }: OutgoingRecord,
  offset: number,
  { hasTimestamp = true } = {},
): object {
  const text = (data: Data) => (data === null ? null : Buffer.from(data).toString('latin1'))
  return {
    offset,
    timestamp: hasTimestamp ? timestamp : -1,
    key: text(key),
    value: text(value),
    headers: headers.map((header) => [header.key, text(header.value)]),
  }
}

/** The batches of bytes that are whole and good. */
export function batchesOf(data: Buffer): readonly MessageBatch[] {
  const { batches, cutOffBytes, error } = readBatches(data, SOURCE)
  expect(error).toBeUndefined()
  expect(cutOffBytes).toBe(0)
  return batches
}

export function messagesOf(data: Buffer): Message[] {
  return batchesOf(data).flatMap((batch) => batch.messages())
}

/** All that can be read of bytes that may be damaged, or the first error. */
export function readAll(data: Buffer): Message[] | Error {
  const { batches, error, cutOffBytes } = readBatches(data, SOURCE)
  if (error !== undefined) return error
  if (cutOffBytes > 0) return new Error('cut off')
  try {
    const messages = batches.flatMap((batch) => batch.messages())
    // Headers are read, and found to be damaged, when they are touched.
    messages.forEach(({ headers }) => headers)
    return messages
  } catch (problem) {
    if (problem instanceof Error) return problem
    throw problem
  }
}
