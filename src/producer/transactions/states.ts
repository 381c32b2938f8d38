/**
 * The states of a transactional producer and the events that each allows, as a table. `TransactionManager` applies
 * `next` to each event, and refuses a combination that is not in the table. Nothing else decides this.
 */

/**
 * The two protocols. `1`: separate requests add partitions and groups to a transaction, and the epoch stays (KIP-98,
 * KIP-360; `transaction.version` 0 and 1). `2`: Produce and TxnOffsetCommit add them, and each end of a transaction
 * brings a new epoch (KIP-890; `transaction.version` 2).
 */
export type Generation = 1 | 2

export type TransactionState =
  /** InitProducerId is needed first, for a producer id or for a new epoch. */
  | 'uninitialized'
  /** InitProducerId is running. */
  | 'initializing'
  /** A transaction can begin. */
  | 'ready'
  | 'in transaction'
  | 'committing'
  | 'aborting'
  /** Something in the transaction has failed: it can only be aborted. */
  | 'abortable'
  /** It is unknown if EndTxn took effect: a transaction may be open at the coordinator. */
  | 'unknown outcome'
  /** Another producer has taken over, or the broker refuses this one permanently. */
  | 'fatal'
  | 'closed'

export type TransactionEvent =
  /** InitProducerId is sent. */
  | 'initialize'
  | 'initialized'
  | 'begin'
  | 'commit'
  | 'abort'
  /** EndTxn was answered, or there was nothing to end. */
  | 'ended'
  /** The outcome is known, but late requests of this epoch may still arrive, so it must not be used again. */
  | 'ended, epoch spent'
  /** It is unknown if EndTxn has taken effect. */
  | 'unanswered'
  /** An error after which the transaction can only be aborted. */
  | 'abortable error'
  /** An error after which the producer can only be closed. */
  | 'fatal error'
  | 'close'

export const TRANSACTION_STATES: readonly TransactionState[] = [
  'uninitialized',
  'initializing',
  'ready',
  'in transaction',
  'committing',
  'aborting',
  'abortable',
  'unknown outcome',
  'fatal',
  'closed',
]

/** A state, or one for each generation. The event is refused in a generation without one. */
type Next = TransactionState | { readonly 1?: TransactionState; readonly 2?: TransactionState }

type Row = Partial<Readonly<Record<TransactionEvent, Next>>>

/** The events of every state except `closed`: see `next`. */
const ANYWHERE: Row = { 'fatal error': 'fatal', close: 'closed' }

const TABLE: Readonly<Record<TransactionState, Row>> = {
  uninitialized: { initialize: 'initializing' },
  initializing: {
    initialized: 'ready',
    // The next attempt aborts a transaction that is open at the coordinator.
    unanswered: 'uninitialized',
    'abortable error': 'uninitialized',
  },
  ready: { begin: 'in transaction' },
  'in transaction': {
    commit: 'committing',
    abort: 'aborting',
    'abortable error': 'abortable',
  },
  committing: {
    ended: 'ready',
    // A request without a response may still arrive, or the coordinator of generation 2 returned no epoch.
    'ended, epoch spent': 'uninitialized',
    unanswered: 'unknown outcome',
    // A message failed during the flush, or the coordinator refuses to commit.
    'abortable error': 'abortable',
  },
  aborting: {
    ended: 'ready',
    'ended, epoch spent': 'uninitialized',
    unanswered: 'unknown outcome',
    // The failures of discarded messages change nothing.
    'abortable error': 'aborting',
  },
  abortable: { abort: 'aborting', 'abortable error': 'abortable' },
  // EndTxn may be repeated: a coordinator that has already ended the transaction gives the same response again.
  'unknown outcome': {
    commit: 'committing',
    abort: 'aborting',
    'abortable error': 'unknown outcome',
  },
  fatal: {},
  closed: {},
}

/** Returns the state that follows; undefined if the event cannot happen in this state. */
export function next(
  state: TransactionState,
  event: TransactionEvent,
  generation: Generation,
): TransactionState | undefined {
  const found = TABLE[state][event] ?? (state === 'closed' ? undefined : ANYWHERE[event])
  if (found === undefined || typeof found === 'string') return found
  return found[generation]
}
