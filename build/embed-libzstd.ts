/**
 * `npm run embed-libzstd` writes protocol/compression/libzstd-wasm.ts from the development dependency
 * @bokuweb/zstd-wasm: libzstd stands in the code, so that bundlers cannot lose it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants } from 'node:zlib'

const LIBZSTD_FILE = 'node_modules/@bokuweb/zstd-wasm/dist/common/zstd.wasm'
const TARGET = 'protocol/compression/libzstd-wasm.ts'

const wasm = readFileSync(LIBZSTD_FILE)
const compressed = brotliCompressSync(wasm, {
  params: { [constants.BROTLI_PARAM_SIZE_HINT]: wasm.length },
})
writeFileSync(
  TARGET,
  `/**
 * libzstd as WebAssembly, compressed with Brotli, in base64. \`npm run embed-libzstd\` writes this file from
 * @bokuweb/zstd-wasm 0.0.27 (MIT; zstd itself is BSD-3-Clause, see THIRD-PARTY-NOTICES.md).
 */
export const LIBZSTD_WASM =
  '${compressed.toString('base64')}'
`,
)
