import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { codecOf, forcePureCodecs } from '../protocol/compression/index.ts'
import { zstdCodec } from '../protocol/compression/zstd.ts'
import { thisMachine } from './report/machine.ts'
import { markdownTable } from './report/markdown.ts'
import { events } from './support/events.ts'

/**
 * MB/s in and out of each codec on 1 MiB of JSON lines: with WebAssembly and without, and the
 * libraries of others, each where it is installed. Run it with
 * `npm run bench:compression`, and `-- FOLDER` to leave a report there; best of several rounds,
 * in CPU time.
 */

const SAMPLE_BYTES = 1024 * 1024
const CEILING_BYTES = 16 * SAMPLE_BYTES
const ROUND_MS = 120
const ROUNDS = 6

interface Subject {
  name: string
  compress(data: Uint8Array): Uint8Array
  decompress(data: Uint8Array): Uint8Array
}

/** Lines like an application's events, the same in each run. */
function jsonLines(sizeBytes: number): Uint8Array {
  let lines = ''
  for (const event of events((random) => ({
    ip: `10.${random(256)}.${random(256)}.${random(256)}`,
  }))) {
    lines += `${event}\n`
    if (lines.length >= sizeBytes) break
  }
  return new TextEncoder().encode(lines.slice(0, sizeBytes))
}

function ours(name: string, codec: ReturnType<typeof codecOf>): Subject {
  return {
    name,
    compress: (data) => codec.compress(data),
    decompress: (data) => codec.decompress(data, CEILING_BYTES),
  }
}

/**
 * Best rate of `run`, which handles `sizeBytes`, in MB (millions) per second of the processor: other
 * work on the machine does not count.
 */
function rate(sizeBytes: number, run: () => unknown): number {
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage()
    let runs = 0
    let elapsedMs = 0
    while (elapsedMs < ROUND_MS) {
      run()
      runs++
      const { user, system } = process.cpuUsage(start)
      elapsedMs = (user + system) / 1000
    }
    best = Math.max(best, (sizeBytes * runs) / elapsedMs / 1000)
  }
  return best
}

/** Name, MB/s in and out, the size before by the size after. */
function row(subject: Subject, data: Uint8Array): string[] {
  const compressed = subject.compress(data)
  if (Buffer.compare(subject.decompress(compressed), data) !== 0)
    throw new Error(`${subject.name} does not give back what it got`)
  return [
    subject.name,
    String(Math.round(rate(data.length, () => subject.compress(data)))),
    String(Math.round(rate(data.length, () => subject.decompress(compressed)))),
    (data.length / compressed.length).toFixed(2),
  ]
}

/** Libraries of others, which this package does not depend on: only what is installed beside it. */
function peers(): Subject[] {
  const found: Subject[] = []
  const snappyjs = load('snappyjs')
  if (hasFunctions(snappyjs, 'compress', 'uncompress'))
    found.push({
      name: 'snappyjs (raw block)',
      compress: (data) => snappyjs.compress(data),
      decompress: (data) => snappyjs.uncompress(data),
    })
  const lz4js = load('lz4js')
  if (hasFunctions(lz4js, 'compress', 'decompress'))
    found.push({
      name: 'lz4js (frame)',
      compress: (data) => lz4js.compress(data),
      decompress: (data) => lz4js.decompress(data),
    })
  const native = load('snappy')
  if (hasFunctions(native, 'compressSync', 'uncompressSync'))
    found.push({
      name: 'snappy (native, raw block)',
      compress: (data) => native.compressSync(data),
      decompress: (data) => native.uncompressSync(data),
    })
  const nativeLz4 = load('lz4-napi')
  if (hasFunctions(nativeLz4, 'compressFrameSync', 'decompressFrameSync'))
    found.push({
      name: 'lz4-napi (native, frame)',
      compress: (data) => nativeLz4.compressFrameSync(Buffer.from(data)),
      decompress: (data) => nativeLz4.decompressFrameSync(Buffer.from(data)),
    })
  return found
}

function load(name: string): unknown {
  try {
    return createRequire(import.meta.url)(name)
  } catch {
    return undefined
  }
}

function hasFunctions<Name extends string>(
  found: unknown,
  ...names: Name[]
): found is Record<Name, (data: Uint8Array) => Uint8Array> {
  if (typeof found !== 'object' || found === null) return false
  const entries = new Map<string, unknown>(Object.entries(found))
  return names.every((name) => typeof entries.get(name) === 'function')
}

const data = jsonLines(SAMPLE_BYTES)
const rows = [['codec', 'in MB/s', 'out MB/s', 'ratio']]
for (const name of ['gzip', 'snappy', 'lz4', 'zstd'] as const)
  rows.push(row(ours(name, codecOf(name)), data))
forcePureCodecs(true)
for (const name of ['snappy', 'lz4'] as const)
  rows.push(row(ours(`${name} (TypeScript)`, codecOf(name)), data))
forcePureCodecs(false)
rows.push(row(ours('zstd (WebAssembly)', zstdCodec(3, true)), data))
for (const peer of peers()) rows.push(row(peer, data))

const { processor, cores, system, commit } = thisMachine()
const report = `# ${new Date().toISOString().slice(0, 10)}: npm run bench:compression

- ${processor}, ${cores} cores; ${system}; Node.js ${process.version}
- samsa at ${commit}; ${data.length} bytes of JSON lines, per second of CPU time, best of ${ROUNDS} rounds
- “ratio” is the size before by the size after. “TypeScript” is without WebAssembly.

${markdownTable(rows)}
`
console.log(report)
const [folder] = process.argv.slice(2)
if (folder !== undefined) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.md'), report)
}
