import { damaged, viewOf } from './codec.ts'
import { xxhash32 } from './xxhash32.ts'

/** The header of LZ4's frame format: [magic][flags][block size][content size]?[header checksum]. */

const MAGIC = 0x184d2204
const MAGIC_BYTES = 4
/** Magic numbers of skippable frames, which contain other programs' data: 0x184D2A50 to ..5F. */
const SKIPPABLE_MAGIC = 0x184d2a50

const VERSION = 1
const FLAG_INDEPENDENT = 0x20
const FLAG_BLOCK_CHECKSUM = 0x10
const FLAG_CONTENT_SIZE = 0x08
const FLAG_CONTENT_CHECKSUM = 0x04
const FLAG_RESERVED = 0x02
const FLAG_DICTIONARY = 0x01
/** The block size descriptor's reserved bits. */
const SIZE_RESERVED = 0x8f

/** A bit in a block's length: the block is stored uncompressed. */
export const STORED = 0x80000000

/**
 * The header that KafkaLZ4BlockOutputStream writes: independent blocks of 64 KiB without checksums.
 */
export const WRITTEN_BLOCK_BYTES = 64 * 1024
const WRITTEN_FLAGS = (VERSION << 6) | FLAG_INDEPENDENT
const WRITTEN_BLOCK_SIZE = 4 << 4
export const WRITTEN_HEADER_BYTES = 7

export interface FrameHeader {
  /** Position of the first block. */
  blocksStart: number
  maxBlockBytes: number
  linked: boolean
  blockChecksums: boolean
  contentChecksum: boolean
  contentBytes: number | undefined
}

/**
 * With `brokenChecksum` the header's checksum also covers the magic number, as Kafka's clients and
 * brokers computed it for message format 0 (KAFKA-3160).
 */
export function writeHeader(output: Uint8Array, brokenChecksum: boolean): void {
  viewOf(output).setUint32(0, MAGIC, true)
  output[4] = WRITTEN_FLAGS
  output[5] = WRITTEN_BLOCK_SIZE
  output[6] = (xxhash32(output, brokenChecksum ? 0 : MAGIC_BYTES, 6) >>> 8) & 0xff
}

/** The position after the skippable frame at `position`, or undefined if there is none. */
export function skippableEnd(data: Uint8Array, position: number): number | undefined {
  if (data.length - position < 8) return undefined
  const view = viewOf(data)
  if ((view.getUint32(position, true) & ~0xf) !== SKIPPABLE_MAGIC) return undefined
  const lengthBytes = view.getUint32(position + 4, true)
  if (lengthBytes > data.length - position - 8)
    throw damaged('lz4', 'a skippable frame is truncated', position)
  return position + 8 + lengthBytes
}

export function readHeader(data: Uint8Array, start: number, acceptBroken: boolean): FrameHeader {
  const view = viewOf(data)
  if (data.length - start < WRITTEN_HEADER_BYTES)
    throw damaged('lz4', 'the frame header is truncated', start)
  if (view.getUint32(start, true) !== MAGIC) throw damaged('lz4', 'it is not a frame', start)

  const descriptorAt = start + MAGIC_BYTES
  const flags = data[descriptorAt]!
  const blockSize = data[descriptorAt + 1]!
  if (flags >>> 6 !== VERSION)
    throw damaged('lz4', `the frame version ${flags >>> 6} is not supported`, descriptorAt)
  if ((flags & FLAG_RESERVED) !== 0 || (blockSize & SIZE_RESERVED) !== 0)
    throw damaged('lz4', 'reserved bits of the frame header are set', descriptorAt)
  if ((flags & FLAG_DICTIONARY) !== 0)
    throw damaged('lz4', 'the frame needs a dictionary', descriptorAt)
  const sizeCode = blockSize >>> 4
  if (sizeCode < 4)
    throw damaged('lz4', `the block size code ${sizeCode} is not valid`, descriptorAt + 1)

  let position = descriptorAt + 2
  let contentBytes: number | undefined
  if ((flags & FLAG_CONTENT_SIZE) !== 0) {
    if (data.length - position < 9) throw damaged('lz4', 'the frame header is truncated', start)
    contentBytes = view.getUint32(position, true) + view.getUint32(position + 4, true) * 2 ** 32
    position += 8
  }
  const checksum = data[position]!
  const matches =
    checksum === ((xxhash32(data, descriptorAt, position) >>> 8) & 0xff) ||
    (acceptBroken && checksum === ((xxhash32(data, start, position) >>> 8) & 0xff))
  if (!matches) throw damaged('lz4', 'the header checksum does not match', position)

  return {
    blocksStart: position + 1,
    maxBlockBytes: 1 << (8 + 2 * sizeCode),
    linked: (flags & FLAG_INDEPENDENT) === 0,
    blockChecksums: (flags & FLAG_BLOCK_CHECKSUM) !== 0,
    contentChecksum: (flags & FLAG_CONTENT_CHECKSUM) !== 0,
    contentBytes,
  }
}
