import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import {
  ManagedMember,
  untilAny,
  type ManagedMemberOptions,
} from '../support/balanced/managed-member.ts'
import { Readings } from '../support/balanced/members.ts'

/** A cluster with topic t, and members of one group on it. */
class Scene implements AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly readings = new Readings()
  readonly members: ManagedMember[] = []

  private constructor(kafka: EmbeddedCluster) {
    this.kafka = kafka
  }

  static async open(options: EmbeddedClusterOptions = {}): Promise<Scene> {
    const topics = { t: { partitions: 4 } }
    return new Scene(
      await EmbeddedCluster.start({ topics, groupMinSessionTimeoutMs: 100, ...options }),
    )
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

  /** Resolves when all members are settled, with so many partitions together. */
  settled(members: readonly ManagedMember[], count = 4): Promise<void> {
    return untilAny(
      this.members,
      () =>
        this.readings.count === count &&
        members.every(({ machine }) => machine.phase === 'settled'),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kafka.faults.clear()
    await Promise.all(this.members.map((member) => member.close()))
    await this.kafka.stop()
    expect(this.readings.violations).toEqual([])
  }
}

describe('a member of a Kafka group', () => {
  it('is ready with its first assignment, and gives everything back when it is closed', async () => {
    await using scene = await Scene.open()
    const one = await scene.start('one')
    expect(one.assignment).toBe('t-0 t-1 t-2 t-3')
    await one.close()
    expect(scene.readings.count).toBe(0)
    const left = scene.kafka.requests.all({ api: 'LeaveGroup' })
    expect(left).toHaveLength(1)
  })

  it.each(['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const)(
    'shares with others that come and go (%s)',
    async (assignor) => {
      await using scene = await Scene.open()
      const options = { assignors: [assignor] }
      const one = await scene.start('one', options)
      const two = await scene.start('two', options)
      await scene.settled([one, two])
      const three = await scene.start('three', options)
      await scene.settled([one, two, three])
      await two.close()
      await scene.settled([one, three])
      await one.close()
      await scene.settled([three])
      expect([...one.errors, ...two.errors, ...three.errors]).toEqual([])
    },
  )
})
