/**
 * Reads the acquired records of a partition from a ShareFetch response. The response contains whole batches, which may
 * also contain records that were not acquired.
 */
import type { Message } from '../../protocol/records/message.ts'
import { readBatches } from '../../protocol/records/read-batches.ts'
import { CodecUnavailableError } from '../../protocol/compression/index.ts'
import { CompressionUnavailableError, CorruptBatchError } from '../errors.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { asError } from '../observe/thrown.ts'

export interface AcquiredRange {
  readonly first: number
  readonly last: number
  readonly deliveryCount: number
}

export interface OffsetSpan {
  readonly first: number
  readonly last: number
}

export interface AcquiredMessage {
  readonly message: Message
  readonly deliveryCount: number
}

export interface AcquiredRecords {
  readonly messages: readonly AcquiredMessage[]
  /**
   * Acquired offsets that have no message: compaction has removed it, or it is a transaction marker. They have to be
   * acknowledged too, because otherwise the group never gets past them.
   */
  readonly gaps: readonly OffsetSpan[]
  /** Acquired offsets that could not be read, because the response ends before them or is damaged. */
  readonly unread: readonly OffsetSpan[]
  readonly error: Error | undefined
}

/** Reads the messages of the acquired ranges, which are in order and do not overlap. */
export function readAcquired(
  where: TopicPartition,
  records: Uint8Array | null,
  ranges: readonly AcquiredRange[],
  limitBytes?: number,
): AcquiredRecords {
  const decoded = decode(where, records, limitBytes)
  const messages: AcquiredMessage[] = []
  const gaps: OffsetSpan[] = []
  const unread: OffsetSpan[] = []
  let index = 0
  for (const { first, last, deliveryCount } of ranges) {
    let next = first
    while (index < decoded.messages.length && decoded.messages[index]!.offset < first) index++
    for (; index < decoded.messages.length; index++) {
      const message = decoded.messages[index]!
      const { offset } = message
      if (offset > last) break
      if (offset > next) gaps.push({ first: next, last: offset - 1 })
      messages.push({ message, deliveryCount })
      next = offset + 1
    }
    const readTo = Math.min(last, decoded.end)
    if (next <= readTo) gaps.push({ first: next, last: readTo })
    const left = Math.max(next, readTo + 1)
    if (left <= last) unread.push({ first: left, last })
  }
  return { messages, gaps, unread, error: decoded.error }
}

interface Decoded {
  readonly messages: readonly Message[]
  /** The last offset that was read, with or without a message; -1 if none was. */
  readonly end: number
  readonly error: Error | undefined
}

function decode(where: TopicPartition, records: Uint8Array | null, limitBytes?: number): Decoded {
  if (records === null || records.length === 0) return { messages: [], end: -1, error: undefined }
  const data = Buffer.from(records.buffer, records.byteOffset, records.length)
  const { batches, error } = readBatches(data, where, limitBytes)
  let messages: Message[] = []
  let end = -1
  for (const batch of batches) {
    if (!batch.control) {
      try {
        const read = batch.messages()
        if (messages.length === 0) messages = read
        else for (const message of read) messages.push(message)
      } catch (damage) {
        return { messages, end, error: damageOf(where, batch.baseOffset, asError(damage)) }
      }
    }
    end = batch.lastOffset
  }
  return { messages, end, error: error && damageOf(where, end + 1, error) }
}

function damageOf({ topic, partition }: TopicPartition, offset: number, cause: Error): Error {
  return cause instanceof CodecUnavailableError
    ? new CompressionUnavailableError(cause, { topic, partition })
    : new CorruptBatchError(topic, partition, offset, cause)
}
