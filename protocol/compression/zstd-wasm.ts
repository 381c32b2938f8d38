import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { CodecUnavailableError, damaged, pastCeiling } from './codec.ts'

/**
 * libzstd as WebAssembly, for Node.js without zstd of its own (before 22.15). The package is loaded
 * when zstd is first used. Of its parts only the bare functions of libzstd are used: its own
 * `decompress` believes the sizes in the data, and its own start is asynchronous.
 */
const PACKAGE = '@bokuweb/zstd-wasm'

/** libzstd's error codes are its results, negated. */
const ERROR_DESTINATION_TOO_SMALL = 70
const ERROR_MEMORY = 64
const MAX_ERROR = 120

interface Libzstd {
  HEAPU8: Uint8Array
  _malloc(sizeBytes: number): number
  _free(address: number): void
  _ZSTD_compressBound(sizeBytes: number): number
  _ZSTD_compress(to: number, roomBytes: number, from: number, bytes: number, level: number): number
  _ZSTD_decompress(to: number, roomBytes: number, from: number, bytes: number): number
}

/** What the package's loader lets its user put in. */
interface Loader {
  instantiateWasm?(imports: object, receive: (instance: object) => unknown): unknown
  init(): unknown
}

/** The types of Node.js 20 leave the global out. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => object
}

let loaded: Libzstd | undefined

export function isWasmAvailable(): boolean {
  try {
    loaded ??= load()
    return true
  } catch {
    return false
  }
}

export function compressWithWasm(data: Uint8Array, level: number): Uint8Array {
  const library = (loaded ??= load())
  const boundBytes = library._ZSTD_compressBound(data.length)
  const run = (to: number, from: number) =>
    library._ZSTD_compress(to, boundBytes, from, data.length, level)
  const result = withMemory(library, data, boundBytes, run)
  if (typeof result === 'number') throw new Error(`zstd: compression failed with code ${result}`)
  return result
}

/** `data` is whole frames that inflate to `boundBytes` at most; the limit may be less than that. */
export function decompressWithWasm(
  data: Uint8Array,
  boundBytes: number,
  limitBytes: number,
): Uint8Array {
  const library = (loaded ??= load())
  const roomBytes = Math.min(boundBytes, limitBytes)
  const run = (to: number, from: number) =>
    library._ZSTD_decompress(to, roomBytes, from, data.length)
  let result: Uint8Array | number
  try {
    result = withMemory(library, data, roomBytes, run)
  } catch (error) {
    // A trap leaves the library's memory in an unknown state: the next call starts a new instance.
    loaded = undefined
    throw damaged('zstd', 'libzstd failed', undefined, error)
  }
  if (typeof result !== 'number') return result
  if (result === ERROR_DESTINATION_TOO_SMALL && boundBytes > limitBytes)
    throw pastCeiling('zstd', limitBytes)
  throw damaged('zstd', `libzstd's error ${result}`)
}

/** Runs a function of libzstd on a copy of `data` in its memory: a copy of the output or an error. */
function withMemory(
  library: Libzstd,
  data: Uint8Array,
  roomBytes: number,
  run: (to: number, from: number) => number,
): Uint8Array | number {
  const from = library._malloc(data.length + 1)
  const to = library._malloc(roomBytes + 1)
  try {
    if (from === 0 || to === 0) return ERROR_MEMORY
    library.HEAPU8.set(data, from)
    const result = run(to, from) | 0
    if (result < 0 && result > -MAX_ERROR) return -result
    // Read again after the call: growing the memory replaces the view.
    return library.HEAPU8.slice(to, to + (result >>> 0))
  } finally {
    if (to !== 0) library._free(to)
    if (from !== 0) library._free(from)
  }
}

/** Throws CodecUnavailableError, such as in a bundle without the package, or where WebAssembly is turned off. */
function load(): Libzstd {
  try {
    return start()
  } catch (error) {
    const has = 'Node.js has zstd of its own from 22.15 on'
    const reason = `${PACKAGE} cannot be loaded (${error instanceof Error ? error.message : String(error)}); ${has}`
    throw new CodecUnavailableError('zstd', reason, error)
  }
}

function start(): Libzstd {
  // Checked first: the package's loader would print that it aborts.
  if (!('WebAssembly' in globalThis)) throw new Error('WebAssembly is turned off')
  const require = createRequire(import.meta.url)
  const folder = dirname(require.resolve(PACKAGE))
  const found: unknown = require(join(folder, 'module.js'))
  const library: unknown = isObject(found) && 'Module' in found ? found.Module : undefined
  if (!isLoader(library)) throw new Error(`${PACKAGE} is not the version that samsa knows`)
  library.instantiateWasm = (imports, receive) => {
    const module = new WebAssembly.Module(readFileSync(join(folder, 'zstd.wasm')))
    return receive(new WebAssembly.Instance(module, imports))
  }
  library.init()
  if (!isLibzstd(library)) throw new Error(`${PACKAGE} did not start`)
  return library
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isLoader(value: unknown): value is Loader {
  return isObject(value) && 'init' in value && typeof value.init === 'function'
}

function isLibzstd(value: object): value is Libzstd {
  return (
    'HEAPU8' in value &&
    value.HEAPU8 instanceof Uint8Array &&
    '_malloc' in value &&
    '_free' in value &&
    '_ZSTD_compressBound' in value &&
    '_ZSTD_compress' in value &&
    '_ZSTD_decompress' in value
  )
}
