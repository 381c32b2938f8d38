import { blockCodecs, NOT_HERE } from './block-codecs.ts'
import type { Codec } from './codec.ts'
import { claimOf, copied, damaged, NEW_MEMORY, pastCeiling, scratchRoom, viewOf } from './codec.ts'
import { compressBlock, compressedBound } from './snappy-compress.ts'
import { decompressBlock, inflatedLength } from './snappy-decompress.ts'

/**
 * Kafka's snappy: what the class SnappyOutputStream of snappy-java writes, a header and then blocks
 * of up to 32 KiB, each after its length. librdkafka and some others write one raw block without a
 * header instead; Java reads both forms, and so does this codec.
 */

const MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0)
const VERSION = 1
const HEADER_BYTES = 16
const CHUNK_BYTES = 32 * 1024

interface Block {
  start: number
  end: number
  inflatedBytes: number
}

export const snappy: Codec = {
  compress(data, beforeBytes = 0, memory) {
    const chunks = Math.ceil(data.length / CHUNK_BYTES)
    const output = scratchRoom(HEADER_BYTES + chunks * (4 + compressedBound(CHUNK_BYTES)))
    const view = viewOf(output)
    output.set(MAGIC)
    view.setInt32(8, VERSION)
    view.setInt32(12, VERSION)
    const { snappy: blockCodec } = blockCodecs()

    let position = HEADER_BYTES
    for (let start = 0; start < data.length; start += CHUNK_BYTES) {
      const end = Math.min(start + CHUNK_BYTES, data.length)
      const lengthAt = position
      position += 4
      let blockEnd = blockCodec?.compress(data, start, end, output, position) ?? NOT_HERE
      if (blockEnd === NOT_HERE) blockEnd = compressBlock(data, start, end, output, position)
      position = blockEnd
      view.setInt32(lengthAt, position - lengthAt - 4)
    }
    return copied(output, position, beforeBytes, memory)
  },

  claimedBytes: (data, limitBytes) => claimOf(limitBytes, () => sumOf(blocksOf(data, limitBytes))),

  decompress(data, limitBytes, memory = NEW_MEMORY) {
    // All lengths first: the limit applies to their sum, and is checked before anything is
    // allocated.
    const blocks = blocksOf(data, limitBytes)
    const totalBytes = sumOf(blocks)
    const output = memory.allocate(totalBytes)
    let position = 0
    for (const block of blocks) {
      decompressOne(data, block, output, position)
      position += block.inflatedBytes
    }
    return output
  },
}

function blocksOf(data: Uint8Array, limitBytes: number): Block[] {
  return startsWithMagic(data, 0)
    ? framedBlocks(data, limitBytes)
    : [rawBlock(data, 0, data.length, limitBytes)]
}

function sumOf(blocks: readonly Block[]): number {
  let totalBytes = 0
  for (const block of blocks) totalBytes += block.inflatedBytes
  return totalBytes
}

function rawBlock(data: Uint8Array, start: number, end: number, roomBytes: number): Block {
  const inflatedBytes = inflatedLength(data, start, end)
  if (inflatedBytes > roomBytes) throw pastCeiling('snappy', roomBytes)
  return { start, end, inflatedBytes }
}

function framedBlocks(data: Uint8Array, limitBytes: number): Block[] {
  const view = viewOf(data)
  const blocks: Block[] = []
  let leftBytes = limitBytes
  let position = 0
  while (position < data.length) {
    // Streams may follow each other: the sign distinguishes a header from a length.
    if (startsWithMagic(data, position)) {
      if (data.length - position < HEADER_BYTES)
        throw damaged('snappy', 'the header is truncated', position)
      const version = view.getInt32(position + 8)
      if (version < VERSION)
        throw damaged('snappy', `the stream version ${version} is not supported`, position + 8)
      position += HEADER_BYTES
      continue
    }
    if (data.length - position < 4) throw damaged('snappy', 'a block length is truncated', position)
    const lengthBytes = view.getInt32(position)
    const start = position + 4
    if (lengthBytes <= 0 || lengthBytes > data.length - start)
      throw damaged('snappy', `the block length ${lengthBytes} is not valid`, position)
    const block = rawBlock(data, start, start + lengthBytes, Infinity)
    leftBytes -= block.inflatedBytes
    if (leftBytes < 0) throw pastCeiling('snappy', limitBytes)
    blocks.push(block)
    position = start + lengthBytes
  }
  return blocks
}

function startsWithMagic(data: Uint8Array, position: number): boolean {
  for (let index = 0; index < MAGIC.length; index++) {
    if (data[position + index] !== MAGIC[index]) return false
  }
  return true
}

function decompressOne(data: Uint8Array, block: Block, output: Uint8Array, position: number): void {
  const { start, end, inflatedBytes } = block
  const outputEnd = position + inflatedBytes
  const { snappy: blockCodec } = blockCodecs()
  const after = blockCodec?.decompress(data, start, end, output, position, outputEnd) ?? NOT_HERE
  if (after === NOT_HERE) decompressBlock(data, start, end, output, position, outputEnd)
}
