/** The meaning of a request's error for the transaction and its producer, as a table. */
import type { ErrorName } from '../../../protocol/errors.ts'
import { BrokerError, isRetriable, KafkaError, UnsupportedVersionError } from '../../errors.ts'
import type { Generation } from './states.ts'

/** The requests of a transactional producer. */
export type TransactionRequest =
  | 'InitProducerId'
  | 'AddPartitionsToTxn'
  | 'AddOffsetsToTxn'
  | 'TxnOffsetCommit'
  | 'Produce'
  | 'EndTxn'

export type TransactionReaction =
  /** The transaction can only be aborted; the producer continues. */
  | 'abortable'
  /** Another producer uses the transactional id, or the coordinator has ended the transaction after its timeout. */
  | 'fenced'
  /** The producer can only be closed. */
  | 'fatal'
  /** The request may have taken effect. */
  | 'unanswered'
  /** The transaction was ended, in the opposite way to this request. */
  | 'ended'

/** The meanings for every request, unless `OF_REQUEST` has another. */
const OF_ALL: Partial<Readonly<Record<ErrorName, TransactionReaction>>> = {
  PRODUCER_FENCED: 'fenced',
  // The only name for it before KIP-588 (Kafka 2.7).
  INVALID_PRODUCER_EPOCH: 'fenced',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'fatal',
  TRANSACTION_COORDINATOR_FENCED: 'fatal',
  UNSUPPORTED_VERSION: 'fatal',
  INVALID_TXN_STATE: 'fatal',
  TRANSACTION_ABORTABLE: 'abortable',
}

const OF_REQUEST: Readonly<
  Record<TransactionRequest, Partial<Readonly<Record<ErrorName, TransactionReaction>>>>
> = {
  InitProducerId: {},
  AddPartitionsToTxn: {},
  AddOffsetsToTxn: {},
  TxnOffsetCommit: {},
  // A partition's leader also reports this after the coordinator has ended the transaction after its timeout. The
  // abort distinguishes the two cases.
  Produce: { INVALID_PRODUCER_EPOCH: 'abortable', INVALID_TXN_STATE: 'abortable' },
  // The broker may have failed after it had decided. franz-go once treated this as an error without effect.
  EndTxn: { UNKNOWN_SERVER_ERROR: 'unanswered' },
}

/**
 * The producer id is no longer known, as after `transactional.id.expiration.ms` without a transaction: a new epoch
 * makes it known again. Generation 2 gets one with each end of a transaction, but not from a coordinator that does
 * not know the transactional id.
 */
const LOST_PRODUCER: readonly string[] = ['UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_ID_MAPPING']

/** Errors that are in neither table. `retriable`: the error was retried until the time had passed. */
const OTHERWISE: Readonly<
  Record<
    TransactionRequest,
    { readonly retriable: TransactionReaction; readonly final: TransactionReaction }
  >
> = {
  InitProducerId: { retriable: 'unanswered', final: 'fatal' },
  AddPartitionsToTxn: { retriable: 'abortable', final: 'abortable' },
  AddOffsetsToTxn: { retriable: 'abortable', final: 'abortable' },
  TxnOffsetCommit: { retriable: 'abortable', final: 'abortable' },
  Produce: { retriable: 'abortable', final: 'abortable' },
  EndTxn: { retriable: 'unanswered', final: 'fatal' },
}

/** `isAbort`: the request is EndTxn, to abort. */
export function transactionReactionTo(
  request: TransactionRequest,
  error: unknown,
  generation: Generation,
  isAbort = false,
): TransactionReaction {
  const otherwise = OTHERWISE[request]
  // Not a broker's response: the caller's signal was aborted, or the client was closed.
  if (!(error instanceof KafkaError)) return otherwise.retriable
  if (error instanceof UnsupportedVersionError) return 'fatal'
  if (!(error instanceof BrokerError)) return otherwise.retriable
  const { code } = error
  if (LOST_PRODUCER.includes(code)) {
    const isFinal = generation === 2 && code === 'INVALID_PRODUCER_ID_MAPPING'
    if (isFinal || request === 'InitProducerId') return 'fatal'
    return isAbort ? 'ended' : 'abortable'
  }
  // A coordinator ends a transaction once. In generation 1 it also refuses to end one to which nothing was added.
  if (isAbort && code === 'INVALID_TXN_STATE') return 'ended'
  const known = named(OF_REQUEST[request], code) ?? named(OF_ALL, code)
  // The transaction has not ended: the abort may be repeated.
  if (isAbort && known === 'abortable') return 'unanswered'
  return known ?? (isRetriable(error) ? otherwise.retriable : otherwise.final)
}

function named(
  table: Partial<Record<ErrorName, TransactionReaction>>,
  code: string,
): TransactionReaction | undefined {
  return Object.entries(table).find(([name]) => name === code)?.[1]
}
