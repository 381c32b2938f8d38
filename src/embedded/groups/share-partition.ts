import type { Partition } from '../cluster/partition.ts'
import { firstAtOrAfter } from '../log/by-time.ts'
import { Refused } from '../refused.ts'
import type { SavedShareRange } from '../storage/saved-entry.ts'
import type { Timers } from '../timers.ts'
import {
  ACKNOWLEDGE_TYPE,
  checkBatches,
  typesOf,
  type AcknowledgementBatch,
} from './share-acknowledgements.ts'

/** The position at which a group starts in a partition. */
export type StartOfGroup =
  { readonly at: 'earliest' | 'latest' } | { readonly at: 'time'; readonly agoMs: number }

/** The configs of a share group. */
export interface ShareSettings {
  /** The duration of the acquisition lock of a record. */
  readonly recordLockMs: number
  /** How often a record is delivered before it is archived. */
  readonly deliveryCountLimit: number
  /** The maximum number of records from the start offset to the last acquired record of a partition. */
  readonly maxRecordLocks: number
  readonly start: StartOfGroup
  /** Whether records of open and aborted transactions are not delivered. */
  readonly isReadCommitted: boolean
  /** Whether members may renew acquisition locks (KIP-1222). */
  readonly mayRenew: boolean
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

/** What survives a restart: everything but acquisition locks. */
export interface SavedSharePartition {
  readonly startOffset: number
  readonly records: readonly SavedShareRange[]
}

export interface AcquiredRange {
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  readonly deliveryCount: number
}

/** The limits for reading and acquiring records. */
export interface AcquireLimits {
  readonly maxBytes: number
  readonly maxRecords: number
  /** At most `maxRecords`, even if that divides a batch (KIP-1206). */
  readonly isExact: boolean
}

/** A record between the group's start offset and end offset in the partition. */
type RecordState =
  { readonly kind: 'available'; readonly count: number } | Acquired | { readonly kind: 'done' }

interface Acquired {
  readonly kind: 'acquired'
  readonly count: number
  readonly member: string
  /** When the lock expires, by `performance.now()`. */
  until: number
}

const HEADER_BYTES = 61
const ATTRIBUTES_AT = 21
const PRODUCER_ID_AT = 43
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const NO_RANGES: readonly AcquiredRange[] = []
const NOTHING = { records: Buffer.alloc(0), acquired: NO_RANGES }

/**
 * The state of a share group in a partition (KIP-932): the acquired records, their delivery counts,
 * and the finished records.
 */
export class SharePartition {
  readonly partition: Partition
  readonly #settings: ShareSettings
  readonly #timers: Timers
  /** Undefined if nothing is stored: then acknowledgements do not compute the state either. */
  readonly #save: ((state: SavedSharePartition) => void) | undefined
  /** By offset, from `#startOffset` on. */
  readonly #records = new Map<number, RecordState>()
  #startOffset: number
  /** The highest offset that was ever acquired. */
  #lastAcquired = -1
  #leaderEpoch: number

  /** Continues with the saved state, if there is one. */
  constructor(
    partition: Partition,
    settings: ShareSettings,
    timers: Timers,
    save: ((state: SavedSharePartition) => void) | undefined,
    saved?: SavedSharePartition,
  ) {
    this.partition = partition
    this.#settings = settings
    this.#timers = timers
    this.#save = save
    this.#leaderEpoch = partition.leaderEpoch
    this.#startOffset = saved?.startOffset ?? startOffsetOf(partition, settings.start)
    for (const [first, last, count] of saved?.records ?? []) {
      const state: RecordState = count === 0 ? { kind: 'done' } : { kind: 'available', count }
      for (let offset = first; offset <= last; offset++) this.#records.set(offset, state)
      this.#lastAcquired = last
    }
    if (saved === undefined) save?.(this.#saved)
  }

  /** The first offset that the group has not finished (share-partition start offset). */
  get startOffset(): number {
    return Math.max(this.#startOffset, this.partition.log.startOffset)
  }

  /** The number of records that the group has not finished. */
  get lag(): number {
    let done = 0
    for (const { kind } of this.#records.values()) if (kind === 'done') done++
    return this.partition.log.endOffset - this.startOffset - done
  }

  /** Moves the start offset, and drops the state of all records. */
  moveTo(offset: number): void {
    this.#records.clear()
    this.#startOffset = offset
    this.#save?.(this.#saved)
  }

  /** Reads batches, and acquires the available records for the member. */
  acquire(
    member: string,
    limits: AcquireLimits,
  ): { readonly records: Buffer; readonly acquired: readonly AcquiredRange[] } {
    this.#followLeader()
    for (;;) {
      const from = this.#firstAvailable()
      if (from === undefined) return NOTHING
      const { records, offsets, aborted } = this.#read(from, limits)
      for (const offset of aborted) this.#records.set(offset, { kind: 'done' })
      if (aborted.length > 0) this.#moveStart()
      if (offsets.length > 0) return { records, acquired: this.#lock(member, offsets) }
      if (aborted.length === 0) return NOTHING
    }
  }

  /**
   * Applies all acknowledgement batches, or none if one has an error. Renewals need the request's IsRenewAck (KIP-1222).
   * Throws Refused.
   */
  acknowledge(member: string, batches: readonly AcknowledgementBatch[], mayRenew: boolean): void {
    this.#followLeader()
    checkBatches(batches, mayRenew ? ACKNOWLEDGE_TYPE.renew : ACKNOWLEDGE_TYPE.reject)
    const all = batches.flatMap((batch) => typesOf(batch))
    const seen = new Set<number>()
    for (const { offset, type } of all) {
      if (offset < this.startOffset) continue
      if (offset > this.#lastAcquired) {
        const detail =
          'Batch record not found. The first offset in request is past acquired records.'
        throw new Refused('INVALID_REQUEST', detail)
      }
      if (type === ACKNOWLEDGE_TYPE.renew && !this.#settings.mayRenew) {
        const detail = 'Renewing acquisition locks is not enabled for the group.'
        throw new Refused('INVALID_RECORD_STATE', detail)
      }
      const record = this.#records.get(offset)
      if (record?.kind !== 'acquired' || seen.has(offset)) {
        const detail = 'The offset cannot be acknowledged. The offset is not acquired.'
        throw new Refused('INVALID_RECORD_STATE', detail)
      }
      if (record.member !== member) {
        throw new Refused('INVALID_RECORD_STATE', 'Member is not the owner of offset')
      }
      seen.add(offset)
    }
    for (const { offset, type } of all) {
      const record = this.#records.get(offset)
      if (record?.kind !== 'acquired') continue
      if (type === ACKNOWLEDGE_TYPE.release) this.#release(offset, record.count)
      else if (type === ACKNOWLEDGE_TYPE.renew) {
        record.until = performance.now() + this.#settings.recordLockMs
        this.#watchLocks()
      } else this.#records.set(offset, { kind: 'done' })
    }
    this.#advance()
  }

  /** The member has left: its records become available to others. */
  releaseAll(member: string): void {
    this.#releaseAcquired((record) => record.member === member)
  }

  /** The offsets that can be acquired, and those of aborted transactions, in batches from an offset on. */
  #read(from: number, { maxBytes, maxRecords, isExact }: AcquireLimits) {
    const { log } = this.partition
    const records = log.read(from, maxBytes, true, this.#endOffset)
    const isAborted = this.#abortedIn(from)
    const end = this.startOffset + this.#settings.maxRecordLocks
    const offsets: number[] = []
    const aborted: number[] = []
    let at = 0
    while (at + HEADER_BYTES <= records.length && offsets.length < maxRecords) {
      const size = 12 + records.readInt32BE(at + 8)
      if (at + size > records.length) break
      const base = Number(records.readBigInt64BE(at))
      const last = base + records.readInt32BE(at + 23)
      const found = isAborted(records.subarray(at, at + size), base) ? aborted : offsets
      for (let offset = Math.max(base, from); offset <= last && offset < end; offset++) {
        if (isExact && offsets.length >= maxRecords) break
        if (this.#isAvailable(offset)) found.push(offset)
      }
      at += size
    }
    return { records: records.subarray(0, at), offsets, aborted }
  }

  /** Whether a batch has records of an aborted transaction that the group does not deliver. */
  #abortedIn(from: number): (batch: Buffer, baseOffset: number) => boolean {
    if (!this.#settings.isReadCommitted) return () => false
    const { transactions } = this.partition.state
    const all = transactions.abortedIn(from, this.#endOffset)
    return (batch, baseOffset) => {
      const attributes = batch.readInt16BE(ATTRIBUTES_AT)
      if ((attributes & (TRANSACTIONAL | CONTROL)) !== TRANSACTIONAL) return false
      const producerId = batch.readBigInt64BE(PRODUCER_ID_AT)
      return all.some(
        (one) =>
          one.producerId === producerId &&
          one.firstOffset <= baseOffset &&
          one.lastOffset > baseOffset,
      )
    }
  }

  /** The end of the records that may be delivered. */
  get #endOffset(): number {
    const { partition } = this
    return this.#settings.isReadCommitted ? partition.lastStableOffset : partition.log.endOffset
  }

  #firstAvailable(): number | undefined {
    const last = Math.min(this.#endOffset, this.startOffset + this.#settings.maxRecordLocks)
    for (let offset = this.startOffset; offset < last; offset++) {
      if (this.#isAvailable(offset)) return offset
    }
    return undefined
  }

  #isAvailable(offset: number): boolean {
    const record = this.#records.get(offset)
    return record === undefined || record.kind === 'available'
  }

  #lock(member: string, offsets: readonly number[]): AcquiredRange[] {
    const until = performance.now() + this.#settings.recordLockMs
    const ranges: { firstOffset: bigint; lastOffset: bigint; deliveryCount: number }[] = []
    for (const offset of offsets) {
      const before = this.#records.get(offset)
      const count = (before?.kind === 'available' ? before.count : 0) + 1
      this.#records.set(offset, { kind: 'acquired', count, member, until })
      this.#lastAcquired = Math.max(this.#lastAcquired, offset)
      const range = ranges[ranges.length - 1]
      const isNext = range?.lastOffset === BigInt(offset - 1) && range.deliveryCount === count
      if (range !== undefined && isNext) range.lastOffset = BigInt(offset)
      else {
        const at = BigInt(offset)
        ranges.push({ firstOffset: at, lastOffset: at, deliveryCount: count })
      }
    }
    this.#watchLocks()
    return ranges
  }

  #watchLocks(): void {
    this.#timers.after(this.#settings.recordLockMs, () => {
      const now = performance.now()
      // Timers may fire slightly early.
      this.#releaseAcquired(({ until }) => until <= now + 2)
    })
  }

  #release(offset: number, count: number): void {
    const isOver = count >= this.#settings.deliveryCountLimit
    this.#records.set(offset, isOver ? { kind: 'done' } : { kind: 'available', count })
  }

  /** Releases all acquired records after a change of the leader: a new leader has no acquisition locks. */
  #followLeader(): void {
    const { leaderEpoch } = this.partition
    if (leaderEpoch === this.#leaderEpoch) return
    this.#leaderEpoch = leaderEpoch
    this.#releaseAcquired(() => true)
  }

  /** Makes the acquired records that match available to others. */
  #releaseAcquired(matches: (record: Acquired) => boolean): void {
    let isAny = false
    for (const [offset, record] of this.#records) {
      if (record.kind !== 'acquired' || !matches(record)) continue
      this.#release(offset, record.count)
      isAny = true
    }
    if (isAny) this.#advance()
  }

  /** Called when records were finished or released: a waiting fetch may be able to acquire others. */
  #advance(): void {
    this.#moveStart()
    this.partition.log.changed()
  }

  #moveStart(): void {
    let offset = this.startOffset
    while (this.#records.get(offset)?.kind === 'done') offset++
    this.#startOffset = offset
    for (const known of this.#records.keys()) if (known < offset) this.#records.delete(known)
    this.#save?.(this.#saved)
  }

  get #saved(): SavedSharePartition {
    const records: [number, number, number][] = []
    for (const offset of [...this.#records.keys()].sort((a, b) => a - b)) {
      const count = savedCountOf(this.#records.get(offset)!)
      const range = records[records.length - 1]
      if (count === undefined) continue
      if (range?.[1] === offset - 1 && range[2] === count) range[1] = offset
      else records.push([offset, offset, count])
    }
    return { startOffset: this.#startOffset, records }
  }
}

/**
 * The delivery count to store: 0 for a finished record; undefined for a record that has the state of a new one after a
 * restart.
 */
function savedCountOf(record: RecordState): number | undefined {
  if (record.kind === 'done') return 0
  const count = record.kind === 'acquired' ? record.count - 1 : record.count
  return count === 0 ? undefined : count
}

function startOffsetOf({ log }: Partition, start: StartOfGroup): number {
  switch (start.at) {
    case 'earliest':
      return log.startOffset
    case 'latest':
      return log.endOffset
    case 'time':
      return firstAtOrAfter(log, Date.now() - start.agoMs)?.offset ?? log.endOffset
  }
}
