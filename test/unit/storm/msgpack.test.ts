import { decode, Encoder } from '@msgpack/msgpack'
import { describe, expect, it } from '@jest/globals'
import { isMsgpack, loadMsgpack } from '../../../src/storm/multilang/msgpack-wire.ts'

const encoder = new Encoder()
const encode = (value: unknown): Uint8Array => encoder.encode(value)

const HANDSHAKE = { pidDir: '/tmp', conf: { 'topology.name': 't' }, context: { taskid: 1 } }
const MESSAGES = [
  HANDSHAKE,
  { id: '1', comp: 'a', stream: 'default', task: 4, tuple: ['x'.repeat(40), 1.5, null, [1, [2]]] },
  [1, 2, 3],
  { command: 'next', id: null },
  {
    id: '2',
    comp: 'b',
    stream: 's',
    task: 70_000,
    tuple: [new Uint8Array(300), 2 ** 40, -5, true],
  },
  { id: '3', tuple: ['x'.repeat(70_000), Array.from({ length: 20 }, (_, n) => n)] },
]

describe('the msgpack serializer', () => {
  it('reads consecutive messages when they are cut at any position', async () => {
    const bytes = Buffer.concat(MESSAGES.map((message) => encode(message)))
    for (const length of [100, 1000, bytes.length]) {
      const wire = await loadMsgpack()
      const read: unknown[] = []
      for (let at = 0; at < bytes.length; at += length) {
        read.push(...wire.decode(bytes.subarray(at, at + length)))
      }
      expect(read).toEqual(MESSAGES)
    }
    const wire = await loadMsgpack()
    const [first, second] = MESSAGES
    const short = Buffer.concat([encode(first), encode(second)])
    expect([...short].flatMap((byte) => wire.decode(Buffer.of(byte)))).toEqual([first, second])
  })

  it('reads the context as JSON, in which Storm writes it', async () => {
    const wire = await loadMsgpack()
    const sent = encode({ ...HANDSHAKE, context: JSON.stringify(HANDSHAKE.context) })
    expect(wire.decode(Buffer.from(sent))).toEqual([HANDSHAKE])
  })

  it('writes messages unchanged: bytes stay bytes, and a direct task keeps its number', async () => {
    const wire = await loadMsgpack()
    const message = { command: 'emit', tuple: [Buffer.from([0, 255]), '雪'], task: 3 } as const
    const read = decode(wire.encode(message))
    expect(read).toEqual({ command: 'emit', tuple: [new Uint8Array([0, 255]), '雪'], task: 3 })
  })

  it('carries bytes, NaN and nested objects, and names values that it cannot carry', async () => {
    const wire = await loadMsgpack()
    for (const value of [Buffer.alloc(1), NaN, { a: [1, { b: null }] }, 'x', 2 ** 60]) {
      expect(wire.problemWith(value)).toBeUndefined()
    }
    const loop: unknown[] = []
    loop.push(loop)
    expect(wire.problemWith(1n)).toMatch(/a bigint/)
    expect(wire.problemWith(undefined)).toMatch(/undefined/)
    expect(wire.problemWith([() => 1])).toMatch(/function/)
    expect(wire.problemWith({ at: new Date() })).toMatch(/a Date/)
    expect(wire.problemWith(new Map())).toMatch(/a Map/)
    expect(wire.problemWith(loop)).toMatch(/contains itself/)
  })

  it('is detected by the first byte that Storm sends', () => {
    expect(isMsgpack(Buffer.from(encode(HANDSHAKE)))).toBe(true)
    expect(isMsgpack(Buffer.from('{"conf":{}}'))).toBe(false)
    expect(isMsgpack(Buffer.from(' \n{"conf":{}}'))).toBe(false)
  })

  it('rejects bytes that are not a message', async () => {
    const wire = await loadMsgpack()
    expect(() => wire.decode(Buffer.from([0xc1]))).toThrow(/not MessagePack: byte 193/)
  })
})
