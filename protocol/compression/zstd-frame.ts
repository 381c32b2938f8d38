import { damaged, pastCeiling, viewOf } from './codec.ts'

/**
 * Reads the headers of zstd's frames (RFC 8878) without decompressing them, so that their maximum
 * content is known before a decompressor runs. This works even if the header has no content size,
 * as in frames from Java's streams.
 */

const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const MAX_BLOCK_BYTES = 128 * 1024
/** The default limit of decompressors such as libzstd and zstd-jni. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024

const DICTIONARY_ID_BYTES = [0, 1, 2, 4]
const CONTENT_SIZE_BYTES = [0, 2, 4, 8]

const BLOCK_RAW = 0
const BLOCK_RUN = 1
const BLOCK_RESERVED = 3
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4

export interface ZstdFrame {
  start: number
  end: number
  /** The maximum content; the exact size if the header contains it. */
  boundBytes: number
}

/** The frames in `data` that have content. Throws if they declare more than the limit. */
export function readFrames(data: Uint8Array, limitBytes: number): ZstdFrame[] {
  if (data.length === 0) throw damaged('zstd', 'there is no frame', 0)
  const view = viewOf(data)
  const frames: ZstdFrame[] = []
  let saidBytes = 0
  let position = 0
  while (position < data.length) {
    if (data.length - position < 5) throw damaged('zstd', 'the frame header is truncated', position)
    const magic = view.getUint32(position, true)
    if ((magic & ~0xf) === SKIPPABLE_MAGIC) {
      if (data.length - position < 8)
        throw damaged('zstd', 'the frame header is truncated', position)
      const lengthBytes = view.getUint32(position + 4, true)
      if (lengthBytes > data.length - position - 8)
        throw damaged('zstd', 'a skippable frame is truncated', position)
      position += 8 + lengthBytes
      continue
    }
    if (magic !== MAGIC) throw damaged('zstd', 'it is not a frame', position)

    const header = readFrameHeader(data, view, position)
    saidBytes += header.contentBytes ?? 0
    if (saidBytes > limitBytes) throw pastCeiling('zstd', limitBytes)
    const blocks = walkBlocks(
      data,
      header.blocksStart,
      Math.min(header.windowBytes, MAX_BLOCK_BYTES),
    )
    const end = blocks.end + (header.checksum ? CHECKSUM_BYTES : 0)
    if (end > data.length) throw damaged('zstd', 'the content checksum is missing', blocks.end)
    if (header.contentBytes !== undefined && header.contentBytes > blocks.boundBytes)
      throw damaged(
        'zstd',
        `the blocks cannot contain the ${header.contentBytes} bytes of the frame`,
        position,
      )
    frames.push({ start: position, end, boundBytes: header.contentBytes ?? blocks.boundBytes })
    position = end
  }
  return frames
}

interface FrameHeader {
  blocksStart: number
  windowBytes: number
  contentBytes: number | undefined
  checksum: boolean
}

function readFrameHeader(data: Uint8Array, view: DataView, start: number): FrameHeader {
  const descriptor = data[start + 4]!
  const sizeCode = descriptor >>> 6
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionaryIdBytes = DICTIONARY_ID_BYTES[descriptor & 3]!
  const contentSizeBytes = sizeCode === 0 && singleSegment ? 1 : CONTENT_SIZE_BYTES[sizeCode]!
  if ((descriptor & 0x08) !== 0)
    throw damaged('zstd', 'the reserved bit of the frame header is set', start + 4)

  let position = start + 5
  const blocksStart = position + (singleSegment ? 0 : 1) + dictionaryIdBytes + contentSizeBytes
  if (blocksStart > data.length) throw damaged('zstd', 'the frame header is truncated', start)
  let windowBytes = 0
  if (!singleSegment) {
    const window = data[position++]!
    const baseBytes = 2 ** (10 + (window >>> 3))
    windowBytes = baseBytes + (baseBytes / 8) * (window & 7)
    if (windowBytes > MAX_WINDOW_BYTES)
      throw damaged('zstd', `the window of ${windowBytes} bytes is too large`, position)
  }
  for (let index = 0; index < dictionaryIdBytes; index++) {
    if (data[position++] !== 0) throw damaged('zstd', 'the frame needs a dictionary', position)
  }
  let contentBytes: number | undefined
  if (contentSizeBytes === 1) contentBytes = view.getUint8(position)
  else if (contentSizeBytes === 2) contentBytes = view.getUint16(position, true) + 256
  else if (contentSizeBytes === 4) contentBytes = view.getUint32(position, true)
  else if (contentSizeBytes === 8)
    contentBytes = view.getUint32(position, true) + view.getUint32(position + 4, true) * 2 ** 32
  if (singleSegment) windowBytes = contentBytes ?? 0
  return { blocksStart, windowBytes, contentBytes, checksum: (descriptor & 0x04) !== 0 }
}

function walkBlocks(
  data: Uint8Array,
  start: number,
  maxBlockBytes: number,
): { end: number; boundBytes: number } {
  let position = start
  let boundBytes = 0
  for (;;) {
    if (data.length - position < BLOCK_HEADER_BYTES)
      throw damaged('zstd', 'a block header is truncated', position)
    const field = data[position]! | (data[position + 1]! << 8) | (data[position + 2]! << 16)
    const kind = (field >>> 1) & 3
    const sizeBytes = field >>> 3
    if (kind === BLOCK_RESERVED) throw damaged('zstd', 'a block has the reserved type', position)
    if (sizeBytes > maxBlockBytes)
      throw damaged('zstd', `a block of ${sizeBytes} bytes is too large`, position)
    const storedBytes = kind === BLOCK_RUN ? 1 : sizeBytes
    position += BLOCK_HEADER_BYTES
    if (storedBytes > data.length - position)
      throw damaged('zstd', 'a block is truncated', position)
    boundBytes += kind === BLOCK_RAW || kind === BLOCK_RUN ? sizeBytes : maxBlockBytes
    position += storedBytes
    if ((field & 1) !== 0) return { end: position, boundBytes }
  }
}
