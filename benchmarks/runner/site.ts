import { DriverError } from './driver.ts'
import type { Place } from './place.ts'
import { fill } from './seed.ts'
import { makeGroups } from './groups.ts'
import type { Case } from './question.ts'
import type { Measurement, Task, TaskName } from './task.ts'
import { dropTopics, makeTopics } from './topics.ts'
import type { Values } from './values.ts'

/** Of those that are asked for, so that no partition runs out first. */
const FILL_MARGIN = 1.05
/** Enough for the compilers of Node.js and Java, however small the task is. */
const WARM_UP_MESSAGES = 200_000
const WARM_UP_BYTES = 1_000_000_000
/** The index of a partition has entries from its second batch on. */
const BATCHES_OF_USED = 2

export type MeasureTask = (task: Task) => Promise<Measurement>

/** A broker with the topics that cases need. */
export class Site implements AsyncDisposable {
  readonly place: Place
  readonly #values: Values
  readonly #signal: AbortSignal
  /** Topics with messages in them, by what that is: filled once, and for all. */
  readonly #filled = new Map<string, readonly string[]>()
  /** The listeners whose code the broker has compiled. */
  readonly #warm = new Set<'plain' | 'tls'>()
  #topics = 0

  constructor(place: Place, values: Values, signal: AbortSignal) {
    this.place = place
    this.#values = values
    this.#signal = signal
  }

  /** Fills the topics that the case needs, once for all. */
  async prepare(asked: Case): Promise<void> {
    if (isKept(asked)) await this.#filledTopics(asked)
  }

  /**
   * Runs the case once for each listener without counting it. The first client of a new broker, or of its first
   * connections with TLS, otherwise waits for the JVM's compilers.
   */
  async warmUp(asked: Case, measure: MeasureTask): Promise<void> {
    const listener = asked.tls ? 'tls' : 'plain'
    if (this.place.isNull || this.place.stormHome !== undefined || this.#warm.has(listener)) return
    this.#warm.add(listener)
    // The measured run fails in the same way, and reports it.
    await this.run(asked, measure).catch(() => undefined)
  }

  /** Makes what the case needs again, measures, and takes it away. */
  async run(asked: Case, measure: MeasureTask): Promise<Measurement> {
    const made: string[] = []
    const make = async (count: number): Promise<readonly string[]> => {
      const names = Array.from({ length: count }, () => this.#newName())
      made.push(...names)
      if (count > 0) await makeTopics(this.place.hosts, names, topicFor(asked))
      return names
    }
    try {
      const topics = isKept(asked) ? await this.#filledTopics(asked) : await make(asked.topics)
      const task = {
        ...this.#task(asked, topics[0] ?? ''),
        ...(topics.length > 1 ? { topics } : {}),
        ...(asked.task === 'admin' ? { groups: groupsOf(topics, asked.groups) } : {}),
        ...(asked.task === 'transform' ? { output: (await make(1))[0]! } : {}),
      }
      const processes = Array.from({ length: asked.processes }, () => measure(task))
      const settled = await Promise.allSettled(processes)
      return together(settled.map((one) => valueOf(one)))
    } finally {
      await this.#drop(made)
    }
  }

  /** Topics that were filled, and that none of the cases to come reads, are taken away. */
  async keepFor(coming: readonly Case[]): Promise<void> {
    const kept = new Set(coming.filter(isKept).map(contentOf))
    for (const [content, topics] of this.#filled) {
      if (kept.has(content)) continue
      this.#filled.delete(content)
      await this.#drop(topics)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.place.isGiven) await this.#drop([...this.#filled.values()].flat())
    await this.place[Symbol.asyncDispose]()
  }

  #newName(): string {
    return `bench-${process.pid}-${++this.#topics}`
  }

  /** What was measured counts, whether or not its topics can be deleted. */
  async #drop(names: readonly string[]): Promise<void> {
    await dropTopics(this.place.hosts, names).catch(() => undefined)
  }

  #task(asked: Case, topic: string): Task {
    const { tls, hosts, zookeeperHosts, stormHome } = this.place
    if (asked.tls && tls === undefined) throw new Error('This broker does not listen for TLS')
    if (asked.zookeeper && zookeeperHosts === undefined) {
      throw new Error('Brokers given by --brokers have no ZooKeeper that is known of')
    }
    return {
      task: asked.task,
      mode: asked.mode,
      brokers: asked.tls ? tls!.hosts : hosts,
      ...(asked.tls ? { tls: { caFile: tls!.caFile } } : {}),
      topic,
      partitions: asked.partitions,
      group: `${topic}-${++this.#topics}`,
      acks: asked.acks,
      compression: asked.compression,
      valuesFile: this.#values.file(asked.valueBytes),
      valueBytes: asked.valueBytes,
      messages: asked.messages,
      limitMs: asked.limitMs,
      warmUpMessages: warmUpOf(asked),
      warmUpMs: asked.warmUpMs,
      shares: asked.shares,
      members: asked.members,
      before: asked.before,
      ...(asked.zookeeper ? { zookeeper: zookeeperHosts! } : {}),
      ...(stormHome === undefined ? {} : { stormHome }),
    }
  }

  async #filledTopics(asked: Case): Promise<readonly string[]> {
    const content = contentOf(asked)
    const filled = this.#filled.get(content)
    if (filled !== undefined) return filled
    const topics = Array.from({ length: asked.topics }, () => this.#newName())
    await makeTopics(this.place.hosts, topics, topicFor(asked))
    if (asked.task === 'admin') {
      await makeGroups(this.place.hosts, groupsOf(topics, asked.groups), topics, asked.partitions)
      this.#filled.set(content, topics)
      return topics
    }
    const amount = isReading(asked.task)
      ? { messages: Math.ceil(asked.messages * FILL_MARGIN) }
      : { messages: 0, batches: BATCHES_OF_USED }
    for (const topic of topics) await fill(this.place, { ...asked, topic, ...amount }, this.#signal)
    this.#filled.set(content, topics)
    return topics
  }
}

/** Cases with the same can use the same topics. */
function contentOf(asked: Case): string {
  const { task, valueBytes, compression, partitions, messages, topics, groups } = asked
  const amount = isReading(task) ? messages : 'in use'
  return JSON.stringify([valueBytes, compression, partitions, amount, topics, groups])
}

function warmUpOf({ valueBytes, task, messages }: Case): number {
  const wanted = Math.max(10, Math.min(WARM_UP_MESSAGES, Math.floor(WARM_UP_BYTES / valueBytes)))
  // What isn't there can't be read.
  return isReading(task) ? Math.min(wanted, messages) : wanted
}

/** Whether there is to be something in the topics already. */
function isFilled({ task, inUse }: Case): boolean {
  return isReading(task) || inUse
}

/** Whether what it needs serves all rounds, and other cases. */
function isKept(asked: Case): boolean {
  return isFilled(asked) || asked.task === 'admin'
}

function groupsOf([first]: readonly string[], count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${first}-group-${index}`)
}

/** Whether that is what the case is about. */
function isReading(task: TaskName): boolean {
  return ['consume', 'group', 'share', 'transform', 'slow'].includes(task)
}

function topicFor({ partitions, valueBytes }: Case) {
  return {
    partitions,
    // By default a message of 1 MiB is just too large.
    ...(valueBytes > 1_000_000 ? { maxMessageBytes: 2 * valueBytes } : {}),
  }
}

function valueOf(settled: PromiseSettledResult<Measurement>): Measurement {
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}

/** What several processes did at the same time. */
function together(measured: readonly Measurement[]): Measurement {
  if (measured.length === 1) return measured[0]!
  const sum = (pick: (one: Measurement) => number | undefined) =>
    measured.reduce((total, one) => total + (pick(one) ?? 0), 0)
  const busy = measured.filter(({ messages = 0 }) => messages > 0)
  if (busy.length === 0) throw new DriverError('no member got a message')
  const firstAt = Math.min(...busy.map(({ firstAt: at = 0 }) => at))
  const lastAt = Math.max(...busy.map(({ lastAt: at = 0 }) => at))
  return {
    messages: sum(({ messages }) => messages),
    bytes: sum(({ bytes }) => bytes),
    elapsedMs: lastAt - firstAt,
    userMs: sum(({ userMs }) => userMs),
    systemMs: sum(({ systemMs }) => systemMs),
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
  }
}
