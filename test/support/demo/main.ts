/**
 * What `npm start` runs: three processes share out a topic that this repository's own lines are sent to, one of them
 * is killed and another joins, and nothing may be lost. Kafka and ZooKeeper are embedded ones, so that nothing need
 * be installed; `npm start -- --brokers HOST:PORT` uses a real cluster.
 */
import { Command } from 'commander'
import { messageOf } from '../kafka/wait.ts'
import { demo } from './demo.ts'
import { openPlace } from './place.ts'
import { Screen } from './screen.ts'
import { summary } from './summary.ts'

interface Options {
  readonly brokers?: string
  readonly zookeeper?: string
}

async function run({ brokers, zookeeper }: Options, interrupted: AbortSignal): Promise<boolean> {
  await using place = await openPlace(brokers, zookeeper)
  console.log(place.description)
  using screen = new Screen(process.stdout)
  const result = await demo(place, screen, interrupted)
  screen.end()
  for (const line of summary(result)) console.log(line)
  return result.problems.length === 0
}

async function main(): Promise<void> {
  const command = new Command('npm start --')
    .description('A group of processes that loses nothing, though one of them is killed')
    .option(
      '--brokers <list>',
      'a real cluster, as host:port with commas between; default: an embedded one',
    )
    .option('--zookeeper <list>', 'coordinates the group; default, with --brokers: Kafka does')
    .parse()
  const options = command.opts<Options>()
  if (options.zookeeper !== undefined && options.brokers === undefined) {
    command.error('--zookeeper needs --brokers')
  }
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    // It may come twice: from the terminal, and from what started this.
    process.on(name, () => interruption.abort(new Error('Interrupted')))
  }
  try {
    if (!(await run(options, interruption.signal))) process.exitCode = 1
  } catch (error) {
    const { aborted } = interruption.signal
    console.error(`\n${aborted ? 'Interrupted' : messageOf(error)}`)
    process.exitCode = aborted ? 130 : 1
  }
}

void main()
