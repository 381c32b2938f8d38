/** A component in a process of its own, with the test in Storm's place. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleTopology, describeTopology } from '../../support/storm/local-storm.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

type Message = Readonly<Record<string, unknown>>

class StormSide {
  readonly #child: ChildProcessWithoutNullStreams
  readonly ended: Promise<number | null>
  stderr = ''
  #out = ''

  constructor(bundle: string) {
    this.#child = spawn(process.execPath, [bundle])
    this.#child.stdout.on('data', (chunk: Buffer) => (this.#out += chunk.toString()))
    this.#child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
    this.#child.stdin.on('error', () => undefined)
    this.ended = new Promise((done) => this.#child.on('close', done))
  }

  get pid(): number {
    return this.#child.pid!
  }

  get messages(): Message[] {
    return this.#out
      .split('\nend\n')
      .slice(0, -1)
      .map((text) => JSON.parse(text) as Message)
  }

  send(message: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\nend\n`)
  }

  shakeHands(pidDir: string, componentid: string, conf: Message = {}): void {
    const context = { componentid, taskid: 3, 'task->component': { 3: componentid } }
    this.send({ pidDir, conf: { 'topology.name': 'fixture', ...conf }, context })
  }

  tuple(...values: unknown[]): void {
    this.send({ id: '1', comp: 'source', stream: 'default', task: 2, tuple: values })
  }

  end(): void {
    this.#child.stdin.end()
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves with the first message that is so. */
  async message(isSo: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(isSo)
      if (found !== undefined) return found
      await new Promise<void>((done) => {
        this.#child.stdout.once('data', () => setImmediate(done))
        this.#child.once('close', () => setImmediate(done))
      })
      if (this.#child.exitCode === null || this.messages.some(isSo)) continue
      throw new Error(`ended (${this.#child.exitCode}): ${this.#out}${this.stderr}`)
    }
  }
}

const isAck = ({ command }: Message): boolean => command === 'ack'
const isError = ({ command }: Message): boolean => command === 'error'

describe('a process that Storm starts for a component', () => {
  const folder = new TemporaryFolder()
  const bundle = join(folder.path, 'topology.cjs')

  beforeAll(() => bundleTopology('test/unit/storm/fixtures/topology.ts', bundle))
  afterAll(() => folder[Symbol.dispose]())

  it('leaves its pid file, sends the pid first, and serves the component that Storm names', async () => {
    const storm = new StormSide(bundle)
    storm.shakeHands(folder.path, 'echo')
    storm.tuple('cow')
    await storm.message(isAck)
    expect(storm.messages[0]).toEqual({ pid: storm.pid })
    expect(existsSync(join(folder.path, String(storm.pid)))).toBe(true)
    expect(storm.messages).toContainEqual({
      ...{ command: 'emit', tuple: ['cow'], anchors: ['1'], need_task_ids: false },
    })
    storm.end()
    expect(await storm.ended).toBe(2)
  })

  it('sends what the component prints to the log', async () => {
    const storm = new StormSide(bundle)
    storm.shakeHands(folder.path, 'printer')
    storm.tuple('cow')
    await storm.message(isAck)
    const logs = storm.messages.filter(({ command }) => command === 'log')
    expect(logs).toEqual([
      { command: 'log', msg: 'log { a: 1 }', level: 2 },
      { command: 'log', msg: 'warn', level: 3 },
      { command: 'log', msg: 'error', level: 4 },
      { command: 'log', msg: 'by hand', level: 2 },
    ])
    storm.end()
    await storm.ended
  })

  it('ends with code 2 and closes the component when Storm ends, by end of input or by a signal', async () => {
    for (const end of ['end', 'kill'] as const) {
      const storm = new StormSide(bundle)
      const file = join(folder.path, `closed-${end}`)
      storm.shakeHands(folder.path, 'closer', { 'test.file': file })
      storm.tuple('cow')
      await storm.message(isAck)
      if (end === 'end') storm.end()
      else storm.kill('SIGTERM')
      expect(await storm.ended).toBe(2)
      expect(readFileSync(file, 'utf8')).toBe('closed')
    }
  })

  it.each([
    ['thrower', 'Error: borkt'],
    ['rejecter', 'Error: not awaited'],
    ['timer', 'Error: in a timer'],
    ['constructor', 'Error: in the constructor'],
    ['nothing', "has no component 'nothing'"],
  ])('reports the error of %s with its stack, and ends with code 1', async (component, text) => {
    const storm = new StormSide(bundle)
    storm.shakeHands(folder.path, component)
    storm.tuple('cow')
    const { msg } = await storm.message(isError)
    expect(msg).toContain(text)
    expect(await storm.ended).toBe(1)
  })

  it('ends with code 1 and logs the reason when the first message is not a handshake', async () => {
    const storm = new StormSide(bundle)
    storm.send({ command: 'next' })
    expect(await storm.ended).toBe(1)
    expect(storm.messages.at(-1)!['msg']).toContain('is not a handshake')
  })

  it('logs to a rotated file if pystorm.log.path is set', async () => {
    const logs = join(folder.path, 'logs')
    const storm = new StormSide(bundle)
    storm.shakeHands(folder.path, 'printer', {
      'pystorm.log.path': logs,
      'pystorm.log.max_bytes': 150,
    })
    storm.tuple('cow')
    await storm.message(isAck)
    storm.end()
    await storm.ended
    const name = `pystorm_fixture_printer_3_${storm.pid}.log`
    expect(readdirSync(logs).sort()).toEqual([name, `${name}.1`])
    expect(readFileSync(join(logs, `${name}.1`), 'utf8')).toMatch(
      /^\S+ - printer - INFO - log \{ a: 1 \}\n/,
    )
    expect(storm.messages.filter(({ command }) => command === 'log')).toEqual([])
  })

  it('describes the topology instead when requested', async () => {
    const described = await describeTopology(bundle)
    expect(described).toMatchObject({ name: 'fixture', config: { 'topology.workers': 1 } })
    expect(described).toHaveProperty('topology.bolts.echo.bolt_object.shell', {
      execution_command: 'node',
      script: 'topology.cjs',
    })
  })
})
