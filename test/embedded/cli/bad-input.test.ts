import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { builtCommand } from '../../support/built.ts'
import { CommandLine } from '../../support/cli-cluster.ts'
import { RunningCommand } from '../../support/running-command.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

const MEBIBYTE = 1024 * 1024

describe('the command with bad input', () => {
  let kafka: EmbeddedCluster
  let secure: EmbeddedCluster
  /** Accepts connections and says nothing. */
  let silent: Server
  let folder: TemporaryFolder
  let samsa: CommandLine

  beforeAll(async () => {
    builtCommand()
    folder = new TemporaryFolder()
    kafka = await EmbeddedCluster.start({ topics: { filled: { partitions: 1 } } })
    secure = await EmbeddedCluster.start({ sasl: { users: { alice: 'alice-secret' } } })
    silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    samsa = new CommandLine(kafka.hosts, folder.path)
  })
  afterAll(async () => {
    silent.close()
    await kafka[Symbol.asyncDispose]()
    await secure[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  const all = ['--from-beginning', '--exit']
  const silentHosts = () => `127.0.0.1:${(silent.address() as AddressInfo).port}`

  /** One clear line, the right exit code, and nothing on standard output. */
  async function refused(
    line: string | readonly string[],
    exitCode: number,
    message: string | RegExp,
    input?: Buffer | string,
  ): Promise<void> {
    const result = await samsa.run(line, input === undefined ? {} : { input })
    expect(result).toMatchObject({ exitCode, stdout: '' })
    expect(result.stderr).toMatch(/^samsa: [^\n]*\n$/)
    expect(result.stderr).toMatch(message)
  }

  it('names the address at which no broker listens', async () => {
    await refused('topics --brokers 127.0.0.1:1 --timeout 1s', 1, '127.0.0.1:1')
    await refused('produce filled --brokers 127.0.0.1:1 --timeout 1s', 1, '127.0.0.1:1', 'a\n')
    await refused(
      `topics --brokers ${silentHosts()} --timeout 1s`,
      1,
      /took longer than 1000 ms \(samsa ping --brokers 127\.0\.0\.1:\d+ reports/,
    )
  })

  it('reports that a password is wrong, and prints no password', async () => {
    const file = join(folder.path, 'wrong')
    writeFileSync(file, 'wrong-secret\n')
    const login = `--brokers ${secure.hosts} --user alice --mechanism SCRAM-SHA-256`
    await refused(`topics ${login} --password-file ${file}`, 1, /alice|[Aa]uthentication/)
    const { stderr } = await samsa.run(`topics ${login} --password-file ${file} --verbose`)
    expect(stderr).not.toContain('wrong-secret')
    await refused(`topics ${login} --password-file /no/such/file`, 2, 'cannot be read')
    await refused(`topics ${login}`, 2, '--password-file')
  })

  it('reads a password from a file and from standard input', async () => {
    const file = join(folder.path, 'right')
    writeFileSync(file, 'alice-secret\n')
    const login = `--brokers ${secure.hosts} --user alice --mechanism SCRAM-SHA-256`
    expect(await samsa.json(`topics ${login} --password-file ${file}`)).toEqual([])
    const input = 'alice-secret\n'
    expect(await samsa.json(`topics ${login} --password-file -`, { input })).toEqual([])
  })

  it('names an unknown topic, group and partition', async () => {
    await refused(['consume', 'no-such', ...all], 1, 'no-such')
    await refused('topic describe no-such', 1, 'no-such')
    await refused('offsets export no-such', 1, /no-such|no committed/)
    await refused('consume filled -p 7 --exit --from-beginning', 1, '7')
    await refused('produce filled -p 7', 2, 'no partition 7', 'a\n')
  })

  it('suggests the nearest word for a typo', async () => {
    await refused('topcs', 2, "unknown command 'topcs' (Did you mean topics?)".slice(0, 40))
    await refused('topics --jsn', 2, 'Did you mean --json')
    await refused('topic descirbe x', 2, 'Did you mean describe')
    await refused('bench prodcue x', 2, 'Did you mean produce')
    await refused('errors NOT_CORDINATOR', 2, 'Did you mean NOT_COORDINATOR')
  })

  it('suggests topics and groups with a similar name', async () => {
    await samsa.output('produce filled', { input: 'a\n' })
    await samsa.output('consume filled --group workers --from-beginning -n 1')
    const suggestion = '(Did you mean filled?)'
    await refused('topic describe filed', 1, suggestion)
    await refused('consume fileld --exit', 1, suggestion)
    const groups = await samsa.run('group delete wokers --yes')
    expect(groups).toMatchObject({ exitCode: 1 })
    expect(groups.stderr).toContain('(Did you mean workers?)')
  })

  it('accepts connection options before the command', async () => {
    const { stderr } = await samsa.run('--brokers 127.0.0.1:1 --timeout 1s topics')
    expect(stderr).toContain('127.0.0.1:1')
    expect(await samsa.output(`-b ${kafka.hosts} topics --plain`)).toContain('filled')
  })

  it.each([
    ['topics nosuch', 'no topics found'],
    ['groups nosuch', 'no groups found'],
    ['quotas', 'no quotas found'],
    ['users', 'no SCRAM credentials found'],
    ['transactions', 'no transactions found'],
    ['reassign status', 'no move is in progress'],
  ])('reports on standard error that a list is empty: %s', async (line, note) => {
    expect(await samsa.run(line)).toEqual({ exitCode: 0, stdout: '', stderr: `samsa: ${note}\n` })
    expect(await samsa.run(`${line} --plain`)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  })

  it.each([
    ['consume filled --format %s --json', 'only one of --format and --json'],
    ['consume filled --from-beginning --tail 3', 'only one of'],
    ['consume filled -g x -p 0', '--group determines'],
    ['consume filled* -p 0', 'not patterns'],
    ['produce filled --json -K :', 'only one of --json and --key-separator'],
    ['produce filled --json --key a', 'cannot be used with --key'],
    ['produce filled --transaction --acks 1', 'requires --acks all'],
    ['mirror filled --rename x-% --exactly-once', 'requires --resume'],
    ['acl create --topic a --group b --principal User:x --operation read', 'only one of'],
    ['reassign run filled --throttle 1m', 'requires --wait'],
    ['lag --watch', 'requires a terminal'],
    ['top', 'requires a terminal'],
    ['consume', 'name a topic'],
  ])('rejects flags that contradict each other: %s', async (line, message) => {
    await refused(line, 2, message)
  })

  it('sends nothing for empty input', async () => {
    await samsa.output('topic create empty')
    for (const option of [[], ['--json'], ['--transaction']]) {
      expect(await samsa.run(['produce', 'empty', ...option], { input: '' })).toEqual({
        exitCode: 0,
        stdout: '',
        stderr: 'samsa: the input is empty: nothing was sent\n',
      })
    }
    expect(await samsa.output('consume empty --count-only')).toBe('0\n')
    await refused('user set x --new-password-file -', 2, 'no password', '')
  })

  it('stops at a line of 100 MB, and reports the longest line that it accepts', async () => {
    const line = Buffer.alloc(100 * MEBIBYTE, 'x')
    await refused('produce filled', 2, /line 1 is longer than 1000000 bytes/, line)
  })

  it('keeps bytes that are not text unchanged', async () => {
    await samsa.output('topic create binary')
    const bytes = randomBytes(100_000)
    const file = join(folder.path, 'bytes')
    writeFileSync(file, bytes)
    await samsa.output(['produce', 'binary', file])
    const [event] = await samsa.events(['consume', 'binary', ...all, '--json'])
    expect(Buffer.from(event!['valueBase64'] as string, 'base64').equals(bytes)).toBe(true)
    await refused(
      'produce binary --json',
      2,
      'line 1 of the input is not JSON',
      bytes.subarray(0, 99),
    )
  })

  it('reports that a broker accepts no message of 20 MB, although the command would', async () => {
    const line = Buffer.alloc(20 * MEBIBYTE, 'x')
    await refused('produce filled --max-message-bytes 200m', 1, /too large|TOO_LARGE|larger/, line)
  })

  it('names a topic that does not exist to a producer when brokers create none', async () => {
    await using strict = await EmbeddedCluster.start({ autoCreateTopics: false })
    const line = `produce no-such --brokers ${strict.hosts} --timeout 2s`
    await refused(line, 1, /topic 'no-such' does not exist|no-such.*UNKNOWN_TOPIC/, 'a\n')
  })

  it('shuts down in order at any moment that Ctrl-C is pressed', async () => {
    const lines = [
      ['topics'],
      ['produce', 'filled', '--rate', '1'],
      ['consume', 'filled', '--from-beginning'],
      ['lag'],
    ]
    // From before Node.js has read the command to after its end.
    for (const [index, waitMs] of [
      0, 20, 40, 60, 80, 100, 130, 160, 200, 250, 300, 400,
    ].entries()) {
      const line = lines[index % lines.length]!
      await using command = new RunningCommand(process.execPath, [
        builtCommand(),
        ...line,
        '-b',
        kafka.hosts,
      ])
      await delay(waitMs)
      command.kill('SIGINT')
      const { exitCode, signal } = await command.ended
      // Killed before it could listen, as a shell has it; interrupted; or done before.
      const code = signal === 'SIGINT' ? 130 : exitCode
      expect([0, 130]).toContain(code)
      expect({ line, waitMs, stderr: command.stderr }).toEqual({
        line,
        waitMs,
        stderr: expect.not.stringMatching(/^\s+at |Error/m) as unknown,
      })
    }
  })

  it.each([
    ['while it connects', ['topics', '--brokers', 'SILENT'], undefined],
    ['while it reads', ['produce', 'filled', '--brokers', 'SILENT'], undefined],
    ['while it waits for messages', ['consume', 'filled', '-v'], /./],
    ['while it runs a broker', ['broker', '--port', '0'], /Ctrl-C ends it/],
    ['while it copies', ['mirror', 'filled', '--rename', 'c-%', '--follow', '-v'], /./],
    ['while it measures', ['bench', 'consume', 'filled', '--latest', '-v'], /./],
  ])('shuts down in order on Ctrl-C %s', async (_when, args, sign) => {
    const brokers = args.includes('SILENT') || args[0] === 'broker' ? [] : ['-b', kafka.hosts]
    const line = args.map((one) => (one === 'SILENT' ? silentHosts() : one))
    const accepted = args.includes('SILENT') ? once(silent, 'connection') : undefined
    await using command = new RunningCommand(process.execPath, [
      builtCommand(),
      ...line,
      ...brokers,
    ])
    await (sign === undefined ? accepted : command.printed(sign))
    command.kill('SIGINT')
    const { exitCode, signal } = await command.ended
    expect({ code: signal === 'SIGINT' ? 130 : exitCode }).toEqual({
      code: exitCode === 0 ? 0 : 130,
    })
    // No stack trace, whatever it was at.
    expect(command.stderr).not.toMatch(/^\s+at /m)
    if (args[0] === 'broker') expect(exitCode).toBe(0)
  })

  it.each([
    ['consume filled --from-beginning --exit'],
    ['topics'],
    ['errors'],
    ['consume --help'],
    ['completion bash'],
  ])('exits quietly when the reader of its output has closed it: %s', async (line) => {
    const lines = 'x'.repeat(99) + '\n'
    if (line.startsWith('consume filled')) {
      await samsa.output('produce filled', { input: lines.repeat(20_000) })
    }
    const command = [builtCommand(), ...line.split(' ')]
    const child = spawn(process.execPath, command, {
      env: { ...process.env, SAMSA_BROKERS: kafka.hosts },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const [exitCode] = (await once(child, 'close')) as [number | null]
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  })
})
