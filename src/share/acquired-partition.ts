import { ErrorCode } from '../../protocol/errors.ts'
import { backoffMs, type BackoffOptions } from '../async/backoff.ts'
import { BrokerError, type KafkaError } from '../errors.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { ConsumedMetrics } from '../observe/metrics/client-metrics.ts'
import {
  countOf,
  halvesOf,
  RangeGatherer,
  type AcknowledgedRange,
  type AcknowledgeType,
} from './acknowledgements.ts'
import type { AcquiredRange, AcquiredRecords, OffsetSpan } from './acquired-records.ts'
import {
  AlreadyAcknowledgedError,
  areRenewalsDisabled,
  lockLost,
  notAcknowledged,
} from './errors.ts'
import { HeldRecord, type RecordOwner } from './held-record.ts'
import type { AcknowledgementResults } from './acknowledgement-results.ts'
import { sessionKeyOf, type SessionPartition } from './share-session.ts'

/** Acknowledgements of one partition in one request: the broker accepts all of them, or none. */
export interface AcknowledgedPart {
  readonly ranges: readonly AcknowledgedRange[]
  /** The number of times that the broker has refused it with a retriable error. */
  readonly attempt: number
  /** The earliest time at which it is sent, by `performance.now()`. */
  readonly notBefore: number
  /** When the last of its locks ends: after that, a repetition has no effect. */
  readonly lockedUntil: number
  /** How often it was divided because the broker has refused it. */
  readonly divisions: number
}

/** Refused acknowledgements are not divided while this many parts wait: if all are refused, dividing does not help. */
const MOST_PARTS = 64
/** How often acknowledgements after the end of their locks are divided: the broker probably refuses all. */
const MOST_LATE_DIVISIONS = 3

/** The `lockedUntil` of acknowledgements whose locks had ended before the first attempt. */
const LATE = 0

export interface AcquiredPartitionOptions {
  readonly outcomes: AcknowledgementResults
  readonly backoff: BackoffOptions
  readonly counted: ConsumedMetrics
  /** Called when there is something to acknowledge. */
  readonly onChange: () => void
}

/**
 * The records of a partition that the member has acquired from one broker, and their acknowledgements. The broker checks the
 * acknowledgements of a request for a partition together. So that a late one does not make others fail, those that are
 * known to be late are sent in a request of their own, and refused ones are divided.
 */
export class AcquiredPartition implements RecordOwner, SessionPartition, TopicPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly key: string
  readonly counted: ConsumedMetrics
  readonly #outcomes: AcknowledgementResults
  readonly #backoff: BackoffOptions
  readonly #onChange: () => void
  /** The acknowledgements that are in time. */
  readonly #pending = new RangeGatherer()
  /** When the last lock of `#pending` ends. */
  #pendingUntil = 0
  #hasPendingRenewals = false
  /** The acknowledgements whose locks had ended before. */
  readonly #late = new RangeGatherer()
  /** The parts to send again, repeated or divided. */
  #parts: AcknowledgedPart[] = []
  /** The acquired records, an array for each response that has open ones. */
  #acquired: (readonly HeldRecord[])[] = []
  #open = 0

  constructor(
    { topic, topicId, partition }: SessionPartition & TopicPartition,
    { outcomes, backoff, counted, onChange }: AcquiredPartitionOptions,
  ) {
    this.topic = topic
    this.topicId = topicId
    this.partition = partition
    this.key = sessionKeyOf({ topicId, partition })
    this.#outcomes = outcomes
    this.#backoff = backoff
    this.counted = counted
    this.#onChange = onChange
  }

  get hasAcknowledgements(): boolean {
    return !this.#pending.isEmpty || !this.#late.isEmpty || this.#parts.length > 0
  }

  /** The time, by `performance.now()`, from which a part can be sent; Infinity if there is nothing to acknowledge. */
  get dueAt(): number {
    if (!this.#pending.isEmpty || !this.#late.isEmpty) return 0
    return this.#parts.reduce((due, { notBefore }) => Math.min(due, notBefore), Infinity)
  }

  get hasRenewals(): boolean {
    return this.#hasPendingRenewals || this.#parts.some(isRenewal)
  }

  get hasOpenRecords(): boolean {
    return this.#open > 0
  }

  /** The records that are neither acknowledged nor lost. */
  get openRecords(): readonly HeldRecord[] {
    const open = this.#acquired.flatMap((records) => records.filter(({ isOpen }) => isOpen))
    this.#acquired = this.#acquired.filter((records) => records.some(({ isOpen }) => isOpen))
    return open
  }

  /** Adds the ranges of a response. Returns the records for the application. */
  acquire(
    ranges: readonly AcquiredRange[],
    { messages, gaps, unread }: AcquiredRecords,
    lockedUntil: number,
  ): readonly HeldRecord[] {
    this.#supersede(ranges)
    if (gaps.length + unread.length > 0) this.#extendPending(lockedUntil)
    for (const { first, last } of gaps) this.#pending.add(first, last, 'gap')
    for (const { first, last } of unread) this.#pending.add(first, last, 'release')
    const records = messages.map(
      ({ message, deliveryCount }) => new HeldRecord(message, deliveryCount, lockedUntil, this),
    )
    if (records.length > 0) this.#acquired.push(records)
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
    if (this.#open === 0) this.#acquired = []
    if (record.lockedUntil > performance.now()) {
      this.#extendPending(record.lockedUntil)
      this.#pending.add(offset, offset, type)
    } else this.#late.add(offset, offset, type)
    this.#onChange()
  }

  renew(record: HeldRecord): void {
    if (record.state === 'acknowledged') throw this.#twice(record.offset)
    if (record.state === 'lost') return
    this.#hasPendingRenewals = true
    this.#extendPending(record.lockedUntil)
    this.#pending.add(record.offset, record.offset, 'renew')
    this.#onChange()
  }

  /**
   * Returns the acknowledgements for the next request, those that are in time first. Renewals need a ShareAcknowledge:
   * without `mayRenew` the parts that contain them stay.
   */
  takePart(now: number, mayRenew: boolean): AcknowledgedPart | undefined {
    if (!this.#pending.isEmpty && (mayRenew || !this.#hasPendingRenewals))
      return this.#takePending()
    const index = this.#parts.findIndex(
      (part) => part.notBefore <= now && (mayRenew || !isRenewal(part)),
    )
    if (index >= 0) return this.#parts.splice(index, 1)[0]
    return this.#late.isEmpty ? undefined : firstPart(this.#late.take(), LATE)
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
    if (areRenewalsDisabled(errorCode, detail)) {
      this.#withoutRenewals(part)
      return
    }
    const error = notAcknowledged(this, errorCode, detail)
    if (errorCode === ErrorCode.INVALID_RECORD_STATE && this.#mayDivide(part)) this.#divide(part)
    else if (error.retriable && !error.invalidMetadata) this.#repeat(part, error, part.attempt)
    else this.failed(part, error)
  }

  /** Sends the part again after the broker has refused the request, the first time as soon as there is a session. */
  again(part: AcknowledgedPart, error: KafkaError): void {
    this.#repeat(part, error, part.attempt - 1)
  }

  /** Called while nothing can be sent: fails the waiting acknowledgements whose locks have ended. */
  expire(now: number, error: KafkaError): void {
    if (!this.#late.isEmpty) this.failed(firstPart(this.#late.take(), LATE), error)
    if (!this.#pending.isEmpty && this.#pendingUntil <= now) this.failed(this.#takePending(), error)
    const expired = this.#parts.filter(({ lockedUntil }) => lockedUntil <= now)
    this.#parts = this.#parts.filter(({ lockedUntil }) => lockedUntil > now)
    for (const part of expired) this.failed(part, error)
  }

  /** Fails all acknowledgements that wait. */
  abandon(error: KafkaError): void {
    this.expire(Infinity, error)
  }

  /** Reports a part that has no effect, or whose effect is unknown. */
  failed({ ranges }: AcknowledgedPart, error: KafkaError): void {
    this.#outcomes.failed(this, messagesIn(ranges), error)
    const renewals = ranges.filter(({ type }) => type === 'renew')
    if (renewals.length === 0 || !(error instanceof BrokerError)) return
    if (error.errorCode !== ErrorCode.INVALID_RECORD_STATE) return
    for (const record of this.openRecords) {
      if (isIn(renewals, record.offset)) this.lose(record, error)
    }
  }

  /** Loses the records that wait in the buffer: other members can acquire them. */
  loseWaiting(reason: string): void {
    const error = lockLost(this, reason)
    for (const record of this.openRecords) {
      if (record.state === 'waiting') this.lose(record, error)
    }
  }

  /** Loses all records, also those that the application is processing: other members can acquire them. */
  loseAll(reason: string): void {
    const error = lockLost(this, reason)
    for (const record of this.openRecords) this.lose(record, error)
  }

  lose(record: HeldRecord, error: BrokerError): void {
    if (!record.isOpen) return
    this.#open--
    record.lose(error)
  }

  /** Loses the earlier records in ranges that the member has acquired again: their locks have expired. */
  #supersede(ranges: readonly AcquiredRange[]): void {
    if (this.#open === 0) return
    const error = lockLost(this, 'the lock expired, and the message was delivered again')
    for (const record of this.openRecords) {
      if (isIn(ranges, record.offset)) this.lose(record, error)
    }
  }

  #extendPending(lockedUntil: number): void {
    this.#pendingUntil = Math.max(this.#pendingUntil, lockedUntil)
  }

  #takePending(): AcknowledgedPart {
    const part = firstPart(this.#pending.take(), this.#pendingUntil)
    this.#hasPendingRenewals = false
    this.#pendingUntil = 0
    return part
  }

  /** Sends the part again while its locks last, after a wait; `waits` is the number of earlier waits. */
  #repeat(part: AcknowledgedPart, error: KafkaError, waits: number): void {
    const now = performance.now()
    const notBefore = waits < 0 ? now : now + backoffMs(waits, this.#backoff)
    if (part.lockedUntil <= notBefore) this.failed(part, error)
    else {
      this.#parts.push({ ...part, attempt: part.attempt + 1, notBefore })
      this.#onChange()
    }
  }

  /**
   * Removes the renewals, and lets the records keep their locks. Sends the other acknowledgements again, which the
   * broker has not applied either.
   */
  #withoutRenewals(part: AcknowledgedPart): void {
    this.#outcomes.renewalsDisabled(this)
    const ranges = part.ranges.filter(({ type }) => type !== 'renew')
    if (ranges.length === 0) return
    this.#parts.push({ ...part, ranges, notBefore: 0 })
    this.#onChange()
  }

  #mayDivide({ ranges, lockedUntil, divisions }: AcknowledgedPart): boolean {
    if (countOf(ranges) < 2) return false
    if (lockedUntil === LATE) return divisions < MOST_LATE_DIVISIONS
    const divided = this.#parts.filter((one) => one.divisions > 0 && one.lockedUntil !== LATE)
    return divided.length < MOST_PARTS
  }

  #divide(part: AcknowledgedPart): void {
    for (const ranges of halvesOf(part.ranges)) {
      this.#parts.push({ ...part, ranges, divisions: part.divisions + 1, notBefore: 0 })
    }
    this.#onChange()
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

function firstPart(ranges: readonly AcknowledgedRange[], lockedUntil: number): AcknowledgedPart {
  return { ranges, attempt: 0, notBefore: 0, lockedUntil, divisions: 0 }
}

function isRenewal({ ranges }: AcknowledgedPart): boolean {
  return ranges.some(({ type }) => type === 'renew')
}

/** Counts messages: gaps are not messages, and renewals are not acknowledgements that the application waits for. */
function messagesIn(ranges: readonly AcknowledgedRange[]): number {
  return countOf(ranges.filter(({ type }) => type !== 'gap' && type !== 'renew'))
}

function isIn(ranges: readonly OffsetSpan[], offset: number): boolean {
  return ranges.some(({ first, last }) => offset >= first && offset <= last)
}
