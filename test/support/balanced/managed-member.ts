import { ClassicCoordinator } from '../../../src/balanced/classic/coordinator.ts'
import type { ClassicGroupOffsets, StoreFor } from '../../../src/balanced/classic/group-offsets.ts'
import type { CoordinatorFactory } from '../../../src/balanced/coordinator.ts'
import { groupSettings, type GroupOptions } from '../../../src/balanced/classic/settings.ts'
import { RebalanceMachine, type MachineOptions } from '../../../src/balanced/machine.ts'
import type { MemberReader } from '../../../src/balanced/member-reader.ts'
import { Deadline } from '../../../src/async/deadline.ts'
import { clusterOptions, type KafkaClientOptions } from '../../../src/client-options.ts'
import { Cluster } from '../../../src/cluster/cluster.ts'
import { KafkaOffsets } from '../../../src/consumer/offsets/kafka-offsets.ts'
import { nameOf, type TopicPartition } from '../../../src/consumer/topic-partition.ts'
import type { KafkaError } from '../../../src/errors.ts'
import { MatchingTopics, NamedTopics } from '../../../src/balanced/subscription.ts'
import { Readings } from './members.ts'

export interface ManagedMemberOptions extends GroupOptions {
  readonly hosts: string
  readonly topics?: readonly string[]
  readonly pattern?: RegExp
  readonly groupId?: string
  readonly clientRack?: string
  readonly readings?: Readings
  readonly busyForMs?: () => number
  /** What the hook for revoked partitions waits for. */
  readonly onRevoked?: () => Promise<void>
  readonly client?: Omit<KafkaClientOptions, 'hosts'>
  readonly machine?: Partial<MachineOptions>
}

/**
 * A rebalance machine that Kafka's group protocol coordinates. Its reader reads nothing, but commits what it is
 * told to: `positions`.
 */
export class ManagedMember implements AsyncDisposable {
  readonly name: string
  readonly machine: RebalanceMachine<ClassicCoordinator>
  readonly cluster: Cluster
  /** `+` what came, `-` what was given up, `!` what was lost; `commit` with how it went. */
  readonly log: string[] = []
  readonly errors: KafkaError[] = []
  readonly failures: KafkaError[] = []
  /** What the next commit of a partition says. */
  readonly positions = new Map<string, number>()
  readonly #listeners = new Set<() => void>()

  constructor(name: string, options: ManagedMemberOptions) {
    const { hosts, topics, pattern, client, groupId = 'g', machine, onRevoked, ...rest } = options
    const { readings = new Readings(), busyForMs = () => 0, clientRack, ...group } = rest
    this.name = name
    this.cluster = new Cluster(clusterOptions({ hosts, clientId: name, ...client }))
    const subscription = pattern
      ? new MatchingTopics(this.cluster, pattern)
      : new NamedTopics(this.cluster, topics ?? ['t'])
    const settings = groupSettings(group, { groupId, subscription, clientRack, busyForMs })
    const reader: MemberReader = {
      prepare: () => Promise.resolve(),
      start: (partitions) => readings.start(name, partitions),
      hold: (partitions) => readings.stop(name, partitions),
      commit: (partitions) => this.commit(partitions),
      stop: (partitions) => readings.stop(name, partitions),
      resume: () => this.#note('resume'),
      report: (error) => {
        this.errors.push(error)
        this.#note(`error ${error.code}`)
      },
      fail: (error) => {
        this.failures.push(error)
        this.#note(`failed ${error.code}`)
      },
    }
    const { backoff } = this.cluster.options
    const storeFor: StoreFor = (membership) =>
      new KafkaOffsets(this.cluster, groupId, { maxRetries: 5, backoff, membership })
    const made: CoordinatorFactory<ClassicCoordinator> = (events) =>
      new ClassicCoordinator(this.cluster, settings, events, storeFor)
    this.machine = new RebalanceMachine(made, {
      reader,
      hooks: {
        assigned: (partitions) => this.#note(`+${shown(partitions)}`),
        revoked: (partitions) => {
          this.#note(`-${shown(partitions)}`)
          return onRevoked?.()
        },
        lost: (partitions) => this.#note(`!${shown(partitions)}`),
      },
      rebalanceMaxRetries: 5,
      rebalanceBackoffMs: 200,
      rebalanceTimeoutMs: 10_000,
      logger: this.cluster.options.logger,
      ...machine,
      onPhase: (phase, owned) => {
        machine?.onPhase?.(phase, owned)
        this.#tell()
      },
    })
  }

  static async start(name: string, options: ManagedMemberOptions): Promise<ManagedMember> {
    const member = new ManagedMember(name, options)
    await member.machine.start()
    return member
  }

  get coordinator(): ClassicCoordinator {
    return this.machine.coordinator
  }

  get offsets(): ClassicGroupOffsets {
    return this.coordinator.offsets
  }

  get assignment(): string {
    return shown(this.machine.assignment)
  }

  async commit(partitions: readonly TopicPartition[]): Promise<void> {
    const offsets = partitions.map((one) => ({
      ...one,
      offset: this.positions.get(nameOf(one)) ?? 0,
    }))
    const results = await this.offsets.commit(offsets, new Deadline(10_000))
    for (const { error, ...one } of results) {
      this.#note(`commit ${nameOf(one)} ${error?.code ?? 'OK'}`)
    }
  }

  committed(partitions: readonly TopicPartition[]) {
    return this.offsets.fetch(partitions, new Deadline(10_000))
  }

  /** Resolves when it is so, which is looked at whenever something happens to this member. */
  until(isSo: () => boolean): Promise<void> {
    return untilAny([this], isSo)
  }

  /** Calls it whenever something happens. Returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when it is settled with this many partitions. */
  settledWith(partitions: number): Promise<void> {
    const { machine } = this
    return this.until(() => machine.phase === 'settled' && machine.assignment.length === partitions)
  }

  async close(): Promise<void> {
    await this.machine.close(new Deadline(60_000))
    await this.cluster.close(1_000)
  }

  /** As when the process is killed: the group gets no request. */
  async kill(): Promise<void> {
    await this.cluster.close(0)
    await this.machine.close(new Deadline(60_000))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #note(entry: string): void {
    this.log.push(entry)
    this.#tell()
  }

  #tell(): void {
    // When what is being done now is done.
    queueMicrotask(() => [...this.#listeners].forEach((listener) => listener()))
  }
}

/** Resolves when it is so, which is looked at whenever something happens to one of the members. */
export function untilAny(members: readonly ManagedMember[], isSo: () => boolean): Promise<void> {
  if (isSo()) return Promise.resolve()
  return new Promise((resolve) => {
    const stops = members.map((member) =>
      member.onChange(() => {
        if (!isSo()) return
        for (const stop of stops) stop()
        resolve()
      }),
    )
  })
}

function shown(partitions: readonly TopicPartition[]): string {
  return partitions.map(nameOf).sort().join(' ')
}
