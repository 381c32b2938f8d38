import { createPartitions } from '../../../protocol/apis/index.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../../src/embedded/index.ts'
import {
  ManagedMember,
  untilAny,
  type ManagedMemberOptions,
} from '../../support/balanced/managed-member.ts'
import { Readings } from '../../support/balanced/members.ts'
import { rawClientOf } from './requests.ts'

/** A cluster with topic t of four partitions, and members of one group on it that note what they read. */
export class GroupScene implements AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly readings = new Readings()
  readonly members: ManagedMember[] = []

  private constructor(kafka: EmbeddedCluster) {
    this.kafka = kafka
  }

  static async open(options: EmbeddedClusterOptions = {}): Promise<GroupScene> {
    const topics = { t: { partitions: 4 } }
    const settings = { topics, groupMinSessionTimeoutMs: 100, ...options }
    return new GroupScene(await EmbeddedCluster.start(settings))
  }

  make(name: string, options: Partial<ManagedMemberOptions> = {}): ManagedMember {
    const member = new ManagedMember(name, {
      hosts: this.kafka.hosts,
      readings: this.readings,
      heartbeatIntervalMs: 30,
      ...options,
    })
    this.members.push(member)
    return member
  }

  async start(name: string, options: Partial<ManagedMemberOptions> = {}): Promise<ManagedMember> {
    const member = this.make(name, options)
    await member.machine.start()
    return member
  }

  /** Resolves when these members are settled, with this many partitions together. */
  settled(members: readonly ManagedMember[], count = 4): Promise<void> {
    const areSettled = () => members.every(({ machine }) => machine.phase === 'settled')
    return untilAny(this.members, () => this.readings.count === count && areSettled())
  }

  /** What the group has committed for a partition of t. */
  async committed(member: ManagedMember, partition: number): Promise<number | undefined> {
    const found = await member.committed([{ topic: 't', partition }])
    return found[0]?.offset
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kafka.faults.clear()
    await Promise.all(this.members.map((member) => member.close()))
    await this.kafka.stop()
    if (this.readings.violations.length > 0) throw new Error(this.readings.violations.join('\n'))
  }
}

/** Gives a topic more partitions. */
export async function growTopic(
  kafka: EmbeddedCluster,
  name: string,
  count: number,
): Promise<void> {
  using client = await rawClientOf(kafka)
  const topics = [{ name, count, assignments: null }]
  await client.request(createPartitions, 3, { topics, timeoutMs: 1_000, validateOnly: false })
}
