import { describe, expect, it } from '@jest/globals'
import {
  cpSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { EmbeddedCluster, EmbeddedClusterError } from '../../src/embedded/index.ts'
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

function logsOf(folder: string): readonly string[] {
  const logs = join(folder, 'logs')
  return readdirSync(logs, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(logs, name))
}

function logOf(folder: string): string {
  return logsOf(folder)[0]!
}

function flip(file: string, at: number): void {
  const data = readFileSync(file)
  data[at]! ^= 0xff
  writeFileSync(file, data)
}

async function startError(dataDir: string) {
  try {
    await using kafka = await EmbeddedCluster.start({ dataDir })
    return { code: 'none', message: `started with ${kafka.topics.length} topics` }
  } catch (error) {
    if (error instanceof EmbeddedClusterError) return error
    throw error
  }
}

/** How a cluster is refused a folder like this one, after something was done to it. */
async function refusal(folder: string, damage: (copy: string) => void) {
  using copy = new TemporaryFolder()
  cpSync(folder, copy.path, { recursive: true })
  damage(copy.path)
  const contents = () => logsOf(copy.path).map((file) => [file, readFileSync(file, 'latin1')])
  const before = contents()
  const { code, message } = await startError(copy.path)
  const wasChanged = JSON.stringify(contents()) !== JSON.stringify(before)
  return { code, message, wasChanged }
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
/** Each in a segment of its own: the first holds 16 KiB, the second 64 KiB. */
const THREE_SEGMENTS = [12_000, 60_000, 12_000].map((length) => 'x'.repeat(length))
/** Where the batches end: their sizes depend on nothing but the values. */
const ENDS = VALUES.map((_, index) => batchOf([VALUES[index]!]).length).reduce<number[]>(
  (ends, size) => [...ends, (ends[ends.length - 1] ?? 0) + size],
  [0],
)

describe('a log', () => {
  it('that ends at any byte keeps all complete batches, and continues after them', async () => {
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

  it('with zeros after the last complete batch truncates them, and reports it', async () => {
    using folder = new TemporaryFolder()
    await written(folder.path, VALUES)
    const { values, cut } = await recovered(folder.path, (copy) =>
      writeFileSync(logOf(copy), Buffer.alloc(100), { flag: 'a' }),
    )
    expect(values).toEqual([...VALUES, 'next'])
    expect(cut).toEqual([
      expect.stringMatching(
        new RegExp(
          `^truncated records that were written only in part: 100 bytes of .*\\.log, from ${ENDS[3]} on$`,
        ),
      ),
    ])
  })

  it('with bytes after the last complete batch that no write left is rejected unchanged', async () => {
    using folder = new TemporaryFolder()
    await written(folder.path, VALUES)
    const garbage = {
      'bytes of all kinds': Buffer.from(Array.from({ length: 200 }, (_, at) => at)),
      'a whole batch with an offset that is not the next': batchOf(['x']),
      'a negative size': Buffer.from('0000000000000003ffffffff00000000' + '02'.repeat(60), 'hex'),
    }
    for (const [name, bytes] of Object.entries(garbage)) {
      const refused = await refusal(folder.path, (copy) =>
        writeFileSync(logOf(copy), bytes, { flag: 'a' }),
      )
      expect({ name, ...refused }).toEqual({
        name,
        code: 'DATA_FOLDER_DAMAGED',
        message: expect.stringMatching(
          new RegExp(
            `\\.log is damaged from byte ${ENDS[3]} \\(offset 3\\)\\. Nothing was changed: `,
          ),
        ),
        wasChanged: false,
      })
    }
  })

  it('with damage in any byte of a batch, including the last, is rejected unchanged', async () => {
    using folder = new TemporaryFolder()
    await written(folder.path, VALUES)
    for (let at = ENDS[1]!; at < ENDS[3]!; at++) {
      const start = at < ENDS[2]! ? ENDS[1]! : ENDS[2]!
      // The leader epoch is covered by no checksum, and does no harm.
      if (at - start >= 12 && at - start < 16) continue
      const refused = await refusal(folder.path, (copy) => flip(logOf(copy), at))
      expect({ at, ...refused }).toMatchObject({
        at,
        code: 'DATA_FOLDER_DAMAGED',
        message: expect.stringContaining(`is damaged from byte ${start} (offset `),
        wasChanged: false,
      })
    }
  })

  it('with damage in its first segment keeps the later segments', async () => {
    using folder = new TemporaryFolder()
    await written(folder.path, THREE_SEGMENTS)
    expect(logsOf(folder.path)).toHaveLength(3)
    const { code, message, wasChanged } = await refusal(folder.path, (copy) =>
      flip(logOf(copy), 70),
    )
    expect({ code, wasChanged }).toEqual({ code: 'DATA_FOLDER_DAMAGED', wasChanged: false })
    expect(message).toMatch(/0\.log is damaged from byte 0 \(offset 0\)\. Nothing was changed: /)
  })

  it('without a segment in its middle is rejected unchanged', async () => {
    using folder = new TemporaryFolder()
    await written(folder.path, THREE_SEGMENTS)
    const refused = await refusal(folder.path, (copy) => rmSync(logsOf(copy)[1]!))
    expect(refused).toEqual({
      code: 'DATA_FOLDER_DAMAGED',
      message: expect.stringMatching(
        /2\.log does not follow the records before it, which end at offset 0\. Nothing was changed: /,
      ),
      wasChanged: false,
    })
  })

  it('reports which records are lost with its first segment', async () => {
    using folder = new TemporaryFolder()
    await written(folder.path, THREE_SEGMENTS)
    rmSync(logsOf(folder.path)[0]!)
    const warnings: string[] = []
    const onWarning = (message: string) => warnings.push(message)
    await using kafka = await EmbeddedCluster.start({ dataDir: folder.path, onWarning })
    expect(kafka.offsetsOf('t', 0)).toEqual({ start: 1, end: 3 })
    expect(warnings).toEqual([
      expect.stringMatching(/0 does not have the records from offset 0 to 0$/),
    ])
  })

  it('whose folder is missing starts empty, and reports it once', async () => {
    using folder = new TemporaryFolder()
    await written(folder.path, VALUES)
    rmSync(dirname(logOf(folder.path)), { recursive: true })
    const warnings: string[] = []
    const options = { dataDir: folder.path, onWarning: (text: string) => warnings.push(text) }
    for (let start = 0; start < 2; start++) {
      await using kafka = await EmbeddedCluster.start(options)
      expect(kafka.offsetsOf('t', 0)).toEqual({ start: 0, end: 0 })
    }
    expect(warnings).toEqual([
      expect.stringMatching(/ is missing: the partition starts empty at offset 0$/),
    ])
  })
})

describe('a journal', () => {
  it('that ends at any byte keeps all complete lines', async () => {
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

  it('continues after its last complete line, and reports what it truncates', async () => {
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
      expect.stringMatching(/^truncated .*journal by \d+ bytes that were written only in part$/),
    ])
    await using kafka = await EmbeddedCluster.start(options)
    expect(kafka.topics).toEqual(['a', 'c'])
    expect(warnings).toHaveLength(1)
  })

  it('with damage in a complete line is rejected unchanged', async () => {
    using folder = new TemporaryFolder()
    {
      await using kafka = await EmbeddedCluster.start({ dataDir: folder.path })
      for (const name of ['a', 'b', 'c']) kafka.createTopic(name)
    }
    const file = join(folder.path, 'journal')
    const journal = readFileSync(file)
    for (let at = 0; at < journal.length; at++) {
      flip(file, at)
      const line = journal.toString('latin1', 0, at).split('\n').length
      const damaged = readFileSync(file)
      const started = EmbeddedCluster.start({ dataDir: folder.path })
      await expect(started).rejects.toMatchObject({
        code: 'DATA_FOLDER_DAMAGED',
        message: `line ${line} of ${file} is damaged. Nothing was changed: restore the file from a copy, or delete the line to continue without its entry`,
      })
      expect(readFileSync(file).equals(damaged)).toBe(true)
      writeFileSync(file, journal)
    }
  })

  it('continues without a line that was deleted from it', async () => {
    using folder = new TemporaryFolder()
    {
      await using kafka = await EmbeddedCluster.start({ dataDir: folder.path })
      for (const name of ['a', 'b', 'c']) kafka.createTopic(name)
    }
    const file = join(folder.path, 'journal')
    const lines = readFileSync(file, 'utf8').split('\n')
    writeFileSync(file, lines.filter((line) => !line.includes('"name":"b"')).join('\n'))
    await using kafka = await EmbeddedCluster.start({ dataDir: folder.path })
    expect(kafka.topics).toEqual(['a', 'c'])
  })
})
