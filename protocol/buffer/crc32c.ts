/**
 * CRC-32C (Castagnoli): the checksum of record batches.
 *
 * Small inputs use lookup tables. From FOLD_MINIMUM bytes on, a loop of a few WebAssembly
 * instructions first folds the input down to its last WINDOW bytes, sixteen bytes at a time and
 * without any table, and the tables process the rest.
 *
 * The fold. In arithmetic modulo the CRC's polynomial, some sums of a few powers of x are zero. One
 * of them is
 *
 *     x^(8 * 290) + x^(8 * 136) + x^(8 * 113) + x^(8 * 107) + x^(8 * 32) + 1 = 0
 *
 * This means that a byte of the input may be cleared if it is XORed into the bytes 154, 177, 183,
 * 258 and 290 places further on: the CRC stays the same. All five distances are whole bytes, so
 * nothing is shifted, and none is smaller than sixteen bytes, so sixteen bytes can be processed at
 * once:
 *
 *     folded[p] = input[p] ^ folded[p - 154] ^ folded[p - 177] ^ ... ^ folded[p - 290]
 *
 * Measured on one core (x86-64 server, `benchmarks/crc32c.ts`, best of 15 turns), in GB/s, Node 24
 * and 26; Node 20 and 22 have 25 % less from the tables and 5 to 20 % less from the fold:
 *
 *                                      64 B   256 B   1 KiB   16 KiB   1 MiB
 *     tables, 16 at a time (kept)       1.5     1.8     2.0      2.0     2.0
 *     the same, indices unmasked        1.3     1.6     1.7      1.7     1.7
 *     8 at a time, indices unmasked     1.4     1.5     1.6      1.6     1.6
 *     16 at a time in WebAssembly                       2.6      3.0     3.0   without copying in
 *     32 at a time in WebAssembly                       2.9      3.4     3.4   without copying in
 *     fold (kept)                                       3.1     10.7    14.5
 *     zlib.crc32, to compare            0.4     1.5     3.3      6.1     6.5
 *     a native module, to compare       0.4     1.5     4.3     10.8    15.8
 *
 * Alternatives that were measured and rejected:
 *  - distances with a smaller maximum: 209 (nearest 65) leaves less to the tables but halves the
 *    speed, because a load that spans two unfinished stores has to wait for them. 266 (nearest 123)
 *    is 15 % slower at 1 MiB. A larger maximum (437, nearest 260) gains 6 % at 1 MiB and loses 20 %
 *    at 1 KiB.
 *  - sums of four powers: their loop runs at 30 GB/s rather than 15 to 18 (copying in not counted),
 *    but the smallest has a maximum of 5275 bytes. Sums of three or five do not exist: the
 *    polynomial is divisible by x + 1.
 *  - unrolling the loop: no gain.
 *  - `Buffer.copy` rather than `set` and `subarray`: clearly faster in Node 22 only.
 *  - the tables as a parameter, to share the loop with `crc32.ts`: 10 to 15 % slower, because the
 *    compiler then does not know their addresses.
 *  - other chunks: 4 KiB are 12 % slower at 1 MiB, 8 KiB as fast, 32 and 128 KiB 8 % slower.
 *
 * Not tried: tables in WebAssembly for the remainder. By the figures above they could save about 40
 * ns for each call, which does not justify a second function and its tables.
 *
 * The first use of the fold costs about a millisecond (assemble, compile, instantiate).
 */

/** The polynomial, bits reversed: the lowest bit is the highest power. */
const POLYNOMIAL = 0x82f63b78

/**
 * The distances, in bytes, at which a cleared byte is XORed in. With D the largest, the sum of x^(D
 * - d) over these and of x^D has to be a multiple of the polynomial, and the smallest has to be
 * sixteen or more. (It makes no difference whether x stands for one bit or for eight, because
 * raising to the eighth power preserves sums.) `test/unit/crc.test.ts` checks it. To look for
 * others: put x^a + x^b of all pairs into a hash table and look up x^D + 1 + x^c + x^d.
 */
export const FOLD_DISTANCES: readonly number[] = [154, 177, 183, 258, 290]

/** How many bytes back the fold looks, which is also how many bytes remain for the tables. */
const WINDOW = Math.max(...FOLD_DISTANCES)

/** Inputs shorter than this are faster with the tables alone (the break-even is near 512). */
export const FOLD_MINIMUM = 640

/** How many bytes are copied into WebAssembly's memory and folded at a time; 16 divides it. */
export const FOLD_CHUNK = 16384

const TABLES = slicingTables(POLYNOMIAL, 16)

/** The CRC-32C of `data[start, end)`; `seed` is the CRC of the preceding data, to continue it. */
export function crc32c(data: Uint8Array, start = 0, end = data.length, seed = 0): number {
  if (!(start >= 0 && start <= end && end <= data.length)) {
    throw new RangeError(
      `crc32c: the range ${start} to ${end} is not within the ${data.length} bytes`,
    )
  }
  return end - start < FOLD_MINIMUM
    ? crc32cByTables(data, start, end, seed)
    : crc32cByFolding(data, start, end, seed)
}

/** Like crc32c, but always with tables, and without checking the range. */
export function crc32cByTables(data: Uint8Array, start: number, end: number, seed = 0): number {
  return end < REACH ? ~slice(data, start, end, ~seed) >>> 0 : crc32cInParts(data, start, end, seed)
}

/** Like crc32cByTables, for data that lies (or ends) beyond a gigabyte. */
function crc32cInParts(data: Uint8Array, start: number, end: number, seed: number): number {
  let crc = seed
  for (let from = start; from < end; from += REACH / 2) {
    const part = data.subarray(from, Math.min(from + REACH / 2, end))
    crc = ~slice(part, 0, part.length, ~crc) >>> 0
  }
  return crc
}

/** Like crc32c, but always folds as much as possible, and does not check the range. */
export function crc32cByFolding(data: Uint8Array, start: number, end: number, seed = 0): number {
  if (folder === undefined) folder = makeFolder()
  if (folder === null || end - start < WINDOW) return crc32cByTables(data, start, end, seed)
  return ~foldAndSlice(folder, data, start, end, ~seed) >>> 0
}

/**
 * Whether this process can fold; without WebAssembly (as with `--jitless`) all inputs use tables.
 */
export function canFold(): boolean {
  if (folder === undefined) folder = makeFolder()
  return folder !== null
}

/**
 * Tables of 256 entries, one after the other: the k-th is for a byte with k bytes after it. The entry of a byte is the
 * sum of those of its bits, which takes 0.4 ms at the start of a process; shifting each takes 2.9.
 */
export function slicingTables(polynomial: number, count: number): Int32Array {
  const tables = new Int32Array(count * 256)
  for (let bit = 128, crc = 1; bit > 0; bit >>>= 1) {
    crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0)
    for (let i = 0; i < 256; i += 2 * bit) tables[i + bit] = tables[i]! ^ crc
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!
    tables[i] = (before >>> 8) ^ tables[before & 255]!
  }
  return tables
}

/** The position that `slice` must not reach: two numbers below it add up to a 32-bit integer. */
const REACH = 2 ** 30

/**
 * Applies `data[start, end)` to a CRC's state (the complement of the CRC), sixteen bytes in each
 * round; `end` is below REACH. The terms that depend on the state come last, because they form the
 * chain that the processor waits for. The mask and the count from zero show the compiler that no
 * index overflows, so that it does not check the sums.
 */
function slice(data: Uint8Array, start: number, end: number, state: number): number {
  const t = TABLES
  const base = start & (REACH - 1)
  const length = (end - start) & (REACH - 1)
  let crc = state
  let done = 0
  for (const last = length - 16; done <= last; done += 16) {
    const i = base + done
    crc =
      t[2816 + data[i + 4]!]! ^
      t[2560 + data[i + 5]!]! ^
      t[2304 + data[i + 6]!]! ^
      t[2048 + data[i + 7]!]! ^
      t[1792 + data[i + 8]!]! ^
      t[1536 + data[i + 9]!]! ^
      t[1280 + data[i + 10]!]! ^
      t[1024 + data[i + 11]!]! ^
      t[768 + data[i + 12]!]! ^
      t[512 + data[i + 13]!]! ^
      t[256 + data[i + 14]!]! ^
      t[data[i + 15]!]! ^
      (t[3840 + ((crc ^ data[i]!) & 255)]! ^
        t[3584 + (((crc >>> 8) ^ data[i + 1]!) & 255)]! ^
        t[3328 + (((crc >>> 16) ^ data[i + 2]!) & 255)]! ^
        t[3072 + ((crc >>> 24) ^ data[i + 3]!)]!)
  }
  for (; done < length; done++) crc = (crc >>> 8) ^ t[(crc ^ data[base + done]!) & 255]!
  return crc
}

/** WINDOW in whole vectors. */
const RESIDUE = (WINDOW + 15) & ~15

// The memory: WINDOW folded bytes of the previous chunk, this chunk's folded bytes (and room for
// the zeros after the last), then this chunk's input (and the rest that is not folded).
const OUTPUT = RESIDUE
const OUTPUT_WINDOW = OUTPUT - WINDOW
const INPUT = OUTPUT + FOLD_CHUNK + RESIDUE
const MEMORY_PAGES = Math.ceil((INPUT + FOLD_CHUNK + 2 * RESIDUE) / 65536)

/**
 * For each 16 bytes from `output` to `outputEnd` (at least one): the bytes at `input`, XORed with
 * those at each of FOLD_DISTANCES back from `window + WINDOW`. All three advance together.
 */
type Fold = (window: number, input: number, output: number, outputEnd: number) => void

interface Folder {
  readonly memory: Uint8Array
  readonly fold: Fold
}

/** Undefined before the first use, null if WebAssembly is not available. */
let folder: Folder | null | undefined

/** Applies `data[start, end)` to a CRC's state; the range has WINDOW bytes or more. */
function foldAndSlice(
  { memory, fold }: Folder,
  data: Uint8Array,
  start: number,
  end: number,
  state: number,
): number {
  memory.fill(0, OUTPUT_WINDOW, OUTPUT)
  let position = start
  for (;;) {
    // The bytes that can be cleared: all but the last WINDOW bytes, into which others are XORed.
    const clearable = (end - position - WINDOW) & ~15
    const last = clearable <= FOLD_CHUNK
    const length = last ? clearable : FOLD_CHUNK
    memory.set(data.subarray(position, last ? end : position + length), INPUT)
    if (position === start) {
      // Starting with a state is the same as starting with zero and XORing the state into the first
      // four bytes.
      memory[INPUT] = memory[INPUT]! ^ state
      memory[INPUT + 1] = memory[INPUT + 1]! ^ (state >>> 8)
      memory[INPUT + 2] = memory[INPUT + 2]! ^ (state >>> 16)
      memory[INPUT + 3] = memory[INPUT + 3]! ^ (state >>> 24)
    }
    const outputEnd = OUTPUT + length
    if (length > 0) fold(OUTPUT_WINDOW, INPUT, OUTPUT, outputEnd)
    if (last) {
      // The remaining input receives its part of the cleared bytes; the zeros after them contribute
      // nothing.
      memory.fill(0, outputEnd, outputEnd + RESIDUE)
      const rest = INPUT + length
      fold(outputEnd - WINDOW, rest, rest, rest + RESIDUE)
      return slice(memory, rest, INPUT + (end - position), 0)
    }
    memory.copyWithin(OUTPUT_WINDOW, outputEnd - WINDOW, outputEnd)
    position += length
  }
}

/** The part of WebAssembly's interface that this file uses; Node's types do not contain it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => {
    readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; readonly fold: Fold }
  }
}

declare const WebAssembly: WebAssemblyApi | undefined

function makeFolder(): Folder | null {
  if (typeof WebAssembly === 'undefined') return null
  try {
    const { memory, fold } = new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports
    // A Buffer, like most inputs, so that `slice` always gets the same kind of object.
    return { memory: Buffer.from(memory.buffer), fold }
  } catch {
    return null // no vector instructions, or a policy that forbids code generation
  }
}

/** The WebAssembly module: one memory, and the function `fold` (see Fold). */
function assemble(): Uint8Array {
  // Types, sections, kinds of export and instructions, by the names of the specification.
  const I32 = 0x7f
  const FUNCTION_TYPE = 0x60
  const NO_RESULT = 0x40
  const SECTION = { type: 1, function: 3, memory: 5, export: 7, code: 10 }
  const EXPORT = { function: 0, memory: 2 }
  const LOOP = 0x03
  const END = 0x0b
  const BR_IF = 0x0d
  const LOCAL_GET = 0x20
  const LOCAL_SET = 0x21
  const I32_CONST = 0x41
  const I32_LT_U = 0x49
  const I32_ADD = 0x6a
  const V128_LOAD = [0xfd, 0x00]
  const V128_STORE = [0xfd, 0x0b]
  const V128_XOR = [0xfd, 0x51]

  /** An unsigned number (LEB128). */
  const number = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...number(n >>> 7)])
  const sized = (bytes: number[]) => [...number(bytes.length), ...bytes]
  const name = (text: string) => sized([...Buffer.from(text)])
  /**
   * The offset that a load or store adds to its address; the alignment before it is only a hint.
   */
  const offset = (bytes: number) => [0, ...number(bytes)]
  const advance = (local: number) => [LOCAL_GET, local, I32_CONST, 16, I32_ADD, LOCAL_SET, local]

  // The parameters.
  const window = 0
  const input = 1
  const output = 2
  const outputEnd = 3

  // An instruction with its operands on each line.
  // prettier-ignore
  const fold = [
    0, // no locals besides the parameters
    LOOP, NO_RESULT,
      LOCAL_GET, output, // where V128_STORE is to store
      LOCAL_GET, input, ...V128_LOAD, ...offset(0),
      ...FOLD_DISTANCES.flatMap((distance) => [
        LOCAL_GET, window, ...V128_LOAD, ...offset(WINDOW - distance),
        ...V128_XOR,
      ]),
      ...V128_STORE, ...offset(0),
      ...advance(window),
      ...advance(input),
      ...advance(output),
      LOCAL_GET, output, LOCAL_GET, outputEnd, I32_LT_U,
      BR_IF, 0, // once more around the loop
    END,
    END,
  ]

  // A section of the module on each line.
  // prettier-ignore
  return Uint8Array.from([
    ...Buffer.from('\0asm'), 1, 0, 0, 0,
    SECTION.type, ...sized([1, FUNCTION_TYPE, 4, I32, I32, I32, I32, 0]),
    SECTION.function, ...sized([1, 0]),
    SECTION.memory, ...sized([1, 0, ...number(MEMORY_PAGES)]),
    SECTION.export, ...sized([
      2,
      ...name('memory'), EXPORT.memory, 0,
      ...name('fold'), EXPORT.function, 0,
    ]),
    SECTION.code, ...sized([1, ...sized(fold)]),
  ])
}
