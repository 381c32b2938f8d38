import { KafkaError } from '../../errors.ts'

/**
 * A transaction cannot do what the call requested. `recovery` is `abort`: abort it, and begin another with the same
 * producer.
 */
export class TransactionError extends KafkaError {
  override readonly name = 'TransactionError'
  /** The kind of the error; docs/transactions.md says what to do about each. */
  declare readonly code: TransactionErrorCode

  constructor(code: TransactionErrorCode, message: string, cause?: unknown) {
    super(code, message, false, cause === undefined ? {} : { cause })
  }
}

/** The kinds of transaction errors; docs/transactions.md says what to do about each. */
export type TransactionErrorCode =
  /**
   * A message, its offsets or the commit failed: `cause` is the reason. Nothing of the transaction becomes visible.
   */
  | 'TRANSACTION_FAILED'
  /** `abort` discarded the message before it was sent. */
  | 'TRANSACTION_ABORTED'
  /** The coordinator did not respond, so it is unknown if it has ended the transaction. */
  | 'TRANSACTION_OUTCOME_UNKNOWN'
  /** The transaction could not be aborted, because an earlier commit had taken effect. */
  | 'TRANSACTION_COMMITTED'
  /** The producer has one transaction at a time. */
  | 'TRANSACTION_IN_PROGRESS'
  /** The transaction was committed or aborted before. */
  | 'TRANSACTION_ENDED'
  /** A transactional producer was used outside a transaction. */
  | 'NO_TRANSACTION'

/**
 * Another producer has opened the same transactional id, or the coordinator has aborted the transaction because it
 * took longer than `transactionTimeoutMs`. This producer can only be closed.
 */
export class ProducerFencedError extends KafkaError {
  override readonly name = 'ProducerFencedError'

  constructor(transactionalId: string, cause: KafkaError) {
    const reason = `the producer of the transactional id '${transactionalId}' is fenced: another producer uses the id, or the transaction took longer than transactionTimeoutMs`
    super('PRODUCER_FENCED', `${reason} (${cause.message})`, false, { broker: cause.broker, cause })
  }
}
