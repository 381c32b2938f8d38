import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { kcatRead, kcatWrite } from '../support/kcat.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { asFile, LINE_COUNT, realLines } from '../support/real-lines.ts'
import { outputOf, samsa, sha256 } from '../support/run-command.ts'

const lines = realLines()
const file = asFile(lines)
const hash = sha256(file)

describeWithBrokers('lines sent through a real broker', ['java', 'kcat'], () => {
  it.each([
    ['0.8.2.2', '0.11', false],
    ['0.10.2.2', '0.11', false],
    ['0.11.0.3', '0.11', true],
    ['2.8.2', '2.1', true],
    ['1.1.1', '2.1', false],
    ['4.4.0', '2.1', true],
  ])('isAtLeast compares versions: is %s at least %s? %p', (version, least, expected) => {
    expect(isAtLeast(version, least)).toBe(expected)
  })

  describe.each(versionsToTest())('Kafka %s', (version) => {
    let kafka: KafkaCluster

    beforeAll(async () => {
      kafka = await startKafka({ version })
    })
    afterAll(() => kafka.stop())

    const write = (topic: string, input: Buffer, ...args: string[]) =>
      outputOf(samsa(['produce', topic, '--brokers', kafka.hosts, ...args], { input }))
    const read = (topic: string, ...args: string[]) =>
      outputOf(
        samsa(['consume', topic, '--brokers', kafka.hosts, '--from-beginning', '--exit', ...args]),
      )

    it(`${LINE_COUNT} lines that samsa writes are read unchanged by samsa and by kcat`, async () => {
      await kafka.createTopic('written')
      expect((await write('written', file)).length).toBe(0)
      expect(sha256(await read('written'))).toBe(hash)
      expect(sha256(await kcatRead(kafka, 'written'))).toBe(hash)
    })

    it('lines that kcat writes are read unchanged by samsa', async () => {
      await kafka.createTopic('by-kcat')
      const filled = asFile(lines.filter((line) => line !== ''))
      await kcatWrite(kafka, 'by-kcat', filled)
      expect(sha256(await read('by-kcat'))).toBe(sha256(filled))
    })

    it('keys and values arrive over three partitions, each key always in the same one', async () => {
      await kafka.createTopic('keyed', { partitions: 3 })
      await write('keyed', file, '-K', '(')
      const format = '%p %K %k(%s\n'
      const printed = (await read('keyed', '-f', format)).toString()
      expect(sorted(printed)).toBe(sorted((await kcatRead(kafka, 'keyed', format)).toString()))
      const messages = printed.split('\n').slice(0, -1).map(parsePrinted)
      const arrived = messages.map(({ line }) => line).join('\n')
      expect(sha256(sorted(arrived))).toBe(sha256(sorted(lines.join('\n'))))
      expect(new Set(messages.map(({ partition }) => partition)).size).toBe(3)
      const placeOf = new Map<string, string>()
      for (const { key, partition } of messages) {
        if (key === undefined) continue
        expect(placeOf.get(key) ?? partition).toBe(partition)
        placeOf.set(key, partition)
      }
      expect(placeOf.size).toBeGreaterThan(1000)
    })

    const codecs = ['gzip', 'snappy', 'lz4', ...(isAtLeast(version, '2.1') ? ['zstd'] : [])]
    it.each(codecs)(
      'lines that samsa compresses with %s are read by samsa and by kcat, and the other way round',
      async (codec) => {
        const some = asFile(lines.slice(0, 20_000).filter((line) => line !== ''))
        await kafka.createTopic(codec)
        await kafka.createTopic(`${codec}-by-kcat`)
        await write(codec, some, '--compression', codec)
        expect(sha256(await read(codec))).toBe(sha256(some))
        expect(sha256(await kcatRead(kafka, codec))).toBe(sha256(some))
        await kcatWrite(kafka, `${codec}-by-kcat`, some, ['-z', codec])
        expect(sha256(await read(`${codec}-by-kcat`))).toBe(sha256(some))
      },
    )

    if (!isAtLeast(version, '2.1')) {
      it('zstd is rejected with a message that gives the reason', async () => {
        await kafka.createTopic('zstd')
        const args = ['produce', 'zstd', '--brokers', kafka.hosts, '--compression', 'zstd']
        const { exitCode, stderr } = await samsa(args, { input: 'line\n' })
        expect(stderr).toBe(
          `samsa: compression with zstd requires Kafka 2.1 or newer, but ${kafka.hosts} is older\n`,
        )
        expect(exitCode).toBe(1)
      })
    }
  })
})

function sorted(text: string): string {
  return text.split('\n').sort().join('\n')
}

/** `%p %K %k(%s`, as it was printed; without a key (%K is −1) the line had no separator. */
function parsePrinted(printed: string): {
  partition: string
  key: string | undefined
  line: string
} {
  const [, partition, keyBytes, line] = /^(\d+) (-?\d+) (.*)$/s.exec(printed) ?? []
  if (partition === undefined || line === undefined) throw new Error(`Not as formatted: ${printed}`)
  return keyBytes === '-1'
    ? { partition, key: undefined, line: line.slice(1) }
    : { partition, key: line.slice(0, line.indexOf('(')), line }
}
