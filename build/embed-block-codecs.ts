/**
 * `npm run embed-block-codecs` compiles assembly/ with the development dependency AssemblyScript, and
 * writes the module to protocol/compression/block-codecs-wasm.ts. With `--check` it fails if that file
 * differs.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const COMPILER = 'node_modules/assemblyscript/bin/asc.js'
const SOURCE = 'assembly/index.ts'
const TARGET = 'protocol/compression/block-codecs-wasm.ts'
/** The hash table precedes the constants. */
const CONSTANTS_AT = 32 * 1024
/** As block-codecs.ts divides the memory. */
const MEMORY_PAGES = 131

function compiled(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-assembly-'))
  try {
    const file = join(folder, 'block-codecs.wasm')
    const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd,bulk-memory']
    const memory = ['--memoryBase', `${CONSTANTS_AT}`, '--initialMemory', `${MEMORY_PAGES}`]
    // A process of its own: tsx would take seconds to convert the compiler.
    execFileSync(process.execPath, [COMPILER, SOURCE, '--outFile', file, ...flags, ...memory], {
      stdio: 'inherit',
    })
    return readFileSync(file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const wasm = compiled()
const text = `/**
 * lz4 and snappy as WebAssembly, in base64. \`npm run embed-block-codecs\` writes this file from assembly/.
 */
export const BLOCK_CODECS_WASM =
  '${wasm.toString('base64')}'
`
if (process.argv.includes('--check')) {
  if (readFileSync(TARGET, 'utf8') !== text) {
    console.error(`${TARGET} is not what assembly/ compiles to: run npm run embed-block-codecs`)
    process.exitCode = 1
  }
} else {
  writeFileSync(TARGET, text)
  console.log(`${TARGET}: ${wasm.length} bytes of WebAssembly`)
}
