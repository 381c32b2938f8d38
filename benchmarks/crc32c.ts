/**
 * CRC-32C and CRC-32 by size and by way, in GB/s: `npx tsx benchmarks/crc32c.ts`.
 *
 * The ways are timed in turns, a few milliseconds each, so that a slow moment of the machine hits
 * all of them; the figures are each way's best turn and, in brackets, its median. Other packages
 * are measured along where they are installed (NODE_PATH is honoured).
 */
import { createRequire } from 'node:module'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { crc32, crc32ByTables } from '../protocol/buffer/crc32.ts'
import { crc32c, crc32cByFolding, crc32cByTables } from '../protocol/buffer/crc32c.ts'

type Way = (data: Buffer, start: number, end: number) => number

const SIZES = [64, 256, 512, 1024, 4096, 16384, 1 << 20]
const TURNS = 15
const TURN_MS = 4

/** Others' packages: module, function and how it is called. */
const PEERS = [
  { module: 'crc-32/crc32c.js', function: 'buf' },
  { module: '@node-rs/crc32', function: 'crc32c' },
  { module: 'fast-crc32c', function: 'calculate' },
]

const ways: Record<string, Way> = {
  'crc32c (as chosen by size)': (data, start, end) => crc32c(data, start, end),
  'crc32c by tables': (data, start, end) => crc32cByTables(data, start, end),
  'crc32c by folding': (data, start, end) => crc32cByFolding(data, start, end),
  'crc32 (as chosen by size)': (data, start, end) => crc32(data, start, end),
  'crc32 by tables': (data, start, end) => crc32ByTables(data, start, end),
  'crc32 by zlib': (data, start, end) => zlibCrc32(data.subarray(start, end)),
}

for (const peer of PEERS) {
  const found = load(peer.module, peer.function)
  if (found) ways[peer.module] = (data, start, end) => found(data.subarray(start, end))
}

function load(module: string, name: string): ((data: Buffer) => number) | undefined {
  try {
    const exports: unknown = createRequire(import.meta.url)(module)
    if (typeof exports !== 'object' || exports === null) return undefined
    const member: unknown = Reflect.get(exports, name)
    if (typeof member !== 'function') return undefined
    return (data) => Number(Reflect.apply(member, exports, [data]))
  } catch {
    return undefined // not installed
  }
}

const data = Buffer.alloc(SIZES.at(-1)! + 16384)
for (let i = 0; i < data.length; i++) data[i] = Math.imul(i, 0x9e3779b1) >>> 24

let sink = 0

/** GB/s of one turn; the start wanders, so that alignment and cache are those of real use. */
function turn(way: Way, size: number): number {
  const calls = Math.max(1, Math.ceil(20_000 / size))
  const began = process.hrtime.bigint()
  let bytes = 0
  for (;;) {
    for (let i = 0; i < calls; i++) {
      const start = (bytes + i * 61) & 16383
      sink ^= way(data, start, start + size)
    }
    bytes += calls * size
    const elapsed = Number(process.hrtime.bigint() - began)
    if (elapsed > TURN_MS * 1e6) return bytes / elapsed
  }
}

const began = performance.now()
sink ^= crc32cByFolding(data, 0, 2000)
console.log(
  `node ${process.version}: first use of the fold ${(performance.now() - began).toFixed(2)} ms`,
)

// All of them at all sizes first, so that the compilers are done.
for (const way of Object.values(ways)) {
  for (const size of SIZES) for (let i = 0; i < 5; i++) turn(way, size)
}

const width = Math.max(...Object.keys(ways).map((name) => name.length))
console.log(['GB/s'.padEnd(width), ...SIZES.map((size) => String(size).padStart(14))].join(''))

const rows = Object.entries(ways).map(([name, way]) => ({ name, way, cells: [] as string[] }))
for (const size of SIZES) {
  const figures = rows.map(() => [] as number[])
  for (let i = 0; i < TURNS; i++) rows.forEach((row, r) => figures[r]!.push(turn(row.way, size)))
  rows.forEach((row, r) => {
    const sorted = figures[r]!.sort((a, b) => a - b)
    const median = sorted[sorted.length >> 1]!
    row.cells.push(`${sorted.at(-1)!.toFixed(2)} (${median.toFixed(2)})`.padStart(14))
  })
}
for (const row of rows) console.log([row.name.padEnd(width), ...row.cells].join(''))
if (sink === 0.5) console.log(sink) // the sums are used, so they are computed
