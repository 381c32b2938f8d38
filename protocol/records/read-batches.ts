import { Block } from '../buffer/block.ts'
import type { InflateMemory } from '../compression/index.ts'
import { ProtocolError } from '../protocol-error.ts'
import { BatchV2 } from './batch-v2.ts'
import { LOG_OVERHEAD_BYTES, MAGIC_OFFSET } from './format.ts'
import type { BatchSource } from './batch-header.ts'
import type { MessageBatch } from './message-batch.ts'
import { MessageSetReader } from './message-set.ts'

/** The batches of a partition in a fetch response. */
export interface FetchedBatches {
  readonly batches: readonly MessageBatch[]
  /**
   * The size of the batch that was truncated at the end, 0 if none was. Brokers truncate at the
   * byte limit; those before KIP-74 (0.10.1) do so even if no whole batch remains. The next fetch
   * must then request this size.
   */
  readonly cutOffBytes: number
  /** The damage after the batches: they are valid, the bytes after them are not. */
  readonly error: ProtocolError | undefined
  /** The position of the damage in the data, −1 if there is none. */
  readonly damagedAt: number
}

/** The default limit for the decompressed size of a batch. */
export const DEFAULT_INFLATE_LIMIT_BYTES = 256 * 1024 * 1024

/**
 * Reads the batches in the records field of a fetch response: all formats, mixed as in the log. With
 * `memory`, batches v2 are decompressed into memory from there, until they are released.
 */
export function readBatches(
  data: Buffer,
  source: BatchSource,
  limitBytes = DEFAULT_INFLATE_LIMIT_BYTES,
  memory?: InflateMemory,
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
        throw new ProtocolError(`a batch has a length of ${size} bytes, which is too short`, at)
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
        batches.push(new BatchV2(block.cut(at, end - at), source, limitBytes, memory))
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
