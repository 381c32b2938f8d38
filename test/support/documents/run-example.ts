import * as esbuild from 'esbuild'
import { symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { runCommand } from '../run-command.ts'
import { TemporaryFolder } from '../temporary-folder.ts'
import type { Example } from './examples.ts'
import { moduleOf, PACKAGE_SOURCES } from './modules.ts'
import { PATIENCE_MS } from '../patience.ts'

const FOLDER = resolve('test/support/documents')

/** Runs an example in a process and a folder of its own: what went wrong, or undefined. */
export async function problemWhenRun(example: Example): Promise<string | undefined> {
  using folder = new TemporaryFolder()
  const program = join(folder.path, 'example.mjs')
  symlinkSync(resolve('node_modules'), join(folder.path, 'node_modules'))
  await bundle(example, program)
  const args = ['--no-warnings', '--enable-source-maps', program]
  const options = { timeoutMs: PATIENCE_MS, cwd: folder.path }
  const { exitCode, signal, stderr } = await runCommand(process.execPath, args, options)
  if (exitCode === 0) return undefined
  return signal === null
    ? `${example.name} ended with exit code ${exitCode}:\n${stderr}`
    : `${example.name} did not end in ${PATIENCE_MS / 1000} s: close what it opens, or mark it ` +
        `with <!-- example: endless -->\n${stderr}`
}

async function bundle(example: Example, to: string): Promise<void> {
  const isEndless = example.runs === 'endless'
  const entry = `
    import example from 'the-example'
    import { Surroundings } from './surroundings.ts'
    await using surroundings = new Surroundings()
    await surroundings.run(example, ${isEndless})`
  const sources: esbuild.Plugin = {
    name: 'sources',
    setup(build) {
      build.onResolve({ filter: /^samsa(\/|$)/ }, ({ path }) => ({
        path: PACKAGE_SOURCES.get(path)!,
      }))
      build.onResolve({ filter: /^the-example$/ }, () => ({
        path: example.name,
        namespace: 'example',
      }))
      build.onLoad({ filter: /./, namespace: 'example' }, () => ({
        contents: moduleOf(example, true).text,
        loader: 'ts',
        resolveDir: FOLDER,
      }))
    },
  }
  await esbuild.build({
    stdin: { contents: entry, resolveDir: FOLDER, loader: 'ts' },
    plugins: [sources],
    outfile: to,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: 'inline',
    logLevel: 'silent',
  })
}
