import { utilModule } from '../builtins.ts'
import { ProtocolError } from '../protocol-error.ts'
import type { Block } from '../buffer/block.ts'
import { Reader } from '../buffer/reader.ts'
import type { BatchHeader } from './batch-header.ts'

const { inspect } = utilModule()

/**
 * A header of a message that was read. Headers with the same key are all kept, in order (KIP-82).
 */
export interface MessageHeader {
  /** The name of the header. A message may have several headers of the same name. */
  readonly key: string
  /** A view on the batch's bytes, or null. */
  readonly value: Buffer | null
}

/**
 * A message as a plain object, with its own copies of the bytes: it can be cloned, sent to another
 * thread, or spread.
 */
export interface MessageObject<Value = Buffer | null, Key = Buffer | null> {
  /** The topic that the message was read from. */
  readonly topic: string
  /** The partition that the message was read from. */
  readonly partition: number
  /** The offset of the message in its partition. */
  readonly offset: number
  /** Null if the record's timestamp is past 2^53 ms. */
  readonly timestamp: number | null
  /**
   * The origin of the timestamp: the producer (`create-time`) or the broker (`log-append-time`);
   * `none` in formats before Kafka 0.10.
   */
  readonly timestampType: 'none' | 'create-time' | 'log-append-time'
  /** The key, from the `keyDeserializer` if the consumer has one; null if the message has none. */
  readonly key: Key
  /** The value, from the `deserializer` if the consumer has one; null in a tombstone. */
  readonly value: Value
  /** Null if the record's headers are damaged. */
  readonly headers: readonly MessageHeader[] | null
}

const NO_HEADERS: readonly MessageHeader[] = Object.freeze([])

/**
 * Kafka has no limit. A header takes at least two bytes, and about 200 after it is decoded: a
 * record of 64 MiB, which compresses to a few KB, would take gigabytes.
 */
const MOST_HEADERS = 100_000

/**
 * A message that was read from a partition. Key, value and headers are views on the bytes of its batch, created when
 * they are first used; a view keeps the bytes of the whole batch in memory. Copy data that you keep for a long time.
 */
export class Message {
  /** The batch of the message, which has the topic, the partition and the type of the timestamp. */
  readonly batch: BatchHeader
  // Small integers, relative to the batch's base if they would be large: those need no memory of
  // their own. Private fields use TypeScript's `private` instead of #, which halves the time to
  // create a message.
  private readonly block: Block
  private readonly offsetDelta: number
  private readonly timestampDelta: number
  private readonly keyStart: number
  private readonly keyBytes: number
  private readonly valueStart: number
  private readonly valueBytes: number
  /** The end of the record, and so of its headers; −1 in formats without headers. */
  private readonly headersEnd: number

  constructor(
    batch: BatchHeader,
    block: Block,
    offsetDelta: number,
    timestampDelta: number,
    keyStart: number,
    keyBytes: number,
    valueStart: number,
    valueBytes: number,
    headersEnd: number,
  ) {
    this.batch = batch
    this.block = block
    this.offsetDelta = offsetDelta
    this.timestampDelta = timestampDelta
    this.keyStart = keyStart
    this.keyBytes = keyBytes
    this.valueStart = valueStart
    this.valueBytes = valueBytes
    this.headersEnd = headersEnd
  }

  /** The offset of the message in the partition. */
  get offset(): number {
    return this.batch.baseOffset + this.offsetDelta
  }

  /** The topic that the message was read from. */
  get topic(): string {
    return this.batch.topic
  }

  /** The partition that the message was read from. */
  get partition(): number {
    return this.batch.partition
  }

  /**
   * Milliseconds since 1970; −1 if the message has none (formats before Kafka 0.10). Throws
   * RangeError for a timestamp that a number cannot represent exactly.
   */
  get timestamp(): number {
    const timestamp = this.nearTimestamp
    if (!Number.isSafeInteger(timestamp)) {
      throw new RangeError(
        `the timestamp at ${this.topic}-${this.partition} offset ${this.offset} is larger than 2^53`,
      )
    }
    return timestamp
  }

  /**
   * The timestamp as a number that is not exact past 2^53; it never throws. For code that only
   * compares timestamps.
   */
  get nearTimestamp(): number {
    return this.batch.baseTimestamp + this.timestampDelta
  }

  /** The origin of the timestamp: the producer (`create-time`) or the broker (`log-append-time`). */
  get timestampType(): 'none' | 'create-time' | 'log-append-time' {
    return this.batch.timestampType
  }

  /** The key, or null: a view, not a copy. */
  get key(): Buffer | null {
    if (this.keyBytes < 0) return null
    return this.block.cut(this.keyStart, this.keyBytes)
  }

  /** The value, or null (a tombstone in a compacted topic): a view, not a copy. */
  get value(): Buffer | null {
    if (this.valueBytes < 0) return null
    return this.block.cut(this.valueStart, this.valueBytes)
  }

  /**
   * The headers in order, including several of the same name. Throws ProtocolError if they are
   * damaged, or if there are more than 100,000.
   */
  get headers(): readonly MessageHeader[] {
    if (this.headersEnd < 0) return NO_HEADERS
    const { bytes } = this.block
    const start = this.valueStart + Math.max(0, this.valueBytes)
    if (bytes[start] === 0) return NO_HEADERS // The end of the record has been checked.
    const reader = new Reader(bytes, start, this.headersEnd)
    const count = reader.varint()
    if (count < 0) throw new ProtocolError(`a record has ${count} headers`, start)
    if (count > MOST_HEADERS) {
      throw new ProtocolError(
        `a record has ${count} headers; at most ${MOST_HEADERS} are allowed`,
        start,
      )
    }
    const headers: MessageHeader[] = []
    while (headers.length < count) {
      const keyBytes = reader.varint()
      if (keyBytes < 0) throw new ProtocolError('a header has no key', reader.offset)
      const key = reader.utf8(keyBytes)
      const valueBytes = reader.varint()
      headers.push({ key, value: valueBytes < 0 ? null : reader.bytes(valueBytes) })
    }
    if (reader.remaining > 0) {
      throw new ProtocolError(`${reader.remaining} bytes follow the last header`, reader.offset)
    }
    return headers
  }

  /**
   * A copy as a plain object: for `structuredClone`, `postMessage` and spread. A message itself has getters, which a
   * spread does not copy, and throws a DataCloneError when it is cloned.
   */
  toObject(): MessageObject {
    const { topic, partition, offset, timestampType, key, value } = this
    return {
      topic,
      partition,
      offset,
      timestamp: orNull(() => this.timestamp),
      timestampType,
      key: key && copyOf(key),
      value: value && copyOf(value),
      headers: orNull(() =>
        this.headers.map((one) => ({ key: one.key, value: one.value && copyOf(one.value) })),
      ),
    }
  }

  /**
   * Called by `JSON.stringify`: returns the same; a Buffer becomes `{ type: 'Buffer', data: […] }`.
   */
  toJSON(): MessageObject {
    return this.toObject()
  }

  /**
   * For `console.log`: shows an error instead of a field that cannot be read, and does not throw.
   */
  [inspect.custom](): unknown {
    const { topic, partition, offset, key, value } = this
    const text = (data: Buffer | null) => data?.toString() ?? null
    return {
      topic,
      partition,
      offset,
      timestamp: orReason(() => this.timestamp),
      key: text(key),
      value: text(value),
      headers: orReason(() => this.headers),
    }
  }
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

/**
 * In memory of its own: cloning a view, or a Buffer from Node's pool, would clone all of the
 * underlying memory.
 */
function copyOf(bytes: Buffer): Buffer {
  return Buffer.from(new Uint8Array(bytes).buffer)
}

function orReason(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return String(error)
  }
}
