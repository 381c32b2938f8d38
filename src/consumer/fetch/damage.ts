/** Finds where the log continues after a damaged batch (`skipCorrupt`). */
import { LOG_OVERHEAD_BYTES, MAGIC_OFFSET } from '../../../protocol/records/format.ts'

const LAST_OFFSET_DELTA_AT = 23
const COUNT_AT = 57
const V2_HEADER_BYTES = 61
/** The bytes of the next batch up to and including its magic; its offset is among them. */
const NEXT_BYTES = MAGIC_OFFSET + 1

export type BehindDamage =
  /**
   * The log continues at `offset`. In the response this offset is at `at`; −1 if the response ends with the damaged
   * batch.
   */
  | { readonly kind: 'found'; readonly offset: number; readonly at: number }
  /**
   * Only a response that also has the beginning of the next batch shows where the log continues: request this many
   * bytes.
   */
  | { readonly kind: 'ask-for-more'; readonly maxBytes: number }

/**
 * `data` begins with the damaged batch, `fetchOffset` is the requested offset, `endOffset` the end of the log that
 * consumers can see, `maxBytes` the requested size.
 *
 * The offset of the following batch is the best evidence. Without it the header of the damaged batch counts, if its
 * two fields about its length agree: damage is nearly always in the records. Otherwise the next offset is tried,
 * which is always correct, and slow if the broker returns the same batch.
 */
export function behindDamage(
  data: Buffer,
  {
    fetchOffset,
    endOffset,
    maxBytes,
  }: Readonly<Record<'fetchOffset' | 'endOffset' | 'maxBytes', number>>,
): BehindDamage {
  const isBehind = (offset: number) =>
    Number.isSafeInteger(offset) && offset > fetchOffset && offset <= endOffset
  const size = data.length < LOG_OVERHEAD_BYTES ? -1 : data.readInt32BE(8)
  if (size < NEXT_BYTES - LOG_OVERHEAD_BYTES)
    return { kind: 'found', offset: fetchOffset + 1, at: -1 }
  const next = LOG_OVERHEAD_BYTES + size
  const hasNext = next + NEXT_BYTES <= data.length
  // A compressed message of the older formats contains the offset of its last message.
  if (hasNext && data[next + MAGIC_OFFSET]! >= 2) {
    const offset = Number(data.readBigInt64BE(next))
    if (isBehind(offset)) return { kind: 'found', offset, at: next }
  }
  const at = hasNext ? next : -1
  const baseOffset = Number(data.readBigInt64BE(0))
  const magic = data[MAGIC_OFFSET]!
  if (magic < 2) {
    const offset = baseOffset + 1
    if (isBehind(offset)) return { kind: 'found', offset, at }
  }
  if (magic === 2 && data.length >= V2_HEADER_BYTES) {
    const delta = data.readInt32BE(LAST_OFFSET_DELTA_AT)
    const count = data.readInt32BE(COUNT_AT)
    const offset = baseOffset + delta + 1
    const isBelieved = delta >= 0 && count >= 1 && count <= delta + 1 && isBehind(offset)
    const isWhole = count === delta + 1
    if (isBelieved && isWhole) return { kind: 'found', offset, at }
    const wanted = next + NEXT_BYTES
    if (!hasNext && wanted > maxBytes) return { kind: 'ask-for-more', maxBytes: wanted }
    // A compacted batch has fewer records than offsets.
    if (isBelieved) return { kind: 'found', offset, at }
  } else if (!hasNext && next + NEXT_BYTES > maxBytes) {
    return { kind: 'ask-for-more', maxBytes: next + NEXT_BYTES }
  }
  return { kind: 'found', offset: fetchOffset + 1, at }
}
