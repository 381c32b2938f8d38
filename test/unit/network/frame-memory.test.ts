import { describe, expect, it } from '@jest/globals'
import { FrameMemory } from '../../../src/network/frame-memory.ts'
import { FrameReader } from '../../../src/network/frame-reader.ts'

const MIB = 1024 * 1024

describe('the memory of frames', () => {
  it('is reused after it is released, and not before', () => {
    const memory = new FrameMemory(8 * MIB)
    const first = memory.allocate(MIB)
    const second = memory.allocate(MIB)
    expect(second.buffer).not.toBe(first.buffer)
    memory.giveBack(first.buffer)
    expect(memory.freeBytes).toBe(MIB)
    expect(memory.allocate(MIB).buffer).toBe(first.buffer)
    expect(memory.freeBytes).toBe(0)
  })

  it('serves frames of slightly different size', () => {
    const memory = new FrameMemory(8 * MIB)
    const first = memory.allocate(MIB + 1)
    memory.giveBack(first.buffer)
    const larger = memory.allocate(MIB + 100_000)
    expect(larger.length).toBe(MIB + 100_000)
    expect(larger.buffer).toBe(first.buffer)
    memory.giveBack(larger.buffer)
    expect(memory.allocate(700_000).buffer).toBe(first.buffer)
  })

  it('is not wasted on frames of less than half its size', () => {
    const memory = new FrameMemory(8 * MIB)
    const large = memory.allocate(4 * MIB)
    memory.giveBack(large.buffer)
    expect(memory.allocate(MIB).buffer).not.toBe(large.buffer)
    expect(memory.allocate(100).buffer.byteLength).toBe(100)
  })

  it('is not kept past the limit: what was released first is dropped first', () => {
    const memory = new FrameMemory(2 * MIB)
    const frames = [memory.allocate(MIB), memory.allocate(MIB), memory.allocate(MIB)]
    for (const { buffer } of frames) memory.giveBack(buffer)
    expect(memory.freeBytes).toBe(2 * MIB)
    expect(memory.allocate(MIB).buffer).toBe(frames[2]!.buffer)
    expect(memory.allocate(MIB).buffer).toBe(frames[1]!.buffer)
    expect(memory.allocate(MIB).buffer).not.toBe(frames[0]!.buffer)
  })

  it('ignores foreign memory and memory that was released already', () => {
    const memory = new FrameMemory(8 * MIB)
    memory.giveBack(Buffer.allocUnsafeSlow(MIB).buffer)
    memory.giveBack(memory.allocate(100).buffer)
    expect(memory.freeBytes).toBe(0)
    const frame = memory.allocate(MIB)
    memory.giveBack(frame.buffer)
    memory.giveBack(frame.buffer)
    expect(memory.freeBytes).toBe(MIB)
  })

  it('is used for large frames by a frame reader', () => {
    const memory = new FrameMemory(8 * MIB)
    const frames: Buffer[] = []
    const reader = new FrameReader(
      MIB,
      (frame) => {
        frames.push(Buffer.from(frame))
        memory.giveBack(frame.buffer)
      },
      memory,
    )
    for (const letter of ['a', 'b']) {
      const size = Buffer.alloc(4)
      size.writeInt32BE(100_000)
      reader.push(Buffer.concat([size, Buffer.alloc(30_000, letter)]))
      reader.push(Buffer.alloc(70_000, letter))
    }
    expect(frames).toEqual([Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b')])
    expect(memory.freeBytes).toBeLessThan(200_000)
  })
})
