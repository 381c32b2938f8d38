/**
 * `npm run build` makes in dist/:
 *
 * - ES modules: a file for each entry point of package.json and for each command, with what they share in chunks,
 *   so that there is one copy of every class. Node.js uses them for `import` and, from 20.19 on, for `require`. The
 *   commands contain commander, which costs less to load than to find in node_modules.
 * - cjs/: the entry points as CommonJS, for what cannot load ES modules, such as Jest in its default mode.
 * - cjs/, too: the declarations, a file for each entry point and one for each part that they share. As CommonJS they
 *   serve both kinds of projects; the ES modules re-export them.
 */
import * as esbuild from 'esbuild'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { bundledCommander } from './bundled-commander.ts'
import { writeDeclarations } from './declarations.ts'
import { commandEntries, entryPoints } from './entry-points.ts'
import { loadedLater } from './loaded-later.ts'

const DIST = 'dist'
const CJS = join(DIST, 'cjs')
const TARGET = 'node20.19'

async function main(): Promise<void> {
  rmSync(DIST, { recursive: true, force: true })
  await writeDeclarations(CJS)
  const sources = entryPoints().map(({ source }) => source)
  const commands = commandEntries().map(({ source }) => source)
  const outputs = await bundle([...sources, ...commands])
  escapeCharacters(outputs)
  await convert(filesOf(sources, outputs))
  sources.forEach(reExportDeclarations)
  writeFileSync(join(CJS, 'package.json'), '{ "type": "commonjs" }\n')
}

type Outputs = esbuild.Metafile['outputs']

async function bundle(sources: readonly string[]): Promise<Outputs> {
  const { metafile } = await esbuild.build({
    entryPoints: [...sources],
    outdir: DIST,
    outbase: '.',
    bundle: true,
    splitting: true,
    chunkNames: 'src/chunks/[hash]',
    packages: 'external',
    plugins: [bundledCommander, loadedLater],
    format: 'esm',
    platform: 'node',
    target: TARGET,
    sourcemap: true,
    metafile: true,
    logLevel: 'warning',
  })
  return metafile.outputs
}

/**
 * One character that is not Latin-1 makes V8 store and scan its whole file with two bytes a character. Only comments
 * have some: esbuild escapes those of the code.
 */
function escapeCharacters(outputs: Outputs): void {
  for (const path of Object.keys(outputs).filter((name) => name.endsWith('.js'))) {
    const text = readFileSync(path, 'utf8')
    const escaped = text.replace(
      /[^\0-\x7f]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    if (escaped !== text) writeFileSync(path, escaped)
  }
}

/** The files that entry points consist of: their own, and all chunks that those import. */
function filesOf(sources: readonly string[], outputs: Outputs): readonly string[] {
  const found = new Set<string>()
  const add = (path: string): void => {
    if (found.has(path)) return
    found.add(path)
    for (const imported of outputs[path]!.imports) if (!imported.external) add(imported.path)
  }
  for (const [path, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint !== undefined && sources.includes(entryPoint)) add(path)
  }
  return [...found]
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
