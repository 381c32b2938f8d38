import { Block } from '../buffer/block.ts'
import { ProtocolError } from '../protocol-error.ts'
import { BatchV2 } from './batch-v2.ts'
import { LOG_OVERHEAD_BYTES, MAGIC_OFFSET } from './format.ts'
import type { Source } from './batch-header.ts'
import type { MessageBatch } from './message-batch.ts'
import { MessageSetReader } from './message-set.ts'

/** What a partition's part of a fetch response holds. */
export interface FetchedBatches {
  readonly batches: readonly MessageBatch[]
  /**
   * The size of the batch that was cut off at the end, 0 if none was: brokers cut at the byte limit, and
   * those before KIP-74 (0.10.1) even where that leaves not one batch whole. Then ask for this much.
   */
  readonly cutOffBytes: number
  /** Damage behind the batches: they are good, what follows them is not. */
  readonly error: ProtocolError | undefined
  /** Where in the data the damage begins, −1 where there is none. */
  readonly damagedAt: number
}

/** What a compressed batch may inflate to unless the caller says otherwise. */
export const DEFAULT_INFLATE_LIMIT_BYTES = 256 * 1024 * 1024

/** The batches of a fetch response's records field: all formats, mixed as they lie in the log. */
export function readBatches(
  data: Buffer,
  source: Source,
  limitBytes = DEFAULT_INFLATE_LIMIT_BYTES,
): FetchedBatches {
  const batches: MessageBatch[] = []
  const block = new Block(data)
  const messageSets = new MessageSetReader(source, limitBytes)
  let cutOffBytes = 0
  let error: ProtocolError | undefined
  let at = 0
  try {
    while (at < data.length) {
      const left = data.length - at
      const size = left < LOG_OVERHEAD_BYTES ? undefined : data.readInt32BE(at + 8)
      if (size !== undefined && size < 14) {
        throw new ProtocolError(`a batch claims ${size} bytes`, at)
      }
      const whole = LOG_OVERHEAD_BYTES + (size ?? left + 1)
      if (whole > left) {
        cutOffBytes = whole
        break
      }
      const end = at + whole
      const magic = data[at + MAGIC_OFFSET]!
      if (magic === 2) {
        batches.push(...messageSets.finish())
        batches.push(new BatchV2(block.cut(at, end - at), source, limitBytes))
      } else if (magic < 2) {
        batches.push(...messageSets.add(block, at, end))
      } else {
        throw new ProtocolError(`unknown message format v${magic}`, at)
      }
      at = end
    }
  } catch (problem) {
    if (!(problem instanceof ProtocolError)) throw problem
    problem.context = `${source.topic}-${source.partition}`
    if (at + 8 <= data.length) problem.context += ` at offset ${data.readBigInt64BE(at)}`
    error = problem
  }
  batches.push(...messageSets.finish())
  return { batches, cutOffBytes, error, damagedAt: error === undefined ? -1 : at }
}
