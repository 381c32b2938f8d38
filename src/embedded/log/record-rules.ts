import type { Compression } from '../../../protocol/compression/index.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import type { Message } from '../../../protocol/records/message.ts'
import { Refused, type RecordError } from '../refused.ts'
import type { ReadyBatch } from './partition-log.ts'

/**
 * The limit for the decompressed size of a batch, so that a malicious one cannot use up the memory.
 */
export const INFLATE_LIMIT_BYTES = 256 * 1024 * 1024

export interface RecordRules {
  readonly topic: string
  readonly partition: number
  readonly maxMessageBytes: number
  /** Compacted topics reject records without a key. */
  readonly needsKey: boolean
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  /** The codec of the topic, or `producer`: as the producer compressed it. */
  readonly compression: Compression | 'producer'
}

/** A batch to append, and its sequence number if its producer is idempotent. */
export interface CheckedBatch extends ReadyBatch {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional: boolean
}

/** Returns the largest timestamp. */
export function checkMessages(
  messages: readonly Message[],
  rules: RecordRules,
  nowMs: number,
): number {
  const errors: RecordError[] = []
  let error: 'INVALID_RECORD' | 'INVALID_TIMESTAMP' = 'INVALID_RECORD'
  let maxTimestamp = -1
  const { topic, partition, timestampBeforeMaxMs, timestampAfterMaxMs } = rules
  const checksTime = rules.timestampType === 'CreateTime'
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index]!
    if (rules.needsKey && message.key === null) {
      errors.push({
        batchIndex: index,
        message: `Compacted topic cannot accept message without key in topic partition ${topic}-${partition}`,
      })
    }
    // Brokers accept any int64 that is within a configured distance from now; by default every one
    // is.
    const { nearTimestamp: timestamp } = message
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    if (!checksTime || timestamp === -1) continue
    if (nowMs - timestamp > timestampBeforeMaxMs || timestamp - nowMs > timestampAfterMaxMs) {
      error = 'INVALID_TIMESTAMP'
      errors.push({
        batchIndex: index,
        message:
          `Timestamp ${timestamp} of message with offset ${index} is out of range. The timestamp ` +
          `should be within [${nowMs - timestampBeforeMaxMs}, ${nowMs + timestampAfterMaxMs}]`,
      })
    }
  }
  if (errors.length === 0) return maxTimestamp
  throw new Refused(error, summaryOf(error, errors), errors)
}

function summaryOf(
  error: 'INVALID_RECORD' | 'INVALID_TIMESTAMP',
  errors: readonly RecordError[],
): string {
  const what = 'One or more records have been rejected due to'
  if (error === 'INVALID_TIMESTAMP') return `${what} invalid timestamp`
  const first = errors
    .slice(0, 3)
    .map(({ batchIndex, message }) => `RecordError(batchIndex=${batchIndex}, message='${message}')`)
  return (
    `${what} ${errors.length} record errors in total, and only showing the first three errors ` +
    `at most: [${first.join(', ')}]`
  )
}

export function corrupt(error: unknown): unknown {
  return error instanceof ProtocolError
    ? new Refused('CORRUPT_MESSAGE', `Record is corrupt (${error.message})`)
    : error
}
