import type { Partition } from '../cluster/partition.ts'
import type { Timer } from '../timers.ts'

export type TransactionState =
  | 'Empty'
  | 'Ongoing'
  /** The outcome is decided, and the markers are not written yet. */
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort'

export const TRANSACTION_STATES: readonly TransactionState[] = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
]

/** The epochs of a producer id end before this one, which is reserved for fencing. */
const LAST_EPOCH = 0x7fff - 1
export const NO_EPOCH = -1

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** The coordinator's state of one transactional id. */
export class Transaction {
  readonly id: string
  state: TransactionState = 'Empty'
  producerId: bigint
  producerEpoch: number
  timeoutMs: number
  /** The producer before the last bump: a repeated request contains it (KIP-360, KIP-890). */
  lastProducerId = -1n
  lastProducerEpoch = NO_EPOCH
  startedAtMs = -1
  /** When it last changed. */
  usedAtMs = -1
  /** Ends the transaction after its timeout; while it is prepared, writes the markers. */
  timer: Timer | undefined
  readonly partitions = new Set<Partition>()
  /** Groups whose offsets the transaction commits. */
  readonly groups = new Set<string>()

  constructor(id: string, { producerId, producerEpoch }: ProducerIdentity, timeoutMs: number) {
    this.id = id
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    this.timeoutMs = timeoutMs
  }

  get isPrepared(): boolean {
    return this.state === 'PrepareCommit' || this.state === 'PrepareAbort'
  }

  get isExhausted(): boolean {
    return this.producerEpoch >= LAST_EPOCH
  }

  get identity(): ProducerIdentity {
    return { producerId: this.producerId, producerEpoch: this.producerEpoch }
  }

  isOf({ producerId, producerEpoch }: ProducerIdentity): boolean {
    return producerId === this.producerId && producerEpoch === this.producerEpoch
  }

  /** Returns the next epoch, or a new producer id if there is none left. */
  bump(lastProducerEpoch: number, newProducerId: () => bigint): void {
    this.lastProducerEpoch = lastProducerEpoch
    this.lastProducerId = this.producerId
    if (this.isExhausted) {
      this.producerId = newProducerId()
      this.producerEpoch = 0
    } else this.producerEpoch++
  }

  /**
   * Whether the request comes from a producer that was just bumped and sends its previous epoch.
   */
  wasBumpedFrom({ producerId, producerEpoch }: ProducerIdentity): boolean {
    return (
      this.lastProducerEpoch !== NO_EPOCH &&
      producerId === this.lastProducerId &&
      producerEpoch === this.lastProducerEpoch
    )
  }
}
