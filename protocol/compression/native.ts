import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * Native libraries, used if the application has installed them (docs/compression.md). A library
 * that is missing, has another version, does not load, or returns wrong results is ignored: the
 * TypeScript codecs do the same work.
 */

/**
 * The functions of `lz4-napi` that are used: blocks after 4 bytes with their maximum content size.
 * Its compression is slower than ours at blocks of 64 KiB, and its frames have no size limit.
 */
export interface NativeLz4 {
  uncompressSync(data: Buffer): Uint8Array
}

/** The functions of `snappy` that are used: raw blocks. */
export interface NativeSnappy {
  compressSync(data: Uint8Array, options: { copyOutputData: boolean }): Uint8Array
  uncompressSync(data: Uint8Array, options: { copyOutputData: boolean }): Uint8Array
}

export interface NativeCodecs {
  readonly lz4?: NativeLz4
  readonly snappy?: NativeSnappy
}

/**
 * Without this option these libraries wrap their memory in an external buffer, which is four times
 * slower.
 */
export const COPY_OUTPUT = { copyOutputData: true }

/**
 * The accepted versions: this minor version or a later one of the same major version, like `^` in
 * the peer dependencies of package.json. npm does not check optional peers that another package
 * installed.
 */
export const NATIVE_VERSIONS = { 'lz4-napi': [2, 10], snappy: [7, 4] } as const
type Name = keyof typeof NATIVE_VERSIONS

/** If it is `off`, no native library is loaded. */
const SWITCH = 'SAMSA_NATIVE_CODECS'

let pureOnly = false
let found: NativeCodecs | undefined

/** True: only the TypeScript codecs. False (the default): native libraries if they are found. */
export function forcePureCodecs(force: boolean): void {
  pureOnly = force
}

export function nativeLz4(): NativeLz4 | undefined {
  return natives().lz4
}

export function nativeSnappy(): NativeSnappy | undefined {
  return natives().snappy
}

const NONE: NativeCodecs = {}

function natives(): NativeCodecs {
  if (pureOnly) return NONE
  return (found ??= process.env[SWITCH] === 'off' ? NONE : findNatives(import.meta.url))
}

/** Searches the `node_modules` of a file's folder and of the folders above it. */
export function findNatives(from: string): NativeCodecs {
  const lz4 = load(from, 'lz4-napi')
  const snappy = load(from, 'snappy')
  return {
    ...(hasFunctions(lz4, 'uncompressSync') && lz4Works(lz4) ? { lz4 } : {}),
    ...(hasFunctions(snappy, 'compressSync', 'uncompressSync') && snappyWorks(snappy)
      ? { snappy }
      : {}),
  }
}

function lz4Works(lz4: NativeLz4): boolean {
  // A block of 7 literals with 12 bytes of memory: the memory is an upper limit, not the size.
  const block = Buffer.from([12, 0, 0, 0, 0x70, ...Buffer.from('samsa 4')])
  return answers(() => lz4.uncompressSync(block), 'samsa 4')
}

function snappyWorks(snappy: NativeSnappy): boolean {
  const roundTrip = (): Uint8Array =>
    snappy.uncompressSync(snappy.compressSync(Buffer.from('samsa 2'), COPY_OUTPUT), COPY_OUTPUT)
  return answers(roundTrip, 'samsa 2')
}

/** Undefined if the library is missing or has a version that is not accepted. */
function load(from: string, name: Name): unknown {
  try {
    const require = createRequire(from)
    return isAccepted(name, versionOf(name, require.resolve(name))) ? require(name) : undefined
  } catch {
    return undefined
  }
}

/** Reads the package.json above a file of a package: lz4-napi does not export its own. */
function versionOf(name: Name, file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = manifestIn(folder)
    if (manifest?.name === name) return manifest.version ?? ''
  }
  return ''
}

function manifestIn(folder: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as object
  } catch {
    return undefined
  }
}

function isAccepted(name: Name, version: string): boolean {
  const [major, minor] = NATIVE_VERSIONS[name]
  // A prerelease such as 7.5.0-beta.1 is not accepted.
  const parts = /^(\d+)\.(\d+)\.\d+$/.exec(version)
  return parts !== null && Number(parts[1]) === major && Number(parts[2]) >= minor
}

type Native = NativeLz4 & NativeSnappy

function hasFunctions<Key extends keyof Native>(
  library: unknown,
  ...names: Key[]
): library is Pick<Native, Key> {
  if (typeof library !== 'object' || library === null) return false
  const functions = new Map<string, unknown>(Object.entries(library))
  return names.every((name) => typeof functions.get(name) === 'function')
}

function answers(run: () => Uint8Array, expected: string): boolean {
  try {
    return Buffer.compare(run(), Buffer.from(expected)) === 0
  } catch {
    return false
  }
}
