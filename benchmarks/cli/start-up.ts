/**
 * `npm run bench:cli -- start` times how long commands take that need no cluster, and some that need one (an embedded
 * broker in another process), beside an empty program of Node.js.
 */
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { hostsOf, runBroker } from '../../test/support/broker-command.ts'
import { builtCommand } from '../../test/support/built.ts'
import { TemporaryFolder } from '../../test/support/temporary-folder.ts'
import { measureProcess, medianCell, writeRow } from './process.ts'

const ROUNDS = 15

const COMMANDS = [
  '--version',
  '--help',
  'topics --help',
  'consume --help',
  'errors',
  'profile list',
  'completion bash',
  'topics',
  'groups',
  'consume task --from-beginning --exit',
  'produce task',
]

export async function measureStartUp(): Promise<void> {
  using folder = new TemporaryFolder()
  const empty = join(folder.path, 'empty.mjs')
  writeFileSync(empty, '')
  const main = builtCommand()
  await using broker = runBroker('--port', '0', '--topic', 'task:1')
  const hosts = await hostsOf(broker)
  const programs = [
    { name: `an empty program, Node ${process.version}`, args: [empty] },
    ...COMMANDS.map((text) => ({ name: `samsa ${text}`, args: [main, ...text.split(' ')] })),
  ]
  process.env['SAMSA_BROKERS'] = hosts
  const times = programs.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { args }] of programs.entries()) {
      times[index]!.push((await measureProcess(process.execPath, args)).wallMs)
    }
  }
  writeRow(['Program', 'Median', 'Fastest'])
  writeRow(['---', '---:', '---:'])
  for (const [index, { name }] of programs.entries()) {
    const found = times[index]!
    writeRow([name, medianCell(found), medianCell([Math.min(...found)])])
  }
}
