import { zlibModule } from '../builtins.ts'
import { LIBZSTD_WASM } from './libzstd-wasm.ts'

/**
 * The functions of libzstd that are used. Addresses and sizes are signed 32-bit numbers: `>>> 0`
 * makes them positive.
 */
export interface Libzstd {
  /** The library's memory. Read it again after each call: growing replaces the buffer. */
  readonly memory: { readonly buffer: ArrayBuffer }
  malloc(sizeBytes: number): number
  free(address: number): void
  compressBound(sizeBytes: number): number
  compress(to: number, roomBytes: number, from: number, bytes: number, level: number): number
  decompress(to: number, roomBytes: number, from: number, bytes: number): number
}

/** Emscripten shortens the names. These are the exports in @bokuweb/zstd-wasm 0.0.27. */
interface Exports {
  f: Memory
  /** Runs the constructors of C++. It must be called once, before anything else. */
  g(): void
  i: Libzstd['compressBound']
  m: Libzstd['compress']
  r: Libzstd['decompress']
  s: Libzstd['malloc']
  t: Libzstd['free']
}

interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** The types of Node.js do not contain this global. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: Exports }
}

const PAGE_BYTES = 65_536
/** Grows by more than the requested size, as Emscripten does. */
const GROWTH = 1.2

/** Returns a new instance with its own memory. Throws if WebAssembly is disabled (`--jitless`). */
export function startLibzstd(): Libzstd {
  const bytes = zlibModule().brotliDecompressSync(Buffer.from(LIBZSTD_WASM, 'base64'))
  const imports = {
    a: ended, // proc_exit
    b: () => undefined, // emscripten_runtime_keepalive_clear
    c: ended, // abort
    d: () => 0, // setitimer
    e: (sizeBytes: number) => grow(exports.f, sizeBytes >>> 0), // emscripten_resize_heap
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { a: imports })
  exports.g()
  return {
    memory: exports.f,
    malloc: exports.s,
    free: exports.t,
    compressBound: exports.i,
    compress: exports.m,
    decompress: exports.r,
  }
}

function ended(): never {
  throw new Error('libzstd ended')
}

/** 1 if the memory has `sizeBytes` now, 0 if it cannot grow that much. */
function grow(memory: Memory, sizeBytes: number): number {
  const now = memory.buffer.byteLength
  for (const wantedBytes of [Math.max(sizeBytes, now * GROWTH), sizeBytes]) {
    try {
      memory.grow(Math.ceil((wantedBytes - now) / PAGE_BYTES))
      return 1
    } catch {
      // More than is available, or than the module allows.
    }
  }
  return 0
}
