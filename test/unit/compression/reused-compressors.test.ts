import { describe, expect, it } from '@jest/globals'
import { constants, createDeflateRaw, inflateRawSync } from 'node:zlib'
import { ReusedCompressors, UNREAD } from '../../../protocol/compression/reused-compressors.ts'
import { incompressible, jsonLines, numbers } from './samples.ts'

/** With deflate, which every version of Node.js has: each block is as if it were the first. */

const KIB = 1024

function compressors(chunkSize = 16 * KIB) {
  const made: ReturnType<typeof createDeflateRaw>[] = []
  const reused = new ReusedCompressors(() => {
    const one = createDeflateRaw({ flush: constants.Z_FULL_FLUSH, chunkSize, ...UNREAD })
    made.push(one)
    return one
  })
  return { reused, made }
}

const restored = (output: Buffer) => inflateRawSync(output, { finishFlush: constants.Z_SYNC_FLUSH })

function expectSame(output: Buffer, data: Uint8Array): void {
  expect(Buffer.compare(restored(output), data)).toBe(0)
}

describe('compressors that are used again', () => {
  it('are one if one block follows the other', async () => {
    const { reused, made } = compressors()
    for (let index = 1; index < 20; index++) {
      const data = jsonLines(index * 5 * KIB)
      expectSame(await reused.compress(data), data)
    }
    expect(made).toHaveLength(1)
  })

  it('are as many as there are blocks at a time, of which four are kept', async () => {
    const { reused, made } = compressors()
    const blocks = Array.from({ length: 7 }, (_, index) => jsonLines((index + 1) * 10 * KIB))
    const all = () => Promise.all(blocks.map((data) => reused.compress(data)))
    await all()
    expect(made).toHaveLength(7)
    const outputs = await all()
    expect(made).toHaveLength(7 + 3)
    outputs.forEach((output, index) => expectSame(output, blocks[index]!))
  })

  it('return blocks in several pieces, and do not change them later', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    console.info(`seed ${seed}`)
    const next = numbers(seed)
    const { reused } = compressors(1 + KIB)
    const done: [Buffer, Uint8Array][] = []
    for (let round = 0; round < 20; round++) {
      const make = next(2) === 0 ? jsonLines : incompressible
      const blocks = Array.from({ length: 1 + next(6) }, () => make(1 + next(40 * KIB)))
      const outputs = await Promise.all(blocks.map((data) => reused.compress(data)))
      outputs.forEach((output, index) => done.push([output, blocks[index]!]))
    }
    for (const [output, data] of done) expectSame(output, data)
  })

  it('reject a block whose compressor fails, and compress the next one with another', async () => {
    const { reused, made } = compressors()
    const data = jsonLines(1000 * KIB)
    await reused.compress(data)
    const failing = reused.compress(data)
    made[0]!.destroy(new Error('broken'))
    await expect(failing).rejects.toThrow('broken')
    expectSame(await reused.compress(data), data)
    expect(made).toHaveLength(2)
  })
})
