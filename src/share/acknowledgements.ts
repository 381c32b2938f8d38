/**
 * The acknowledgements of one partition, as ranges of offsets: each range has one type, and a request lists ranges.
 */

/** Kafka's numbers for the types of acknowledgements (KIP-932, `renew` KIP-1222). */
export const ACKNOWLEDGE = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const

/** The type of an acknowledgement. */
export type AcknowledgeType = keyof typeof ACKNOWLEDGE

export interface AcknowledgedRange {
  readonly first: number
  readonly last: number
  readonly type: AcknowledgeType
}

/** Returns the ranges as ShareFetch and ShareAcknowledge list them. */
export function acknowledgementBatches(ranges: readonly AcknowledgedRange[]) {
  return ranges.map(({ first, last, type }) => ({
    firstOffset: BigInt(first),
    lastOffset: BigInt(last),
    acknowledgeTypes: [ACKNOWLEDGE[type]],
  }))
}

/** Returns the number of offsets in the ranges. */
export function countOf(ranges: readonly AcknowledgedRange[]): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0)
}

/**
 * Divides the ranges into two parts of about the same number of offsets: the broker refuses all acknowledgements of a
 * partition in a request if one of them is not valid, and halving finds that one.
 */
export function halvesOf(
  ranges: readonly AcknowledgedRange[],
): readonly [readonly AcknowledgedRange[], readonly AcknowledgedRange[]] {
  const half = Math.ceil(countOf(ranges) / 2)
  const before: AcknowledgedRange[] = []
  const after: AcknowledgedRange[] = []
  let room = half
  for (const range of ranges) {
    const { first, last, type } = range
    const size = last - first + 1
    if (room >= size) before.push(range)
    else if (room <= 0) after.push(range)
    else {
      before.push({ first, last: first + room - 1, type })
      after.push({ first: first + room, last, type })
    }
    room -= size
  }
  return [before, after]
}

/**
 * Collects ranges. Consecutive offsets with the same type extend a range, so that a batch of messages that are
 * accepted in order is one range, and no message costs memory of its own.
 */
export class RangeGatherer {
  readonly #ranges: { first: number; last: number; type: AcknowledgeType }[] = []
  #isInOrder = true

  get isEmpty(): boolean {
    return this.#ranges.length === 0
  }

  add(first: number, last: number, type: AcknowledgeType): void {
    const before = this.#ranges[this.#ranges.length - 1]
    if (before !== undefined) {
      if (before.last + 1 === first && before.type === type) {
        before.last = last
        return
      }
      if (first <= before.last) this.#isInOrder = false
    }
    this.#ranges.push({ first, last, type })
  }

  /** Returns all ranges, sorted by offset, without overlaps. */
  take(): readonly AcknowledgedRange[] {
    const ranges = this.#ranges.splice(0)
    if (this.#isInOrder) return ranges
    this.#isInOrder = true
    return withoutOverlaps(ranges)
  }
}

/**
 * An acknowledgement of a record replaces its renewal. Nothing else overlaps, because a record is acknowledged once.
 */
function withoutOverlaps(ranges: readonly AcknowledgedRange[]): AcknowledgedRange[] {
  const kept = ranges.filter(({ type }) => type !== 'renew')
  const renewed = ranges.filter(({ type }) => type === 'renew')
  const left = renewed.flatMap((range) =>
    kept.reduce<readonly AcknowledgedRange[]>((parts, one) => without(parts, one), [range]),
  )
  const joined: { first: number; last: number; type: AcknowledgeType }[] = []
  for (const { first, last, type } of [...kept, ...left].sort((a, b) => a.first - b.first)) {
    const before = joined[joined.length - 1]
    if (before?.type === type && before.last + 1 >= first) before.last = Math.max(before.last, last)
    else joined.push({ first, last, type })
  }
  return joined
}

/** Returns the parts of ranges that another does not cover. */
function without(
  ranges: readonly AcknowledgedRange[],
  { first, last }: AcknowledgedRange,
): readonly AcknowledgedRange[] {
  return ranges.flatMap((range) => {
    if (range.last < first || range.first > last) return [range]
    return [
      ...(range.first < first ? [{ ...range, last: first - 1 }] : []),
      ...(range.last > last ? [{ ...range, first: last + 1 }] : []),
    ]
  })
}
