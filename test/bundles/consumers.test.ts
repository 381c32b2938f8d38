import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { entryPoints } from '../../build/entry-points.ts'
import { installPacked, npm } from '../support/packed.ts'
import { outputOf, runCommand } from '../support/run-command.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'

const TOOLS = 'test/bundles/tools'
const RUN_TIMEOUT_MS = 120_000

const COMPILERS = [
  ['5.4', join(TOOLS, 'node_modules/typescript-5.4')],
  ['5.6', join(TOOLS, 'node_modules/typescript-5.6')],
  ['of this repository', 'node_modules/typescript'],
] as const
/** With the kind of project, which `type` in package.json says. */
const SETTINGS = [
  ['commonjs', 'node10', 'commonjs'],
  ['node16', 'node16', 'commonjs'],
  ['node16', 'node16', 'module'],
  ['nodenext', 'nodenext', 'commonjs'],
  ['nodenext', 'nodenext', 'module'],
  ['esnext', 'bundler', 'module'],
] as const

describe('an application with the installed package', () => {
  const folder = new TemporaryFolder()
  let printed = ''

  beforeAll(async () => {
    if (!existsSync(join(TOOLS, 'node_modules'))) {
      await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], TOOLS)
    }
    printed = await installPacked(folder.path)
    const types = join(folder.path, 'node_modules/@types')
    mkdirSync(types, { recursive: true })
    symlinkSync(resolve('node_modules/@types/node'), join(types, 'node'))
    symlinkSync(
      resolve('node_modules/undici-types'),
      join(folder.path, 'node_modules/undici-types'),
    )
    // The peer of samsa/opentelemetry: without it that entry point alone does not load.
    mkdirSync(join(folder.path, 'node_modules/@opentelemetry'))
    symlinkSync(
      resolve('node_modules/@opentelemetry/api'),
      join(folder.path, 'node_modules/@opentelemetry/api'),
    )
  })

  afterAll(() => folder[Symbol.dispose]())

  it('is installed without a warning', () => {
    expect(printed).not.toMatch(/warn|deprecated/i)
  })

  describe.each(COMPILERS)('is compiled without skipLibCheck by TypeScript %s', (_, compiler) => {
    it.each(SETTINGS)(
      'with module %s and moduleResolution %s in a %s project',
      async (module, moduleResolution, type) => {
        const project = join(folder.path, `${module}-${type}`)
        mkdirSync(project, { recursive: true })
        copyFileSync('test/bundles/application.ts', join(project, 'main.ts'))
        writeFileSync(join(project, 'package.json'), JSON.stringify({ type }))
        const options = {
          ...{ module, moduleResolution, target: 'es2022', lib: ['es2022', 'esnext.disposable'] },
          ...{ types: ['node'], strict: true, skipLibCheck: false, noEmit: true },
          // TypeScript 6 warns of node10.
          ...(dirname(compiler) === 'node_modules' ? { ignoreDeprecations: '6.0' } : {}),
        }
        const config = { compilerOptions: options, files: ['main.ts'] }
        writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
        const tsc = [resolve(compiler, 'bin/tsc'), '-p', project]
        const run = await runCommand(process.execPath, tsc, { timeoutMs: RUN_TIMEOUT_MS })
        expect(run.stdout.toString()).toBe('')
        expect(run.exitCode).toBe(0)
      },
    )
  })

  it('is tested by Jest in its default mode, with every entry point', async () => {
    const requires = entryPoints().map(({ specifier }) => `require('${specifier}')`)
    const test = `
      ${requires.join('\n')}
      const { KafkaClient, KafkaError } = require('samsa')
      const { EmbeddedCluster, EmbeddedZooKeeper } = require('samsa/embedded')
      test('messages come back', async () => {
        const zookeeper = await EmbeddedZooKeeper.start()
        const kafka = await EmbeddedCluster.start({ zookeeper, version: '3.9' })
        const client = new KafkaClient({ zookeeperHosts: kafka.zookeeperHosts })
        const producer = await client.topic('t').getProducer({ compression: 'zstd' })
        await producer.produce('hello')
        const consumer = await client.topic('t').getSimpleConsumer({ stopAtEnd: true })
        expect(String((await consumer.consume()).value)).toBe('hello')
        await client.close()
        await kafka.stop()
        await zookeeper.stop()
        await expect(EmbeddedCluster.start({ brokers: -1 })).rejects.toBeInstanceOf(KafkaError)
      })`
    const project = join(folder.path, 'jest')
    mkdirSync(project)
    writeFileSync(join(project, 'kafka.test.js'), test)
    writeFileSync(join(project, 'package.json'), '{}')
    const jest = [resolve('node_modules/jest/bin/jest.js'), '--rootDir', project, '--ci']
    const { exitCode, stderr } = await runCommand(process.execPath, jest, {
      cwd: project,
      timeoutMs: RUN_TIMEOUT_MS,
    })
    expect(stderr).toContain('1 passed')
    expect(exitCode).toBe(0)
  })

  it('gets the same module from require and from import', async () => {
    const script = `
      const required = require('samsa')
      import('samsa').then((imported) => console.log(required.KafkaClient === imported.KafkaClient))`
    const main = join(folder.path, 'same.cjs')
    writeFileSync(main, script)
    const output = await outputOf(runCommand(process.execPath, ['--no-warnings', main]))
    expect(output.toString()).toBe('true\n')
  })
})
