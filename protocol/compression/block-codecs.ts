import { BLOCK_CODECS_WASM } from './block-codecs-wasm.ts'

/**
 * The blocks of lz4 and snappy by WebAssembly, compiled from assembly/. A block is copied into the
 * module's memory and its result out of it: both stay in the processor's cache. A block that is
 * not decompressed, for whatever reason, goes to the code in TypeScript, which finds the error.
 *
 * Measured on one core of two busy ones (x86-64 server, Node 20, MB/s of CPU time, best of 6 turns,
 * JSON lines; 1 MiB is 16 or 32 blocks; “native” are the packages lz4-napi, for decompression, and
 * snappy, which samsa used before if they were installed):
 *
 *                          256 B    1 KiB    4 KiB   16 KiB    1 MiB
 *     lz4 in                 100      378      777     1195      906
 *     in TypeScript           94      271      438      603      462
 *     lz4 out                         62      251      672     2093   (below 64 KiB: the memory)
 *     in TypeScript                    62      195      443      835
 *     native                           56      159      442     1111
 *     snappy in              163      444      771     1123      822
 *     in TypeScript          108      318      477      660      498
 *     native                 135      400      717     1246     1031
 *     snappy out             226      705     1642     1759     1873
 *     in TypeScript          177      474      765     1045      562
 *     native                 154      289      680      762     1088
 *
 * Without gain: decorators that force inlining (the compiler inlines what is worth it).
 */

/** What the module exports. Addresses are positions in its memory. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly lz4Compress: Compress
  readonly lz4Decompress: Decompress
  readonly snappyCompress: Compress
  readonly snappyDecompress: Decompress
}

/** Returns the address after the block. */
type Compress = (start: number, end: number, output: number) => number
/** Returns the address after the content, or 0. */
type Decompress = (start: number, end: number, output: number, outputEnd: number) => number

/** The types of Node.js do not contain this global. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object
      readonly Instance: new (module: object) => { readonly exports: Exports }
    }
  | undefined

const PAGE_BYTES = 64 * 1024
/** The largest block of lz4. Larger blocks of snappy, which no client writes, stay in TypeScript. */
const MOST_BYTES = 4 * 1024 * 1024
/**
 * The memory: a page with the hash table and constants, then two areas, each followed by a page
 * for the bytes past its end that are read and written. Pages that are not used take no memory.
 */
const INPUT = PAGE_BYTES
const OUTPUT = INPUT + MOST_BYTES + PAGE_BYTES

/** Smaller blocks are as fast in TypeScript, because of the copies and the hash table to clear. */
const FROM_BYTES = 128

/** The result if a block goes to the code in TypeScript. */
export const NOT_HERE = -1

/** The blocks of one format. */
export class BlockCodec {
  readonly #memory: Uint8Array
  readonly #compress: Compress
  readonly #decompress: Decompress
  readonly #fromBytes: number

  constructor(memory: Uint8Array, compress: Compress, decompress: Decompress, fromBytes: number) {
    this.#memory = memory
    this.#compress = compress
    this.#decompress = decompress
    this.#fromBytes = fromBytes
  }

  /**
   * Compresses input[start..end), 64 KiB at most, to `output` at `outputStart`, where
   * `compressedBound` bytes are available. Returns the position after it, or NOT_HERE.
   */
  compress(
    input: Uint8Array,
    start: number,
    end: number,
    output: Uint8Array,
    outputStart: number,
  ): number {
    if (end - start < this.#fromBytes) return NOT_HERE
    const memory = this.#memory
    memory.set(input.subarray(start, end), INPUT)
    const blockEnd = this.#compress(INPUT, INPUT + end - start, OUTPUT)
    output.set(memory.subarray(OUTPUT, blockEnd), outputStart)
    return outputStart + blockEnd - OUTPUT
  }

  /**
   * Decompresses input[start..end) to `output` from `outputStart` to `outputEnd` at most. Returns
   * the position after the content, or NOT_HERE.
   */
  decompress(
    input: Uint8Array,
    start: number,
    end: number,
    output: Uint8Array,
    outputStart: number,
    outputEnd: number,
  ): number {
    const sizeBytes = end - start
    const roomBytes = outputEnd - outputStart
    if (sizeBytes < this.#fromBytes || Math.max(sizeBytes, roomBytes) > MOST_BYTES) return NOT_HERE
    const memory = this.#memory
    memory.set(input.subarray(start, end), INPUT)
    const contentEnd = this.#decompress(INPUT, INPUT + sizeBytes, OUTPUT, OUTPUT + roomBytes)
    if (contentEnd === 0) return NOT_HERE
    output.set(memory.subarray(OUTPUT, contentEnd), outputStart)
    return outputStart + contentEnd - OUTPUT
  }
}

export interface BlockCodecs {
  readonly lz4?: BlockCodec
  readonly snappy?: BlockCodec
}

const NONE: BlockCodecs = {}
let started: BlockCodecs | undefined
let pureOnly = false

/** True: only the code in TypeScript. False (the default): WebAssembly, unless Node.js has none. */
export function forcePureCodecs(force: boolean): void {
  pureOnly = force
}

/** Starts the module when it is first used, which takes about a millisecond. */
export function blockCodecs(): BlockCodecs {
  return pureOnly ? NONE : (started ??= startBlockCodecs(FROM_BYTES))
}

/** A new instance with its own memory, for blocks of `fromBytes` and more. */
export function startBlockCodecs(fromBytes: number): BlockCodecs {
  if (typeof WebAssembly === 'undefined') return NONE
  try {
    const module = new WebAssembly.Module(Buffer.from(BLOCK_CODECS_WASM, 'base64'))
    const { exports } = new WebAssembly.Instance(module)
    const memory = new Uint8Array(exports.memory.buffer)
    return {
      lz4: new BlockCodec(memory, exports.lz4Compress, exports.lz4Decompress, fromBytes),
      snappy: new BlockCodec(memory, exports.snappyCompress, exports.snappyDecompress, fromBytes),
    }
  } catch {
    return NONE // no vector instructions, or a policy that forbids code generation
  }
}
