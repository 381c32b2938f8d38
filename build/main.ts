/**
 * `npm run build` makes in dist/:
 *
 * - ES modules: a file for each entry point of package.json and for the command, with what they share in chunks,
 *   so that there is one copy of every class. Node.js uses them for `import` and, from 20.19 on, for `require`.
 * - cjs/: the same files as CommonJS, for what cannot load ES modules, such as Jest in its default mode.
 * - cjs/, too: the declarations. As CommonJS they serve both kinds of projects; the ES modules re-export them.
 */
import * as esbuild from 'esbuild'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { entryPoints } from './entry-points.ts'

const DIST = 'dist'
const CJS = join(DIST, 'cjs')
const COMMAND = 'src/cli/main.ts'
const TARGET = 'node20.19'

async function main(): Promise<void> {
  rmSync(DIST, { recursive: true, force: true })
  execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json', '--outDir', CJS], { stdio: 'inherit' })
  makeDeclarationsReadable()
  const sources = entryPoints().map(({ source }) => source)
  const modules = await bundle([...sources, COMMAND])
  await convert(modules.filter((path) => !path.endsWith('/cli/main.js')))
  sources.forEach(reExportDeclarations)
  writeFileSync(join(CJS, 'package.json'), '{ "type": "commonjs" }\n')
}

/** Resolves with the JavaScript files that were written. */
async function bundle(sources: readonly string[]): Promise<string[]> {
  const { metafile } = await esbuild.build({
    entryPoints: [...sources],
    outdir: DIST,
    outbase: '.',
    bundle: true,
    splitting: true,
    chunkNames: 'src/chunks/[hash]',
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: TARGET,
    sourcemap: true,
    metafile: true,
    logLevel: 'warning',
  })
  return Object.keys(metafile.outputs).filter((path) => path.endsWith('.js'))
}

async function convert(modules: readonly string[]): Promise<void> {
  await esbuild.build({
    entryPoints: [...modules],
    outdir: CJS,
    outbase: DIST,
    format: 'cjs',
    platform: 'node',
    target: TARGET,
    // Jest has no import() in its default mode.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': '__filename' },
    logLevel: 'warning',
  })
}

/**
 * For TypeScript 5.4 to 5.6: there, imports in declarations cannot end in `.ts`, which TypeScript rewrites in
 * JavaScript only, and Uint8Array has no parameter. Without one it means the same from 5.7 on.
 */
function makeDeclarationsReadable(): void {
  for (const name of readdirSync(CJS, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue
    const path = join(CJS, name)
    const text = readFileSync(path, 'utf8')
    const readable = text
      .replace(/((?:from |import\()['"]\.[^'"]*)\.ts(?=['"])/g, '$1.js')
      .replace(/\b(Uint8Array|Buffer)<ArrayBuffer(?:Like)?>/g, '$1')
    writeFileSync(path, readable)
  }
}

function reExportDeclarations(source: string): void {
  const folder = join(DIST, dirname(source))
  const target = relative(folder, join(CJS, source.replace(/\.ts$/, '.js')))
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(DIST, source.replace(/\.ts$/, '.d.ts')),
    `export * from '${target.startsWith('.') ? target : `./${target}`}'\n`,
  )
}

await main()
