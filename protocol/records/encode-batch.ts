import { codecOf, type Compression } from '../compression/index.ts'
import { BatchWriter, type BatchIdentity } from './batch-writer.ts'
import { BATCH_HEADER_BYTES } from './format.ts'
import { headerFields, type OutgoingRecord } from './outgoing-record.ts'

export interface BatchOptions extends BatchIdentity {
  /** Default: none. */
  readonly compression?: Compression
  /** gzip: 1 to 9, zstd: 1 to 22. */
  readonly level?: number
}

/** Encodes one batch v2 from a list of at least one record; offsets count up from the base. */
export function encodeBatch(
  records: readonly OutgoingRecord[],
  options: BatchOptions = {},
): Buffer {
  let bytes = BATCH_HEADER_BYTES
  for (const record of records) bytes += record.sizeBytes
  const writer = new BatchWriter(bytes)
  for (const { key, keyBytes, value, valueBytes, timestamp, headers, headersBytes } of records) {
    const fields = headers.length === 0 ? undefined : headerFields(headers)
    writer.append(key, keyBytes, value, valueBytes, timestamp, fields, headersBytes, Infinity)
  }
  const { compression = 'none' } = options
  if (compression === 'none') return writer.finish(options)
  const batch = writer.compress(codecOf(compression, options))
  writer.finishCompressed(batch, compression, options)
  return batch
}
