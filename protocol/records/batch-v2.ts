/**
 * Reads record batches v2.
 *
 * Hot path: `#slice` reads varints inline from one contiguous buffer and creates one object
 * for each record; keys, values and headers are decoded when they are first used. Do not add a
 * Reader call or a view for each field, a bigint for each record, or a generator.
 * benchmarks/codec.ts measures it.
 */
import { Block } from '../buffer/block.ts'
import { crc32c } from '../buffer/crc32c.ts'
import { compressionOfCode, type Compression, type InflateMemory } from '../compression/index.ts'
import { ProtocolError } from '../protocol-error.ts'
import { Cursor } from './cursor.ts'
import { ATTRIBUTE, BATCH_HEADER_BYTES, CRC_COVERS_FROM } from './format.ts'
import { Message } from './message.ts'
import type { BatchSource } from './batch-header.ts'
import { CompressedRecords } from './compressed-records.ts'
import type { MessageBatch, MessageSlice } from './message-batch.ts'
import { toSafeNumber } from './safe-number.ts'

/** The position up to which its records have been decoded. */
interface Progress {
  readonly block: Block
  at: number
  index: number
  /** The offset delta of the last decoded record, −1 before the first. */
  offsetDelta: number
}

export class BatchV2 implements MessageBatch {
  readonly topic: string
  readonly partition: number
  readonly magic = 2
  readonly baseOffset: number
  readonly lastOffset: number
  readonly baseTimestamp: number
  readonly compression: Compression
  readonly timestampType: 'create-time' | 'log-append-time'
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional: boolean
  readonly control: boolean
  readonly leaderEpoch: number
  readonly count: number
  readonly #data: Buffer
  readonly #lastOffsetDelta: number
  readonly #compressed: CompressedRecords | undefined
  #progress: Progress | undefined

  /**
   * `data` is exactly the batch, including its 61-byte header. Throws if its CRC does not match.
   */
  constructor(data: Buffer, source: BatchSource, limitBytes: number, memory?: InflateMemory) {
    if (data.length < BATCH_HEADER_BYTES) {
      throw new ProtocolError(
        `a record batch has ${data.length} bytes, fewer than the 61 of its header`,
      )
    }
    const stored = data.readUInt32BE(17)
    const computed = crc32c(data, CRC_COVERS_FROM)
    if (stored !== computed) {
      throw new ProtocolError(
        `the CRC-32C is ${hex(computed)}, but the record batch has ${hex(stored)}`,
      )
    }
    const attributes = data.readInt16BE(21)
    this.topic = source.topic
    this.partition = source.partition
    this.baseOffset = toSafeNumber(data.readBigInt64BE(0), 'base offset')
    this.#lastOffsetDelta = data.readInt32BE(23)
    this.lastOffset = this.baseOffset + this.#lastOffsetDelta
    if (this.baseOffset < 0 || this.#lastOffsetDelta < 0) {
      throw new ProtocolError(
        `a record batch has the offsets ${this.baseOffset} to ${this.lastOffset}, which are not valid`,
      )
    }
    this.compression = compressionOfCode(attributes & ATTRIBUTE.compression)
    this.timestampType =
      (attributes & ATTRIBUTE.logAppendTime) === 0 ? 'create-time' : 'log-append-time'
    this.baseTimestamp = Number(data.readBigInt64BE(this.timestampType === 'create-time' ? 27 : 35))
    this.producerId = data.readBigInt64BE(43)
    this.producerEpoch = data.readInt16BE(51)
    this.baseSequence = data.readInt32BE(53)
    this.transactional = (attributes & ATTRIBUTE.transactional) !== 0
    this.control = (attributes & ATTRIBUTE.control) !== 0
    this.leaderEpoch = data.readInt32BE(12)
    this.count = data.readInt32BE(57)
    this.#data = data
    if (this.compression !== 'none') {
      const body = data.subarray(BATCH_HEADER_BYTES)
      this.#compressed = new CompressedRecords(this.compression, body, limitBytes, memory)
    }
  }

  get sizeBytes(): number {
    return this.#data.length
  }

  get claimedBytes(): number {
    return this.#compressed?.claimedBytes ?? 0
  }

  get inflatedBytes(): number {
    const compressed = this.#compressed
    if (compressed === undefined) return 0
    return this.#progress?.block.bytes.length ?? compressed.inflatedBytes
  }

  dropInflated(): boolean {
    this.#compressed?.dropInflated()
    return this.#progress === undefined
  }

  release(): void {
    this.#compressed?.release()
  }

  messages(): Message[] {
    return this.#slice(begin(this.#compressed?.take(), this.#data), Infinity)
  }

  nextMessages(most: number): MessageSlice {
    const compressed = this.#compressed
    this.#progress ??= begin(compressed?.take(compressed.claimedBytes), this.#data)
    const messages = this.#slice(this.#progress, most)
    return { messages, isLast: this.#progress.index === this.count }
  }

  get isInflatedElsewhere(): boolean {
    return this.#compressed?.isInflatedElsewhere === true
  }

  async inflate(): Promise<void> {
    await this.#compressed?.inflate()
  }

  /** Decodes this many of the remaining records. */
  #slice(progress: Progress, most: number): Message[] {
    const { block, at: start, index: first } = progress
    const data = block.bytes
    const left = this.count - first
    // A record takes at least 7 bytes, which limits the count that the bytes can contain.
    if (left < 0 || left * 7 > data.length - start) {
      throw new ProtocolError(
        `a record batch of ${data.length - start} bytes cannot contain the ${left} records in its header`,
      )
    }
    const count = Math.min(left, most)
    // If the base is past 2^53 and rounded, every sum would be rounded too: the base then stands
    // for all of them.
    const hasOwnTimestamps =
      this.timestampType === 'create-time' && Number.isSafeInteger(this.baseTimestamp)
    const messages = new Array<Message>(count)
    const cursor = new Cursor(data, start)
    const lastDelta = this.#lastOffsetDelta
    let deltaBefore = progress.offsetDelta
    let at = start
    for (let i = 0; i < count; i++) {
      // Nearly all of these varints are one byte long and are read inline; the cursor reads the
      // others.
      let byte = data[at]!
      let size = (byte >>> 1) ^ -(byte & 1)
      if (byte < 0x80) at++
      else {
        size = cursor.varintAt(at)
        at = cursor.at
      }
      const end = at + size
      if (size < 0 || end > data.length)
        throw cursor.error(
          `record ${i} has a length of ${size} bytes, which is not within the batch`,
        )
      at++ // its attributes, which are not used
      byte = data[at]!
      let timestampDelta = (byte >>> 1) ^ -(byte & 1)
      if (byte < 0x80) at++
      else {
        timestampDelta = cursor.varlongAt(at)
        at = cursor.at
      }
      byte = data[at]!
      let offsetDelta = (byte >>> 1) ^ -(byte & 1)
      if (byte < 0x80) at++
      else {
        offsetDelta = cursor.varintAt(at)
        at = cursor.at
      }
      if (offsetDelta <= deltaBefore || offsetDelta > lastDelta) {
        throw cursor.error(
          `record ${i} has offset delta ${offsetDelta} after ${deltaBefore}, in a batch up to ${lastDelta}`,
        )
      }
      deltaBefore = offsetDelta
      byte = data[at]!
      let keyBytes = (byte >>> 1) ^ -(byte & 1)
      if (byte < 0x80) at++
      else {
        keyBytes = cursor.varintAt(at)
        at = cursor.at
      }
      const keyStart = at
      if (keyBytes > 0) at += keyBytes
      byte = data[at]!
      let valueBytes = (byte >>> 1) ^ -(byte & 1)
      if (byte < 0x80) at++
      else {
        valueBytes = cursor.varintAt(at)
        at = cursor.at
      }
      const valueStart = at
      if (valueBytes > 0) at += valueBytes
      // Headers are read when they are first used; a record without headers must end here.
      if (at >= end || (data[at] === 0 && at + 1 !== end)) {
        throw cursor.error(`record ${i} does not end after its length of ${size} bytes`)
      }
      messages[i] = new Message(
        this,
        block,
        offsetDelta,
        hasOwnTimestamps ? timestampDelta : 0,
        keyStart,
        keyBytes,
        valueStart,
        valueBytes,
        end,
      )
      at = end
    }
    progress.at = at
    progress.offsetDelta = deltaBefore
    progress.index = first + count
    if (count === left && at !== data.length) {
      throw cursor.error(`${data.length - at} bytes follow the last record`)
    }
    return messages
  }
}

/** Where the first record begins: in the decompressed records, or after the header of a batch that is not compressed. */
function begin(records: Uint8Array | undefined, batch: Buffer): Progress {
  const at = records === undefined ? BATCH_HEADER_BYTES : 0
  return { block: new Block(records ?? batch), at, index: 0, offsetDelta: -1 }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}
