/** `node build.mjs BUNDLER ENTRY FOLDER` bundles a program, and all it imports, into FOLDER. */
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const [name, entry, folder] = process.argv.slice(2)

/** Packages that are CommonJS call `require`, which ES modules do not have. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"

async function withEsbuild(format, extension, banner = {}) {
  const esbuild = await import('esbuild')
  const outfile = join(folder, `main.${extension}`)
  const options = { entryPoints: [entry], outfile, bundle: true, platform: 'node', format, banner }
  await esbuild.build({ ...options, logLevel: 'warning' })
}

const BUNDLERS = {
  'esbuild-esm': () => withEsbuild('esm', 'mjs', { js: REQUIRE }),

  'esbuild-cjs': () => withEsbuild('cjs', 'cjs'),

  async rollup() {
    const { rollup } = await import('rollup')
    const plugins = [
      (await import('@rollup/plugin-node-resolve')).default({ preferBuiltins: true }),
      (await import('@rollup/plugin-commonjs')).default(),
      (await import('@rollup/plugin-json')).default(),
    ]
    const bundle = await rollup({ input: entry, plugins, logLevel: 'silent' })
    await bundle.write({ dir: folder, format: 'es', entryFileNames: 'main.mjs' })
  },

  async webpack() {
    const { default: webpack } = await import('webpack')
    const output = { path: folder, filename: 'main.cjs' }
    const options = { entry, output, target: 'node20', mode: 'production' }
    const stats = await new Promise((done, failed) =>
      webpack(options, (error, result) => (error ? failed(error) : done(result))),
    )
    if (stats.hasErrors()) throw new Error(stats.toString('errors-only'))
  },

  async vite() {
    const { build } = await import('vite')
    await build({
      root: resolve(entry, '..'),
      logLevel: 'error',
      ssr: { noExternal: true },
      build: {
        ssr: entry,
        outDir: folder,
        rollupOptions: { output: { entryFileNames: 'main.mjs' } },
      },
    })
  },

  async ncc() {
    const require = createRequire(import.meta.url)
    const { writeFileSync } = await import('node:fs')
    const { code, assets } = await require('@vercel/ncc')(entry, { quiet: true, cache: false })
    // A program that is an ES module becomes one.
    writeFileSync(join(folder, 'main.mjs'), code)
    for (const [path, { source }] of Object.entries(assets))
      writeFileSync(join(folder, path), source)
  },
}

await BUNDLERS[name]()
