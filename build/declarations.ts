import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { rollup, type Plugin } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { entryPoints } from './entry-points.ts'

/**
 * Writes the declarations of all entry points into `folder`: one file for each, and files in `types/` for what they
 * share, so that each class is declared once. Members that are marked `@internal` are left out.
 */
export async function writeDeclarations(folder: string): Promise<void> {
  const compiled = mkdtempSync(join(tmpdir(), 'samsa-declarations-'))
  try {
    execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json', '--outDir', compiled], {
      stdio: 'inherit',
    })
    rewriteEach(compiled, (text) => text.replace(TS_IMPORT, '$1.js'))
    await bundle(compiled, folder)
    rewriteEach(folder, (text) => text.replace(GENERIC_BYTES, '$1'))
  } finally {
    rmSync(compiled, { recursive: true, force: true })
  }
}

/** TypeScript rewrites imports of `./x.ts` in JavaScript only. */
const TS_IMPORT = /((?:from |import\()['"]\.[^'"]*)\.ts(?=['"])/g
/** Before TypeScript 5.7 Uint8Array has no parameter. From 5.7 on it means the same without one. */
const GENERIC_BYTES = /\b(Uint8Array|Buffer)<ArrayBuffer(?:Like)?>/g

async function bundle(compiled: string, folder: string): Promise<void> {
  const paths = entryPoints().map(({ source }) => source.replace(/\.ts$/, ''))
  const bundled = await rollup({
    input: Object.fromEntries(paths.map((path) => [path, join(compiled, `${path}.d.ts`)])),
    plugins: [keepEntriesApart(compiled, paths), dts()],
    external: (id) => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith(compiled),
    onwarn: ({ message }) => {
      throw new Error(`rollup cannot bundle the declarations: ${message}`)
    },
  })
  await bundled.write({
    dir: folder,
    format: 'es',
    entryFileNames: '[name].d.ts',
    chunkFileNames: 'types/[name].ts',
    minifyInternalExports: false,
  })
}

/**
 * An entry point that imports another one, as samsa/storm does samsa, continues importing it: what the other one keeps to
 * itself would otherwise have to be in a file that both share.
 */
function keepEntriesApart(compiled: string, paths: readonly string[]): Plugin {
  const entries = new Set(paths.map((path) => join(compiled, `${path}.js`)))
  return {
    name: 'entry points',
    resolveId: (id, importer) => {
      if (importer === undefined || !id.startsWith('.')) return undefined
      const target = join(dirname(importer), id)
      return entries.has(target) ? { id: target, external: 'relative' } : undefined
    },
  }
}

function rewriteEach(folder: string, rewrite: (text: string) => string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue
    const path = join(folder, name)
    writeFileSync(path, rewrite(readFileSync(path, 'utf8')))
  }
}
