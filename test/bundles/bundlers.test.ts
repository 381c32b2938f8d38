import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { copyFileSync, existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { installPacked, npm } from '../support/packed.ts'
import { outputOf, runCommand } from '../support/run-command.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'

const TOOLS = 'test/bundles/tools'
const BUNDLE_TIMEOUT_MS = 120_000
const BUNDLERS = ['esbuild-esm', 'esbuild-cjs', 'rollup', 'webpack', 'vite', 'ncc']

describe('a program bundled into one folder', () => {
  const folder = new TemporaryFolder()

  beforeAll(async () => {
    if (!existsSync(join(TOOLS, 'node_modules'))) {
      await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], TOOLS)
    }
    await installPacked(folder.path)
    copyFileSync('test/bundles/program.mjs', join(folder.path, 'program.mjs'))
  })

  afterAll(() => folder[Symbol.dispose]())

  it.each(BUNDLERS)(
    'reads brokers from ZooKeeper and uses zstd when bundled by %s',
    async (name) => {
      // Outside of the folder with the packages: only what is in the bundle can be found.
      using out = new TemporaryFolder()
      const to = mkdtempSync(join(out.path, 'bundle-'))
      const args = [resolve(TOOLS, 'build.mjs'), name, join(folder.path, 'program.mjs'), to]
      // Like an application: ncc resolves by the `paths` of a tsconfig.json in its working folder.
      const options = { timeoutMs: BUNDLE_TIMEOUT_MS, cwd: folder.path }
      const built = await runCommand(process.execPath, args, options)
      if (built.exitCode !== 0) throw new Error(built.stdout.toString() + built.stderr)
      const main = readdirSync(to).find((file) => file.startsWith('main.'))!
      // Without native zstd where there is none: before Node.js 22.15 it comes from WebAssembly.
      const printed = await outputOf(runCommand(process.execPath, [join(to, main)]))
      expect(printed.toString()).toBe('produced and consumed\n')
    },
  )
})
