import type { Message } from '../../protocol/records/message.ts'
import type { BrokerError } from '../errors.ts'
import type { ConsumedMetrics } from '../observe/metrics/client-metrics.ts'
import type { AcknowledgeType } from './acknowledgements.ts'

/** Receives the acknowledgements and the losses of a partition's records. */
export interface RecordOwner {
  /** The counters of the topic: `deliveredBefore` counts the records that the application gets. */
  readonly counted: ConsumedMetrics
  acknowledge(record: HeldRecord, type: Exclude<AcknowledgeType, 'gap' | 'renew'>): void
  renew(record: HeldRecord): void
  /** Called when the lock has ended, and other members can acquire the record. */
  lose(record: HeldRecord, error: BrokerError): void
}

/**
 * A record that this member has acquired, until it is acknowledged or its lock expires.
 *
 *     waiting       in the buffer
 *     delivered     the application has it
 *     acknowledged  the application has acknowledged it, or the consumer has done so for it
 *     lost          other members can acquire it: `lostBy` is the reason
 */
export class HeldRecord {
  readonly message: Message
  readonly offset: number
  readonly deliveryCount: number
  readonly owner: RecordOwner
  state: 'waiting' | 'delivered' | 'acknowledged' | 'lost' = 'waiting'
  /** When the lock expires, by `performance.now()`. */
  lockedUntil: number
  lostBy: BrokerError | undefined
  /** True while a handler of `run` is processing the record, whose lock is then renewed. */
  isHandled = false
  /** Called when the record is lost while the application has it. */
  onLost: ((error: BrokerError) => void) | undefined

  constructor(message: Message, deliveryCount: number, lockedUntil: number, owner: RecordOwner) {
    this.message = message
    this.offset = message.offset
    this.deliveryCount = deliveryCount
    this.lockedUntil = lockedUntil
    this.owner = owner
  }

  /** True if the record is neither acknowledged nor lost. */
  get isOpen(): boolean {
    return this.state === 'waiting' || this.state === 'delivered'
  }

  /** Only its owner calls this. */
  lose(error: BrokerError): void {
    this.state = 'lost'
    this.lostBy = error
    this.onLost?.(error)
  }
}
