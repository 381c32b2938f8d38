import { describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { Output } from '../../../src/terminal/output.ts'

const LINE = [Buffer.from('value'), Buffer.from('\n')]

/** Takes each chunk when `take` is called. */
function slowStream(): { stream: Writable; take: () => void; chunks: Buffer[] } {
  const chunks: Buffer[] = []
  const waiting: (() => void)[] = []
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      waiting.push(done)
    },
  })
  return { stream, chunks, take: () => waiting.shift()?.() }
}

describe('the output of the command', () => {
  it('is written without a flush, many parts in one chunk', async () => {
    const stream = new PassThrough()
    const output = new Output(stream)
    for (let i = 0; i < 100; i++) output.write(LINE)
    const written: unknown[] = await once(stream, 'data')
    expect(String(written[0])).toBe('value\n'.repeat(100))
  })

  it('keeps parts that are larger than a chunk in order', async () => {
    const stream = new PassThrough({ highWaterMark: 10_000_000 })
    const output = new Output(stream)
    const large = Buffer.alloc(200_000, 'x')
    output.write([Buffer.from('a'), large, Buffer.from('b')])
    output.write([large.subarray(0, 70_000), Buffer.from('c')])
    await output.finish()
    stream.end()
    const written = Buffer.concat((await stream.toArray()).map((chunk) => Buffer.from(chunk)))
    expect(written.toString()).toBe(`a${'x'.repeat(200_000)}b${'x'.repeat(70_000)}c`)
  })

  it('is full until its reader has read everything, also if that was before anyone waited', async () => {
    const { stream, take } = slowStream()
    const output = new Output(stream)
    output.write([Buffer.alloc(100_000)])
    expect(output.isFull).toBe(true)
    const drained = output.drained()
    take()
    await drained
    expect(output.isFull).toBe(false)

    output.write([Buffer.alloc(100_000)])
    const event = once(stream, 'drain')
    take()
    await event
    await output.drained()
    expect(output.isFull).toBe(false)
  })

  it('ends the wait, and then the command, when its reader closes', async () => {
    const { stream } = slowStream()
    const output = new Output(stream)
    output.write([Buffer.alloc(100_000)])
    const drained = output.drained()
    stream.destroy(new Error('write EPIPE'))
    await drained
    expect(output.error?.message).toBe('write EPIPE')
    output.write(LINE)
    await expect(output.finish()).rejects.toThrow('EPIPE')
  })
})
