import { inspect } from 'node:util'
import { ProtocolError } from '../protocol-error.ts'
import type { Block } from '../buffer/block.ts'
import { Reader } from '../buffer/reader.ts'
import type { BatchHeader } from './batch-header.ts'

/** A header as it was read. Repeats of a key are kept, in order (KIP-82). */
export interface MessageHeader {
  /** The name of the header. A message may have several headers of the same name. */
  readonly key: string
  /** A view on the batch's bytes, or null. */
  readonly value: Buffer | null
}

/** A message as a plain object, with its own copies of the bytes: it can be cloned, sent to another thread, spread. */
export interface MessageObject<Value = Buffer | null, Key = Buffer | null> {
  /** The topic that the message was read from. */
  readonly topic: string
  /** The partition that the message was read from. */
  readonly partition: number
  /** The offset of the message in its partition. */
  readonly offset: number
  /** Null where the record's is past 2^53 ms. */
  readonly timestamp: number | null
  /**
   * What set the timestamp: the producer (`create-time`) or the broker (`log-append-time`); `none` in formats before
   * Kafka 0.10.
   */
  readonly timestampType: 'none' | 'create-time' | 'log-append-time'
  /** The key, from the `keyDeserializer` if the consumer has one; null where the message has none. */
  readonly key: Key
  /** The value, from the `deserializer` if the consumer has one; null in a tombstone. */
  readonly value: Value
  /** Null where the record's are damaged. */
  readonly headers: readonly MessageHeader[] | null
}

const NO_HEADERS: readonly MessageHeader[] = Object.freeze([])

/**
 * Kafka knows no limit. A header takes two bytes at least, and some 200 once it is read: a record of 64 MiB, a few KB
 * compressed, would take gigabytes.
 */
const MOST_HEADERS = 100_000

/**
 * A message as it was read from a partition. Key, value and headers are cut out of the batch when they
 * are asked for: views on its bytes, which live as long as a view does. Copy what you keep for long.
 */
export class Message {
  /** The batch that it came in: it has the topic, the partition and the type of the timestamp. */
  readonly batch: BatchHeader
  // Small integers, told apart from the batch's base where they would be large: those cost no memory of
  // their own. TypeScript's private rather than #: half as much time goes into making a message.
  private readonly block: Block
  private readonly offsetDelta: number
  private readonly timestampDelta: number
  private readonly keyStart: number
  private readonly keyBytes: number
  private readonly valueStart: number
  private readonly valueBytes: number
  /** Where the record and with it its headers end, −1 in formats without headers. */
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

  /** Its place in the partition. */
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
   * Milliseconds since 1970; −1 where the message has none (formats before Kafka 0.10).
   * Throws RangeError for one that a number cannot hold exactly.
   */
  get timestamp(): number {
    const timestamp = this.nearTimestamp
    if (!Number.isSafeInteger(timestamp)) {
      throw new RangeError(
        `the timestamp at ${this.topic}-${this.partition} offset ${this.offset} is past 2^53`,
      )
    }
    return timestamp
  }

  /** The same, not exact past 2^53, and never an error: for what only compares timestamps. */
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

  /** The headers in order, repeats included. Throws ProtocolError when they are damaged, or more than 100,000. */
  get headers(): readonly MessageHeader[] {
    if (this.headersEnd < 0) return NO_HEADERS
    const { bytes } = this.block
    const start = this.valueStart + Math.max(0, this.valueBytes)
    if (bytes[start] === 0) return NO_HEADERS // The record ends there: that has been checked.
    const reader = new Reader(bytes, start, this.headersEnd)
    const count = reader.varint()
    if (count < 0) throw new ProtocolError(`a record claims ${count} headers`, start)
    if (count > MOST_HEADERS) {
      throw new ProtocolError(`a record has ${count} headers, the most is ${MOST_HEADERS}`, start)
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

  /** The same, called by `JSON.stringify`: a Buffer becomes `{ type: 'Buffer', data: […] }`. */
  toJSON(): MessageObject {
    return this.toObject()
  }

  /** For `console.log`: what can't be read is shown as why, rather than thrown. */
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

/** In memory of its own: cloning a view, or a Buffer of Node's pool, clones all of the memory that it lies in. */
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
