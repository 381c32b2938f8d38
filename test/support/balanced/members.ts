import { Deadline } from '../../../src/async/deadline.ts'
import { noOffsets } from './no-offsets.ts'
import type { CoordinatorFactory } from '../../../src/balanced/coordinator.ts'
import { RebalanceMachine, type MachineOptions } from '../../../src/balanced/machine.ts'
import type { Phase } from '../../../src/balanced/phases.ts'
import type { MemberReader } from '../../../src/balanced/member-reader.ts'
import { NamedTopics, type Subscription } from '../../../src/balanced/subscription.ts'
import type { ZooKeeperClient } from '../../../src/balanced/zookeeper/client.ts'
import {
  ZooKeeperCoordinator,
  type ZooKeeperCoordinatorOptions,
} from '../../../src/balanced/zookeeper/coordinator.ts'
import { decisionOf, type DECISIONS } from '../../../src/balanced/zookeeper/membership-protocol.ts'
import { aclFor, createNodeClient } from '../../../src/balanced/zookeeper/node-client.ts'
import type { TopicMetadata } from '../../../src/cluster/metadata.ts'
import type { ZooKeeperAuth } from '../../../src/cluster/zookeeper-auth.ts'
import { parseZooKeeperHosts } from '../../../src/cluster/zookeeper-hosts.ts'
import { nameOf, type TopicPartition } from '../../../src/consumer/topic-partition.ts'
import type { KafkaError } from '../../../src/errors.ts'
import { silentLogger, type Logger } from '../../../src/observe/logger.ts'

export { NamedTopics }

/** Topics as a test wants them: no brokers behind. Partition p is led by broker p mod `brokers`. */
export class FakeTopics {
  readonly #topics = new Map<string, TopicMetadata>()

  set(name: string, partitions: number, brokers = 1): void {
    this.setLeaders(
      name,
      Array.from({ length: partitions }, (_, partition) => [partition % brokers]),
    )
  }

  /** A leader each partition, with the other replicas behind it. */
  setLeaders(name: string, replicas: readonly (readonly number[])[]): void {
    this.#topics.set(name, {
      name,
      topicId: undefined,
      isInternal: false,
      errorCode: 0,
      partitions: replicas.map((ids, partition) => ({
        partition,
        errorCode: 0,
        leader: ids[0] ?? -1,
        leaderEpoch: 0,
        replicas: ids,
        isr: ids,
      })),
    })
  }

  delete(name: string): void {
    this.#topics.delete(name)
  }

  subscription(...names: readonly string[]): Subscription {
    return {
      name: `topics ${names.join(', ')}`,
      onlyTopic: names.length === 1 ? names[0] : undefined,
      includes: (topic) => names.includes(topic),
      topics: () => Promise.resolve(names.flatMap((name) => this.#topics.get(name) ?? [])),
    }
  }
}

/** The current reader of each partition in this process: a second reader of a partition is an error at once. */
export class Readings {
  readonly #readers = new Map<string, string>()
  readonly violations: string[] = []

  start(member: string, partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const name = nameOf(partition)
      const other = this.#readers.get(name)
      if (other !== undefined) this.violations.push(`${name} is read by ${other} and ${member}`)
      this.#readers.set(name, member)
    }
  }

  stop(member: string, partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const name = nameOf(partition)
      if (this.#readers.get(name) === member) this.#readers.delete(name)
    }
  }

  /** Partitions by reader, sorted. */
  byMember(): Record<string, string[]> {
    const found: Record<string, string[]> = {}
    for (const [partition, member] of this.#readers) (found[member] ??= []).push(partition)
    for (const partitions of Object.values(found)) partitions.sort()
    return found
  }

  get count(): number {
    return this.#readers.size
  }
}

export interface MemberOptions {
  readonly hosts: string
  readonly group?: string
  readonly subscription: Subscription
  readonly readings?: Readings
  readonly protocol?: keyof typeof DECISIONS
  readonly sessionTimeoutMs?: number
  readonly auth?: ZooKeeperAuth
  readonly client?: ZooKeeperClient
  readonly logger?: Logger
  readonly machine?: Partial<MachineOptions>
}

/** A machine that ZooKeeper coordinates, whose reader only notes what it is to read. */
export class Member {
  readonly name: string
  readonly machine: RebalanceMachine
  /** `+` for what came, `-` for what was given up, `!` for what was lost. */
  readonly log: string[] = []
  readonly errors: KafkaError[] = []
  /** How often everything was settled. */
  rounds = 0
  readonly #listeners = new Set<() => void>()

  constructor(name: string, options: MemberOptions) {
    this.name = name
    const { readings = new Readings(), logger = silentLogger } = options
    const note = (sign: string, partitions: readonly TopicPartition[]) => {
      this.log.push(`${sign}${partitions.map(({ partition }) => partition).join(',')}`)
      this.#tell()
    }
    const reader: MemberReader = {
      prepare: () => Promise.resolve(),
      start: (partitions) => readings.start(name, partitions),
      hold: (partitions) => readings.stop(name, partitions),
      commit: () => Promise.resolve(),
      stop: (partitions) => readings.stop(name, partitions),
      resume: () => undefined,
      report: (error) => void this.errors.push(error),
      fail: (error) => void this.errors.push(error),
    }
    this.machine = new RebalanceMachine(coordinatorOf(name, options, logger), {
      reader,
      hooks: {
        assigned: (partitions) => note('+', partitions),
        revoked: (partitions) => note('-', partitions),
        lost: (partitions) => note('!', partitions),
      },
      rebalanceMaxRetries: 5,
      rebalanceBackoffMs: 200,
      rebalanceTimeoutMs: 5_000,
      logger,
      ...options.machine,
      onPhase: (phase: Phase) => {
        if (phase === 'settled') this.rounds++
        this.#tell()
      },
    })
  }

  get assignment(): number[] {
    return this.machine.assignment.map(({ partition }) => partition).sort((a, b) => a - b)
  }

  start(): Promise<void> {
    return this.machine.start()
  }

  close(): Promise<void> {
    return this.machine.close(new Deadline(60_000))
  }

  /** Resolves when it is so, which is looked at whenever something happens to this member. */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve()
    return new Promise((resolve) => {
      const look = () => {
        if (!isSo()) return
        this.#listeners.delete(look)
        resolve()
      }
      this.#listeners.add(look)
    })
  }

  /** Resolves when it is settled with this many partitions. */
  settledWith(partitions: number): Promise<void> {
    return this.until(
      () => this.machine.phase === 'settled' && this.assignment.length === partitions,
    )
  }

  #tell(): void {
    // When what is being done now is done.
    queueMicrotask(() => [...this.#listeners].forEach((listener) => listener()))
  }
}

function coordinatorOf(name: string, options: MemberOptions, logger: Logger): CoordinatorFactory {
  const { hosts, sessionTimeoutMs = 4_000, auth, client } = options
  const coordinator: ZooKeeperCoordinatorOptions = {
    group: options.group ?? 'g',
    memberId: name,
    subscription: options.subscription,
    decide: decisionOf(options.protocol ?? 'range', name, logger),
    logger,
    metadataMaxAgeMs: 300_000,
    offsets: noOffsets,
    session: {
      hosts,
      connect: () => client ?? createNodeClient(parseZooKeeperHosts(hosts), sessionTimeoutMs, auth),
      isOwn: client === undefined,
      connectionTimeoutMs: sessionTimeoutMs,
      acl: () => aclFor(auth),
    },
  }
  return (events) => new ZooKeeperCoordinator(coordinator, events)
}
