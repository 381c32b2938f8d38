import { Refused } from '../refused.ts'

export interface AcknowledgementBatch {
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  readonly acknowledgeTypes: readonly number[]
}

/** Kafka's numbers of the types of acknowledgements. */
export const ACKNOWLEDGE_TYPE = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const

/** The ranges must be in order, with one type each or a type for each offset. Throws Refused. */
export function checkBatches(batches: readonly AcknowledgementBatch[], highestType: number): void {
  let before = -1n
  for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
    const count = Number(lastOffset - firstOffset) + 1
    const isWellFormed =
      count > 0 &&
      firstOffset >= before &&
      (acknowledgeTypes.length === 1 || acknowledgeTypes.length === count) &&
      acknowledgeTypes.every((type) => type >= ACKNOWLEDGE_TYPE.gap && type <= highestType)
    if (!isWellFormed) throw new Refused('INVALID_REQUEST')
    before = lastOffset
  }
}

/** Returns the type of each offset. */
export function typesOf({ firstOffset, lastOffset, acknowledgeTypes }: AcknowledgementBatch) {
  const first = Number(firstOffset)
  return Array.from({ length: Number(lastOffset) - first + 1 }, (_, index) => ({
    offset: first + index,
    type: acknowledgeTypes[index] ?? acknowledgeTypes[0]!,
  }))
}
