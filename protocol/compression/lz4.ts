import { blockCodecs, NOT_HERE } from './block-codecs.ts'
import type { Codec, OutputMemory } from './codec.ts'
import {
  claimOf,
  copied,
  damaged,
  NEW_MEMORY,
  pastCeiling,
  scratchRoom,
  viewOf,
  written,
} from './codec.ts'
import type { FrameHeader } from './lz4-frame.ts'
import {
  readHeader,
  skippableEnd,
  STORED,
  WRITTEN_BLOCK_BYTES,
  WRITTEN_HEADER_BYTES,
  writeHeader,
} from './lz4-frame.ts'
import { compressBlock, compressedBound } from './lz4-compress.ts'
import { decompressBlock, inflatedBound, OVERFLOW } from './lz4-decompress.ts'
import { xxhash32 } from './xxhash32.ts'

/**
 * Kafka's lz4: LZ4's frame format, of which Kafka writes the simplest form. This codec reads all of
 * it except dictionaries: librdkafka and others write larger blocks, content sizes and checksums.
 */

const LENGTH_BYTES = 4
const CHECKSUM_BYTES = 4

/**
 * Content of at most this size is decompressed into memory that is used again, and then copied. The
 * headers of a small batch say only that it has at most this size, the largest block of most
 * clients: allocating that takes longer than decompressing a few hundred bytes. Measured (Node 24,
 * medians of 7 turns, load 11 to 17): content of 1 KB takes 2.4 instead of 9.8 µs, 4 KB 4.3 instead of
 * 13.4, 16 KB 10 instead of 22, 60 KB the same, exactly 64 KiB 42 instead of 36.
 */
const MOST_COPIED_BYTES = 64 * 1024

/** Record batches v2 and message format 1. */
export const lz4: Codec = {
  compress: (data, beforeBytes, memory) => compress(data, false, beforeBytes, memory),
  decompress: (data, limitBytes, memory) => decompress(data, limitBytes, false, memory),
  claimedBytes: (data, limitBytes) => claimedBytes(data, limitBytes, false),
}

/**
 * Message format 0, whose header checksum covers the wrong bytes (KAFKA-3160); it reads both forms.
 */
export const lz4Legacy: Codec = {
  compress: (data, beforeBytes, memory) => compress(data, true, beforeBytes, memory),
  decompress: (data, limitBytes, memory) => decompress(data, limitBytes, true, memory),
  claimedBytes: (data, limitBytes) => claimedBytes(data, limitBytes, true),
}

function compress(
  data: Uint8Array,
  brokenChecksum: boolean,
  beforeBytes = 0,
  memory?: OutputMemory,
): Uint8Array {
  const blocks = Math.ceil(data.length / WRITTEN_BLOCK_BYTES)
  const lastBlockBytes = Math.min(data.length, WRITTEN_BLOCK_BYTES)
  // A block that does not become smaller is stored uncompressed, but is compressed first: the last one needs room for
  // that.
  const boundBytes = data.length + blocks * LENGTH_BYTES + compressedBound(lastBlockBytes)
  const output = scratchRoom(WRITTEN_HEADER_BYTES + boundBytes + LENGTH_BYTES)
  const view = viewOf(output)
  const { lz4: blockCodec } = blockCodecs()
  writeHeader(output, brokenChecksum)

  let position = WRITTEN_HEADER_BYTES
  for (let start = 0; start < data.length; start += WRITTEN_BLOCK_BYTES) {
    const end = Math.min(start + WRITTEN_BLOCK_BYTES, data.length)
    const blockAt = position + LENGTH_BYTES
    let blockEnd = blockCodec?.compress(data, start, end, output, blockAt) ?? NOT_HERE
    if (blockEnd === NOT_HERE) blockEnd = compressBlock(data, start, end, output, blockAt)
    if (blockEnd - blockAt < end - start) {
      view.setUint32(position, blockEnd - blockAt, true)
      position = blockEnd
    } else {
      view.setUint32(position, ((end - start) | STORED) >>> 0, true)
      output.set(data.subarray(start, end), blockAt)
      position = blockAt + (end - start)
    }
  }
  view.setUint32(position, 0, true)
  return copied(output, position + LENGTH_BYTES, beforeBytes, memory)
}

function claimedBytes(data: Uint8Array, limitBytes: number, acceptBroken: boolean): number {
  return claimOf(limitBytes, () => inflatedFramesBound(data, limitBytes, acceptBroken))
}

function decompress(
  data: Uint8Array,
  limitBytes: number,
  acceptBroken: boolean,
  memory = NEW_MEMORY,
): Uint8Array {
  const capacityBytes = Math.min(limitBytes, inflatedFramesBound(data, limitBytes, acceptBroken))
  const isSmall = capacityBytes <= MOST_COPIED_BYTES
  const output = isSmall
    ? scratchRoom(capacityBytes).subarray(0, capacityBytes)
    : memory.allocate(capacityBytes)
  let position = 0
  let op = 0
  while (position < data.length) {
    const skipped = skippableEnd(data, position)
    if (skipped !== undefined) {
      position = skipped
      continue
    }
    const header = readHeader(data, position, acceptBroken)
    const frame = readBlocks(data, header, output, op, limitBytes)
    const frameBytes = frame.op - op
    if (header.contentBytes !== undefined && header.contentBytes !== frameBytes)
      throw damaged(
        'lz4',
        `the frame has ${frameBytes} bytes instead of ${header.contentBytes}`,
        position,
      )
    position = frame.position
    if (header.contentChecksum) {
      if (viewOf(data).getUint32(position, true) !== xxhash32(output, op, frame.op))
        throw damaged('lz4', 'the content checksum does not match', position)
      position += CHECKSUM_BYTES
    }
    op = frame.op
  }
  return isSmall ? copied(output, op, 0, memory) : written(output, op, memory)
}

/**
 * The maximum content of all frames together, from the lengths of their blocks, so that the output
 * is allocated once. It checks everything between the blocks.
 */
function inflatedFramesBound(data: Uint8Array, limitBytes: number, acceptBroken: boolean): number {
  if (data.length === 0) throw damaged('lz4', 'it is not a frame', 0)
  const view = viewOf(data)
  let totalBytes = 0
  let position = 0
  while (position < data.length) {
    const skipped = skippableEnd(data, position)
    if (skipped !== undefined) {
      position = skipped
      continue
    }
    const header = readHeader(data, position, acceptBroken)
    let frameBytes = 0
    position = header.blocksStart
    for (;;) {
      if (data.length - position < LENGTH_BYTES)
        throw damaged('lz4', 'the end mark is missing', position)
      const field = view.getUint32(position, true)
      if (field === 0) break
      const blockBytes = field & ~STORED
      const withChecksum = blockBytes + (header.blockChecksums ? CHECKSUM_BYTES : 0)
      if (blockBytes > header.maxBlockBytes || blockBytes === 0)
        throw damaged('lz4', `a block of ${blockBytes} bytes is too large`, position)
      position += LENGTH_BYTES
      if (withChecksum > data.length - position)
        throw damaged('lz4', 'a block is truncated', position)
      frameBytes +=
        field >= STORED ? blockBytes : Math.min(header.maxBlockBytes, inflatedBound(blockBytes))
      position += withChecksum
    }
    position += LENGTH_BYTES
    if (header.contentChecksum) {
      if (data.length - position < CHECKSUM_BYTES)
        throw damaged('lz4', 'the content checksum is missing', position)
      position += CHECKSUM_BYTES
    }
    const { contentBytes } = header
    if (contentBytes !== undefined) {
      if (totalBytes + contentBytes > limitBytes) throw pastCeiling('lz4', limitBytes)
      if (contentBytes > frameBytes)
        throw damaged(
          'lz4',
          `the blocks cannot contain the ${contentBytes} bytes of the frame`,
          position,
        )
      frameBytes = contentBytes
    }
    totalBytes += frameBytes
  }
  return totalBytes
}

/**
 * Decompresses all blocks of a frame, whose lengths have been checked. Returns the positions after
 * them in both buffers.
 */
function readBlocks(
  data: Uint8Array,
  header: FrameHeader,
  output: Uint8Array,
  outputStart: number,
  limitBytes: number,
): { position: number; op: number } {
  const view = viewOf(data)
  // Linked blocks refer to the content before them, which the module does not have.
  const blockCodec = header.linked ? undefined : blockCodecs().lz4
  let position = header.blocksStart
  let op = outputStart
  for (;;) {
    const field = view.getUint32(position, true)
    position += LENGTH_BYTES
    if (field === 0) return { position, op }
    const end = position + (field & ~STORED)
    if (header.blockChecksums && view.getUint32(end, true) !== xxhash32(data, position, end))
      throw damaged('lz4', 'a block checksum does not match', end)

    const outputEnd = Math.min(op + header.maxBlockBytes, output.length)
    if (field >= STORED) {
      if (end - position > outputEnd - op) throw overflow(outputEnd, limitBytes, position)
      output.set(data.subarray(position, end), op)
      op += end - position
    } else {
      const historyStart = header.linked ? outputStart : op
      let after = blockCodec?.decompress(data, position, end, output, op, outputEnd) ?? NOT_HERE
      if (after === NOT_HERE)
        after = decompressBlock(data, position, end, output, op, outputEnd, historyStart)
      if (after === OVERFLOW) throw overflow(outputEnd, limitBytes, position)
      op = after
    }
    position = end + (header.blockChecksums ? CHECKSUM_BYTES : 0)
  }
}

function overflow(outputEnd: number, limitBytes: number, position: number) {
  return outputEnd === limitBytes
    ? pastCeiling('lz4', limitBytes)
    : damaged('lz4', 'a block decompresses to more than its size', position)
}
