/**
 * What a transactional producer may do next, as a table. Nothing else decides that: `TransactionManager` applies
 * `next` to each event, and a combination that the table does not have is refused.
 */

/**
 * The two protocols. `1`: partitions and groups are added to a transaction by requests of their own, and the
 * epoch stays (KIP-98, KIP-360; `transaction.version` 0 and 1). `2`: Produce and TxnOffsetCommit add them, and
 * each end of a transaction brings a new epoch (KIP-890; `transaction.version` 2).
 */
export type Generation = 1 | 2

export type TransactionState =
  /** InitProducerId is needed first: for a producer id, or for a new epoch. */
  | 'uninitialized'
  /** InitProducerId is under way. */
  | 'initializing'
  /** A transaction can begin. */
  | 'ready'
  | 'in transaction'
  | 'committing'
  | 'aborting'
  /** Something in the transaction failed: it can only be aborted. */
  | 'abortable'
  /** It is unknown whether EndTxn took effect: a transaction may be open at the coordinator. */
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
  /** The outcome is known, but late requests of this epoch may still arrive: it must not be used again. */
  | 'ended, epoch spent'
  /** EndTxn may have taken effect or not. */
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

/** A state, or one for each generation; where one has none, the event is refused. */
type Next = TransactionState | { readonly 1?: TransactionState; readonly 2?: TransactionState }

type Row = Partial<Readonly<Record<TransactionEvent, Next>>>

/** In every state but `closed`: see `next`. */
const ANYWHERE: Row = { 'fatal error': 'fatal', close: 'closed' }

const TABLE: Readonly<Record<TransactionState, Row>> = {
  uninitialized: { initialize: 'initializing' },
  initializing: {
    initialized: 'ready',
    // What is open at the coordinator is aborted by the next attempt.
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
    // A request that was not answered may still be under way, or the coordinator of generation 2 returned no epoch.
    'ended, epoch spent': 'uninitialized',
    unanswered: 'unknown outcome',
    // A message failed while it was flushed, or the coordinator refuses to commit.
    'abortable error': 'abortable',
  },
  aborting: {
    ended: 'ready',
    'ended, epoch spent': 'uninitialized',
    unanswered: 'unknown outcome',
    // The failures of what the abort discards change nothing.
    'abortable error': 'aborting',
  },
  abortable: { abort: 'aborting', 'abortable error': 'abortable' },
  // EndTxn may be repeated: a coordinator that has done it gives the same answer again.
  'unknown outcome': {
    commit: 'committing',
    abort: 'aborting',
    'abortable error': 'unknown outcome',
  },
  fatal: {},
  closed: {},
}

/** The state that follows; undefined where the event cannot happen in this state. */
export function next(
  state: TransactionState,
  event: TransactionEvent,
  generation: Generation,
): TransactionState | undefined {
  const found = TABLE[state][event] ?? (state === 'closed' ? undefined : ANYWHERE[event])
  if (found === undefined || typeof found === 'string') return found
  return found[generation]
}
