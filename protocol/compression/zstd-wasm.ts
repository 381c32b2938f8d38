import { CodecUnavailableError, copied, damaged, pastCeiling, type OutputMemory } from './codec.ts'
import { startLibzstd, type Libzstd } from './libzstd.ts'

/**
 * zstd through libzstd as WebAssembly, for Node.js without zstd (before 22.15). It is loaded when
 * it is first used.
 */

/** libzstd returns error codes as negated results. */
const ERROR_DESTINATION_TOO_SMALL = 70
const ERROR_MEMORY = 64
const MAX_ERROR = 120

let loaded: Libzstd | undefined

export function isWasmAvailable(): boolean {
  try {
    loaded ??= load()
    return true
  } catch {
    return false
  }
}

/** The result is from `memory` and begins with `beforeBytes` bytes of any content. */
export function compressWithWasm(
  data: Uint8Array,
  level: number,
  beforeBytes = 0,
  memory?: OutputMemory,
): Uint8Array {
  const library = (loaded ??= load())
  const boundBytes = library.compressBound(data.length)
  const run = (to: number, from: number) =>
    library.compress(to, boundBytes, from, data.length, level)
  const result = withMemory(library, data, boundBytes, run, beforeBytes, memory)
  if (typeof result === 'number') throw new Error(`zstd: compression failed with code ${result}`)
  return result
}

/**
 * `data` contains whole frames that inflate to at most `boundBytes`; the limit may be lower than
 * that.
 */
export function decompressWithWasm(
  data: Uint8Array,
  boundBytes: number,
  limitBytes: number,
): Uint8Array {
  const library = (loaded ??= load())
  const roomBytes = Math.min(boundBytes, limitBytes)
  const run = (to: number, from: number) => library.decompress(to, roomBytes, from, data.length)
  let result: Uint8Array | number
  try {
    result = withMemory(library, data, roomBytes, run)
  } catch (error) {
    // After a trap the library's memory is in an unknown state: the next call creates a new
    // instance.
    loaded = undefined
    throw damaged('zstd', 'libzstd failed', undefined, error)
  }
  if (typeof result !== 'number') return result
  if (result === ERROR_DESTINATION_TOO_SMALL && boundBytes > limitBytes)
    throw pastCeiling('zstd', limitBytes)
  throw damaged('zstd', `libzstd failed with code ${result}`)
}

/**
 * Runs a function of libzstd on a copy of `data` in its memory; returns a copy of the output after
 * `beforeBytes` bytes of any content, or an error.
 */
function withMemory(
  library: Libzstd,
  data: Uint8Array,
  roomBytes: number,
  run: (to: number, from: number) => number,
  beforeBytes = 0,
  memory?: OutputMemory,
): Uint8Array | number {
  const from = library.malloc(data.length + 1) >>> 0
  const to = library.malloc(roomBytes + 1) >>> 0
  try {
    if (from === 0 || to === 0) return ERROR_MEMORY
    new Uint8Array(library.memory.buffer).set(data, from)
    const result = run(to, from) | 0
    if (result < 0 && result > -MAX_ERROR) return -result
    // Read again after the call, because growing the memory replaces the view.
    const output = new Uint8Array(library.memory.buffer, to, result >>> 0)
    return copied(output, output.length, beforeBytes, memory)
  } finally {
    if (to !== 0) library.free(to)
    if (from !== 0) library.free(from)
  }
}

/** Throws CodecUnavailableError, for example if WebAssembly is disabled. */
function load(): Libzstd {
  try {
    if (!('WebAssembly' in globalThis)) throw new Error('WebAssembly is turned off')
    return startLibzstd()
  } catch (error) {
    const has = 'Node.js 22.15 and newer have zstd built in'
    const why = error instanceof Error ? error.message : String(error)
    throw new CodecUnavailableError('zstd', `libzstd does not start (${why}); ${has}`, error)
  }
}
