import type { Partition } from '../cluster/partition.ts'
import { Refused } from '../refused.ts'
import type { Timers } from '../timers.ts'

export interface ShareSettings {
  /** The duration of the acquisition lock of a record. */
  readonly recordLockMs: number
  /** How often a record is delivered before it is archived. */
  readonly deliveryCountLimit: number
  /** The position at which a group starts in a partition. */
  readonly autoOffsetReset: 'earliest' | 'latest'
}

export interface AcquiredRange {
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  readonly deliveryCount: number
}

export interface AcknowledgementBatch {
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  readonly acknowledgeTypes: readonly number[]
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

/** Kafka's group.share.partition.max.record.locks. */
const MOST_IN_FLIGHT = 2_000
/** Kafka's numbers of the types of acknowledgements. */
const TYPE = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const
const HEADER_BYTES = 61
const NOTHING = { records: Buffer.alloc(0), acquired: [] as readonly AcquiredRange[] }

/**
 * The state of a share group in a partition (KIP-932): the acquired records, their delivery counts,
 * and the finished records.
 */
export class SharePartition {
  readonly partition: Partition
  readonly #settings: ShareSettings
  readonly #timers: Timers
  /** By offset, from `#startOffset` on. */
  readonly #records = new Map<number, RecordState>()
  #startOffset: number
  /** The highest offset that was ever lent. */
  #lastLent = -1
  #leaderEpoch: number

  constructor(partition: Partition, settings: ShareSettings, timers: Timers) {
    this.partition = partition
    this.#settings = settings
    this.#timers = timers
    const { log, leaderEpoch } = partition
    this.#startOffset = settings.autoOffsetReset === 'earliest' ? log.startOffset : log.endOffset
    this.#leaderEpoch = leaderEpoch
  }

  /** The first offset that the group has not finished (share-partition start offset). */
  get startOffset(): number {
    return Math.max(this.#startOffset, this.partition.log.startOffset)
  }

  /** How many records the group has not finished. */
  get lag(): number {
    let done = 0
    for (const { kind } of this.#records.values()) if (kind === 'done') done++
    return this.partition.log.endOffset - this.startOffset - done
  }

  /** Moves the start offset, and drops the state of all records. */
  moveTo(offset: number): void {
    this.#records.clear()
    this.#startOffset = offset
  }

  /** Reads batches, and acquires the available records for the member. */
  acquire(
    member: string,
    { maxBytes, maxRecords, isExact }: AcquireLimits,
  ): { readonly records: Buffer; readonly acquired: readonly AcquiredRange[] } {
    this.#followLeader()
    const { log } = this.partition
    const from = this.#firstAvailable()
    if (from === undefined) return NOTHING
    const data = log.read(from, maxBytes, true)
    const offsets: number[] = []
    let at = 0
    while (at + HEADER_BYTES <= data.length && offsets.length < maxRecords) {
      const size = 12 + data.readInt32BE(at + 8)
      if (at + size > data.length) break
      const base = Number(data.readBigInt64BE(at))
      const last = base + data.readInt32BE(at + 23)
      for (let offset = Math.max(base, from); offset <= last; offset++) {
        if (isExact && offsets.length >= maxRecords) break
        if (offset - this.startOffset >= MOST_IN_FLIGHT) break
        if (this.#isAvailable(offset)) offsets.push(offset)
      }
      at += size
    }
    if (offsets.length === 0) return NOTHING
    return { records: data.subarray(0, at), acquired: this.#lend(member, offsets) }
  }

  /**
   * Applies all acknowledgement batches, or none if one has an error. Renewals need the request's IsRenewAck (KIP-1222).
   * Throws Refused.
   */
  acknowledge(member: string, batches: readonly AcknowledgementBatch[], mayRenew: boolean): void {
    this.#followLeader()
    checkBatches(batches, mayRenew ? TYPE.renew : TYPE.reject)
    const all = batches.flatMap((batch) => typesOf(batch))
    const seen = new Set<number>()
    for (const { offset } of all) {
      if (offset < this.startOffset) continue
      if (offset > this.#lastLent) {
        const detail =
          'Batch record not found. The first offset in request is past acquired records.'
        throw new Refused('INVALID_REQUEST', detail)
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
      if (type === TYPE.release) this.#release(offset, record.count)
      else if (type === TYPE.renew) {
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

  #firstAvailable(): number | undefined {
    const { endOffset } = this.partition.log
    const last = Math.min(endOffset, this.startOffset + MOST_IN_FLIGHT)
    for (let offset = this.startOffset; offset < last; offset++) {
      if (this.#isAvailable(offset)) return offset
    }
    return undefined
  }

  #isAvailable(offset: number): boolean {
    const record = this.#records.get(offset)
    return record === undefined || record.kind === 'available'
  }

  #lend(member: string, offsets: readonly number[]): AcquiredRange[] {
    const until = performance.now() + this.#settings.recordLockMs
    const ranges: { firstOffset: bigint; lastOffset: bigint; deliveryCount: number }[] = []
    for (const offset of offsets) {
      const before = this.#records.get(offset)
      const count = (before?.kind === 'available' ? before.count : 0) + 1
      this.#records.set(offset, { kind: 'acquired', count, member, until })
      this.#lastLent = Math.max(this.#lastLent, offset)
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

  /** A new leader does not take over acquisition locks. */
  #followLeader(): void {
    const { leaderEpoch } = this.partition
    if (leaderEpoch === this.#leaderEpoch) return
    this.#leaderEpoch = leaderEpoch
    this.#releaseAcquired(() => true)
  }

  /** Makes the acquired records that match available to others. */
  #releaseAcquired(matches: (record: Acquired) => boolean): void {
    for (const [offset, record] of this.#records) {
      if (record.kind === 'acquired' && matches(record)) this.#release(offset, record.count)
    }
    this.#advance()
  }

  #advance(): void {
    let offset = this.startOffset
    while (this.#records.get(offset)?.kind === 'done') offset++
    this.#startOffset = offset
    for (const known of this.#records.keys()) if (known < offset) this.#records.delete(known)
    // A waiting fetch may be able to acquire the released records.
    this.partition.log.changed()
  }
}

/** The ranges must be in order, with one type each or a type for each offset. Throws Refused. */
function checkBatches(batches: readonly AcknowledgementBatch[], highestType: number): void {
  let before = -1n
  for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
    const count = Number(lastOffset - firstOffset) + 1
    const isWellFormed =
      count > 0 &&
      firstOffset >= before &&
      (acknowledgeTypes.length === 1 || acknowledgeTypes.length === count) &&
      acknowledgeTypes.every((type) => type >= TYPE.gap && type <= highestType)
    if (!isWellFormed) throw new Refused('INVALID_REQUEST')
    before = lastOffset
  }
}

/** Returns the type of each offset. */
function typesOf({ firstOffset, lastOffset, acknowledgeTypes }: AcknowledgementBatch) {
  const first = Number(firstOffset)
  return Array.from({ length: Number(lastOffset) - first + 1 }, (_, index) => ({
    offset: first + index,
    type: acknowledgeTypes[index] ?? acknowledgeTypes[0]!,
  }))
}
