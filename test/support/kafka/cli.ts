import { Command, InvalidArgumentError } from 'commander'
import { withCacheLock } from './cache.ts'
import { startLocalCluster, type LocalCluster } from './cluster.ts'
import { kafkaLibs } from './download.ts'
import { isPortFree } from './ports.ts'
import { isRunning, recall, recallAll, remember, runningProcess, stopRunning } from './running.ts'
import type { RunningCluster } from './running.ts'
import { KAFKA_VERSIONS, kafkaVersion } from './versions.ts'
import { messageOf } from './wait.ts'

interface UpOptions {
  readonly brokers: number
  readonly port?: number
  readonly zookeeper?: boolean
}

const LOCK_WAIT_MS = 120_000
const USUAL_PORT = 9092
const USUAL_ZOOKEEPER_PORT = 2181

const say = (text: string): void => console.log(text)

async function up(version: string, options: UpOptions): Promise<void> {
  kafkaVersion(version)
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort(new Error('Interrupted: nothing is left running')))
  }
  const { signal } = interrupted
  await withCacheLock(`up-${version}`, { timeoutMs: LOCK_WAIT_MS, signal }, async () => {
    const before = await recall(version)
    if (before !== undefined) {
      if (isAlive(before)) throw new Error(`Kafka ${version} is up already at ${before.hosts}`)
      await stopRunning(before)
    }
    const cluster = await start(version, options, signal)
    const running = describe(cluster)
    await remember(running)
    cluster.release()
    printAddresses(running)
    say(`End it with: npm run kafka -- down ${version}`)
  })
}

async function start(
  version: string,
  { brokers, port, zookeeper = false }: UpOptions,
  signal: AbortSignal,
): Promise<LocalCluster> {
  const wanted = Array.from({ length: brokers }, (_, index) => (port ?? USUAL_PORT) + index)
  const free = await Promise.all(wanted.map(isPortFree))
  const taken = wanted.filter((_, index) => !free[index])
  if (port !== undefined && taken.length > 0) throw new Error(`Port ${taken.join(', ')} is taken`)
  const zookeeperIsFree = await isPortFree(USUAL_ZOOKEEPER_PORT)
  return startLocalCluster({
    version,
    brokers,
    zookeeper,
    signal,
    // The usual ports, if they are free; else any.
    ...(taken.length === 0 ? { port: wanted[0]! } : {}),
    ...(zookeeperIsFree ? { zookeeperPort: USUAL_ZOOKEEPER_PORT } : {}),
    fastStart: false,
    onProgress: say,
  })
}

function describe(cluster: LocalCluster): RunningCluster {
  const { version, hosts, zookeeperHosts, folder, pidsInOrderOfStop } = cluster
  const groups = pidsInOrderOfStop.map((pids) => pids.map(runningProcess))
  return { version, hosts, zookeeperHosts, folder, groups }
}

function isAlive({ groups }: RunningCluster): boolean {
  return groups.flat().some(isRunning)
}

function printAddresses({ hosts, zookeeperHosts }: RunningCluster): void {
  say(`--brokers ${hosts}`)
  if (zookeeperHosts !== undefined) say(`--zookeeper ${zookeeperHosts}`)
}

async function down(version: string | undefined): Promise<void> {
  if (version !== undefined) kafkaVersion(version)
  const all = await recallAll()
  const chosen = all.filter((cluster) => version === undefined || cluster.version === version)
  if (chosen.length === 0) say(`Nothing is up${version === undefined ? '' : ` of ${version}`}`)
  for (const cluster of chosen) {
    await stopRunning(cluster)
    say(`Kafka ${cluster.version} is down`)
  }
}

async function status(): Promise<void> {
  const all = await recallAll()
  if (all.length === 0) say('Nothing is up')
  for (const cluster of all) {
    const processes = cluster.groups.flat()
    const alive = processes.filter(isRunning).length
    say(`Kafka ${cluster.version}: ${alive} of ${processes.length} processes run`)
    printAddresses(cluster)
    say(`Logs and data: ${cluster.folder}`)
  }
}

async function fetch(versions: string[]): Promise<void> {
  versions.forEach(kafkaVersion)
  for (const version of versions) {
    say(`Kafka ${version}: ${await kafkaLibs(version, { onProgress: say })}`)
  }
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 65_535) {
    throw new InvalidArgumentError('A whole number from 1 on is needed.')
  }
  return value
}

const program = new Command('npm run kafka --')
  .description('Real Kafka brokers on 127.0.0.1 for tests and trials; needs Java and Maven')
  .addHelpText('after', `\nKnown versions: ${KAFKA_VERSIONS.join(', ')}`)
  .showHelpAfterError('(--help lists the options)')
program
  .command('up')
  .description('start a cluster in the background and print its addresses')
  .argument('<version>', 'of Kafka, such as 4.4.0')
  .option('--brokers <count>', 'how many brokers', count, 1)
  .option('--port <port>', "the first broker's port (9092 if it is free, else any)", count)
  .option('--zookeeper', "start a ZooKeeper too where the version itself doesn't need one")
  .action(up)
program
  .command('down')
  .description('end what "up" has started, and remove its data')
  .argument('[version]', 'just this one')
  .action(down)
program.command('status').description('show what "up" has started').action(status)
program
  .command('fetch')
  .description('download without starting anything')
  .argument('<version...>')
  .action(fetch)

async function main(): Promise<void> {
  if (process.argv.length <= 2) {
    program.outputHelp()
    return
  }
  try {
    await program.parseAsync()
  } catch (error) {
    console.error(messageOf(error))
    process.exitCode = 1
  }
}

void main()
