import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { builtCommand } from '../../support/built.ts'
import { CommandLine } from '../../support/cli-cluster.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

describe('the command that produces and consumes', () => {
  let kafka: EmbeddedCluster
  let other: EmbeddedCluster
  let folder: TemporaryFolder
  let samsa: CommandLine

  beforeAll(async () => {
    builtCommand()
    folder = new TemporaryFolder()
    kafka = await EmbeddedCluster.start({ brokers: 2 })
    other = await EmbeddedCluster.start()
    samsa = new CommandLine(kafka.hosts, folder.path)
  })
  afterAll(async () => {
    await kafka[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  const all = ['--from-beginning', '--exit']

  it('supports the command lines of kcat: -t, -c, -K, -Z, -O, -s, -o s@ and e@', async () => {
    await samsa.output('topic create kcat')
    await samsa.output('produce -t kcat -K : -Z -p -1 -c 3', { input: 'a:1\nb:\nc:3\nd:4\n' })
    const read = (line: string) => samsa.output(`consume -t kcat -q -u -e ${line}`)
    expect(await read('-o beginning -K : -Z')).toBe('a:1\nb:NULL\nc:3\n')
    expect(await read('-o beginning -O -c 2')).toBe('0 1\n1 \n')
    expect(await read('-o beginning -D ;')).toBe('1;;3;')
    const now = Date.now()
    expect(await read(`-o s@${now - 3_600_000} -o e@${now + 3_600_000}`)).toBe('1\n\n3\n')
    expect(await read(`-o @${now - 7_200_000}:${now - 3_600_000}`)).toBe('')
    expect(await read('-o 1:3')).toBe('\n3\n')
    await samsa.output('topic create numbers')
    const number = Buffer.alloc(8)
    number.writeBigInt64BE(-5n)
    const file = join(folder.path, 'number')
    writeFileSync(file, number)
    await samsa.output(['produce', 'numbers', file])
    expect(await samsa.output('consume -t numbers -o beginning -e -s value=q')).toBe('-5\n')
    expect(await samsa.output(['consume', 'numbers', ...all, '--value', 'hex'])).toBe(
      'fffffffffffffffb\n',
    )
  })

  it('reads several topics, by name, wildcard and regular expression', async () => {
    for (const topic of ['many-1', 'many-2', 'other']) {
      await samsa.output(`topic create ${topic}`)
      await samsa.output(`produce ${topic}`, { input: `${topic}\n` })
    }
    const read = async (...topics: string[]) =>
      (await samsa.output(['consume', ...topics, ...all])).trimEnd().split('\n').sort()
    expect(await read('many-1', 'other')).toEqual(['many-1', 'other'])
    expect(await read('many-*')).toEqual(['many-1', 'many-2'])
    expect(await read('/^many-2$|^other$/')).toEqual(['many-2', 'other'])
    expect(await samsa.run(['consume', 'nothing-*', ...all])).toMatchObject({
      exitCode: 2,
      stderr: 'samsa: no topic matches nothing-*\n',
    })
  })

  it('prints timestamps and bytes as a format requires, and filters by an expression', async () => {
    await samsa.output('topic create formats')
    const line = JSON.stringify({ key: 'k', value: { status: 500 }, timestamp: 0 })
    await samsa.output('produce formats --json', { input: `${line}\n` })
    await samsa.output('produce formats', { input: 'not json\n' })
    const read = (...args: string[]) => samsa.output(['consume', 'formats', ...all, ...args])
    expect(await read('-n', '1', '-f', '%T{iso} %k{hex} %s{base64} %s{json} %H{x}\\n')).toBe(
      '1970-01-01T00:00:00.000Z 6b eyJzdGF0dXMiOjUwMH0= {"status":500} 0{x}\n',
    )
    expect(await read('--filter', 'value.status >= 500')).toBe('{"status":500}\n')
    expect(await read('--filter', 'value.startsWith("not")')).toBe('not json\n')
    expect((await samsa.run(['consume', 'formats', '--filter', 'value ='])).exitCode).toBe(2)
  })

  it('reads keys, headers, partitions and timestamps from lines in a format, and tombstones', async () => {
    await samsa.output('topic create lines -p 2')
    const format = ['-f', '%p %T [%h] %k=%v']
    await samsa.output(['produce', 'lines', ...format], { input: '1 5 [a=b,c=d] key=v=w\n' })
    await samsa.output('produce lines --tombstone -p 0', { input: 'gone\n' })
    expect(await samsa.events(['consume', 'lines', ...all, '--json', '-p', '1'])).toEqual([
      {
        topic: 'lines',
        partition: 1,
        offset: 0,
        timestamp: 5,
        key: 'key',
        value: 'v=w',
        headers: [
          { key: 'a', value: 'b' },
          { key: 'c', value: 'd' },
        ],
      },
    ])
    expect(await samsa.output(['consume', 'lines', '-p', '0', ...all, '-Z', '-K', '='])).toBe(
      'gone=NULL\n',
    )
    expect(await samsa.run(['produce', 'lines', ...format], { input: '1 x\n' })).toMatchObject({
      exitCode: 2,
      stderr: "samsa: line 1 of the input does not match the format '%p %T [%h] %k=%v'\n",
    })
  })

  it('sends a whole file in one transaction, or none of it', async () => {
    await samsa.output('topic create whole')
    const input = 'a\nb\nc\n'
    await samsa.output('produce whole --transaction', { input })
    // The third line is too long: the other two must not be seen.
    const long = { input: `d\ne\n${'x'.repeat(50)}\n` }
    const line = 'produce whole --transaction billing --max-message-bytes 10'
    expect((await samsa.run(line, long)).exitCode).toBe(2)
    const read = ['consume', 'whole', ...all, '--read-committed']
    expect(await samsa.output(read)).toBe(input)
  })

  it('copies topics to another cluster byte for byte, and resumes where it stopped', async () => {
    await samsa.output('topic create source -p 3 -c retention.ms=3600000')
    const lines = [
      { key: 'a', value: 'one', headers: [{ key: 'h', value: null }], partition: 2 },
      { key: null, valueBase64: '/wAK', partition: 0, timestamp: 5_000 },
      { key: 'b', value: null, partition: 1 },
    ]
    const input = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    await samsa.output('produce source --json', { input })
    const target = new CommandLine(other.hosts, folder.path)
    const to = `--to-brokers ${other.hosts}`
    const copied = (count: number) => [{ topic: 'source', target: 'source', messages: count }]
    expect(await samsa.json(`mirror source ${to} --resume m`)).toEqual(copied(3))
    expect(await samsa.json(`mirror source ${to} --resume m`)).toEqual(copied(0))
    const read = ['consume', 'source', ...all, '--json']
    const byPartition = (events: readonly Record<string, unknown>[]) =>
      events.toSorted((a, b) => Number(a['partition']) - Number(b['partition']))
    expect(byPartition(await target.events(read))).toEqual(byPartition(await samsa.events(read)))
    expect(await target.output('config get source retention.ms --plain')).toBe('3600000\n')
    expect(await samsa.run(`mirror source`)).toMatchObject({ exitCode: 2 })
  })

  it('copies exactly once, with the position in the transaction of the copies', async () => {
    await samsa.output('topic create once')
    await samsa.output('produce once', { input: 'a\nb\n' })
    const line = `mirror once --to-brokers ${other.hosts} --rename % --resume e --exactly-once`
    expect(await samsa.json(line)).toMatchObject([{ messages: 2 }])
    await samsa.output('produce once', { input: 'c\n' })
    expect(await samsa.json(`${line} --grep c`)).toMatchObject([{ messages: 1 }])
    const target = new CommandLine(other.hosts, folder.path)
    expect(await target.output(['consume', 'once', ...all, '--read-committed'])).toBe('a\nb\nc\n')
    expect(await target.output('offsets export e')).toBe('once,0,3\n')
  })

  it('prints the events that the Java programs of the system tests print', async () => {
    await samsa.output('topic create verified')
    const line = `verifiable-producer --bootstrap-server ${kafka.hosts} --topic verified --max-messages 3`
    const sent = await samsa.events(`${line} --value-prefix 7 --repeating-keys 2 --throughput 1000`)
    expect(sent.map(({ name }) => name)).toEqual([
      'startup_complete',
      'producer_send_success',
      'producer_send_success',
      'producer_send_success',
      'shutdown_complete',
      'tool_data',
    ])
    expect(sent[2]).toMatchObject({ key: '1', value: '7.1', topic: 'verified', offset: 1 })
    expect(sent[5]).toMatchObject({ sent: 3, acked: 3, target_throughput: 1000 })
    const read = await samsa.events(
      'verifiable-consumer --topic verified --group-id v --max-messages 3 --verbose',
    )
    const names = read.map(({ name }) => name)
    expect(names.slice(0, 2)).toEqual(['startup_complete', 'partitions_assigned'])
    expect(names.slice(-2)).toEqual(['partitions_revoked', 'shutdown_complete'])
    const offsets = [{ topic: 'verified', partition: 0, offset: 3 }]
    expect(read.findLast(({ name }) => name === 'offsets_committed')).toMatchObject({
      offsets,
      success: true,
    })
    expect(read.filter(({ name }) => name === 'record_data')).toHaveLength(3)
  })

  it('prints the same events as a member of a group of the consumer protocol', async () => {
    await samsa.output('topic create verified-848')
    await samsa.events('verifiable-producer --topic verified-848 --max-messages 3')
    const read = await samsa.events(
      'verifiable-consumer --topic verified-848 --group-id v848 --max-messages 3 --group-protocol CONSUMER --group-remote-assignor range',
    )
    const names = read.map(({ name }) => name)
    expect(names.slice(0, 2)).toEqual(['startup_complete', 'partitions_assigned'])
    expect(names.slice(-2)).toEqual(['partitions_revoked', 'shutdown_complete'])
    expect(read.findLast(({ name }) => name === 'offsets_committed')).toMatchObject({
      offsets: [{ topic: 'verified-848', partition: 0, offset: 3 }],
      success: true,
    })
  })

  it('measures rates and latencies', async () => {
    await samsa.output('topic create measured')
    expect(await samsa.json('bench produce measured -n 500 --rate 5000')).toMatchObject({
      what: 'produce',
      messages: 500,
      bytes: 50_000,
      latencyMs: { p50: expect.any(Number), max: expect.any(Number) },
    })
    expect(await samsa.json('bench consume measured')).toMatchObject({ messages: 500 })
  })

  it('shows the age of the oldest unread message', async () => {
    await samsa.output('topic create aging')
    const line = JSON.stringify({ value: 'x', timestamp: Date.now() - 3_600_000 })
    await samsa.output('produce aging', { input: 'new\n' })
    await samsa.output('consume aging -g readers --from-beginning -n 1')
    await samsa.output('produce aging --json', { input: `${line}\n` })
    const [group] = (await samsa.json('lag readers --seconds')) as { lag: number; ageMs: number }[]
    expect(group!.lag).toBe(1)
    expect(group!.ageMs).toBeGreaterThan(3_599_000)
    const late = await samsa.run('lag readers --max-age 30m')
    expect(late.exitCode).toBe(3)
    expect(late.stderr).toMatch(/^samsa: behind by more than 30m 0s: readers \(1h 0m\)\n$/)
    expect((await samsa.run('lag readers --max-age 2h')).exitCode).toBe(0)
  })
})
