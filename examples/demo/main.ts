/**
 * The demo that `npm start` runs. A producer sends the lines of this repository to a topic that three processes share.
 * One process is killed, another joins, and no message may be lost. Kafka and ZooKeeper are embedded;
 * `npm start -- --brokers HOST:PORT` uses a real cluster.
 */
import { Command } from 'commander'
import { messageOf } from './wait.ts'
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
    .description('Show a consumer group that loses no message when one of its processes is killed.')
    .option(
      '--brokers <list>',
      'comma-separated brokers (host:port) of a real cluster; default: embedded brokers',
    )
    .option(
      '--zookeeper <list>',
      'ZooKeeper that coordinates the group; default with --brokers: Kafka',
    )
    .parse()
  const options = command.opts<Options>()
  if (options.zookeeper !== undefined && options.brokers === undefined) {
    command.error('--zookeeper needs --brokers')
  }
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    // The signal may arrive twice: from the terminal, and from the parent process.
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
