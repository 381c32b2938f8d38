/** `sparse run` and its errors: a Storm in one JVM with a real Nimbus. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../support/run-command.ts'
import { describeWithStorm } from '../support/storm/describe-with-storm.ts'
import { stormLibs } from '../support/storm/local-storm.ts'
import { builtSparse, SparseProject } from '../support/storm/sparse.ts'
import { unzip } from '../support/storm/unzip.ts'
import { until } from '../support/until.ts'

const TIMEOUT_MS = 300_000
const NUMBERS = [0, 1, 2, 3, 4]
const acks = NUMBERS.map((n) => new RegExp(`INFO +numbers: acked ${n}`))
/** A topology whose bolt has this body of \`process\`, or a definition that is changed. */
const topology = (body: string, change: (text: string) => string = (text) => text): string =>
  change(`
import { Bolt, defineTopology, fields, ReliableSpout, runTopology, stream, type Tuple } from 'samsa/storm'

const numbers = { default: stream<{ n: number; bytes: unknown }>('n', 'bytes') }

class Numbers extends ReliableSpout<typeof numbers> {
  static readonly outputs = numbers
  #next = 0
  override nextTuple() {
    const bytes = this.stormConf['topology.multilang.serializer'] === 'samsa.storm.MsgpackSerializer'
      ? Buffer.from([0, 255, this.#next])
      : null
    if (this.#next < 5) this.emit([this.#next, bytes], { id: this.#next++ })
  }
  override ack(id: string | number) {
    super.ack(id)
    console.log('acked', id)
  }
}

class Take extends Bolt<{ n: number; bytes: unknown }> {
  override async process({ values: [n, bytes] }: Tuple<{ n: number; bytes: unknown }>) {
    ${body}
  }
}

const topology = defineTopology({
  name: 'numbers',
  spouts: { numbers: { component: Numbers } },
  bolts: { take: { component: Take, inputs: { numbers: fields('n') } } },
})
runTopology(topology)
`)

describeWithStorm('sparse run', () => {
  let project: SparseProject | undefined
  const started = (): SparseProject => project!
  const leftovers = (): string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith('sparse-'))
  let before: readonly string[] = []

  beforeAll(() => {
    project = new SparseProject({
      'config.json': '{ "envs": { "prod": { "nimbus": "127.0.0.1:1" } } }',
      'topologies/prints.ts': topology(
        "console.log('took', n, String(bytes instanceof Uint8Array ? [...bytes] : bytes)); process.stdout.write('raw\\n')",
      ),
      'topologies/throws.ts': topology("if (n === 2) throw new RangeError('two is too much')"),
      'topologies/stream.ts': topology('', (text) =>
        text.replace('numbers: fields', "'numbers:other': fields"),
      ),
      'topologies/field.ts': topology('', (text) =>
        text.replace("fields('n') } }", "fields('m') } }"),
      ),
      'topologies/syntax.ts': 'const a = \n',
      'topologies/nothing.ts': 'console.log(1)\n',
      'topologies/early.ts': topology('', (text) => `throw new Error('at the start')\n${text}`),
    })
    before = leftovers()
  }, TIMEOUT_MS)

  afterAll(() => project?.[Symbol.dispose]())

  /** Runs a topology until all of this is printed, then ends it with Ctrl-C. */
  async function printedBy(args: readonly string[], expected: readonly RegExp[]): Promise<string> {
    const child = spawn(process.execPath, [builtSparse(), 'run', ...args], {
      cwd: started().path,
      env: { ...process.env, STORM_HOME: await stormLibs() },
    })
    let printed = ''
    let exitCode: number | null | undefined
    const take = (chunk: Buffer): void => {
      printed += chunk.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('close', (code) => (exitCode = code))
    const isDone = (): boolean => expected.every((pattern) => pattern.test(printed))
    await until(() => isDone() || exitCode !== undefined)
    child.kill('SIGINT')
    await until(() => exitCode !== undefined)
    expect({ exitCode, printed }).toMatchObject({ exitCode: 130 })
    return printed
  }

  it(
    'runs a topology until Ctrl-C, and shows what components print',
    async () => {
      const printed = await printedBy(['-n', 'prints'], [/take: raw/, ...acks])
      for (const n of NUMBERS) expect(printed).toMatch(new RegExp(`INFO +take: took ${n} null`))
      // Components that end because all does are no news.
      expect(printed).not.toContain('died')
      expect(leftovers()).toEqual(before)
    },
    TIMEOUT_MS,
  )

  it(
    'carries bytes with msgpack, and ends at its time limit',
    async () => {
      const serializer = 'topology.multilang.serializer=samsa.storm.MsgpackSerializer'
      const printed = await printedBy(['-n', 'prints', '-o', serializer], acks)
      for (const n of NUMBERS) expect(printed).toMatch(new RegExp(`take: took ${n} 0,255,${n}`))
      const { exitCode, stderr } = await started().sparse(['run', '-n', 'prints', '-t', '1'])
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'numbers is running\n' })
    },
    TIMEOUT_MS,
  )

  it(
    'ends when a component throws, names the component and the line, and leaves nothing behind',
    async () => {
      const { exitCode, stderr } = await started().sparse(['run', '-n', 'throws', '-t', '120'])
      expect(exitCode).toBe(1)
      expect(stderr).toMatch(
        /^sparse: the topology has ended because of the component 'take': RangeError: two is too much \(at Take\.process \(.*topologies\/throws\.ts:\d+:\d+\)\)$/m,
      )
      expect(leftovers()).toEqual(before)
    },
    TIMEOUT_MS,
  )

  it.each([
    [
      'an input stream that does not exist',
      'stream',
      /has the input 'numbers:other', but 'numbers' has no stream 'other'/,
    ],
    [
      'a field that does not exist',
      'field',
      /'take' groups 'numbers' by 'm', but its fields are n, bytes/,
    ],
    ['a file that does not compile', 'syntax', /topologies\/syntax\.ts:\d+:\d+: Unexpected/],
    [
      'a file that runs no topology',
      'nothing',
      /does not describe a topology: its last line must be runTopology/,
    ],
    [
      'code that throws at the start',
      'early',
      /early\.ts: Error: at the start \(at .*early\.ts:1:/,
    ],
    [
      'a topology that does not exist',
      'nix',
      /topologies has no topology 'nix'; it has early, field/,
    ],
  ])('refuses %s', async (_what, name, problem) => {
    const { exitCode, stderr } = await started().sparse(['run', '-n', name])
    expect(stderr).toMatch(problem)
    expect(exitCode).toBe(name === 'nix' ? 2 : 1)
    expect(leftovers()).toEqual(before)
  })

  it.each([
    [
      'no Java',
      { JAVA_HOME: '/nowhere' },
      /Storm requires Java 17 or newer, on the PATH or in JAVA_HOME/,
    ],
    [
      'no Storm',
      { STORM_HOME: '/nowhere' },
      /STORM_HOME is \/nowhere, which has no storm-server jar: run 'sparse storm install'/,
    ],
  ])('suggests a fix for %s', async (_what, env, problem) => {
    const { exitCode, stderr } = await started().sparse(['run', '-n', 'prints', '-t', '1'], env)
    expect(stderr).toMatch(problem)
    expect(exitCode).toBe(1)
  })

  it.each([
    ['no module', undefined, /the file hooks\.ts of 'hooks' does not exist/],
    [
      'a hook that is not a function',
      'export const preSubmit = 1',
      /hooks\.ts: preSubmit must be a function/,
    ],
  ])('refuses hooks with %s before it submits', async (_what, hooks, problem) => {
    const project = started()
    project.write(
      'hooked.json',
      '{ "hooks": "hooks.ts", "envs": { "prod": { "nimbus": "127.0.0.1:1" } } }',
    )
    if (hooks !== undefined) project.write('hooks.ts', hooks)
    const submit = ['submit', '-n', 'prints', '--config', 'hooked.json']
    const { exitCode, stderr } = await project.sparse(submit)
    expect(stderr).toMatch(problem)
    expect(exitCode).toBe(2)
  })

  it('writes a jar with the topology, which describes itself', async () => {
    const project = started()
    expect(await project.json(['jar', '-n', 'prints', '-O', 'out.jar'])).toEqual({
      file: 'out.jar',
      bytes: statSync(join(project.path, 'out.jar')).size,
    })
    const files = unzip(readFileSync(join(project.path, 'out.jar')))
    const names = [...files.keys()]
    expect(names[0]).toBe('META-INF/MANIFEST.MF')
    expect(names).toContain('samsa/storm/MsgpackSerializer.class')
    for (const [name, bytes] of files) project.write(join('jar', name), bytes)
    const script = join(project.path, 'jar/resources/topology.cjs')
    const env = { SAMSA_STORM_DESCRIBE: '1' }
    const { stdout } = await runCommand(process.execPath, [script], { env })
    expect(JSON.parse(stdout.toString())).toMatchObject({ name: 'numbers' })
    // Without -O the file has the name of the topology.
    await project.output(['jar', '-n', 'prints'])
    expect(existsSync(join(project.path, 'numbers.jar'))).toBe(true)
  })

  it('reports that no Nimbus responds, as text and as data', async () => {
    const { exitCode, stderr, stdout } = await started().sparse([
      'submit',
      '-n',
      'prints',
      '--json',
    ])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/cannot connect to Nimbus at 127\.0\.0\.1:1: connect ECONNREFUSED/)
    expect(JSON.parse(stdout.toString())).toMatchObject({ error: { code: 'NIMBUS_UNREACHABLE' } })
  })
})
