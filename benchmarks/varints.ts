/**
 * Zigzag varints of 32 and 64 bits, written and read: what the records code does and what Writer and Reader
 * do, next to the same in other clients. Nanoseconds a value, medians, in turns.
 *
 *     npm run bench:varints        (Node 22.22 or newer to have @platformatic/kafka in it)
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Reader } from '../protocol/buffer/reader.ts'
import { Writer } from '../protocol/buffer/writer.ts'
import { Cursor } from '../protocol/records/cursor.ts'
import { writeVarint, writeVarlong } from '../protocol/records/varlong.ts'
import { inTurns, type Contender } from './support/turns.ts'

const COUNT = 1000

/** As lengths and deltas are: mostly small. */
const shapes = [
  { name: '1 byte', values: numbers(0x40) },
  { name: '1 to 2 bytes', values: numbers(0x2000) },
  { name: '1 to 5 bytes', values: numbers(2 ** 30) },
]
const largest = { name: '6 bytes', values: numbers(2).map((value) => 2 ** 40 + value) }

/** From −`below` to `below`, most of them much nearer to zero. */
function numbers(below: number): number[] {
  let state = 42
  return Array.from({ length: COUNT }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const size = Math.floor(below ** (state / 2 ** 32))
    return (state & 0x100) === 0 ? size : -size
  })
}

/** A client's way to write all values and to read them again, by number or by bigint. */
interface Way {
  readonly name: string
  write(values: readonly number[]): Buffer
  read(data: Buffer): unknown
}

function readAll<T extends { readonly offset: number }>(
  reader: T,
  bytes: number,
  one: (reader: T) => unknown,
): unknown {
  let last: unknown
  while (reader.offset < bytes) last = one(reader)
  return last
}

function written(values: readonly number[], one: (writer: Writer, value: number) => void): Buffer {
  const writer = new Writer(COUNT * 10)
  for (const value of values) one(writer, value)
  return Buffer.concat(writer.finish())
}

function inBuffer(
  values: readonly number[],
  write: (buffer: Buffer, at: number, value: number) => number,
): Buffer {
  const buffer = Buffer.allocUnsafe(COUNT * 10)
  let at = 0
  for (let i = 0; i < values.length; i++) at = write(buffer, at, values[i]!)
  return buffer.subarray(0, at)
}

const varints: Way[] = [
  {
    name: 'samsa, records',
    write: (values) => inBuffer(values, writeVarint),
    read(data) {
      const cursor = new Cursor(data, 0)
      let last = 0
      while (cursor.at < data.length) last = cursor.varintAt(cursor.at)
      return last
    },
  },
  {
    name: 'samsa, Writer and Reader',
    write: (values) => written(values, (writer, value) => writer.varint(value)),
    read: (data) => readAll(new Reader(data), data.length, (reader) => reader.varint()),
  },
]

const varlongs: Way[] = [
  {
    name: 'samsa, records',
    write: (values) => inBuffer(values, writeVarlong),
    read(data) {
      const cursor = new Cursor(data, 0)
      let last = 0
      while (cursor.at < data.length) last = cursor.varlongAt(cursor.at)
      return last
    },
  },
  {
    name: 'samsa, Writer and Reader',
    write: (values) => written(values, (writer, value) => writer.varlong(BigInt(value))),
    read: (data) => readAll(new Reader(data), data.length, (reader) => reader.varlong()),
  },
]

interface KafkajsEncoder {
  readonly buffer: Buffer
  writeVarInt(value: number): void
  writeVarLong(value: number): void
}
interface KafkajsDecoder {
  readonly offset: number
  readVarInt(): number
  readVarLong(): unknown
}

function addKafkajs(): void {
  const requirePeer = createRequire(new URL('./peers/package.json', import.meta.url))
  const load = (name: string): unknown => requirePeer(`kafkajs/src/protocol/${name}`)
  const Encoder = load('encoder') as new (sizeBytes: number) => KafkajsEncoder
  const Decoder = load('decoder') as new (data: Buffer) => KafkajsDecoder
  const way = (
    write: (encoder: KafkajsEncoder, value: number) => void,
    read: (decoder: KafkajsDecoder) => unknown,
  ): Way => ({
    name: 'kafkajs',
    write(values) {
      const encoder = new Encoder(COUNT * 10)
      for (const value of values) write(encoder, value)
      return encoder.buffer
    },
    read: (data) => readAll(new Decoder(data), data.length, read),
  })
  varints.push(
    way(
      (encoder, value) => encoder.writeVarInt(value),
      (decoder) => decoder.readVarInt(),
    ),
  )
  varlongs.push(
    way(
      (encoder, value) => encoder.writeVarLong(value),
      (decoder) => decoder.readVarLong(),
    ),
  )
}

interface PlatformaticWriter {
  readonly buffer: Buffer
  appendVarInt(value: number): void
  appendVarInt64(value: bigint): void
}
interface PlatformaticReader {
  readonly position: number
  readVarInt(): number
  readVarInt64(): bigint
}

async function addPlatformatic(): Promise<void> {
  const url = new URL('./peers/node_modules/@platformatic/kafka/dist/protocol/', import.meta.url)
  const load = async (path: string): Promise<unknown> => import(fileURLToPath(new URL(path, url)))
  const { Writer: Theirs } = (await load('writer.js')) as {
    Writer: { create: () => PlatformaticWriter }
  }
  const { Reader: TheirReader } = (await load('reader.js')) as {
    Reader: { from: (data: Buffer) => PlatformaticReader }
  }
  const way = (
    write: (writer: PlatformaticWriter, value: number) => void,
    read: (reader: PlatformaticReader) => unknown,
  ): Way => ({
    name: '@platformatic/kafka',
    write(values) {
      const writer = Theirs.create()
      for (const value of values) write(writer, value)
      return writer.buffer
    },
    read(data) {
      const reader = TheirReader.from(data)
      let last: unknown
      while (reader.position < data.length) last = read(reader)
      return last
    },
  })
  varints.push(
    way(
      (writer, value) => writer.appendVarInt(value),
      (reader) => reader.readVarInt(),
    ),
  )
  varlongs.push(
    way(
      (writer, value) => writer.appendVarInt64(BigInt(value)),
      (reader) => reader.readVarInt64(),
    ),
  )
}

async function report(what: string, contenders: readonly Contender[]): Promise<void> {
  const timings = await inTurns(contenders, { rounds: 7, roundMs: 25 })
  const columns = timings.map(({ name, microseconds }) => {
    const nanoseconds = (microseconds * 1000) / COUNT
    return `${name} ${nanoseconds.toFixed(nanoseconds < 100 ? 1 : 0)} ns`
  })
  console.log(`${what.padEnd(30)} ${columns.join('   ')}`)
}

console.log(`Node ${process.version}, a value\n`)
try {
  addKafkajs()
  await addPlatformatic()
} catch (error) {
  console.error(`not all peers can be measured here: ${String(error).split('\n')[0]}`)
}
for (const [type, ways, some] of [
  ['varint', varints, shapes],
  ['varlong', varlongs, [...shapes, largest]],
] as const) {
  for (const { name, values } of some) {
    const expected = ways[0]!.write(values)
    const right = ways.filter((way) => way.write(values).equals(expected))
    for (const { name: wrong } of ways.filter((way) => !right.includes(way))) {
      console.log(`${wrong} writes something else for a ${type} of ${name}`)
    }
    const at = `${type} of ${name}`
    await report(
      `write ${at}`,
      right.map((way) => ({ name: way.name, run: () => way.write(values) })),
    )
    await report(
      `read ${at}`,
      right.map((way) => ({ name: way.name, run: () => way.read(expected) })),
    )
  }
}
