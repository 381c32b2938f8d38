import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KafkaNode } from './broker.ts'
import { kafkaLibs } from './download.ts'
import { newId } from './format.ts'
import { javaAvailable, type JavaProcess } from './java.ts'
import { CONTROLLER_ID, planCluster } from './plan.ts'
import { PortTakenError } from './ports.ts'
import { RawZooKeeper } from './raw-zookeeper.ts'
import type { ClusterPlan, NodePlan, SecureListener } from './server-properties.ts'
import { createTopic, type TopicOptions } from './topics.ts'
import { kafkaVersion } from './versions.ts'
import { waitFor } from './wait.ts'
import { startZooKeeper } from './zookeeper.ts'
import { PATIENCE_MS } from '../patience.ts'

export interface KafkaOptions {
  readonly version: string
  /** 1 by default. Their ids start at 1. */
  readonly brokers?: number
  /**
   * Controllers beside several brokers, where a cluster has any. 1 by default. With more, the voters of the quorum can
   * be changed: the first controller is the only voter, and the others are ready to be added.
   */
  readonly controllers?: number
  /** More settings for every broker's server.properties. */
  readonly config?: Readonly<Record<string, string>>
  /** And those that differ from broker to broker, such as `broker.rack`. */
  readonly brokerConfig?: (id: number) => Readonly<Record<string, string>>
  /** Listeners beside PLAINTEXT; their stores and mechanisms are for `config` to set. */
  readonly secureListeners?: readonly SecureListener[]
  readonly jvmArguments?: readonly string[]
  /** Also start a ZooKeeper where the version itself doesn't need one (4.x). */
  readonly zookeeper?: boolean
  /** The first broker's port, the others' follow it; without it, any free ports. */
  readonly port?: number
  readonly zookeeperPort?: number
  /** Where brokers that need ZooKeeper register, such as `/kafka`. Default: at the root. */
  readonly zookeeperChroot?: string
  /** On by default: starts sooner, but is slower later. Turn it off to measure anything. */
  readonly fastStart?: boolean
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (text: string) => void
}

export interface KafkaCluster extends AsyncDisposable {
  readonly version: string
  /** '127.0.0.1:port,…' */
  readonly hosts: string
  readonly ports: readonly number[]
  readonly brokerIds: readonly number[]
  /** Of the controllers that are processes of their own. They can be stopped, started and paused as brokers can. */
  readonly controllerIds: readonly number[]
  /** '127.0.0.1:port,…' of those. */
  readonly controllerHosts: string
  /** With the chroot, if there is one. */
  readonly zookeeperHosts: string | undefined
  /** Holds all logs and data; `stop` removes it. */
  readonly folder: string
  /** Of the Java processes that run. */
  readonly pids: readonly number[]
  secureHosts(listener: SecureListener): string
  createTopic(name: string, options?: TopicOptions): Promise<void>
  isBrokerAlive(id: number): boolean
  /** Undefined while it does not run. */
  pidOf(id: number): number | undefined
  stopBroker(id: number, signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  startBroker(id: number): Promise<void>
  pause(id: number): void
  resume(id: number): void
  /** The end of what the broker has said. */
  logTail(id: number, lines?: number): string
  stop(): Promise<void>
}

const PORT_ATTEMPTS = 5

export async function startKafka(options: KafkaOptions): Promise<KafkaCluster> {
  return startLocalCluster(options)
}

export async function startLocalCluster(options: KafkaOptions): Promise<LocalCluster> {
  kafkaVersion(options.version)
  if (javaAvailable() === undefined) {
    throw new Error('Java is missing: put "java" on the PATH or set JAVA_HOME')
  }
  const { onProgress, signal } = options
  const libs = await kafkaLibs(options.version, { onProgress, signal })
  for (let attempt = 1; ; attempt++) {
    const plan = await planCluster(options)
    const folder = await mkdtemp(join(tmpdir(), 'samsa-kafka-'))
    const cluster = new LocalCluster(options, plan, libs, folder)
    try {
      await cluster.start()
      return cluster
    } catch (error) {
      await cluster.stop()
      // A port can be taken between its choice and its use; the caller's own choice stays.
      const isFree = options.port === undefined && options.zookeeperPort === undefined
      const isWorthAnother = error instanceof PortTakenError && isFree && attempt < PORT_ATTEMPTS
      if (!isWorthAnother) throw error
      onProgress?.('A port was taken by someone else; trying others')
    }
  }
}

/** The only controller is in `controller`. */
function folderOf({ id, roles }: NodePlan): string {
  if (roles.includes('broker')) return `broker-${id}`
  return id === CONTROLLER_ID ? 'controller' : `controller-${id}`
}

export class LocalCluster implements KafkaCluster {
  readonly version: string
  readonly folder: string
  readonly #options: KafkaOptions
  readonly #plan: ClusterPlan
  readonly #nodes: readonly KafkaNode[]
  readonly #timeoutMs: number
  #zookeeper: JavaProcess | undefined

  constructor(options: KafkaOptions, plan: ClusterPlan, libs: string, folder: string) {
    const clusterId = newId()
    this.version = options.version
    this.folder = folder
    this.#options = options
    this.#plan = plan
    this.#timeoutMs = options.timeoutMs ?? PATIENCE_MS
    this.#nodes = plan.nodes.map(
      (node) =>
        new KafkaNode({
          cluster: plan,
          plan: node,
          libs,
          clusterId,
          folder: join(folder, folderOf(node)),
          config: { ...options.config, ...options.brokerConfig?.(node.id) },
          jvmArguments: options.jvmArguments ?? [],
          fastStart: options.fastStart ?? true,
          signal: options.signal,
        }),
    )
  }

  get hosts(): string {
    return this.ports.map((port) => `127.0.0.1:${port}`).join(',')
  }

  get ports(): readonly number[] {
    return this.#brokers.map(({ plan }) => plan.port)
  }

  get brokerIds(): readonly number[] {
    return this.#brokers.map(({ plan }) => plan.id)
  }

  get controllerIds(): readonly number[] {
    return this.#controllers.map(({ plan }) => plan.id)
  }

  get controllerHosts(): string {
    return this.#controllers.map(({ plan }) => `127.0.0.1:${plan.controllerPort}`).join(',')
  }

  get zookeeperHosts(): string | undefined {
    const { zookeeperPort: port, zookeeperChroot } = this.#plan
    return port === undefined ? undefined : `127.0.0.1:${port}${zookeeperChroot}`
  }

  get pids(): readonly number[] {
    return this.pidsInOrderOfStop.flat()
  }

  /** Brokers, then the controller, then ZooKeeper: a broker that stops waits for those. */
  get pidsInOrderOfStop(): readonly (readonly number[])[] {
    const pidsOf = (nodes: readonly KafkaNode[]) =>
      nodes.map(({ pid }) => pid).filter((pid) => pid !== undefined)
    const zookeeper = this.#zookeeper
    return [
      pidsOf(this.#brokers),
      pidsOf(this.#controllers),
      zookeeper && zookeeper.ended === undefined ? [zookeeper.pid] : [],
    ]
  }

  secureHosts(listener: SecureListener): string {
    return this.#brokers
      .map(({ plan }) => {
        const port = plan.securePorts.get(listener)
        if (port === undefined) throw new Error(`This cluster has no listener ${listener}`)
        return `127.0.0.1:${port}`
      })
      .join(',')
  }

  /** Called once, by its creator. */
  async start(): Promise<void> {
    const { signal, onProgress } = this.#options
    onProgress?.(`Starting Kafka ${this.version}`)
    await this.#startZooKeeper()
    for (const node of this.#nodes) await node.spawn()
    const ids = this.brokerIds
    await Promise.all(this.#nodes.map((node) => node.waitUntilReady(ids, this.#timeoutMs, signal)))
  }

  async createTopic(name: string, options: TopicOptions = {}): Promise<void> {
    const { version, zookeeperPort, zookeeperChroot } = this.#plan
    const brokers = this.#brokers.filter(({ isAlive }) => isAlive).map(({ plan }) => plan)
    await createTopic({ version, zookeeperPort, zookeeperChroot, brokers }, name, options)
  }

  isBrokerAlive(id: number): boolean {
    return this.#node(id).isAlive
  }

  pidOf(id: number): number | undefined {
    return this.#node(id).pid
  }

  async stopBroker(id: number, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#node(id).stop(signal)
  }

  async startBroker(id: number): Promise<void> {
    const node = this.#node(id)
    await this.#waitUntilUnregistered(id)
    await node.spawn()
    await node.waitUntilReady([id], this.#timeoutMs)
  }

  pause(id: number): void {
    this.#node(id).signal('SIGSTOP')
  }

  resume(id: number): void {
    this.#node(id).signal('SIGCONT')
  }

  logTail(id: number, lines?: number): string {
    return this.#node(id).logTail(lines)
  }

  /** At once, not in good order, which takes seconds: the data is not read again. */
  async stop(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.stop('SIGKILL')))
    await Promise.all(this.#controllers.map((controller) => controller.stop('SIGKILL')))
    await this.#zookeeper?.stop(0)
    await rm(this.folder, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Lets the cluster outlive this process. */
  release(): void {
    for (const node of this.#nodes) node.release()
    this.#zookeeper?.release()
  }

  get #brokers(): readonly KafkaNode[] {
    return this.#nodes.filter(({ isBroker }) => isBroker)
  }

  get #controllers(): readonly KafkaNode[] {
    return this.#nodes.filter(({ isBroker }) => !isBroker)
  }

  #node(id: number): KafkaNode {
    const found = this.#nodes.find(({ plan }) => plan.id === id)
    if (found === undefined) {
      const ids = [...this.brokerIds, ...this.controllerIds]
      throw new Error(`No node ${id}; there are ${ids.join(', ')}`)
    }
    return found
  }

  async #startZooKeeper(): Promise<void> {
    const port = this.#plan.zookeeperPort
    if (port === undefined) return
    const folder = join(this.folder, 'zookeeper')
    await mkdir(folder)
    const { signal, onProgress } = this.#options
    this.#zookeeper = await startZooKeeper({
      folder,
      port,
      timeoutMs: this.#timeoutMs,
      signal,
      onProgress,
    })
  }

  /** A killed broker is registered until its session ends, and cannot come back before that. */
  async #waitUntilUnregistered(id: number): Promise<void> {
    const { version, zookeeperPort, zookeeperChroot } = this.#plan
    if (version.coordination !== 'zookeeper' || zookeeperPort === undefined) return
    await using zookeeper = await RawZooKeeper.open(zookeeperPort, PATIENCE_MS)
    const registration = `${zookeeperChroot}/brokers/ids/${id}`
    await waitFor(async () => ((await zookeeper.exists(registration)) ? undefined : true), {
      timeoutMs: this.#timeoutMs,
      onTimeout: () => new Error(`Broker ${id} is still registered in ZooKeeper`),
    })
  }
}
