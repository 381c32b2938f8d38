/**
 * Reads and writes message sets, the formats before Kafka 0.11: v0 (0.8, 0.9) and v1 (0.10; KIP-31, KIP-32).
 *
 * A message consists of offset int64, size int32, CRC-32 of the rest, magic, attributes, timestamp
 * (v1), key, value. A compressed message's value is a message set itself. Its own offset is that of
 * the last one inside; in v0 the inner offsets are absolute, in v1 relative to the first, if the
 * broker or producer follows KIP-31.
 */
import { Block } from '../buffer/block.ts'
import { crc32 } from '../buffer/crc32.ts'
import {
  codecOf,
  compressionCodeOf,
  compressionOfCode,
  lz4Legacy,
  PastCeilingError,
  type Codec,
  type Compression,
} from '../compression/index.ts'
import { ProtocolError } from '../protocol-error.ts'
import { ATTRIBUTE, LOG_OVERHEAD_BYTES } from './format.ts'
import { Message } from './message.ts'
import type { BatchSource } from './batch-header.ts'
import { understatedSize, type MessageBatch, type MessageSlice } from './message-batch.ts'
import type { OutgoingRecord } from './outgoing-record.ts'
import { toSafeNumber } from './safe-number.ts'

type Magic = 0 | 1

/** Compressed messages inside compressed messages: no client writes more than one level. */
const DEEPEST = 3

/** Brokers before 0.10 write and expect lz4 frames with a wrong header checksum (KAFKA-3160). */
function codecFor(compression: Compression, magic: Magic): Codec {
  return compression === 'lz4' && magic === 0 ? lz4Legacy : codecOf(compression)
}

/** One message at position `at` in `data`. Its checksum has been verified. */
interface Entry {
  readonly block: Block
  readonly at: number
  readonly end: number
  readonly magic: Magic
  readonly offset: number
  readonly compression: Compression
  readonly logAppendTime: boolean
  readonly timestamp: number
  readonly keyStart: number
  readonly keyBytes: number
  readonly valueStart: number
  readonly valueBytes: number
}

function readEntry(block: Block, at: number, end: number): Entry {
  const data = block.bytes
  const fixedBytes = LOG_OVERHEAD_BYTES + 6
  if (end - at < fixedBytes + 8)
    throw new ProtocolError(`a message of ${end - at} bytes is too short`, at)
  const stored = data.readUInt32BE(at + 12)
  const computed = crc32(data, at + 16, end)
  if (stored !== computed) {
    throw new ProtocolError(
      `the CRC-32 is ${computed.toString(16)}, but the message has ${stored.toString(16)}`,
      at,
    )
  }
  const magic = data[at + 16]!
  if (magic > 1) throw new ProtocolError(`a message set has a message of format v${magic}`, at)
  const attributes = data[at + 17]!
  const compression = compressionOfCode(attributes & ATTRIBUTE.compression)
  if (compression === 'zstd')
    throw new ProtocolError(
      'a message set is compressed with zstd, which is not allowed (KIP-110)',
      at,
    )
  let position = at + fixedBytes
  let timestamp = -1
  if (magic === 1) {
    if (end - position < 16)
      throw new ProtocolError(`a message of ${end - at} bytes is too short`, at)
    timestamp = Number(data.readBigInt64BE(position))
    position += 8
  }
  const keyBytes = data.readInt32BE(position)
  const keyStart = position + 4
  position = keyStart + Math.max(0, keyBytes)
  if (position + 4 > end)
    throw new ProtocolError(
      `a key has a length of ${keyBytes} bytes, which is not within the message`,
      keyStart,
    )
  const valueBytes = data.readInt32BE(position)
  const valueStart = position + 4
  if (valueStart + Math.max(0, valueBytes) !== end) {
    throw new ProtocolError(
      `a value has a length of ${valueBytes} bytes, which does not end at the end of the message`,
      valueStart,
    )
  }
  return {
    block,
    at,
    end,
    magic: magic === 0 ? 0 : 1,
    offset: toSafeNumber(data.readBigInt64BE(at), 'offset'),
    compression,
    logAppendTime: (attributes & ATTRIBUTE.logAppendTime) !== 0,
    timestamp,
    keyStart,
    keyBytes,
    valueStart,
    valueBytes,
  }
}

/** The memory of a decoded message besides its bytes, which can be as few as 26. */
const DECODED_BYTES = 200
/**
 * The ratio of memory to bytes for a set of the smallest messages, all of which are decoded at
 * once.
 */
const DECODED_RATIO = 9

/** The messages of a set that have been decoded so far. */
interface Decoded {
  readonly messages: Message[]
  /**
   * The bytes that all its compressed messages together may still use, decompressed and decoded.
   */
  leftBytes: number
}

/** A run of plain messages of one format and timestamp type, or one compressed message. */
export class MessageSet implements MessageBatch {
  readonly topic: string
  readonly partition: number
  readonly magic: Magic
  readonly baseOffset: number
  readonly lastOffset: number
  readonly baseTimestamp: number
  readonly compression: Compression
  readonly timestampType: 'none' | 'create-time' | 'log-append-time'
  readonly producerId = -1n
  readonly producerEpoch = -1
  readonly baseSequence = -1
  readonly transactional = false
  readonly control = false
  readonly leaderEpoch = -1
  readonly isInflatedElsewhere = false
  readonly sizeBytes: number
  readonly count: number
  readonly #entries: readonly Entry[]
  readonly #limitBytes: number
  #claimedBytes: number | undefined

  constructor(entries: readonly Entry[], source: BatchSource, limitBytes: number) {
    const first = entries[0]!
    const last = entries[entries.length - 1]!
    this.topic = source.topic
    this.partition = source.partition
    this.magic = first.magic
    this.baseOffset = first.offset
    this.lastOffset = last.offset
    // 0 if the base is past 2^53 and rounded, because a difference from it would be rounded, too.
    this.baseTimestamp = Number.isSafeInteger(first.timestamp) ? first.timestamp : 0
    this.compression = first.compression
    this.timestampType =
      first.magic === 0 ? 'none' : first.logAppendTime ? 'log-append-time' : 'create-time'
    this.sizeBytes = last.end - first.at
    this.count = entries.length
    this.#entries = entries
    this.#limitBytes = limitBytes
  }

  get claimedBytes(): number {
    return (this.#claimedBytes ??= this.#claimed())
  }

  /** All messages are decoded at once, so nothing is held between calls. */
  get inflatedBytes(): number {
    return 0
  }

  dropInflated(): boolean {
    return true
  }

  release(): void {
    // The old formats are always decompressed into new memory.
  }

  nextMessages(): MessageSlice {
    const limitBytes = this.claimedBytes
    try {
      return { messages: this.#decoded(limitBytes), isLast: true }
    } catch (error) {
      const understated = understatedSize(error, limitBytes, this.#limitBytes)
      if (understated !== undefined) this.#claimedBytes = this.#limitBytes
      throw understated ?? error
    }
  }

  inflate(): Promise<void> {
    return Promise.resolve()
  }

  messages(): Message[] {
    return this.#decoded(this.#limitBytes)
  }

  /** Nested compressed messages, which no client writes, count as understated. */
  #claimed(): number {
    let claimedBytes = 0
    for (const { block, compression, magic, valueStart, valueBytes } of this.#entries) {
      if (compression === 'none' || valueBytes < 0) continue
      const codec = codecFor(compression, magic)
      claimedBytes += codec.claimedBytes(block.cut(valueStart, valueBytes), this.#limitBytes)
    }
    return Math.min(claimedBytes * DECODED_RATIO, this.#limitBytes)
  }

  #decoded(limitBytes: number): Message[] {
    const decoded: Decoded = { messages: [], leftBytes: limitBytes }
    for (const entry of this.#entries) this.#collect(decoded, entry, 0, undefined)
    return decoded.messages
  }

  #collect(
    decoded: Decoded,
    entry: Entry,
    depth: number,
    appendTime: number | undefined,
    offset = entry.offset,
  ): void {
    if (entry.compression === 'none') {
      decoded.messages.push(
        new Message(
          this,
          entry.block,
          offset - this.baseOffset,
          (appendTime ?? entry.timestamp) - this.baseTimestamp,
          entry.keyStart,
          entry.keyBytes,
          entry.valueStart,
          entry.valueBytes,
          -1,
        ),
      )
      return
    }
    if (depth === DEEPEST) throw new ProtocolError('compressed messages are nested too deeply')
    if (entry.valueBytes < 0) throw new ProtocolError('a compressed message has no value')
    const inflated = codecFor(entry.compression, entry.magic).decompress(
      entry.block.cut(entry.valueStart, entry.valueBytes),
      decoded.leftBytes,
    )
    decoded.leftBytes -= inflated.length
    const inner = entriesOf(new Block(inflated), Math.floor(decoded.leftBytes / DECODED_BYTES))
    if (inner === undefined)
      throw new PastCeilingError('the messages take more memory than the limit')
    decoded.leftBytes -= inner.length * DECODED_BYTES
    const last = inner[inner.length - 1]
    if (last === undefined) throw new ProtocolError('a compressed message is empty')
    // Relative offsets (KIP-31): the wrapper has the absolute offset of the last message. v0 has
    // absolute ones.
    const base = entry.magic === 1 ? offset - last.offset : 0
    const innerTime = entry.logAppendTime ? (appendTime ?? entry.timestamp) : appendTime
    for (const one of inner) {
      this.#collect(decoded, one, depth + 1, innerTime, base + one.offset)
    }
  }
}

/**
 * Decodes all messages of an inner set: unlike in a response, the last one must be complete.
 * Undefined for more than `most`.
 */
function entriesOf(block: Block, most: number): Entry[] | undefined {
  const data = block.bytes
  const entries: Entry[] = []
  for (let at = 0; at < data.length;) {
    const size = data.length - at < LOG_OVERHEAD_BYTES ? -1 : data.readInt32BE(at + 8)
    const end = at + LOG_OVERHEAD_BYTES + size
    if (size < 0 || end > data.length) throw new ProtocolError('an inner message is truncated', at)
    if (entries.length === most) return undefined
    entries.push(readEntry(block, at, end))
    at = end
  }
  return entries
}

/**
 * Collects consecutive plain messages into one batch: `add` takes a message and returns the batches
 * that are now complete.
 */
export class MessageSetReader {
  readonly #source: BatchSource
  readonly #limitBytes: number
  #run: Entry[] = []

  constructor(source: BatchSource, limitBytes: number) {
    this.#source = source
    this.#limitBytes = limitBytes
  }

  add(block: Block, at: number, end: number): MessageSet[] {
    const entry = readEntry(block, at, end)
    const finished: MessageSet[] = []
    const first = this.#run[0]
    const fits =
      first !== undefined &&
      entry.compression === 'none' &&
      first.magic === entry.magic &&
      first.logAppendTime === entry.logAppendTime
    if (!fits) finished.push(...this.finish())
    this.#run.push(entry)
    if (entry.compression !== 'none') finished.push(...this.finish())
    return finished
  }

  /** The current run, if any. */
  finish(): MessageSet[] {
    if (this.#run.length === 0) return []
    const run = this.#run
    this.#run = []
    return [new MessageSet(run, this.#source, this.#limitBytes)]
  }
}

/**
 * Encodes a message set of v0 or v1; offsets count up from 0. It is compressed as one message if a
 * codec is given.
 */
export function encodeMessageSet(
  records: readonly OutgoingRecord[],
  magic: Magic,
  compression: Compression = 'none',
): Buffer {
  const plain = writeMessages(records, magic)
  if (compression === 'none') return plain
  const value = codecFor(compression, magic).compress(plain)
  const wrapper = {
    key: null,
    value,
    keyBytes: -1,
    valueBytes: value.length,
    timestamp: records.reduce((max, { timestamp }) => Math.max(max, timestamp), -1),
  }
  const set = Buffer.allocUnsafe(messageBytes(wrapper, magic))
  // The offset is that of the last inner message: brokers from 0.10 on check it (KIP-31).
  writeMessage(set, 0, wrapper, magic, compressionCodeOf(compression), records.length - 1)
  return set
}

type Writable = Pick<OutgoingRecord, 'key' | 'value' | 'keyBytes' | 'valueBytes' | 'timestamp'>

/** The size of a record in a message set. */
function messageBytes(record: Pick<Writable, 'keyBytes' | 'valueBytes'>, magic: Magic): number {
  const fixed = LOG_OVERHEAD_BYTES + (magic === 1 ? 22 : 14)
  return fixed + Math.max(0, record.keyBytes) + Math.max(0, record.valueBytes)
}

function writeMessages(records: readonly OutgoingRecord[], magic: Magic): Buffer {
  const total = records.reduce((sum, record) => sum + messageBytes(record, magic), 0)
  const set = Buffer.allocUnsafe(total)
  let at = 0
  records.forEach((record, index) => {
    at = writeMessage(set, at, record, magic, 0, index)
  })
  return set
}

function writeMessage(
  set: Buffer,
  at: number,
  record: Writable,
  magic: Magic,
  attributes: number,
  offset: number,
): number {
  const end = at + messageBytes(record, magic)
  set.writeBigInt64BE(BigInt(offset), at)
  set.writeInt32BE(end - at - LOG_OVERHEAD_BYTES, at + 8)
  set[at + 16] = magic
  set[at + 17] = attributes
  let position = at + 18
  if (magic === 1) position = set.writeBigInt64BE(BigInt(record.timestamp), position)
  position = writeSized(set, position, record.key, record.keyBytes)
  writeSized(set, position, record.value, record.valueBytes)
  set.writeUInt32BE(crc32(set, at + 16, end), at + 12)
  return end
}

function writeSized(
  set: Buffer,
  at: number,
  data: Uint8Array | string | null,
  length: number,
): number {
  const start = set.writeInt32BE(length, at)
  if (data === null) return start
  if (typeof data === 'string') set.write(data, start, length)
  else set.set(data, start)
  return start + length
}
