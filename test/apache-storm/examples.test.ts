/** The projects in examples/, and docs/storm.md followed step by step, each with the package as users install it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { examplesOf } from '../support/documents/examples.ts'
import { freePorts } from '../support/kafka/ports.ts'
import { installPacked } from '../support/packed.ts'
import { outputOf, runCommand } from '../support/run-command.ts'
import { describeWithStorm } from '../support/storm/describe-with-storm.ts'
import { stormLibs } from '../support/storm/local-storm.ts'
import { builtSparse } from '../support/storm/sparse.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const TIMEOUT_MS = 900_000

/** An example of this repository, as it is after `npm install`. */
function copied(name: string, folder: string): string {
  const project = join(folder, name)
  cpSync(join('examples', name), project, { recursive: true })
  mkdirSync(join(project, 'node_modules', '@types'), { recursive: true })
  symlinkSync(resolve('.'), join(project, 'node_modules', 'samsa'))
  for (const installed of ['@types/node', 'undici-types', 'typescript', 'tsx', 'esbuild']) {
    symlinkSync(resolve('node_modules', installed), join(project, 'node_modules', installed))
  }
  return project
}

/** Runs the project's topology until this is so, then ends it with Ctrl-C. */
async function whileRunning(
  project: string,
  hosts: string,
  isSo: () => boolean,
  args: readonly string[] = [],
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [builtSparse(), 'run', ...args], {
    cwd: project,
    env: { ...process.env, STORM_HOME: await stormLibs(), KAFKA: hosts },
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<number | null>((done) => child.on('close', done))
  let exitCode: number | null | undefined
  void ended.then((code) => (exitCode = code))
  await until(() => isSo() || exitCode !== undefined)
  if (exitCode === undefined) child.kill('SIGINT')
  return { exitCode: await ended, output }
}

describe('the examples for Storm', () => {
  const folder = new TemporaryFolder()

  beforeAll(() => void builtSparse(), TIMEOUT_MS)

  afterAll(() => folder[Symbol.dispose]())

  it.each(['storm-wordcount', 'storm-clickstream'])(
    '%s compiles, and its tests pass',
    async (name) => {
      const project = copied(name, folder.path)
      const command = (...args: string[]) =>
        outputOf(runCommand(process.execPath, args, { cwd: project, timeoutMs: TIMEOUT_MS }))
      await command('node_modules/typescript/bin/tsc')
      const [test] = name === 'storm-wordcount' ? ['count'] : ['clickstream']
      const printed = await command('--import', 'tsx', '--test', `test/${test}.test.ts`)
      expect(printed.toString()).toMatch(/fail 0/)
    },
    TIMEOUT_MS,
  )
})

describeWithStorm('the examples for Storm, on Storm', () => {
  const folder = new TemporaryFolder()
  let kafka: EmbeddedCluster | undefined

  beforeAll(async () => {
    builtSparse()
    const topics = Object.fromEntries(
      ['sentences', 'word-counts', 'clicks', 'sessions', 'bad-clicks'].map((name) => [
        name,
        { partitions: 2 },
      ]),
    )
    kafka = await EmbeddedCluster.start({ topics })
  }, TIMEOUT_MS)

  afterAll(async () => {
    await kafka?.stop()
    folder[Symbol.dispose]()
  })

  it(
    'storm-wordcount counts the words of a topic and ends with Ctrl-C',
    async () => {
      const { hosts } = kafka!
      await using client = new KafkaClient({ hosts })
      await using producer = await client.topic('sentences').getProducer()
      for (let n = 0; n < 10; n++) void producer.produce('the cow jumped over the moon')
      await producer.flush()
      await using consumer = await client.topic('word-counts').getSimpleConsumer()
      const counts = new Map<string, number>()
      const reading = consumer.run(({ key, value }) => {
        counts.set(key!.toString(), Number(value))
      })
      const project = copied('storm-wordcount', new TemporaryFolderIn(folder.path).path)
      const { exitCode, output } = await whileRunning(
        project,
        hosts,
        () => counts.get('the') === 20 && counts.size === 5 && counts.get('moon') === 10,
      )
      await consumer.close()
      await reading
      expect({ exitCode, output }).toMatchObject({ exitCode: 130 })
      expect(output).toMatch(/INFO +count: the: 20/)
      expect(Object.fromEntries(counts)).toEqual({
        the: 20,
        cow: 10,
        jumped: 10,
        over: 10,
        moon: 10,
      })
    },
    TIMEOUT_MS,
  )

  it(
    'storm-clickstream groups clicks into sessions and sets aside messages that are not clicks',
    async () => {
      const { hosts } = kafka!
      await using client = new KafkaClient({ hosts })
      await using producer = await client.topic('clicks').getProducer()
      const click = (user: string, url: string, at: number) =>
        producer.produce(JSON.stringify({ user, url, at }), { key: user })
      await Promise.all([
        ...[click('ann', '/', 1), click('bob', '/', 2), click('ann', '/shop', 3)],
        ...[click('ann', '/pay', 4), producer.produce('no click')],
      ])
      await using sessions = await client.topic('sessions').getSimpleConsumer()
      await using bad = await client.topic('bad-clicks').getSimpleConsumer()
      const found: Record<string, unknown> = {}
      const refused: string[] = []
      const reading = Promise.all([
        sessions.run(
          ({ key, value }) => void (found[key!.toString()] = JSON.parse(value!.toString())),
        ),
        bad.run(({ value }) => void refused.push(value!.toString())),
      ])
      const project = copied('storm-clickstream', new TemporaryFolderIn(folder.path).path)
      const { output } = await whileRunning(
        project,
        hosts,
        () => Object.keys(found).length === 2 && refused.length === 1,
      )
      await Promise.all([sessions.close(), bad.close()])
      await reading
      expect({ found, output }).toMatchObject({
        found: {
          ann: { user: 'ann', from: 1, to: 4, urls: ['/', '/shop', '/pay'] },
          bob: { user: 'bob', urls: ['/'] },
        },
      })
      expect(refused).toEqual(['no click'])
    },
    TIMEOUT_MS,
  )
})

/** A folder in another one, which removes it. */
class TemporaryFolderIn {
  static #count = 0
  readonly path: string

  constructor(folder: string) {
    this.path = join(folder, `project-${++TemporaryFolderIn.#count}`)
    mkdirSync(this.path)
  }
}

describeWithStorm('docs/storm.md', () => {
  it(
    'leads from an empty folder to a word count over a Kafka topic',
    async () => {
      using folder = new TemporaryFolder()
      const packed = new TemporaryFolder()
      await installPacked(packed.path)
      const section = readFileSync('docs/storm.md', 'utf8').split('\n## ')[1]!
      expect(section).toMatch(/^A word count over a Kafka topic/)
      const [install, broker, rest] = examplesOf('docs/storm.md', section)
        .filter(({ language }) => language === 'sh')
        .map(({ code }) => code)
      // The package is not published by a test: it is installed from its archive.
      const archive = join(packed.path, 'samsa-0.1.0.tgz')
      const [port = 0] = await freePorts(1)
      const shell = (script: string) =>
        runCommand('sh', ['-exc', script], {
          cwd: folder.path,
          timeoutMs: TIMEOUT_MS,
          env: { KAFKA: `127.0.0.1:${port}`, XDG_CACHE_HOME: folder.path, STORM_HOME: '' },
        })
      const installed = await shell(install!.replace('npm install samsa', `npm install ${archive}`))
      expect(installed).toMatchObject({ exitCode: 0 })
      // The second terminal, in the folder that the first one is in now; npx has processes of its own.
      const other = spawn('sh', ['-c', `cd wordcount && ${broker!} --port ${port}`], {
        cwd: folder.path,
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      })
      await once(other.stdout, 'data')
      const { exitCode, stdout, stderr } = await shell(
        `cd wordcount\n${rest!.replaceAll(/npx samsa \w+/g, (command) => `${command} -b 127.0.0.1:${port}`)}`,
      )
      process.kill(-other.pid!, 'SIGTERM')
      packed[Symbol.dispose]()
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
      const counts = stdout
        .toString()
        .split('\n')
        .filter((line) => /^\w+: \d+$/.test(line))
      expect(counts.sort()).toEqual([
        'a: 1',
        'an: 1',
        'apple: 1',
        'cow: 1',
        'day: 1',
        'jumped: 1',
        'moon: 1',
        'over: 1',
        'the: 1',
        'the: 2',
      ])
    },
    TIMEOUT_MS,
  )
})
