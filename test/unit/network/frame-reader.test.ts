import { describe, expect, it } from '@jest/globals'
import { FrameReader } from '../../../src/network/frame-reader.ts'

const MAX_BYTES = 100

function frame(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([sizeOf(bytes.length), bytes])
}

function sizeOf(size: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(size)
  return bytes
}

/** The frames found in the chunks, and the size that ended it, if one did. */
function read(chunks: readonly Buffer[]): { frames: string[]; badSize: Buffer | undefined } {
  const frames: string[] = []
  const reader = new FrameReader(MAX_BYTES, (found) => frames.push(found.toString()))
  for (const chunk of chunks) {
    const badSize = reader.push(chunk)
    if (badSize !== undefined) return { frames, badSize }
  }
  return { frames, badSize: undefined }
}

describe('cutting a byte stream into frames', () => {
  const texts = ['first', '', 'x', 'the last one']
  const stream = Buffer.concat(texts.map(frame))

  it('finds the same frames when the stream is cut in two or three at any position', () => {
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const chunks = [
          stream.subarray(0, first),
          stream.subarray(first, second),
          stream.subarray(second),
        ]
        expect(read(chunks)).toEqual({ frames: texts, badSize: undefined })
      }
    }
  })

  it('finds the same frames byte by byte', () => {
    const chunks = Array.from(stream, (_, index) => stream.subarray(index, index + 1))
    expect(read(chunks).frames).toEqual(texts)
  })

  it('keeps a frame that was filled from many chunks separate from the next', () => {
    const kept: Buffer[] = []
    const reader = new FrameReader(MAX_BYTES, (found) => kept.push(found))
    for (let at = 0; at < stream.length; at += 3) {
      // Sockets may use the memory of a chunk again only after it was delivered, so each is a copy.
      reader.push(Buffer.from(stream.subarray(at, at + 3)))
    }
    expect(kept.map(String)).toEqual(texts)
  })

  it('accepts a frame of exactly the maximum size, and an empty one', () => {
    expect(read([frame('y'.repeat(MAX_BYTES))]).frames).toEqual(['y'.repeat(MAX_BYTES)])
    expect(read([sizeOf(0)]).frames).toEqual([''])
  })

  it.each([-1, MAX_BYTES + 1, 0x7fffffff, -0x80000000])(
    'stops at a size of %p, however it is cut, after the frames before it',
    (size) => {
      const bytes = Buffer.concat([frame('good'), sizeOf(size), Buffer.from('rest')])
      for (let cut = 0; cut <= bytes.length; cut++) {
        const { frames, badSize } = read([bytes.subarray(0, cut), bytes.subarray(cut)])
        expect(frames).toEqual(['good'])
        expect(badSize).toEqual(sizeOf(size))
      }
    },
  )

  it('returns no frame before its last byte', () => {
    expect(read([frame('whole').subarray(0, -1)])).toEqual({ frames: [], badSize: undefined })
  })
})

describe('reading directly into frames', () => {
  /** Puts a stream into what the reader gives, at most this many bytes at a time. */
  function readInto(stream: Buffer, atMost: () => number, maxBytes = 1_000_000): Buffer[] {
    const found: Buffer[] = []
    const reader = new FrameReader(maxBytes, (frame) => found.push(frame))
    for (let at = 0; at < stream.length;) {
      const taken = stream.copy(reader.space, 0, at, at + atMost())
      expect(reader.received(taken)).toBeUndefined()
      at += taken
    }
    return found
  }
  const frames = [0, 1, 3, 70, 200_000, 5, 65_532, 65_533, 0, 100_000].map((size, index) =>
    Buffer.alloc(size, index + 1),
  )
  const stream = Buffer.concat(frames.flatMap((bytes) => [sizeOf(bytes.length), bytes]))

  it.each([1, 2, 3, 5, 7, 1_000, 65_535, 65_536, 1_000_000])(
    'finds the same frames when at most %p bytes arrive at a time',
    (atMost) => {
      expect(readInto(stream, () => atMost).map((one) => one.toString('hex'))).toEqual(
        frames.map((one) => one.toString('hex')),
      )
    },
  )

  it('keeps a small frame separate from what is read next', () => {
    const small = Buffer.concat(['first', 'second'].map(frame))
    expect(readInto(small, () => 9).map(String)).toEqual(['first', 'second'])
  })

  it('reports an invalid size', () => {
    const reader = new FrameReader(MAX_BYTES, () => undefined)
    sizeOf(MAX_BYTES + 1).copy(reader.space)
    expect(reader.received(4)).toEqual(sizeOf(MAX_BYTES + 1))
  })
})
