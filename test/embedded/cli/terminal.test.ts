import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { builtCommand } from '../../support/built.ts'
import { CommandLine } from '../../support/cli-cluster.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'
import { hasTerminals, TerminalSession } from '../../support/terminal.ts'
import { until } from '../../support/until.ts'

const RESTORED = '\x1b[?25h\x1b[?1049l'

// On Linux: `script` elsewhere takes other options.
const describeOnLinux = hasTerminals() ? describe : describe.skip

describeOnLinux('the command on a terminal', () => {
  let kafka: EmbeddedCluster
  let secure: EmbeddedCluster
  let folder: TemporaryFolder
  let samsa: CommandLine

  beforeAll(async () => {
    builtCommand()
    folder = new TemporaryFolder()
    kafka = await EmbeddedCluster.start()
    secure = await EmbeddedCluster.start({ sasl: { users: { alice: 'alice-secret' } } })
    samsa = new CommandLine(kafka.hosts, folder.path)
    await samsa.output('topic create orders')
    await samsa.output('produce orders', { input: 'a\nb\n' })
    await samsa.output('consume orders -g billing --from-beginning -n 1')
  })
  afterAll(async () => {
    await kafka[Symbol.asyncDispose]()
    await secure[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  const env = () => ({ SAMSA_BROKERS: kafka.hosts, XDG_CONFIG_HOME: folder.path })
  const open = (line: string, columns?: number) =>
    new TerminalSession(line.split(' '), {
      env: env(),
      ...(columns === undefined ? {} : { columns }),
    })

  it.each([
    ['lag --watch --interval 100ms', 'BEHIND'],
    ['top --interval 100ms', 'all in sync'],
  ])('restores the terminal after Ctrl-C: %s', async (line, sign) => {
    await using terminal = open(line)
    await terminal.shows(sign)
    await terminal.shows('billing')
    expect(terminal.output).toContain('\x1b[?1049h')
    terminal.type('\x03')
    expect(await terminal.ended).toBe(0)
    expect(terminal.output.trimEnd().endsWith(RESTORED)).toBe(true)
  })

  it('restores the terminal after SIGTERM, and exits with 143', async () => {
    await using terminal = open('top --interval 100ms')
    await terminal.shows('billing')
    await terminal.signal('SIGTERM')
    expect(await terminal.ended).toBe(143)
    expect(terminal.output.trimEnd().endsWith(RESTORED)).toBe(true)
  })

  it('shows why it cannot measure, continues, and restores the terminal', async () => {
    await using terminal = open('lag --watch --interval 100ms --timeout 500ms')
    await terminal.shows('billing')
    kafka.faults.on({ api: 'ListGroups' }, { error: 'CLUSTER_AUTHORIZATION_FAILED' })
    await terminal.shows(/ListGroups|authoriz/i)
    kafka.faults.clear()
    terminal.type('\x03')
    expect(await terminal.ended).toBe(0)
    expect(terminal.output.trimEnd().endsWith(RESTORED)).toBe(true)
  })

  it('does not let messages control the terminal, unless --raw is given', async () => {
    await samsa.output('topic create hostile')
    await samsa.output('produce hostile', { input: '\x1b]0;title\x07\x1b[2J\n' })
    for (const format of ['', ' --json', ' -f %s|']) {
      await using terminal = open(`consume hostile --from-beginning --exit${format}`)
      expect(await terminal.ended).toBe(0)
      expect(terminal.output).toContain('title')
      expect(terminal.output).not.toContain('\x1b]0;')
      expect(terminal.output).not.toContain('\x1b[2J')
    }
    await using raw = open('consume hostile --from-beginning --exit --raw')
    expect(await raw.ended).toBe(0)
    expect(raw.output).toContain('\x1b[2J')
  })

  it('asks before it deletes, and does nothing after a no, Ctrl-C or Ctrl-D', async () => {
    for (const [answer, exitCode] of [
      ['n\r', 1],
      ['\x03', 130],
      ['\x04', 1],
    ] as const) {
      await using terminal = open('topic delete orders')
      await terminal.shows('Delete 1 topic? [y/N]')
      terminal.type(answer)
      expect(await terminal.ended).toBe(exitCode)
    }
    expect(await samsa.output('topics orders --plain')).toContain('orders')
    await samsa.output('topic create doomed')
    await using terminal = open('topic delete doomed')
    await terminal.shows('[y/N]')
    terminal.type('y\r')
    expect(await terminal.ended).toBe(0)
  })

  it('asks for a password and does not show it', async () => {
    const line = `topics --brokers ${secure.hosts} --user alice --mechanism SCRAM-SHA-256 --json`
    await using terminal = open(line)
    await terminal.shows('Password for alice:')
    terminal.type('alice-secret\r')
    expect(await terminal.ended).toBe(0)
    expect(terminal.output).not.toContain('alice-secret')
    await using interrupted = open(line)
    await interrupted.shows('Password for alice:')
    interrupted.type('\x03')
    expect(await interrupted.ended).toBe(130)
  })

  it.each([40, 80, 200])(
    'prints tables that fit %d columns, wide characters included',
    async (columns) => {
      const file = join(folder.path, 'long')
      writeFileSync(file, 'x')
      const group = `グループ-そのとても長い名前-with-a-very-long-name-that-does-not-fit-${columns}`
      await samsa.output(['consume', 'orders', '-g', group, '--from-beginning', '-n', '1'])
      for (const line of [
        'groups',
        'topics',
        'lag --partitions',
        'errors',
        'configs orders --all',
        'topic describe orders',
      ]) {
        await using terminal = open(line, columns)
        expect(await terminal.ended).toBe(0)
        const lines = terminal.output.replace(/^pid \d+\r\n/, '').split('\r\n')
        for (const one of lines) expect(columnsOf(one)).toBeLessThanOrEqual(columns)
      }
    },
  )

  it.each([
    ['top --interval 100ms', 'all in sync'],
    ['lag --watch --interval 100ms', 'BEHIND'],
  ])('fits a terminal that shrinks while it draws: %s', async (line, sign) => {
    await using terminal = open(line)
    await terminal.shows(sign)
    await terminal.shows('billing')
    await terminal.resize(30, 6)
    const before = terminal.output.length
    // What was on its way is followed by a whole frame for the new size.
    const frames = () => terminal.output.slice(before).split('\x1b[H')
    await until(() => frames().length > 4)
    const frame = frames()
      .at(-2)!
      .replaceAll(/\p{Cc}\[[\d;?]*[A-Za-z]/gu, '')
    // The terminal adds a carriage return of its own.
    const rows = frame.split(/\r+\n/)
    expect(rows.length).toBeLessThanOrEqual(6)
    for (const row of rows) expect([row, columnsOf(row) <= 30]).toEqual([row, true])
    terminal.type('\x03')
    expect(await terminal.ended).toBe(0)
    expect(terminal.output.trimEnd().endsWith(RESTORED)).toBe(true)
  })

  it.each([
    ['a file', 'produce long -l FILE --rate 150', 100],
    ['a file in a narrow terminal', 'produce long -l FILE --rate 150', 40],
  ])('shows rate and remaining time while it sends %s', async (_what, line, columns) => {
    const file = join(folder.path, 'lines')
    writeFileSync(file, 'a line of the input\n'.repeat(450))
    await using terminal = open(line.replace('FILE', file), columns)
    await terminal.shows(
      columns >= 100
        ? /\r\d+%, sent \d+ messages, [\d.]+ KB, [\d,]+ a second, [\d.]+ s, [\d.]+ s left/
        : /\r\d+%, \d+, [\d,]+\/s, [\d.]+ s left/,
    )
    expect(await terminal.ended).toBe(0)
    expect(terminal.output).toMatch(columns >= 100 ? /\r100%, sent 450 messages/ : /\r100%, 450, /)
    const lines = terminal.output.split(/\r\n|\r/).map((one) => one.replaceAll(/\p{Cc}\[K/gu, ''))
    for (const one of lines) expect(columnsOf(one)).toBeLessThan(columns)
    expect(await samsa.output('consume long --count-only')).toMatch(/^\d+\n$/)
  })

  it.each(['-n', '-c'])(
    'shows the share of the messages with %s, not of the file',
    async (option) => {
      const file = join(folder.path, 'lines')
      writeFileSync(file, 'a line of the input\n'.repeat(450))
      await using terminal = open(`produce few -l ${file} ${option} 90`, 100)
      expect(await terminal.ended).toBe(0)
      expect(terminal.output).toMatch(/\r100%, sent 90 messages/)
    },
  )

  it('shows how much it has copied, and how fast', async () => {
    await samsa.output('topic create many')
    await samsa.output('produce many', { input: 'x\n'.repeat(5_000) })
    await using terminal = open('mirror many --rename copy-of-%', 100)
    expect(await terminal.ended).toBe(0)
    expect(terminal.output).toMatch(/\r100%, copied 5,000 messages, [\d.]+ \w+, [\d,]+ a second/)
  })

  it('prints colours, and none with NO_COLOR', async () => {
    await using coloured = open('top --interval 100ms')
    await coloured.shows('billing')
    expect(coloured.output).toContain('\x1b[1m')
    await using plain = new TerminalSession(['top', '--interval', '100ms'], {
      env: { ...env(), NO_COLOR: '1' },
    })
    await plain.shows('billing')
    expect(plain.output).not.toContain('\x1b[1m')
  })
})

/** Japanese characters take two. */
function columnsOf(line: string): number {
  return Array.from(line).reduce(
    (sum, one) => sum + (/[\u3040-\u30ff\u4e00-\u9fff]/.test(one) ? 2 : 1),
    0,
  )
}
