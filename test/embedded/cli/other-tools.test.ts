import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { builtCommand } from '../../support/built.ts'
import { CommandLine } from '../../support/cli-cluster.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

const DOCUMENT = readFileSync('docs/cli.md', 'utf8')

/** The rows of the table below a heading, each a list of cells. */
function rowsBelow(heading: string): readonly (readonly string[])[] {
  const section = DOCUMENT.split(`\n### ${heading}\n`)[1]!.split(/\n##/)[0]!
  return section
    .split('\n')
    .filter((line) => /^\| (?!-)/.test(line))
    .slice(1)
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | *\|$/g, '').trim()))
}

/** Everything behind a dash in the help of kcat 1.7.1. */
const KCAT_LETTERS = 'CPLQGMtpbDKcmFXdqvEVhzkHlTZoefJsruO'.split('')

describe('the command for users of other tools', () => {
  let kafka: EmbeddedCluster
  let folder: TemporaryFolder
  let samsa: CommandLine

  beforeAll(async () => {
    builtCommand()
    folder = new TemporaryFolder()
    kafka = await EmbeddedCluster.start({ topics: { filled: { partitions: 1 } } })
    samsa = new CommandLine(kafka.hosts, folder.path)
    await samsa.output('produce filled -K :', { input: 'a:1\nb:2\nc:3\n' })
  })
  afterAll(async () => {
    await kafka[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  /** Words as a shell would have them, for what the tables need of a shell. */
  const wordsOf = (line: string) =>
    [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!)

  it('does what each row of the table for pykafka states', async () => {
    const rows = rowsBelow("pykafka's kafka-tools")
    const names = JSON.parse(
      readFileSync(join('test', 'pykafka', 'public-names.json'), 'utf8'),
    ) as Record<string, readonly string[]>
    const left = rows.map(([tool]) => tool).join('\n')
    for (const name of names['kafka-tools']!) expect(left).toContain(name)

    const commands = rows.map(([, command]) => /`samsa ([^`]*)`/.exec(command!)?.[1])
    const runs = commands.filter((command) => command !== undefined)
    expect(runs).toHaveLength(rows.length - 2)
    // The last row deletes it.
    await samsa.output('topic create used')
    await samsa.output('produce used', { input: '1\n2\n3\n' })
    await samsa.output('consume used -g workers --from-beginning -n 1')
    for (const [index, run] of runs.entries()) {
      const line = run
        .replace(' > FILE', ' --from-beginning --exit')
        .replaceAll('TOPIC', 'used')
        .replaceAll('GROUP', 'workers')
        .replaceAll('NEW', `new-${index}`)
      const { exitCode, stdout, stderr } = await samsa.run(wordsOf(line))
      expect({ line, exitCode, stderr: stderr.replaceAll(/^(?:samsa: )?.*→.*\n/gm, '') }).toEqual({
        line,
        exitCode: 0,
        stderr: '',
      })
      if (line.startsWith('consume')) expect(stdout).toBe('1\n2\n3\n')
      if (line.startsWith('lag')) expect(stdout).toMatch(/workers/)
      if (line.startsWith('offsets list')) expect(stdout).toMatch(/used +0 +0/)
    }
    const [assigned] = (await samsa.json(
      `topic describe new-${runs.findIndex((run) => run.includes('--replica-assignment'))}`,
    )) as { partitions: { replicas: number[] }[] }[]
    expect(assigned!.partitions.map(({ replicas }) => replicas)).toEqual([[1]])
  })

  it('creates a topic on the brokers that --replica-assignment names, in both spellings', async () => {
    await using two = await EmbeddedCluster.start({ brokers: 2 })
    const place = ['--brokers', two.hosts]
    for (const [topic, assignment] of [
      ['by-tool', '2:1,1'],
      ['by-json', '{"1":[1],"0":[2,1]}'],
    ] as const) {
      await samsa.output(['topic', 'create', topic, '--replica-assignment', assignment, ...place])
      const [described] = (await samsa.json(['topic', 'describe', topic, ...place])) as {
        partitions: { replicas: number[] }[]
      }[]
      expect(described!.partitions.map(({ replicas }) => replicas)).toEqual([[2, 1], [1]])
    }
    for (const wrong of ['{"0":1}', '{"1":[1]}', '1:x', '{', '']) {
      const { exitCode, stderr } = await samsa.run([
        'topic',
        'create',
        'x',
        '--replica-assignment',
        wrong,
      ])
      expect({ wrong, exitCode }).toEqual({ wrong, exitCode: 2 })
      expect(stderr).toContain('It must be like 1:2,2:3')
    }
    const { exitCode, stderr } = await samsa.run([
      'topic',
      'create',
      'x',
      '--replica-assignment',
      '1',
      '-p',
      '1',
    ])
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining('it cannot be used with -p or -r'),
    ])
  })

  it('names each letter of kcat in the table for kcat users', () => {
    const left = rowsBelow('kcat')
      .map(([kcat]) => kcat)
      .join(' ')
    for (const letter of KCAT_LETTERS) expect(left).toMatch(new RegExp(`-${letter}\\b`))
  })

  it.each([
    ['-C -t filled', 'samsa consume'],
    ['-b HOSTS -t filled -P', 'samsa produce'],
    ['-G workers filled', 'samsa consume TOPIC --group'],
    ['-L', 'samsa topics'],
    ['-Q -t filled:0:-1', 'samsa offsets list'],
    ['-M 3', 'samsa broker'],
  ])(
    'rejects a mode of kcat, and names the command that does the same: %s',
    async (line, command) => {
      const { exitCode, stdout, stderr } = await samsa.run(line)
      expect([exitCode, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^samsa: -[A-Z] is a mode of kcat: use [^\n]*\n$/)
      expect(stderr).toContain(command)
    },
  )

  it.each([
    ['consume -t filled -o beginning -e -r http://localhost', 'not use a schema registry'],
    ['consume -t filled -o beginning -e -s avro', '-s accepts the letters'],
    ['consume -t filled -o beginning -e -s x', '-s accepts the letters'],
    ['consume -t filled -X list', '-X list is not available'],
    ['consume -t filled -X dump', '-X dump is not available'],
    ['consume -t filled -o stored', "'stored' requires --group"],
    ['consume -t filled -f %q', 'the format has no field %q'],
  ])('rejects features of kcat that it lacks: %s', async (line, message) => {
    const { exitCode, stdout, stderr } = await samsa.run(line)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^samsa: [^\n]*\n$/)
    expect(stderr).toContain(message)
  })

  it('consumes with the letters of kcat that have no other name here', async () => {
    const read = (line: string) => samsa.output(`consume ${line}`)
    expect(await read('-t filled -q -u -E -m 5 -p 0 -o 1 -c 1 -e')).toBe('2\n')
    expect(await read('-G balanced -o beginning -c 2 filled')).toBe('1\n2\n')
    expect(await read('-G balanced -o stored -c 1 filled')).toBe('3\n')
    expect(await read('^fil+ed$ -o beginning -e')).toBe('1\n2\n3\n')
    const { stderr } = await samsa.run('consume -t filled -o beginning -e -d broker')
    expect(stderr).not.toBe('')
  })

  it('reads numbers with the letters of -s as kcat prints them', async () => {
    await samsa.output('topic create packed')
    const file = join(folder.path, 'packed')
    writeFileSync(file, Buffer.from([1, 2, 3, 4, 97, 98, 99, 100, 0xff, 0xfe]))
    await samsa.output(['produce', 'packed', file])
    const read = (letters: string) =>
      samsa.output(['consume', '-t', 'packed', '-o', 'beginning', '-e', '-s', `value=${letters}`])
    // Printed by kcat 1.7.1, but for `<i`, whose order of bytes it does not honour.
    for (const [letters, printed] of [
      ['i', '16909060'],
      ['>i', '16909060'],
      ['<i', '67305985'],
      ['hI', '25850618722'],
      ['bBhH', '1277224930'],
      ['i h', '16909060 24930'],
      ['q', '72623861339939684'],
      ['qh$', '72623861339939684-2'],
      ['cc', '\x01\x02'],
    ] as const) {
      expect([letters, await read(letters)]).toEqual([letters, `${printed}\n`])
    }
    expect(await read('i$')).toBe('(not i$: AQIDBGFiY2T//g==)\n')
    expect(await read('qi')).toBe('(not qi: AQIDBGFiY2T//g==)\n')
  })

  it('splits input at delimiters of several bytes, and accepts -k for lines without a key', async () => {
    await samsa.output('topic create split')
    const input = 'a:1||2||b:3'
    await samsa.output(['produce', '-t', 'split', '-D', '||', '-K', ':', '-k', 'fixed'], { input })
    expect(await samsa.output(['consume', 'split', '-o', 'beginning', '-e', '-K', '='])).toBe(
      'a=1\nfixed=2\nb=3\n',
    )
  })
})
