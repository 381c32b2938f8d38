/**
 * The history of a run, as its clients wrote it down and as other clients read the log afterwards. All times are
 * milliseconds of CLOCK_MONOTONIC, which is the same for all processes of a machine, Java's among them.
 */

export interface History {
  readonly sends: readonly Send[]
  readonly consumers: readonly Consumer[]
  readonly commits: readonly ObservedCommit[]
  /** The topic, once for each time that it was created, in this order. */
  readonly logs: readonly Log[]
}

/**
 * A message. Messages of a lane must keep their order and share a partition: a lane is a partition that the application
 * chose, or a key.
 */
export interface Send {
  readonly id: string
  readonly producer: string
  readonly lane: string
  /** Ascends in the order of sending within a lane. */
  readonly sequence: number
  /** The partition that the application chose, if it did. */
  readonly partition?: number
  readonly at: number
  /** Undefined where the producer was killed before it had reported one. */
  readonly outcome?: SendOutcome
}

export type SendOutcome =
  | {
      readonly what: 'acknowledged'
      readonly at: number
      readonly partition: number
      /** −1 where the broker does not name it. */
      readonly offset: number
    }
  | {
      readonly what: 'failed'
      readonly at: number
      /** The producer says that the message is not in the log and never will be. */
      readonly isCertain: boolean
      readonly error: string
    }

export interface Consumer {
  readonly name: string
  /** Undefined for one that reads all partitions by itself. */
  readonly group: string | undefined
  /** What is delivered in order: all messages of a partition, or those of a lane. */
  readonly order: 'partition' | 'lane'
  readonly events: readonly ConsumerEvent[]
  readonly deeds: readonly Deed[]
}

export type ConsumerEvent =
  | {
      readonly at: number
      /**
       * Its hook: when the hook of the revocation has committed `given`, when that commit has failed `uncommitted`.
       */
      readonly what: 'assigned' | 'revoked' | 'given' | 'uncommitted' | 'lost'
      readonly partitions: readonly number[]
    }
  | {
      readonly at: number
      readonly what: 'delivered'
      readonly partition: number
      readonly offset: number
      readonly id: string
    }
  | {
      readonly at: number
      readonly what: 'processed'
      readonly partition: number
      readonly offset: number
      readonly id: string
    }
  | {
      readonly at: number
      /** The consumer reported that it moves the position by itself, as after a loss. */
      readonly what: 'moved'
      readonly partition: number
      readonly offset: number
    }
  /** A heartbeat has failed, or the process stood still: until the membership is proven nothing is delivered. */
  | { readonly at: number; readonly what: 'doubted' }
  | { readonly at: number; readonly what: 'error'; readonly message: string }

/** What was done to the process of a client. */
export interface Deed {
  readonly at: number
  readonly what: 'kill' | 'freeze' | 'continue'
}

/** The offsets of a group as a broker reports them: each that of the next message. */
export interface ObservedCommit {
  /** When the answer had arrived. */
  readonly at: number
  readonly group: string
  readonly offsets: ReadonlyMap<number, number>
}

export interface Log {
  /** When its creation was requested, and when its deletion was; undefined while it exists. */
  readonly createdAt: number
  readonly deletedAt?: number
  readonly entries: readonly LogEntry[]
  /** The same as another client reads it. */
  readonly readAgain?: readonly LogEntry[]
  /** Offsets below these were deleted by DeleteRecords or retention. */
  readonly starts: ReadonlyMap<number, number>
}

export interface LogEntry {
  readonly partition: number
  readonly offset: number
  readonly id: string
}

/** What must not happen, unless a scenario allows it by name. */
export type AnomalyKind =
  /** An acknowledged message is not in the log. */
  | 'lost'
  /** A message is in the log more than once. */
  | 'duplicated'
  /** A message precedes an earlier one of its lane. */
  | 'reordered'
  /** It is not where it was acknowledged, or not in the partition that it was sent to. */
  | 'misplaced'
  /** A message that failed for certain is in the log. */
  | 'false failure'
  /** The log has a message that no producer sent. */
  | 'foreign'
  /** Two clients read the log differently. */
  | 'disagreement'
  /** A reader passed over a message. */
  | 'skipped'
  /** A reader got a message again without a reason. */
  | 'repeated'
  /** A reader got another message than the log has at this offset. */
  | 'altered'
  /** No reader of a group ever got a message. */
  | 'undelivered'
  /** A member of a group got a message of a partition that had been assigned to another one. */
  | 'two owners'
  /** A group committed a message that no member had processed. */
  | 'early commit'
  /** A group committed in a recreated topic a position that only the former topic had. */
  | 'former position'

export interface Anomaly {
  readonly kind: AnomalyKind
  readonly text: string
}

export function placeOf(partition: number, offset: number): string {
  return `${partition}:${offset}`
}
