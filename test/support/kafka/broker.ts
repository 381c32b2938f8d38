import { mkdir, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { formatStorage } from './format.ts'
import { JavaProcess, STOP_GRACE_MS } from './java.ts'
import { loggingArguments, saysStarted } from './logging.ts'
import { rawMetadata } from './raw-request.ts'
import { RawZooKeeper } from './raw-zookeeper.ts'
import { serverProperties, type ClusterPlan, type NodePlan } from './server-properties.ts'
import { startupError } from './startup-error.ts'
import { messageOf, waitFor } from './wait.ts'

export interface NodeOptions {
  readonly cluster: ClusterPlan
  readonly plan: NodePlan
  readonly libs: string
  readonly clusterId: string
  readonly folder: string
  readonly config: Readonly<Record<string, string>>
  readonly jvmArguments: readonly string[]
  readonly fastStart: boolean
  readonly signal?: AbortSignal | undefined
}

/** One Kafka process: a broker, or the controller of a KRaft cluster. It can be started again. */
export class KafkaNode {
  readonly plan: NodePlan
  readonly name: string
  readonly #options: NodeOptions
  #java: JavaProcess | undefined

  constructor(options: NodeOptions) {
    this.#options = options
    this.plan = options.plan
    this.name = this.isBroker ? `broker ${options.plan.id}` : `controller ${options.plan.id}`
  }

  get isBroker(): boolean {
    return this.plan.roles.includes('broker')
  }

  get isAlive(): boolean {
    return this.#java !== undefined && this.#java.ended === undefined
  }

  get pid(): number | undefined {
    return this.isAlive ? this.#java?.pid : undefined
  }

  /** Starts the process; it serves once `waitUntilReady` is over. */
  async spawn(): Promise<void> {
    if (this.isAlive) throw new Error(`${this.name} is running already`)
    const { cluster, plan, libs, clusterId, folder, config, signal } = this.#options
    const { version } = cluster
    const dataFolder = join(folder, 'data')
    if (!existsSync(folder)) {
      await mkdir(folder, { recursive: true })
      const properties = serverProperties(cluster, plan, dataFolder, config)
      await writeFile(join(folder, 'server.properties'), properties)
      if (version.coordination === 'kraft') {
        await formatStorage({
          version: version.version,
          roles: plan.roles,
          libs,
          folder,
          dataFolder,
          clusterId,
          nodeId: plan.id,
          config,
          quorum: quorumOf(cluster, plan),
          signal,
        })
      }
    }
    this.#java = new JavaProcess({
      name: `Kafka ${version.version}, ${this.name}`,
      libs,
      mainClass: 'kafka.Kafka',
      arguments: ['server.properties'],
      jvmArguments: [
        ...jvmArguments(this.#options.fastStart),
        ...(await loggingArguments(version.logging, folder)),
        ...this.#options.jvmArguments,
      ],
      folder,
      logFile: this.#newLogFile(),
    })
  }

  /** A broker is ready when it answers, and when it knows of all `brokers`: itself is one. */
  async waitUntilReady(
    brokers: readonly number[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const java = this.#java
    if (java === undefined) throw new Error(`${this.name} was never started`)
    let missing = 'it has not said that it is started'
    const isReady = async (): Promise<true | undefined> => {
      if (java.ended !== undefined) throw startupError(java, `ended (${java.ended})`)
      if (!saysStarted(java.log())) return undefined
      if (!this.isBroker) return true
      try {
        const known = await this.#knownBrokers(brokers)
        if (brokers.every((id) => known.includes(id))) return true
        missing = `it knows brokers [${known.join(', ')}] of [${brokers.join(', ')}]`
      } catch (error) {
        missing = messageOf(error)
      }
      return undefined
    }
    await waitFor(isReady, {
      timeoutMs,
      signal,
      onTimeout: () => startupError(java, `was not ready in ${timeoutMs} ms (${missing})`),
    })
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#java?.stop(signal === 'SIGKILL' ? 0 : STOP_GRACE_MS)
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.isAlive) throw new Error(`${this.name} is not running`)
    this.#java?.signal(signal)
  }

  release(): void {
    this.#java?.release()
  }

  logTail(lines?: number): string {
    return this.#java?.logTail(lines) ?? ''
  }

  async #knownBrokers(expected: readonly number[]): Promise<number[]> {
    const { version, zookeeperPort, zookeeperChroot } = this.#options.cluster
    const answer = await rawMetadata(this.plan.port)
    if (version.listsBrokersWithoutTopics || zookeeperPort === undefined) {
      return answer.brokers.map(({ id }) => id)
    }
    return registeredBrokers(zookeeperPort, zookeeperChroot, expected)
  }

  /** Each run has its own, so that the words of an earlier one are not taken for this one's. */
  #newLogFile(): string {
    for (let run = 1; ; run++) {
      const file = join(this.#options.folder, `output-${run}.log`)
      if (!existsSync(file)) return file
    }
  }
}

async function registeredBrokers(
  port: number,
  chroot: string,
  expected: readonly number[],
): Promise<number[]> {
  await using zookeeper = await RawZooKeeper.open(port)
  const found: number[] = []
  for (const id of expected) {
    if (await zookeeper.exists(`${chroot}/brokers/ids/${id}`)) found.push(id)
  }
  return found
}

function jvmArguments(fastStart: boolean): string[] {
  // The quick compiler alone starts sooner and is slower ever after: not for benchmarks.
  const speed = fastStart
    ? ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
    : ['-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']
  return ['-Xmx512m', '-Xshare:auto', '-Djava.awt.headless=true', ...speed]
}

/** Brokers take part in no quorum. */
function quorumOf({ hasDynamicQuorum, nodes }: ClusterPlan, plan: NodePlan) {
  if (!hasDynamicQuorum || !plan.roles.includes('controller')) return undefined
  return plan === nodes[0] ? '--standalone' : '--no-initial-controllers'
}
