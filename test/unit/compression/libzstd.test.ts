import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { startLibzstd } from '../../../protocol/compression/libzstd.ts'
import { LIBZSTD_WASM } from '../../../protocol/compression/libzstd-wasm.ts'
import { compressWithWasm, decompressWithWasm } from '../../../protocol/compression/zstd-wasm.ts'

const MIB = 1024 * 1024

describe('libzstd as WebAssembly', () => {
  it('is byte for byte the module of the development dependency', () => {
    const original = readFileSync('node_modules/@bokuweb/zstd-wasm/dist/common/zstd.wasm')
    expect(brotliDecompressSync(Buffer.from(LIBZSTD_WASM, 'base64')).equals(original)).toBe(true)
  })

  it('grows its memory when its input requires it', () => {
    const data = new Uint8Array(64 * MIB).fill(7)
    const compressed = compressWithWasm(data, 3)
    expect(Buffer.compare(decompressWithWasm(compressed, data.length, data.length), data)).toBe(0)
  })

  it('stays within the memory limit of its module', () => {
    expect(startLibzstd().malloc(0xf000_0000) >>> 0).toBe(0)
  })
})
