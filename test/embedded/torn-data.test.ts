import { describe, expect, it } from '@jest/globals'
import { cpSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { readJournal } from '../../src/embedded/storage/journal.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { batchOf, fetchFrom, produceTo, rawClientOf, valuesOf } from './support/requests.ts'

/** What a cluster leaves: a topic with one partition, and a batch a value. */
async function written(folder: string, values: readonly string[]): Promise<string> {
  await using kafka = await EmbeddedCluster.start({ dataDir: folder, topics: { t: {} } })
  using raw = await rawClientOf(kafka)
  for (const value of values) await produceTo(raw, 't', 0, batchOf([value]))
  return folder
}

function logOf(folder: string): string {
  const logs = join(folder, 'logs')
  const [file] = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.log'),
  )
  return join(logs, file!)
}

/** What is read from a folder like this one, after something was done to it and one more was produced. */
async function recovered(folder: string, damage: (copy: string) => void) {
  using copy = new TemporaryFolder()
  cpSync(folder, copy.path, { recursive: true })
  damage(copy.path)
  const warnings: string[] = []
  const options = { dataDir: copy.path, onWarning: (message: string) => warnings.push(message) }
  {
    await using kafka = await EmbeddedCluster.start(options)
    using raw = await rawClientOf(kafka)
    await produceTo(raw, 't', 0, batchOf(['next']))
  }
  const cut = warnings.splice(0)
  await using kafka = await EmbeddedCluster.start(options)
  using raw = await rawClientOf(kafka)
  const { responses } = await fetchFrom(raw, 't', [0])
  return { values: valuesOf(responses[0]!.partitions[0]!.records), cut, cutAgain: warnings }
}

const VALUES = ['first', 'second', 'third']
/** Where the batches end: their sizes depend on nothing but the values. */
const ENDS = VALUES.map((_, index) => batchOf([VALUES[index]!]).length).reduce<number[]>(
  (ends, size) => [...ends, (ends[ends.length - 1] ?? 0) + size],
  [0],
)

describe('a log', () => {
  it('that ends at any byte keeps all whole batches, and goes on behind them', async () => {
    using folder = new TemporaryFolder()
    await written(folder.path, VALUES)
    for (let size = 0; size <= ENDS[3]!; size++) {
      const whole = ENDS.filter((end) => end > 0 && end <= size).length
      const { values, cut, cutAgain } = await recovered(folder.path, (copy) =>
        truncateSync(logOf(copy), size),
      )
      const isBetween = size === ENDS[whole]
      expect({ size, values, cuts: cut.length, cutAgain }).toEqual({
        size,
        values: [...VALUES.slice(0, whole), 'next'],
        cuts: isBetween ? 0 : 1,
        cutAgain: [],
      })
    }
  })

  it('with garbage behind the last whole batch has it cut off, and says so', async () => {
    using folder = new TemporaryFolder()
    await written(folder.path, VALUES)
    const batch = batchOf(['x'])
    const garbage = {
      zeros: Buffer.alloc(100),
      'bytes of all kinds': Buffer.from(Array.from({ length: 200 }, (_, at) => at)),
      'a whole batch with an offset that is not the next': batch,
      'a size past the end': Buffer.from(
        '00000000000000037fffffff00000000' + '02'.repeat(60),
        'hex',
      ),
      'a negative size': Buffer.from('0000000000000003ffffffff00000000' + '02'.repeat(60), 'hex'),
    }
    for (const [name, bytes] of Object.entries(garbage)) {
      const { values, cut } = await recovered(folder.path, (copy) =>
        writeFileSync(logOf(copy), bytes, { flag: 'a' }),
      )
      expect({ name, values }).toEqual({ name, values: [...VALUES, 'next'] })
      expect(cut).toEqual([
        expect.stringMatching(
          new RegExp(
            `^cut off what was written in part: ${bytes.length} bytes of .*\\.log, from ${ENDS[3]} on$`,
          ),
        ),
      ])
    }
  })

  it('with damage in any byte of a batch loses that batch and what is behind it', async () => {
    using folder = new TemporaryFolder()
    await written(folder.path, VALUES)
    for (let at = ENDS[1]!; at < ENDS[2]!; at++) {
      const { values } = await recovered(folder.path, (copy) => {
        const data = readFileSync(logOf(copy))
        data[at]! ^= 0xff
        writeFileSync(logOf(copy), data)
      })
      // The leader epoch is covered by no checksum, and does no harm.
      const isEpoch = at - ENDS[1]! >= 12 && at - ENDS[1]! < 16
      expect({ at, values }).toEqual({ at, values: [...(isEpoch ? VALUES : ['first']), 'next'] })
    }
  })
})

describe('a journal', () => {
  it('that ends at any byte keeps all whole lines', async () => {
    using folder = new TemporaryFolder()
    {
      await using kafka = await EmbeddedCluster.start({ dataDir: folder.path })
      for (const name of ['a', 'b', 'c']) kafka.createTopic(name)
    }
    const journal = readFileSync(join(folder.path, 'journal'))
    const file = join(folder.path, 'cut')
    for (let size = 0; size <= journal.length; size++) {
      writeFileSync(file, journal.subarray(0, size))
      const lines = journal.toString('utf8', 0, size).split('\n')
      const { entries, wholeBytes, cutBytes } = readJournal(file)
      expect({ size, entries: entries.length, wholeBytes, cutBytes }).toEqual({
        size,
        entries: lines.length - 1,
        wholeBytes: size - lines[lines.length - 1]!.length,
        cutBytes: lines[lines.length - 1]!.length,
      })
    }
  })

  it('goes on behind its last whole line, and says what it cuts off', async () => {
    using folder = new TemporaryFolder()
    const warnings: string[] = []
    const options = {
      dataDir: folder.path,
      onWarning: (message: string) => warnings.push(message),
    }
    const journal = join(folder.path, 'journal')
    {
      await using kafka = await EmbeddedCluster.start(options)
      for (const name of ['a', 'b']) kafka.createTopic(name)
    }
    truncateSync(journal, statSync(journal).size - 5)
    {
      await using kafka = await EmbeddedCluster.start(options)
      expect(kafka.topics).toEqual(['a'])
      kafka.createTopic('c')
    }
    expect(warnings).toEqual([
      expect.stringMatching(/^cut off what was written in part: \d+ bytes of .*journal$/),
    ])
    await using kafka = await EmbeddedCluster.start(options)
    expect(kafka.topics).toEqual(['a', 'c'])
    expect(warnings).toHaveLength(1)
  })
})
