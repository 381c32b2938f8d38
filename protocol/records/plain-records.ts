/** Records as plain objects, for the `records` field of Produce requests and Fetch responses. */
import { COMPRESSIONS } from '../compression/index.ts'
import { EncodeError } from '../protocol-error.ts'
import { encodeBatch } from './encode-batch.ts'
import { encodeMessageSet } from './message-set.ts'
import { OutgoingRecord } from './outgoing-record.ts'
import { readBatches } from './read-batches.ts'

/** A record for `encodeRecords`. */
export interface PlainRecord {
  /** Default: null. */
  readonly key?: Uint8Array | string | null
  /** Text is written as UTF-8. Default: null. */
  readonly value?: Uint8Array | string | null
  /** Milliseconds since 1970. Format 0 has none. Default: now. */
  readonly timestamp?: number
  /** Only in format 2. Default: none. */
  readonly headers?: readonly {
    readonly key: string
    readonly value: Uint8Array | string | null
  }[]
}

/** The options of `encodeRecords`. */
export interface EncodeRecordsOptions {
  /**
   * Kafka's `magic`: 2 is the record batch of Kafka 0.11 and newer (Produce from v3 on), 1 the message set of 0.10
   * (Produce v2), 0 the older one (Produce v0 and v1). Default: 2.
   */
  readonly format?: 0 | 1 | 2
  /** Default: `none`. */
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
}

/** A record that `decodeRecords` has read, with its own copies of the bytes. */
export interface DecodedRecord {
  /** The offset of the record in its partition. */
  readonly offset: number
  /** Milliseconds since 1970; −1 in format 0, null if the record's timestamp is past 2^53 ms. */
  readonly timestamp: number | null
  /** The origin of the timestamp, the producer or the broker; `none` in format 0. */
  readonly timestampType: 'none' | 'create-time' | 'log-append-time'
  /** Null if the record has none. */
  readonly key: Buffer | null
  /** Null in a tombstone. */
  readonly value: Buffer | null
  /** The headers in order, including several of the same name. */
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

const FIELDS = ['key', 'value', 'timestamp', 'headers']

/**
 * Encodes one batch, for the `records` field of a Produce request. Throws EncodeError for an empty
 * list, an unknown field, and values that the format cannot represent.
 */
export function encodeRecords(
  records: readonly PlainRecord[],
  options: EncodeRecordsOptions = {},
): Buffer {
  const { format = 2, compression = 'none' } = options
  if (records.length === 0) throw new EncodeError('a batch must have at least one record')
  if (![0, 1, 2].includes(format))
    throw new EncodeError(`format must be 0, 1 or 2, not ${String(format)}`)
  if (!COMPRESSIONS.includes(compression)) {
    throw new EncodeError(
      `compression must be one of ${COMPRESSIONS.join(', ')}, not '${compression}'`,
    )
  }
  const now = Date.now()
  const outgoing = records.map((record) => outgoingOf(record, format, now))
  return format === 2
    ? encodeBatch(outgoing, { compression })
    : encodeMessageSet(outgoing, format, compression)
}

/**
 * Decodes the `records` field of a Fetch response, in any format. It leaves out markers that end
 * transactions, and a batch that the broker truncated at the byte limit of the request. A batch may
 * begin before the requested offset. Throws ProtocolError for damage.
 */
export function decodeRecords(data: Uint8Array): readonly DecodedRecord[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const { batches, error } = readBatches(bytes, { topic: '', partition: -1 })
  if (error !== undefined) {
    error.context = 'records'
    throw error
  }
  return batches
    .filter(({ control }) => !control)
    .flatMap((batch) => batch.messages())
    .map((message) => {
      const { offset, timestamp, timestampType, key, value, headers } = message.toObject()
      // toObject() has null for damaged headers; reading them throws.
      const read = headers ?? message.headers
      return { offset, timestamp, timestampType, key, value, headers: read }
    })
}

function outgoingOf(record: PlainRecord, format: 0 | 1 | 2, now: number): OutgoingRecord {
  const unknown = Object.keys(record).find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) {
    throw new EncodeError(`a record has no field '${unknown}'; it has ${FIELDS.join(', ')}`)
  }
  const { key = null, value = null, timestamp = now, headers = [] } = record
  for (const [name, data] of [['key', key] as const, ['value', value] as const]) {
    const isData = data === null || typeof data === 'string' || data instanceof Uint8Array
    if (!isData) throw new EncodeError(`the ${name} of a record must be a string, bytes or null`)
  }
  if (!Number.isSafeInteger(timestamp)) {
    throw new EncodeError(
      'the timestamp of a record must be a whole number of milliseconds since 1970',
    )
  }
  if (format !== 2 && headers.length > 0)
    throw new EncodeError(`records of format ${format} have no headers`)
  return new OutgoingRecord(key, value, timestamp, headers)
}
