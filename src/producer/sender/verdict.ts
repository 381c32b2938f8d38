import { describeError, ErrorCode } from '../../../protocol/errors.ts'
import { BrokerError, MessageTooLargeError, type KafkaError } from '../../errors.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { PartitionAnswer } from './produce-request.ts'

/** What is to be done about a batch that a broker has answered. */
export type Verdict =
  | {
      readonly kind: 'delivered'
      readonly baseOffset: number
      /** Undefined where the producer's timestamps stand. */
      readonly appendTime: number | undefined
    }
  /** It goes out again. */
  | { readonly kind: 'again'; readonly error: KafkaError }
  /** The broker cannot place it behind what it has of this producer. */
  | { readonly kind: 'number refused'; readonly error: BrokerError }
  /** It goes out again in two parts. */
  | { readonly kind: 'split'; readonly error: KafkaError }
  /** It goes out again without these records, which the broker will never take. */
  | {
      readonly kind: 'partly refused'
      readonly errors: ReadonlyMap<number, KafkaError>
    }
  | { readonly kind: 'failed'; readonly error: KafkaError }

/** After these it may be in the log although it is an error. */
const MAY_BE_IN_LOG: readonly number[] = [
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.UNKNOWN_SERVER_ERROR,
]

/** The broker cannot put it behind what it has of this producer. */
const NUMBER_REFUSED: readonly number[] = [
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.INVALID_PRODUCER_EPOCH,
]

/**
 * Whether a batch may be in the log after this answer. One that was appended and then lost its leader before it
 * was replicated comes back with an error such as NOT_LEADER_OR_FOLLOWER and the offset that it got (Kafka's
 * DelayedProduce). A batch that the broker left out of its response may be anywhere.
 */
export function mayBeInLog(answer: PartitionAnswer | undefined): boolean {
  if (answer === undefined) return true
  const { errorCode, baseOffset } = answer
  return errorCode !== ErrorCode.NONE && (MAY_BE_IN_LOG.includes(errorCode) || baseOffset >= 0n)
}

function sizeOf({ sizeBytes, wire }: Batch): string {
  const isCompressed = wire !== undefined && wire.length !== sizeBytes
  return `${sizeBytes} bytes${isCompressed ? ` (${wire.length} compressed)` : ''}`
}

/** `answer` is undefined where the broker left the batch out of its response. */
export function verdictOn(
  batch: Batch,
  answer: PartitionAnswer | undefined,
  broker: string,
): Verdict {
  const { topic, partition } = batch.queue
  const context = { topic, partition, broker }
  const what = `producing to ${topic}-${partition}`
  const errorCode = answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
  if (answer !== undefined && errorCode === ErrorCode.NONE) {
    const appendTime = answer.logAppendTimeMs < 0n ? undefined : Number(answer.logAppendTimeMs)
    return { kind: 'delivered', baseOffset: Number(answer.baseOffset), appendTime }
  }
  // It came before, and so long ago that the broker has forgotten where it put it.
  if (errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
    return { kind: 'delivered', baseOffset: -1, appendTime: undefined }
  }
  if (errorCode === ErrorCode.MESSAGE_TOO_LARGE || errorCode === ErrorCode.RECORD_LIST_TOO_LARGE) {
    const error = new MessageTooLargeError(
      `${broker} takes no message of ${sizeOf(batch)} in ${topic}-${partition} (max.message.bytes)`,
      context,
    )
    return { kind: batch.count > 1 ? 'split' : 'failed', error }
  }
  const error = new BrokerError(errorCode, what, context, answer?.errorMessage)
  if (batch.sequence !== undefined && NUMBER_REFUSED.includes(errorCode)) {
    return { kind: 'number refused', error }
  }
  if (describeError(errorCode).retriable) return { kind: 'again', error }
  const refused = answer?.recordErrors ?? []
  if (refused.length > 0 && refused.length < batch.count) {
    const errors = refused.map(
      ({ batchIndex, batchIndexErrorMessage }) =>
        [batchIndex, new BrokerError(errorCode, what, context, batchIndexErrorMessage)] as const,
    )
    return { kind: 'partly refused', errors: new Map(errors) }
  }
  return { kind: 'failed', error }
}
