import { ErrorCode } from '../../protocol/errors.ts'
import { BrokerError, type KafkaError } from '../errors.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import {
  countOf,
  halvesOf,
  RangeGatherer,
  type AcknowledgedRange,
  type AcknowledgeType,
} from './acknowledgements.ts'
import type { AcquiredRange, AcquiredRecords, OffsetRange } from './acquired-records.ts'
import { AlreadyAcknowledgedError, lockLost, notAcknowledged } from './errors.ts'
import { HeldRecord, type RecordOwner } from './held-record.ts'
import type { Outcomes } from './outcomes.ts'
import { sessionKeyOf, type SessionPartition } from './share-session.ts'

/** Acknowledgements of one partition in one request: the broker accepts all of them, or none. */
export interface AcknowledgedPart {
  readonly ranges: readonly AcknowledgedRange[]
  readonly attempt: number
}

/** How often acknowledgements that fail with a retriable error are sent. */
const MOST_ATTEMPTS = 12
/** Refused acknowledgements are not divided while this many parts wait: if all are refused, dividing finds nothing. */
const MOST_PARTS = 64

/**
 * The records of a partition that one broker has lent, and their acknowledgements. The broker checks the
 * acknowledgements of a request for a partition together. So that a late one does not make others fail, those that are
 * known to be late are sent in a request of their own, and refused ones are divided.
 */
export class LentPartition implements RecordOwner, SessionPartition, TopicPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly key: string
  readonly #outcomes: Outcomes
  readonly #onChange: () => void
  readonly #pending = new RangeGatherer()
  readonly #parts: AcknowledgedPart[] = []
  /** The loans with open records, one for each response. */
  #loans: (readonly HeldRecord[])[] = []
  #hasRenewals = false
  #open = 0

  constructor(
    { topic, topicId, partition }: SessionPartition & TopicPartition,
    outcomes: Outcomes,
    onChange: () => void,
  ) {
    this.topic = topic
    this.topicId = topicId
    this.partition = partition
    this.key = sessionKeyOf({ topicId, partition })
    this.#outcomes = outcomes
    this.#onChange = onChange
  }

  get hasAcknowledgements(): boolean {
    return !this.#pending.isEmpty || this.#parts.length > 0
  }

  get hasRenewals(): boolean {
    return this.#hasRenewals
  }

  get hasOpenRecords(): boolean {
    return this.#open > 0
  }

  /** The records that are neither acknowledged nor lost. */
  get openRecords(): readonly HeldRecord[] {
    const open = this.#loans.flatMap((records) => records.filter(({ isOpen }) => isOpen))
    this.#loans = this.#loans.filter((records) => records.some(({ isOpen }) => isOpen))
    return open
  }

  /** The broker has lent these ranges. Returns the records for the application. */
  lend(
    ranges: readonly AcquiredRange[],
    { messages, gaps, unread }: AcquiredRecords,
    lockedUntil: number,
  ): readonly HeldRecord[] {
    this.#supersede(ranges)
    for (const { first, last } of gaps) this.#pending.add(first, last, 'gap')
    for (const { first, last } of unread) this.#pending.add(first, last, 'release')
    const records = messages.map(
      ({ message, deliveryCount }) => new HeldRecord(message, deliveryCount, lockedUntil, this),
    )
    if (records.length > 0) this.#loans.push(records)
    this.#open += records.length
    if (this.hasAcknowledgements) this.#onChange()
    return records
  }

  acknowledge(record: HeldRecord, type: Exclude<AcknowledgeType, 'gap' | 'renew'>): void {
    const { offset } = record
    if (record.state === 'acknowledged') throw this.#twice(offset)
    const { lostBy } = record
    record.state = 'acknowledged'
    if (lostBy !== undefined) {
      this.#outcomes.failed(this, 1, lostBy)
      return
    }
    this.#open--
    if (this.#open === 0) this.#loans = []
    if (record.lockedUntil > performance.now()) this.#pending.add(offset, offset, type)
    else this.#parts.push({ ranges: [{ first: offset, last: offset, type }], attempt: 0 })
    this.#onChange()
  }

  renew(record: HeldRecord): void {
    if (record.state === 'acknowledged') throw this.#twice(record.offset)
    if (record.state === 'lost') return
    this.#hasRenewals = true
    this.#pending.add(record.offset, record.offset, 'renew')
    this.#onChange()
  }

  /** Returns the acknowledgements for the next request: those that are in time first. */
  takePart(): AcknowledgedPart | undefined {
    if (this.#pending.isEmpty) return this.#parts.shift()
    this.#hasRenewals = false
    return { ranges: this.#pending.take(), attempt: 0 }
  }

  /** Applies the broker's response to a part. */
  answered(
    part: AcknowledgedPart,
    errorCode: number,
    lockedUntil: number,
    detail: string | null,
  ): void {
    if (errorCode === ErrorCode.NONE) {
      this.#outcomes.acknowledged(this, messagesIn(part.ranges))
      this.#renewed(part.ranges, lockedUntil)
      return
    }
    const error = notAcknowledged(this, errorCode, detail)
    const isRefused = errorCode === ErrorCode.INVALID_RECORD_STATE
    if (isRefused && countOf(part.ranges) > 1 && this.#parts.length < MOST_PARTS) {
      for (const ranges of halvesOf(part.ranges)) {
        this.#parts.push({ ranges, attempt: part.attempt })
      }
      this.#onChange()
    } else if (error.retriable && !error.invalidMetadata) this.again(part, error)
    else this.failed(part, error)
  }

  /** The broker has not processed the part. */
  again({ ranges, attempt }: AcknowledgedPart, error: KafkaError): void {
    if (attempt + 1 >= MOST_ATTEMPTS) this.failed({ ranges, attempt }, error)
    else {
      this.#parts.push({ ranges, attempt: attempt + 1 })
      this.#onChange()
    }
  }

  /** The part has no effect, or its effect is unknown. */
  failed({ ranges }: AcknowledgedPart, error: KafkaError): void {
    this.#outcomes.failed(this, messagesIn(ranges), error)
    const renewals = ranges.filter(({ type }) => type === 'renew')
    if (renewals.length === 0 || !(error instanceof BrokerError)) return
    if (error.errorCode !== ErrorCode.INVALID_RECORD_STATE) return
    for (const record of this.openRecords) {
      if (isIn(renewals, record.offset)) this.#lose(record, error)
    }
  }

  /** The broker lends the records to others: the application no longer receives those that wait. */
  loseWaiting(reason: string): void {
    const error = lockLost(this, reason)
    for (const record of this.openRecords) {
      if (record.state === 'waiting') this.#lose(record, error)
    }
  }

  /**
   * The broker has lent these ranges again: earlier holders of these records have lost their locks in the meantime.
   */
  #supersede(ranges: readonly AcquiredRange[]): void {
    if (this.#open === 0) return
    const error = lockLost(this, 'the lock expired, and the message was delivered again')
    for (const record of this.openRecords) {
      if (isIn(ranges, record.offset)) this.#lose(record, error)
    }
  }

  #lose(record: HeldRecord, error: BrokerError): void {
    if (!record.isOpen) return
    this.#open--
    record.lose(error)
  }

  #renewed(ranges: readonly AcknowledgedRange[], lockedUntil: number): void {
    const renewals = ranges.filter(({ type }) => type === 'renew')
    if (renewals.length === 0) return
    for (const record of this.openRecords) {
      if (isIn(renewals, record.offset)) record.lockedUntil = lockedUntil
    }
  }

  #twice(offset: number): AlreadyAcknowledgedError {
    return new AlreadyAcknowledgedError({ topic: this.topic, partition: this.partition, offset })
  }
}

/** Counts messages: gaps are not messages, and renewals are not acknowledgements that the application waits for. */
function messagesIn(ranges: readonly AcknowledgedRange[]): number {
  return countOf(ranges.filter(({ type }) => type !== 'gap' && type !== 'renew'))
}

function isIn(ranges: readonly OffsetRange[], offset: number): boolean {
  return ranges.some(({ first, last }) => offset >= first && offset <= last)
}
