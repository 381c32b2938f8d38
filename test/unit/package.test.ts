import { beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { commandEntries, entryPoints } from '../../build/entry-points.ts'
import { builtCommand } from '../support/built.ts'
import { outputOf, runCommand, samsa } from '../support/run-command.ts'

describe('the package', () => {
  beforeAll(() => void builtCommand())

  it('contains the build and the documents, and no test sources', async () => {
    const json = await outputOf(
      runCommand('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--silent'], {
        env: { npm_config_loglevel: 'silent' },
      }),
    )
    const paths = [...json.toString().matchAll(/"path": "([^"]+)"/g)].map(([, path]) => path!)
    for (const expected of [
      'package.json',
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
      'docs/cli.md',
      'docs/monitoring/samsa-dashboard.json',
      'docs/monitoring/samsa-alerts.yaml',
      'examples/getting-started.ts',
      ...commandEntries().map(({ built }) => built),
      ...entryPoints().flatMap(({ source }) => {
        const path = source.replace(/\.ts$/, '')
        return [
          `dist/${path}.js`,
          `dist/${path}.d.ts`,
          `dist/cjs/${path}.js`,
          `dist/cjs/${path}.d.ts`,
        ]
      }),
      'THIRD-PARTY-NOTICES.md',
      'SECURITY.md',
    ]) {
      expect(paths).toContain(expected)
    }
    const allowed =
      /^(dist|docs|examples)\/|^(package\.json|README\.md|CHANGELOG\.md|LICENSE|(SECURITY|THIRD-PARTY-NOTICES)\.md)$/
    expect(paths.filter((path) => !allowed.test(path))).toEqual([])
    expect(paths.filter((path) => /^(dist\/)?(test|benchmarks|node_modules)\//.test(path))).toEqual(
      [],
    )
  })

  it('is the same module when it is imported and required by its name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'samsa-package-'))
    try {
      await mkdir(join(folder, 'node_modules'))
      await symlink(resolve('.'), join(folder, 'node_modules', 'samsa'))
      const script = `
        const required = require('samsa')
        import('samsa').then((imported) => console.log(
          typeof required.KafkaClient, required.KafkaClient === imported.KafkaClient,
        ))`
      await writeFile(join(folder, 'main.cjs'), script)
      const args = ['--no-warnings', join(folder, 'main.cjs')]
      const printed = await outputOf(runCommand(process.execPath, args))
      expect(printed.toString()).toBe('function true\n')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('has declarations and code, as ES module and CommonJS, for each entry point', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Record<string, unknown>
      typesVersions: { '*': Record<string, readonly string[]> }
    }
    const expected = entryPoints().map(({ specifier, source }) => {
      const path = source.replace(/\.ts$/, '')
      const module = `./dist/${path}.js`
      const copy = `./dist/cjs/${path}`
      return [
        specifier.replace('samsa', '.'),
        {
          import: { types: `./dist/${path}.d.ts`, default: module },
          'module-sync': module,
          module,
          require: { types: `${copy}.d.ts`, default: `${copy}.js` },
          default: module,
        },
      ] as const
    })
    const all = { ...Object.fromEntries(expected), './package.json': './package.json' }
    expect(manifest.exports).toEqual(all)
    // For moduleResolution node10, which does not read `exports`.
    const below = expected.slice(1).map(([path, { require }]) => [path.slice(2), [require.types]])
    expect(manifest.typesVersions['*']).toEqual(Object.fromEntries(below))
    for (const [, { import: esm, require }] of expected) {
      for (const path of [...Object.values(esm), ...Object.values(require)]) {
        expect([path, existsSync(path)]).toEqual([path, true])
      }
    }
  })

  it('has the command, which prints its version and its usage', async () => {
    const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'))
    const version = (await outputOf(samsa(['--version']))).toString().trim()
    expect(manifest).toHaveProperty('version', version)
    expect(commandEntries()).toContainEqual({
      name: 'samsa',
      source: 'src/cli/main.ts',
      built: 'dist/src/cli/main.js',
    })
    for (const { source, built } of commandEntries()) {
      expect([source, existsSync(source)]).toEqual([source, true])
      expect([built, existsSync(built)]).toEqual([built, true])
    }
    expect((await outputOf(samsa(['produce', '--help']))).toString()).toContain('Examples:')
    expect((await outputOf(samsa(['consume', '--help']))).toString()).toContain('%o offset')
  })
})
