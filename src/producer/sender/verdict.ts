import { describeError, ErrorCode } from '../../../protocol/errors.ts'
import { BrokerError, MessageTooLargeError, type KafkaError } from '../../errors.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { PartitionResponse } from './produce-request.ts'

/** What follows from a broker's response for a batch. */
export type Verdict =
  | {
      readonly kind: 'delivered'
      readonly baseOffset: number
      /** Undefined if the log keeps the producer's timestamps. */
      readonly appendTime: number | undefined
      /** Undefined if the broker does not report it. */
      readonly logStartOffset: number | undefined
    }
  /** The batch is sent again. */
  | { readonly kind: 'again'; readonly error: KafkaError }
  /** The sequence number does not follow the last one that the broker has from this producer. */
  | { readonly kind: 'number refused'; readonly error: BrokerError }
  /** The batch is sent again in two parts. */
  | { readonly kind: 'split'; readonly error: KafkaError }
  /** The batch is sent again without these records, which the broker rejects. */
  | {
      readonly kind: 'partly refused'
      readonly errors: ReadonlyMap<number, KafkaError>
    }
  | { readonly kind: 'failed'; readonly error: KafkaError }

/** Errors after which the batch may be in the log. */
const MAY_BE_IN_LOG: readonly number[] = [
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.UNKNOWN_SERVER_ERROR,
]

/** The sequence number, or the epoch, is not the one that the broker expects from this producer. */
const NUMBER_REFUSED: readonly number[] = [
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.INVALID_PRODUCER_EPOCH,
]

/**
 * Whether a batch may be in the log after this response. One that was appended and then lost its leader before it was
 * replicated comes back with an error such as NOT_LEADER_OR_FOLLOWER and the offset that it got (Kafka's
 * DelayedProduce). If the broker left the batch out of its response, it may be in the log.
 */
export function mayBeInLog(response: PartitionResponse | undefined): boolean {
  if (response === undefined) return true
  const { errorCode, baseOffset } = response
  return errorCode !== ErrorCode.NONE && (MAY_BE_IN_LOG.includes(errorCode) || baseOffset >= 0n)
}

function sizeOf({ sizeBytes, wire }: Batch): string {
  const isCompressed = wire !== undefined && wire.length !== sizeBytes
  return `${sizeBytes} bytes${isCompressed ? ` (${wire.length} compressed)` : ''}`
}

/** `response` is undefined where the broker left the batch out of its response. */
export function classifyResponse(
  batch: Batch,
  response: PartitionResponse | undefined,
  broker: string,
): Verdict {
  const { topic, partition } = batch.queue
  const context = { topic, partition, broker }
  const what = `producing to ${topic}-${partition}`
  const errorCode = response?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
  if (response !== undefined && errorCode === ErrorCode.NONE) {
    const appendTime = response.logAppendTimeMs < 0n ? undefined : Number(response.logAppendTimeMs)
    const logStartOffset =
      response.logStartOffset < 0n ? undefined : Number(response.logStartOffset)
    return {
      kind: 'delivered',
      baseOffset: Number(response.baseOffset),
      appendTime,
      logStartOffset,
    }
  }
  // The batch was written earlier, and the broker no longer remembers its offset.
  if (errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
    return { kind: 'delivered', baseOffset: -1, appendTime: undefined, logStartOffset: undefined }
  }
  if (errorCode === ErrorCode.MESSAGE_TOO_LARGE || errorCode === ErrorCode.RECORD_LIST_TOO_LARGE) {
    const error = new MessageTooLargeError(
      `${broker} rejected a batch of ${sizeOf(batch)} for ${topic}-${partition} as too large (max.message.bytes)`,
      context,
    )
    return { kind: batch.count > 1 ? 'split' : 'failed', error }
  }
  const error = new BrokerError(errorCode, what, context, response?.errorMessage)
  if (batch.sequence !== undefined && NUMBER_REFUSED.includes(errorCode)) {
    return { kind: 'number refused', error }
  }
  if (describeError(errorCode).retriable) return { kind: 'again', error }
  const refused = response?.recordErrors ?? []
  if (refused.length > 0 && refused.length < batch.count) {
    const errors = refused.map(
      ({ batchIndex, batchIndexErrorMessage }) =>
        [batchIndex, new BrokerError(errorCode, what, context, batchIndexErrorMessage)] as const,
    )
    return { kind: 'partly refused', errors: new Map(errors) }
  }
  return { kind: 'failed', error }
}
