import { afterEach, describe, expect, it } from '@jest/globals'
import { createServer, type Server, type Socket } from 'node:net'
import { ThriftReader, ThriftWriter, WireType } from '../../../src/storm/thrift/binary.ts'
import { Nimbus } from '../../../src/storm/thrift/nimbus.ts'
import { clusterSummary, stormTopology } from '../../../src/storm/thrift/structures.ts'
import {
  binary,
  bool,
  count,
  double,
  entries,
  i32,
  i64,
  list,
  map,
  optional,
  required,
  string,
  struct,
  type ThriftType,
} from '../../../src/storm/thrift/types.ts'
import { everything } from './fixtures/everything.ts'

function bytesOf<T>(type: ThriftType<T>, value: T): Buffer {
  const out = new ThriftWriter()
  type.write(out, value)
  return out.finish()
}

function roundTrip<T>(type: ThriftType<T>, value: T): T {
  return type.read(new ThriftReader(bytesOf(type, value)), type.wire)
}

describe("Thrift's binary protocol", () => {
  it('writes fields as type, number and value, as Thrift does', () => {
    const type = struct({ name: required(1, string), on: optional(3, bool), n: optional(2, i32) })
    const bytes = bytesOf(type, { name: 'ab', n: -2, on: true })
    expect(bytes.toString('hex')).toBe(
      ['0b0001000000026162', '080002fffffffe', '02000301', '00'].join(''),
    )
  })

  it('carries every type in use', () => {
    const type = struct({
      text: required(1, string),
      bytes: required(2, binary),
      big: required(3, i64),
      many: required(4, count),
      ratio: required(5, double),
      names: required(6, list(string)),
      byName: required(7, map(i32)),
      pairs: required(8, entries(struct({ id: required(1, string) }), bool)),
    })
    const value = {
      text: '雪 and ✨',
      bytes: Buffer.from([0, 255]),
      big: -(2n ** 63n),
      many: 2 ** 40,
      ratio: 0.1,
      names: ['a', '', 'b'],
      byName: { x: 1, y: -1 },
      pairs: [
        [{ id: 'a' }, true],
        [{ id: 'b' }, false],
      ] as const,
    }
    expect(roundTrip(type, value)).toEqual(value)
  })

  it('skips unknown fields, and accepts numbers of wider types', () => {
    const newer = struct({
      host: required(1, string),
      uptime: required(2, i64),
      extra: required(3, map(list(struct({ x: required(1, double) })))),
      flag: required(4, bool),
    })
    const bytes = bytesOf(newer, {
      ...{ host: 'h', uptime: 5n, flag: true },
      extra: { a: [{ x: 1 }, { x: 2 }] },
    })
    const older = struct({
      host: required(1, string),
      uptime: required(2, i32),
      flag: required(4, bool),
    })
    expect(older.read(new ThriftReader(bytes), WireType.struct)).toEqual({
      host: 'h',
      uptime: 5,
      flag: true,
    })
  })

  it('throws a RangeError for truncated bytes and for invalid ones', () => {
    const bytes = bytesOf(clusterSummary, { supervisors: [], topologies: [], nimbuses: [] })
    for (let end = 0; end < bytes.length; end++) {
      const reader = new ThriftReader(bytes.subarray(0, end))
      expect(() => clusterSummary.read(reader, WireType.struct)).toThrow(RangeError)
    }
    const long = Buffer.from('0f0001' + '0c' + '7fffffff', 'hex')
    expect(() => clusterSummary.read(new ThriftReader(long), WireType.struct)).toThrow(/2147483647/)
  })

  it('carries a topology with all its fields', () => {
    const topology = everything().toStorm()
    expect(bytesAsArrays(roundTrip(stormTopology, topology))).toEqual(bytesAsArrays(topology))
  })
})

/** A Buffer is no Uint8Array to a comparison. */
function bytesAsArrays(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(bytesAsArrays)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, bytesAsArrays(of)]))
}

describe('a connection to Nimbus', () => {
  let server: Server | undefined
  const sockets = new Set<Socket>()

  /** Answers each call with these bytes. */
  async function listen(answer: (call: Buffer) => Buffer | undefined): Promise<number> {
    const one = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('data', (call) => {
        const bytes = answer(call)
        if (bytes === undefined) socket.destroy()
        else socket.write(bytes)
      })
    })
    server = one
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))
    const address = one.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  afterEach(async () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    await new Promise<void>((resolve) =>
      server === undefined ? resolve() : server.close(() => resolve()),
    )
    server = undefined
  })

  const connect = (port: number, timeoutMs = 30_000): Promise<Nimbus> =>
    Nimbus.connect({ seeds: [{ host: '127.0.0.1', port }], timeoutMs })

  it('reports that nothing listens there', async () => {
    const port = await listen(() => undefined)
    await new Promise<void>((resolve) => server!.close(() => resolve()))
    server = undefined
    await expect(connect(port)).rejects.toMatchObject({
      code: 'NIMBUS_UNREACHABLE',
      message: `cannot connect to Nimbus at 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
    })
  })

  it('reports the error of each of several seeds', async () => {
    const port = await listen(() => undefined)
    const seeds = [port, port].map((one) => ({ host: '127.0.0.1', port: one }))
    await expect(Nimbus.connect({ seeds })).rejects.toThrow(
      /cannot connect to Nimbus at .*closed the connection; cannot connect to Nimbus at/,
    )
  })

  it('reports that another service listens there', async () => {
    const port = await listen(() => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await expect(connect(port)).rejects.toThrow(
      /does not use framed Thrift: check that this is the port/,
    )
  })

  it('fails at its timeout without a response', async () => {
    const port = await listen(() => Buffer.alloc(0))
    await expect(connect(port, 50)).rejects.toThrow(/no response to getClusterInfo within 50 ms/)
  })

  it('accepts a response in many pieces, and an exception as an error with its reason', async () => {
    const port = await listen((call) => {
      const out = new ThriftWriter()
      const name = call.subarray(12, 12 + call.readInt32BE(8)).toString()
      out.i32(0x8001_0002 | 0)
      out.string(name)
      out.i32(call.readInt32BE(12 + name.length))
      if (name === 'getClusterInfo') {
        out.field(WireType.struct, 0)
        clusterSummary.write(out, { supervisors: [], topologies: [], nimbuses: [] })
      } else {
        out.field(WireType.struct, 1)
        struct({ msg: required(1, string) }).write(out, { msg: 'not running' })
      }
      out.stop()
      const message = out.finish()
      const frame = Buffer.alloc(4 + message.length)
      frame.writeInt32BE(message.length)
      message.copy(frame, 4)
      const [socket] = [...sockets].slice(-1)
      for (const byte of frame.subarray(0, -1)) socket!.write(Buffer.of(byte))
      return frame.subarray(-1)
    })
    using nimbus = await connect(port)
    expect(await nimbus.topologies()).toEqual([])
    await expect(nimbus.kill('nobody')).rejects.toMatchObject({
      code: 'UNKNOWN_TOPOLOGY',
      message: 'not running',
    })
    await expect(nimbus.topologyNamed('x')).rejects.toThrow(/no topology 'x'; it has none/)
  })
})
