import { createRequire } from 'node:module'

/**
 * Native libraries that are used where the application has installed them, see docs/compression.md.
 * Missing ones, and ones that do not load or do not answer as they should, are passed over silently:
 * the codecs in TypeScript do the same.
 */

/**
 * What is used of `lz4-napi`: blocks behind 4 bytes that say how much they hold at most. Not its
 * compression, which is slower than ours at blocks of 64 KiB, nor its frames, which know no ceiling.
 */
export interface NativeLz4 {
  uncompressSync(data: Buffer): Uint8Array
}

/** What is used of `snappy`: raw blocks. */
export interface NativeSnappy {
  compressSync(data: Uint8Array, options: { copyOutputData: boolean }): Uint8Array
  uncompressSync(data: Uint8Array, options: { copyOutputData: boolean }): Uint8Array
}

/** Without it these libraries wrap their memory in an external buffer, which is four times slower. */
export const COPY_OUTPUT = { copyOutputData: true }

let pureOnly = false
let lz4: NativeLz4 | undefined
let snappy: NativeSnappy | undefined
let looked = false

/** True: the codecs in TypeScript only. False: native libraries where they are found (the default). */
export function forcePureCodecs(force: boolean): void {
  pureOnly = force
}

export function nativeLz4(): NativeLz4 | undefined {
  if (!looked) look()
  return pureOnly ? undefined : lz4
}

export function nativeSnappy(): NativeSnappy | undefined {
  if (!looked) look()
  return pureOnly ? undefined : snappy
}

function look(): void {
  looked = true
  const foundLz4 = load('lz4-napi')
  if (hasFunctions(foundLz4, 'uncompressSync')) {
    // A block of 7 literals, with room for 12: the room is a ceiling, not the size.
    const block = Buffer.from([12, 0, 0, 0, 0x70, ...Buffer.from('samsa 4')])
    if (answers(() => foundLz4.uncompressSync(block), 'samsa 4')) lz4 = foundLz4
  }
  const foundSnappy = load('snappy')
  if (hasFunctions(foundSnappy, 'compressSync', 'uncompressSync')) {
    const roundTrip = () =>
      foundSnappy.uncompressSync(
        foundSnappy.compressSync(Buffer.from('samsa 2'), COPY_OUTPUT),
        COPY_OUTPUT,
      )
    if (answers(roundTrip, 'samsa 2')) snappy = foundSnappy
  }
}

function load(name: string): unknown {
  try {
    return createRequire(import.meta.url)(name)
  } catch {
    return undefined
  }
}

type Native = NativeLz4 & NativeSnappy

function hasFunctions<Name extends keyof Native>(
  found: unknown,
  ...names: Name[]
): found is Pick<Native, Name> {
  if (typeof found !== 'object' || found === null) return false
  const functions = new Map<string, unknown>(Object.entries(found))
  return names.every((name) => typeof functions.get(name) === 'function')
}

function answers(run: () => Uint8Array, expected: string): boolean {
  try {
    return Buffer.compare(run(), Buffer.from(expected)) === 0
  } catch {
    return false
  }
}
