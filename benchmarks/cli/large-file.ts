/**
 * `npm run bench:cli -- large [GIGABYTES]` sends a file of lines to a topic with four partitions, and prints the topic to
 * a file, with samsa and with kcat in turns.
 */
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { builtCommand } from '../../test/support/built.ts'
import { startKafka } from '../../test/support/kafka/cluster.ts'
import { NEWEST_KAFKA } from '../../test/support/kafka/versions.ts'
import { TemporaryFolder } from '../../test/support/temporary-folder.ts'
import { measureProcess, writeRow, type ProcessCost } from './process.ts'

const ROUNDS = 2
const PARTITIONS = 4

export async function compareWithLargeFile(gigabytes: number): Promise<void> {
  using folder = new TemporaryFolder()
  const file = join(folder.path, 'lines')
  const lines = writeLines(file, gigabytes * 1e9)
  process.stdout.write(`${lines} lines, ${statSync(file).size} bytes, Node ${process.version}\n\n`)
  await using kafka = await startKafka({ version: NEWEST_KAFKA, fastStart: false })
  const samsa = [process.execPath, builtCommand()] as const
  const place = ['-b', kafka.hosts]
  writeRow(['Round', 'Task', 'Client', 'Time', 'CPU', 'Memory, first half', 'second half'])
  writeRow(['---:', '---', '---', '---:', '---:', '---:', '---:'])
  for (let round = 1; round <= ROUNDS; round++) {
    const [ours, theirs] = [`samsa-${round}`, `kcat-${round}`]
    for (const topic of [ours, theirs]) await kafka.createTopic(topic, { partitions: PARTITIONS })
    report(round, 'send', 'samsa', await run(...samsa, 'produce', ours, '-l', file, ...place))
    report(round, 'send', 'kcat', await run('kcat', '-P', '-t', theirs, '-l', file, ...place))
    // Each reads what it has sent.
    const consume = ['consume', ours, '--from-beginning', '--exit', ...place]
    report(round, 'print', 'samsa', await runTo(folder, statSync(file).size, ...samsa, ...consume))
    const kcat = ['-C', '-q', '-e', '-o', 'beginning', '-t', theirs, ...place]
    report(round, 'print', 'kcat', await runTo(folder, statSync(file).size, 'kcat', ...kcat))
    for (const topic of [ours, theirs]) {
      await measureProcess(samsa[0], [samsa[1], 'topic', 'delete', topic, '--yes', ...place])
    }
  }
}

async function run(command: string, ...args: readonly string[]): Promise<ProcessCost> {
  return measureProcess(command, args)
}

/** Throws if the output has another size than the file that was sent: every line must be there. */
async function runTo(
  folder: TemporaryFolder,
  bytes: number,
  command: string,
  ...args: readonly string[]
): Promise<ProcessCost> {
  const output = join(folder.path, 'output')
  const cost = await measureProcess(command, args, { output })
  const { size } = statSync(output)
  rmSync(output)
  if (size !== bytes) throw new Error(`${command} printed ${size} bytes of ${bytes}`)
  return cost
}

function report(
  round: number,
  task: string,
  client: string,
  { wallMs, cpuMs, memory }: ProcessCost,
): void {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const megabytes = memory.map((bytes) => `${Math.round(bytes / 1e6)} MB`)
  writeRow([String(round), task, client, seconds(wallMs), seconds(cpuMs), ...megabytes])
}

/** Lines of 80 to 120 bytes. Returns how many. */
function writeLines(path: string, bytes: number): number {
  const file = openSync(path, 'w')
  let [count, written] = [0, 0]
  while (written < bytes) {
    const lines = Array.from({ length: 10_000 }, () => {
      count++
      return `${count} ${'x'.repeat(70 + (count % 41))}\n`
    })
    written += writeSync(file, lines.join(''))
  }
  closeSync(file)
  return count
}
