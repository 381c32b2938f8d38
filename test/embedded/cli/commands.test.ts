import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { builtCommand } from '../../support/built.ts'
import { samsa, type CommandOptions } from '../../support/run-command.ts'

describe('the command on a cluster', () => {
  let kafka: EmbeddedCluster
  let folder: string

  beforeAll(async () => {
    builtCommand()
    kafka = await EmbeddedCluster.start({ brokers: 3 })
    folder = mkdtempSync(join(tmpdir(), 'samsa-cli-'))
  })
  afterAll(async () => {
    await kafka[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  async function run(line: string, options: CommandOptions = {}) {
    const { exitCode, stdout, stderr } = await samsa(line.split(' '), {
      ...options,
      env: { SAMSA_BROKERS: kafka.hosts, XDG_CONFIG_HOME: folder, ...options.env },
    })
    return { exitCode, stdout: stdout.toString(), stderr }
  }

  async function json(line: string): Promise<unknown> {
    const { exitCode, stdout, stderr } = await run(`${line} --json`)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    return JSON.parse(stdout)
  }

  it('creates, lists, describes, clones and deletes topics', async () => {
    await json('topic create orders -p 2 -r 3 -c retention.ms=1000')
    expect(await json('topics ord*')).toMatchObject([
      { topic: 'orders', partitions: [{ replicas: { length: 3 } }, {}] },
    ])
    const table = await run('topic describe orders')
    expect(table.stdout).toMatch(/^TOPIC +PARTITION +LEADER/)
    expect(table.stdout.split('\n')).toHaveLength(4)
    await json('topic clone orders orders-copy')
    expect((await run('config get orders-copy retention.ms')).stdout).toContain('1000')
    expect(await run('topic delete orders-copy')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'delete topic orders-copy, 2 partitions\nsamsa: nothing was changed: use --yes to continue, or --dry-run to see the plan\n',
    })
    expect(await json('topic delete orders-copy --yes')).toEqual([{ topic: 'orders-copy' }])
    expect(await json('topics orders-copy')).toEqual([])
  })

  it('fails when one item failed, names the item, and prints valid JSON', async () => {
    await json('topic create half')
    const { exitCode, stdout, stderr } = await run('topic create half other-half --json')
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject([
      { topic: 'half', error: { code: 'TOPIC_ALREADY_EXISTS' } },
      { topic: 'other-half' },
    ])
    expect(stderr).toMatch(/^samsa: creating topic 'half' failed [^\n]*\n$/)
    const missing = await run('topic describe no-such --json')
    expect(missing.exitCode).toBe(1)
    expect(JSON.parse(missing.stdout)).toMatchObject([{ error: {} }])
  })

  it('sends and prints messages as JSON, byte for byte', async () => {
    await json('topic create copies -p 3')
    await json('topic create copies-again -p 3')
    const lines = [
      { key: 'a', value: 'one', headers: [{ key: 'h', value: null }], partition: 2 },
      { key: null, value: null, partition: 0 },
      { key: '', valueBase64: '/wAK', partition: 2, timestamp: 5_000 },
    ]
    const input = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    expect(await run('produce copies --json', { input })).toMatchObject({ exitCode: 0 })
    const first = await run('consume copies --from-beginning --exit --json')
    expect(first).toMatchObject({ exitCode: 0, stderr: '' })
    await run('produce copies-again --json', { input: first.stdout })
    const second = await run('consume copies-again --from-beginning --exit --json')
    const sorted = (text: string) => text.replaceAll('copies-again', 'copies').split('\n').sort()
    expect(sorted(second.stdout)).toEqual(sorted(first.stdout))
    expect(first.stdout).toContain('"valueBase64":"/wAK"')
  })

  it('reads from the end, filters, counts, and accepts a tab as separator', async () => {
    await json('topic create numbers')
    const input = Array.from({ length: 20 }, (_, i) => `k${i}\tv${i}\n`).join('')
    await run('produce numbers -K \\t', { input })
    const tail = await run('consume numbers --tail 2 --exit -f %k=%s;')
    expect(tail.stdout).toBe('k18=v18;k19=v19;')
    expect((await run('consume numbers -o -3 --exit --filter-key k19')).stdout).toBe('v19\n')
    expect((await run('consume numbers --count-only --grep v1')).stdout).toBe('11\n')
  })

  it('reads as a member of a group, shows its lag, and resets its offsets', async () => {
    await json('topic create work -p 2')
    await run('produce work', { input: 'a\nb\nc\n' })
    const read = await run('consume work -g workers --from-beginning -n 3')
    expect(read).toMatchObject({ exitCode: 0, stderr: '' })
    await run('produce work', { input: 'd\n' })
    expect(await json('lag workers')).toMatchObject([{ group: 'workers', lag: 1 }])
    expect(await run('lag workers --max 0')).toMatchObject({
      exitCode: 3,
      stderr: 'samsa: behind by more than 0: workers (1)\n',
    })
    const plan = await run('offsets reset workers --to earliest --dry-run')
    expect(plan.stderr).toMatch(/work-0: \d+ → 0/)
    expect(await json('lag workers')).toMatchObject([{ lag: 1 }])
    const exported = await run('offsets export workers')
    await json('offsets reset workers --to earliest --yes')
    expect(await json('lag workers')).toMatchObject([{ lag: 4 }])
    const file = join(folder, 'workers.csv')
    writeFileSync(file, exported.stdout)
    await json(`offsets reset workers --to ${file} --yes`)
    expect(await json('lag workers')).toMatchObject([{ lag: 1 }])
    await json('group clone workers copied --yes')
    expect(await json('lag copied')).toMatchObject([{ lag: 1 }])
    await json('group delete workers copied --yes')
    expect(await json('groups')).toMatchObject({ groups: [], incomplete: [] })
  })

  it('shows the cluster, pings it and sends any request', async () => {
    expect(await json('cluster describe')).toMatchObject({ brokers: { length: 3 } })
    const steps = (await json('ping')) as { step: string; error?: string }[]
    expect(steps.map(({ step }) => step)).toContain('round trip')
    expect(steps.filter(({ error }) => error !== undefined)).toEqual([])
    const raw = await run('raw ListGroups --to controller')
    expect(JSON.parse(raw.stdout)).toMatchObject({ errorCode: 0 })
    expect((await run('errors 6 --plain')).stdout).toMatch(/^6\tNOT_LEADER_OR_FOLLOWER\tyes\t/)
  })

  it('reports at which step a connection fails', async () => {
    const { exitCode, stdout, stderr } = await run('ping --brokers 127.0.0.1:1 --json')
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject([{ step: 'DNS' }, { step: 'TCP', error: {} }])
    expect(stderr).toMatch(/TCP failed: .*Nothing listens on this port/)
  })

  it('keeps profiles that only their owner can read, and uses the current one', async () => {
    const { hosts } = kafka
    await run(`profile set here bootstrap.servers=${hosts} sasl.password=x`)
    const path = join(folder, 'samsa', 'profiles', 'here.properties')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toContain(`bootstrap.servers=${hosts}`)
    expect((await run('profile show here')).stdout).toContain('(hidden)')
    await run('profile delete here --yes')
    await run(`profile set here bootstrap.servers=${hosts}`)
    await run('profile use here')
    const withoutVariable = { env: { SAMSA_BROKERS: '' } }
    expect(await run('topics', withoutVariable)).toMatchObject({ exitCode: 0, stderr: '' })
    await run('profile use -')
    expect((await run('profile list --plain')).stdout).toBe('here\t\n')
    expect((await run('topics --profile nowhere')).stderr).toBe(
      "samsa: profile 'nowhere' does not exist: existing profiles: here\n",
    )
  })

  it('completes commands, options, topics and groups', async () => {
    await json('topic create to-complete')
    expect((await run('__complete -- to')).stdout).toBe('token\ntokens\ntop\ntopic\ntopics\n')
    expect((await run('__complete -- topic describe to-')).stdout).toBe('to-complete\n')
    expect((await run('__complete -- lag --onl')).stdout).toBe('--only-lagging\n')
  })

  it.each([
    ['topcs', "unknown command 'topcs' (Did you mean topics?)"],
    ['topic create x -p none', 'must be a whole number'],
    ['consume x --from-beginning --tail 3', 'only one of'],
    ['topics --config /no/such/file', 'cannot be read: ENOENT'],
    ['raw NoSuchApi', "there is no API 'NoSuchApi'"],
    ['configs planet:earth', "'planet:earth' must begin with one of topic"],
  ])('rejects a wrong command line with exit code 2: %s', async (line, message) => {
    const { exitCode, stdout, stderr } = await run(line)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^samsa: [^\n]*\n$/)
    expect(stderr).toContain(message)
  })
})
