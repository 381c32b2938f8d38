import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kafkaLibs } from './download.ts'
import { JavaProcess } from './java.ts'
import { loggingArguments } from './logging.ts'
import { startupError } from './startup-error.ts'
import { kafkaVersion, ZOOKEEPER_FROM } from './versions.ts'
import { waitFor } from './wait.ts'
import { RawZooKeeper } from './raw-zookeeper.ts'
import { PATIENCE_MS } from '../patience.ts'

export interface ZooKeeperOptions {
  /** An existing folder, for its settings, data and log. */
  readonly folder: string
  readonly port: number
  /** Which of an ensemble this is, from 1, and the two ports of each of them. Default: it is alone. */
  readonly ensemble?: {
    readonly id: number
    readonly ports: readonly (readonly [quorum: number, election: number])[]
  }
  /** More settings for its zoo.cfg. */
  readonly config?: Readonly<Record<string, string>>
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((text: string) => void) | undefined
}

/** A single ZooKeeper server on 127.0.0.1 that answers. */
export async function startZooKeeper(options: ZooKeeperOptions): Promise<JavaProcess> {
  const { folder, port, timeoutMs = PATIENCE_MS, signal, onProgress } = options
  const libs = await kafkaLibs(ZOOKEEPER_FROM, { onProgress, signal })
  await mkdir(join(folder, 'data'), { recursive: true })
  await writeFile(join(folder, 'zookeeper.properties'), zooKeeperProperties(options))
  if (options.ensemble !== undefined) {
    await writeFile(join(folder, 'data', 'myid'), `${options.ensemble.id}`)
  }
  const java = new JavaProcess({
    name: 'ZooKeeper',
    libs,
    mainClass: 'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    arguments: ['zookeeper.properties'],
    jvmArguments: [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Xshare:auto',
      ...(await loggingArguments(kafkaVersion(ZOOKEEPER_FROM).logging, folder)),
    ],
    folder,
    logFile: join(folder, 'output.log'),
  })
  try {
    await waitFor(() => answers(java, port), {
      timeoutMs,
      signal,
      onTimeout: () => startupError(java, `has not answered for ${timeoutMs} ms`),
    })
  } catch (error) {
    await java.stop(0)
    throw error
  }
  return java
}

function zooKeeperProperties({ folder, port, ensemble, config }: ZooKeeperOptions): string {
  const servers: readonly (readonly [string, string])[] = (ensemble?.ports ?? []).map(
    ([quorum, election], index) => [`server.${index + 1}`, `127.0.0.1:${quorum}:${election}`],
  )
  return Object.entries({
    ...Object.fromEntries(servers),
    ...(ensemble === undefined ? {} : { initLimit: 20, syncLimit: 10 }),
    dataDir: join(folder, 'data'),
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    maxClientCnxns: 0,
    'admin.enableServer': false,
    // Short sessions are what tests of lost sessions want; by default two ticks are the least.
    tickTime: 500,
    minSessionTimeout: 1_000,
    maxSessionTimeout: 60_000,
    // Nothing here has to outlive the machine.
    forceSync: 'no',
    ...config,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

async function answers(java: JavaProcess, port: number): Promise<true | undefined> {
  if (java.ended !== undefined) throw startupError(java, `ended (${java.ended})`)
  try {
    // Opening a session is more than a port that is open: the server is past its start.
    await using session = await RawZooKeeper.open(port)
    return (await session.exists('/zookeeper')) ? true : undefined
  } catch {
    return undefined
  }
}
