import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ProducerOptions } from '../../../../src/index.ts'
import type { Consumer, History, Log, LogEntry } from '../checker/history.ts'
import { ChaosCluster } from '../kit/chaos-cluster.ts'
import { workerBundle } from './bundle.ts'
import { ClientProcess } from './client-process.ts'
import { CommitWatch } from './commit-watch.ts'
import { consumerOf, sendsOf } from './history-of.ts'
import { javaPeer } from './java-peer.ts'
import { now, type Line } from './lines.ts'
import type { ProducerPlan, ProducerWay, ReaderPlan, ReaderWay, WorkerPlan } from './plan.ts'
import { readByJava, readByKcat } from './read-log.ts'

/** What a client that lived through a run needed, in its second quarter and in its last: after a garbage collection each. */
export interface Footprint {
  readonly name: string
  readonly samples: number
  readonly heapBytes: readonly [early: number, late: number]
  readonly handles: readonly [early: number, late: number]
}

export interface WorkloadOptions {
  readonly cluster: ChaosCluster
  readonly topic: string
  readonly partitions: number
  /** Where samsa's clients start; the brokers' own addresses by default. */
  readonly hosts?: string
  /** What comes before the command of each of samsa's clients. */
  readonly prefix?: readonly string[]
  readonly producers: readonly ProducerWay[]
  readonly messagesPerSecond: number
  readonly producerOptions?: Omit<ProducerOptions, 'deliveryReports'>
  /** Each list is a group; its members read in these ways. */
  readonly groups: readonly (readonly ReaderWay[])[]
  readonly sessionTimeoutMs: number
  /** The last group is coordinated by ZooKeeper. */
  readonly byZooKeeper?: boolean
  /** Ways of consumers without a group. */
  readonly alone?: readonly ReaderWay[]
  /** A topic for the Java client, whose producers and group do the same beside samsa's first group: as many, each in a process of its own. */
  readonly javaTopic?: string
}

interface Java {
  readonly producers: readonly ClientProcess[]
  readonly members: readonly ClientProcess[]
}

interface Running<Plan> {
  readonly plan: Plan
  readonly process: ClientProcess
}

/** Where the lines of all clients stay, with what samsa's did inside. */
const KEPT_LOGS = process.env['SAMSA_CHAOS_LOGS']
const COMMIT_INTERVAL_MS = 200
const WORK_MS = 20
/** Readers that get nothing for this long have got all that they will. */
const STALLED_MS = 60_000
/** A partition that has nothing new for this long after a fault will not continue. */
const FLOW_MS = 180_000

/** Producers and consumers, each in a process of its own, and what they wrote down. */
export class Workload implements AsyncDisposable {
  readonly startedAt = now()
  readonly producers: Running<ProducerPlan>[] = []
  readonly readers: Running<ReaderPlan>[] = []
  readonly groupNames: readonly string[]
  readonly #options: WorkloadOptions
  readonly #folder = mkdtempSync(join(KEPT_LOGS ?? tmpdir(), 'samsa-chaos-'))
  readonly #watch: CommitWatch
  #java: Java | undefined
  #count = 0

  private constructor(options: WorkloadOptions) {
    this.#options = options
    const { topic, groups, cluster } = options
    this.groupNames = groups.map((_, index) => `${topic}-group-${index}`)
    this.#watch = new CommitWatch(cluster.client, topic, this.groupNames)
  }

  static async start(options: WorkloadOptions): Promise<Workload> {
    const workload = new Workload(options)
    try {
      options.groups.forEach((ways, index) =>
        ways.forEach((way) => workload.startReader(way, index)),
      )
      options.alone?.forEach((way) => workload.startReader(way))
      if (options.javaTopic !== undefined) await workload.#startJava(options.javaTopic)
      await workload.#allStarted()
      options.producers.forEach((way) => workload.startProducer(way))
      await workload.#allStarted()
      return workload
    } catch (error) {
      await workload[Symbol.asyncDispose]()
      throw error
    }
  }

  get sessionTimeoutMs(): number {
    return this.#options.sessionTimeoutMs
  }

  /** The group of the Java client: it has the coordinator of samsa's first group. */
  get javaGroup(): string {
    const partition = ChaosCluster.offsetsPartition(this.groupNames[0]!)
    for (let number = 0; ; number++) {
      const name = `${this.#options.topic}-java-${number}`
      if (ChaosCluster.offsetsPartition(name) === partition) return name
    }
  }

  startProducer(way: ProducerWay): Running<ProducerPlan> {
    const { partitions, messagesPerSecond, producers, producerOptions } = this.#options
    const name = `producer-${this.#count++}`
    const plan: ProducerPlan = {
      ...this.#client(name),
      role: 'producer',
      way,
      // produceMany does not name the partitions of messages by key.
      lanes: way === 'produce' ? 'keys' : 'partitions',
      laneCount: way === 'produce' ? partitions * 3 : partitions,
      messagesPerSecond: messagesPerSecond / producers.length,
      ...(producerOptions === undefined ? {} : { options: producerOptions }),
    }
    const running = { plan, process: this.#spawn(plan) }
    this.producers.push(running)
    return running
  }

  startReader(way: ReaderWay, group?: number): Running<ReaderPlan> {
    const { sessionTimeoutMs, byZooKeeper = false, cluster } = this.#options
    const name = `reader-${this.#count++}`
    const plan: ReaderPlan = {
      ...this.#client(name),
      role: 'reader',
      way,
      workMs: this.#options.javaTopic === undefined ? WORK_MS : 0,
      group:
        group === undefined
          ? undefined
          : {
              name: this.groupNames[group]!,
              sessionTimeoutMs,
              commitIntervalMs: COMMIT_INTERVAL_MS,
              ...(byZooKeeper && group === this.groupNames.length - 1
                ? { zookeeperHosts: cluster.kafka.zookeeperHosts! }
                : { assignors: [group % 2 === 0 ? 'cooperative-sticky' : 'range'] as const }),
            },
    }
    const running = { plan, process: this.#spawn(plan) }
    this.readers.push(running)
    return running
  }

  /** What all clients have written since the last call. */
  readOn(): readonly Line[] {
    return this.#processes.flatMap((one) => one.readOn())
  }

  /** Waits until samsa's producers have had this many more messages acknowledged. */
  async progress(messages: number): Promise<void> {
    const count = () =>
      this.producers.reduce(
        (sum, { process }) =>
          sum + process.lines.filter(({ what }) => what === 'acknowledged').length,
        0,
      )
    this.readOn()
    const from = count()
    while (count() < from + messages) {
      await delay(100)
      this.readOn()
    }
  }

  /**
   * With a Java client: waits until it and samsa have news of every partition, acknowledged and delivered, so that a
   * fault hits both in the same state and every gap has a beginning and an end.
   */
  async flowing(): Promise<void> {
    if (this.#java === undefined) return
    const { partitions } = this.#options
    const since = now()
    const { producers, members: javaMembers } = this.#java
    const group = this.groupNames[0]
    const members = this.readers.filter(({ plan }) => plan.group?.name === group)
    const flows = [
      { what: 'acknowledged', of: this.producers.map(({ process }) => process) },
      { what: 'delivered', of: members.map(({ process }) => process) },
      { what: 'acknowledged', of: producers },
      { what: 'delivered', of: javaMembers },
    ] as const
    const until = since + FLOW_MS
    while (flows.some(({ what, of }) => partitionsSince(of, what, since).size < partitions)) {
      if (now() > until) throw new Error('not all partitions of both clients continue')
      await delay(100)
      this.readOn()
    }
  }

  /** Ends the producers, in order. */
  async stopProducers(): Promise<void> {
    const running = this.producers.filter(({ process }) => process.isAlive)
    await Promise.all([
      ...running.map(({ process }) => process.stop()),
      ...(this.#java?.producers ?? []).map((one) => one.stop()),
    ])
  }

  /** The log as kcat and Java read it. */
  async readLog(more: Pick<Log, 'createdAt'> & Partial<Log>): Promise<Log> {
    return this.#readLogOf(this.#options.topic, more)
  }

  /** Ends all clients when all readers have got all; resolves with what they wrote down. */
  async finish(earlier: readonly Log[] = [], more: Partial<Log> = {}): Promise<History> {
    await this.stopProducers()
    const log = await this.readLog({ createdAt: earlier.length === 0 ? -Infinity : now(), ...more })
    await this.caughtUp(log)
    await Promise.all(
      this.readers.filter(({ process }) => process.isAlive).map(({ process }) => process.stop()),
    )
    const commits = await this.#watch.stop()
    const sends = this.producers.flatMap(({ plan, process }) => {
      process.readOn()
      return sendsOf(plan.name, process.lines, plan.lanes)
    })
    const consumers = this.readers.map(({ plan, process }): Consumer => {
      process.readOn()
      const order = plan.way === 'run by key' ? 'lane' : 'partition'
      return consumerOf(plan.name, process.lines, process.deeds, {
        group: plan.group?.name,
        order,
      })
    })
    return { sends, consumers, commits, logs: [...earlier, log] }
  }

  /** The history of the Java client's producer and group; undefined without them. */
  async finishJava(): Promise<History | undefined> {
    const { javaTopic } = this.#options
    if (this.#java === undefined || javaTopic === undefined) return undefined
    const { producers, members } = this.#java
    const log = await this.#readLogOf(javaTopic, { createdAt: -Infinity })
    const delivered = () =>
      members.reduce(
        (sum, { lines }) => sum + lines.filter(({ what }) => what === 'delivered').length,
        0,
      )
    const until = now() + STALLED_MS
    while (delivered() < log.entries.length && now() < until) {
      await delay(100)
      for (const member of members) member.readOn()
    }
    await Promise.all(members.map((member) => member.stop()))
    const group = this.javaGroup
    return {
      sends: producers.flatMap(({ name, lines }) => sendsOf(name, lines, 'partitions')),
      consumers: members.map(({ name, lines }) =>
        consumerOf(name, lines, [], { group, order: 'partition' }),
      ),
      commits: [],
      logs: [log],
    }
  }

  /** Of samsa's clients that nothing has killed. */
  get footprints(): readonly Footprint[] {
    return [...this.producers, ...this.readers].flatMap(({ process }) => {
      if (process.deeds.some(({ what }) => what === 'kill')) return []
      const samples = process.lines.flatMap((line) =>
        line.what === 'figures' && line.heapBytes !== undefined && line.handles !== undefined
          ? [{ heapBytes: line.heapBytes, handles: line.handles }]
          : [],
      )
      const quarter = Math.floor(samples.length / 4)
      if (quarter === 0) return []
      const [early, late] = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)]
      const least = (part: typeof samples, of: 'heapBytes' | 'handles') =>
        Math.min(...part.map((sample) => sample[of]))
      return [
        {
          name: process.name,
          samples: samples.length,
          heapBytes: [least(early, 'heapBytes'), least(late, 'heapBytes')] as const,
          handles: [least(early, 'handles'), least(late, 'handles')] as const,
        },
      ]
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.dispose()))
    await this.#watch.stop()
    if (KEPT_LOGS === undefined) rmSync(this.#folder, { recursive: true, force: true })
  }

  get #processes(): readonly ClientProcess[] {
    return [
      ...this.producers.map(({ process }) => process),
      ...this.readers.map(({ process }) => process),
      ...(this.#java === undefined ? [] : [...this.#java.producers, ...this.#java.members]),
    ]
  }

  #client(name: string) {
    const { cluster, hosts = cluster.kafka.hosts, topic } = this.#options
    const isCompared = this.#options.javaTopic !== undefined
    return { name, hosts, topic, log: join(this.#folder, `${name}.log`), isCompared }
  }

  #spawn(plan: WorkerPlan): ClientProcess {
    const own = [process.execPath, '--expose-gc', '--enable-source-maps', workerBundle()]
    const [command, ...args] = [...(this.#options.prefix ?? []), ...own, JSON.stringify(plan)]
    return new ClientProcess({ name: plan.name, command: command, args, log: plan.log })
  }

  async #startJava(topic: string): Promise<void> {
    const { cluster, partitions, messagesPerSecond, sessionTimeoutMs } = this.#options
    const { producers, groups } = this.#options
    const { hosts = cluster.kafka.hosts, prefix = [] } = this.#options
    const program = await javaPeer()
    const start = (role: 'produce' | 'consume', name: string, ...more: readonly string[]) => {
      const log = join(this.#folder, `${name}.log`)
      const flags = ['-XX:+UseSerialGC', '-Xmx256m', ...program]
      const own = ['java', ...flags, role, hosts, topic, log, ...more]
      const [command, ...args] = [...prefix, ...own] as [string, ...string[]]
      return new ClientProcess({ name, command, args, log })
    }
    this.#java = {
      producers: producers.map((_, index) => {
        const name = `java-producer-${index}`
        const rate = Math.round(messagesPerSecond / producers.length)
        return start('produce', name, name, String(partitions), String(rate))
      }),
      members: (groups[0] ?? []).map((_, index) =>
        start('consume', `java-reader-${index}`, this.javaGroup, String(sessionTimeoutMs)),
      ),
    }
  }

  async #allStarted(): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.started()))
  }

  async #readLogOf(topic: string, more: Pick<Log, 'createdAt'> & Partial<Log>): Promise<Log> {
    const { version, hosts } = this.#options.cluster.kafka
    const entries = await readByKcat({ version, hosts }, topic)
    const readAgain = await readByJava({ version, hosts }, topic)
    return { starts: new Map(), ...more, entries, readAgain }
  }

  /** Waits until each group and each reader without one has got all, or gets nothing more. */
  async caughtUp({ entries }: Log): Promise<void> {
    const wanted = new Map<string, Set<string>>()
    for (const { plan } of this.readers) {
      wanted.set(plan.group?.name ?? plan.name, new Set(entries.map(nameOf)))
    }
    const taken = this.readers.map(() => 0)
    const take = (): number => {
      let news = 0
      this.readers.forEach(({ plan, process }, index) => {
        process.readOn()
        const missing = wanted.get(plan.group?.name ?? plan.name)!
        for (const line of process.lines.slice(taken[index])) {
          if (line.what === 'delivered' && missing.delete(nameOf(line))) news++
        }
        taken[index] = process.lines.length
      })
      return news
    }
    let lastNews = now()
    while ([...wanted.values()].some(({ size }) => size > 0) && now() - lastNews < STALLED_MS) {
      if (take() > 0) lastNews = now()
      await delay(50)
    }
  }
}

/** The partitions that these clients had something of after a time. */
function partitionsSince(
  clients: readonly ClientProcess[],
  what: 'acknowledged' | 'delivered',
  since: number,
): ReadonlySet<number> {
  const found = new Set<number>()
  for (const { lines } of clients) {
    for (let at = lines.length - 1; at >= 0; at--) {
      const line = lines[at]!
      if (line.at < since) break
      if (line.what === what) found.add(line.partition)
    }
  }
  return found
}

function nameOf({ partition, offset, id }: LogEntry): string {
  return `${partition}:${offset} ${id}`
}
