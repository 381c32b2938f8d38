import { Deadline } from '../../src/async/deadline.ts'
import { describe, expect, it, jest } from '@jest/globals'
import { leaveGroup } from '../../protocol/apis/index.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { EmbeddedCluster } from '../../src/embedded/index.ts'
import type { ManagedMember } from '../support/balanced/managed-member.ts'
import { standStill } from '../support/stand-still.ts'
import { until } from '../support/until.ts'
import { GroupScene, growTopic } from './support/group-scene.ts'
import { rawClientOf } from './support/requests.ts'

type ApiName = NonNullable<Parameters<EmbeddedCluster['faults']['on']>[0]['api']>

const COOPERATIVE = { assignors: ['cooperative-sticky'] as const }

const lost = (member: ManagedMember) => member.log.filter((entry) => entry.startsWith('!'))
const events = (member: ManagedMember) => member.log.filter((entry) => /^[-+!]/.test(entry))

/** Resolves when this many more heartbeats have reached a broker. */
async function heartbeats(kafka: EmbeddedCluster, count: number): Promise<void> {
  for (let seen = 0; seen < count; seen++) await kafka.requests.next({ api: 'Heartbeat' })
}

/** Timers of this many milliseconds never elapse. */
function withoutTimersOf(waitMs: number) {
  const setTimer = globalThis.setTimeout
  let omitted = 0
  const spy = jest.spyOn(globalThis, 'setTimeout').mockImplementation((callback, afterMs) => {
    if (afterMs !== waitMs) return setTimer(callback, afterMs)
    omitted++
    return setTimer(() => undefined, 0)
  })
  return {
    get omitted() {
      return omitted
    },
    restore: () => spy.mockRestore(),
  }
}

/** Ends the membership at the coordinator only, as when a session has run out. */
async function forget(kafka: EmbeddedCluster, memberId: string): Promise<void> {
  using client = await rawClientOf(kafka)
  const members = [{ memberId, groupInstanceId: null }]
  await client.request(leaveGroup, 3, { groupId: 'g', members })
}

describe('the coordinator of a classic group', () => {
  it('can move: the member follows it, and loses nothing', async () => {
    await using scene = await GroupScene.open({ brokers: 3 })
    const [one, two] = [await scene.start('one'), await scene.start('two')]
    await scene.settled([one, two])
    for (const broker of [1, 2, 3, 1]) {
      scene.kafka.moveCoordinator('g', broker)
      while ((await scene.kafka.requests.next({ api: 'Heartbeat' })).broker !== broker);
    }
    const three = await scene.start('three')
    await scene.settled([one, two, three])
    expect([one, two, three].flatMap(lost)).toEqual([])
  })

  it('can fail while members join', async () => {
    await using scene = await GroupScene.open({ brokers: 3 })
    const one = await scene.start('one', COOPERATIVE)
    // The group's JoinGroup waits for `one`, which is not let in.
    const holding = scene.kafka.faults.on({ api: 'JoinGroup', clientId: 'one' }, { hold: true })
    const joining = scene.kafka.requests.next({ api: 'JoinGroup', clientId: 'one' })
    const two = scene.make('two', COOPERATIVE)
    const starting = two.machine.start()
    await joining
    const coordinator = scene.kafka.coordinatorOf('g')
    await scene.kafka.stopBroker(coordinator)
    holding.release()
    await starting
    await scene.settled([one, two])
    expect(lost(one)).toEqual([])
  })

  it.each([
    ['JoinGroup', 'NOT_COORDINATOR'],
    ['JoinGroup', 'COORDINATOR_NOT_AVAILABLE'],
    ['JoinGroup', 'COORDINATOR_LOAD_IN_PROGRESS'],
    ['JoinGroup', 'REBALANCE_IN_PROGRESS'],
    ['JoinGroup', 'UNKNOWN_MEMBER_ID'],
    ['SyncGroup', 'NOT_COORDINATOR'],
    ['SyncGroup', 'COORDINATOR_NOT_AVAILABLE'],
    ['SyncGroup', 'REBALANCE_IN_PROGRESS'],
    ['SyncGroup', 'UNKNOWN_MEMBER_ID'],
    ['SyncGroup', 'ILLEGAL_GENERATION'],
    ['FindCoordinator', 'COORDINATOR_NOT_AVAILABLE'],
  ] as const)('can answer %s with %s: the member retries', async (api, error) => {
    await using scene = await GroupScene.open()
    const fault = scene.kafka.faults.on({ api, times: 2 }, { error })
    const one = await scene.start('one', { sessionTimeoutMs: 300 })
    await one.settledWith(4)
    expect(fault.hits).toBe(2)
    expect([...one.errors, ...one.failures]).toEqual([])
  })

  it.each([
    ['Heartbeat', 'NOT_COORDINATOR'],
    ['Heartbeat', 'COORDINATOR_NOT_AVAILABLE'],
    ['Heartbeat', 'COORDINATOR_LOAD_IN_PROGRESS'],
  ] as const)('can answer %s with %s: nothing is lost', async (api, error) => {
    await using scene = await GroupScene.open()
    const one = await scene.start('one')
    scene.kafka.faults.on({ api, times: 3 }, { error })
    await heartbeats(scene.kafka, 6)
    expect(events(one)).toEqual(['+t-0 t-1 t-2 t-3'])
  })

  it.each([
    ['JoinGroup', { close: true }],
    ['JoinGroup', { cutAfterBytes: 0 }],
    ['JoinGroup', { cutAfterBytes: 7 }],
    ['SyncGroup', { close: true }],
    ['SyncGroup', { cutAfterBytes: 0 }],
    ['Heartbeat', { close: true }],
    ['Heartbeat', { cutAfterBytes: 3 }],
    ['OffsetCommit', { close: true }],
  ] as const)('can lose the connection of a %s (%j)', async (api, action) => {
    await using scene = await GroupScene.open()
    // An id that the broker sent and no client received blocks the group for a session.
    const options = { ...COOPERATIVE, sessionTimeoutMs: 1_000 }
    const [one, two] = [await scene.start('one', options), scene.make('two', options)]
    scene.kafka.faults.on({ api, times: 2 }, action)
    await two.machine.start()
    await scene.settled([one, two])
    if (api === 'Heartbeat') await heartbeats(scene.kafka, 8)
    expect([...one.failures, ...two.failures]).toEqual([])
    expect(scene.readings.count).toBe(4)
  })

  it.each(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'] as const)(
    'can forget the member (%s): the member loses its partitions and joins again',
    async (error) => {
      await using scene = await GroupScene.open()
      // The broker has not forgotten it in truth: that takes a session.
      const one = await scene.start('one', { ...COOPERATIVE, sessionTimeoutMs: 1_000 })
      const before = one.coordinator.memberId
      scene.kafka.faults.on({ api: 'Heartbeat', times: 1 }, { error })
      await one.until(() => lost(one).length > 0)
      await one.settledWith(4)
      expect(events(one)).toEqual(['+t-0 t-1 t-2 t-3', '!t-0 t-1 t-2 t-3', '+t-0 t-1 t-2 t-3'])
      expect(one.coordinator.memberId === before).toBe(error === 'ILLEGAL_GENERATION')
    },
  )

  it('gives the partitions of a silent member to others: that member delivers nothing from then on', async () => {
    await using scene = await GroupScene.open({ brokers: 1 })
    const one = await scene.start('one', { sessionTimeoutMs: 300 })
    const silence = scene.kafka.faults.on({ clientId: 'one', api: 'Heartbeat' }, { drop: true })
    const answeredAt = performance.now()
    const two = scene.make('two')
    // The other's process is what reads it then: this one has only to know that it may not.
    scene.readings.stop('one', one.machine.assignment)
    await two.machine.start()
    expect(two.assignment).toBe('t-0 t-1 t-2 t-3')
    expect(one.machine.mayDeliver).toBe(false)
    expect(one.coordinator.ownedUntil).toBeLessThan(answeredAt + 300)
    silence.remove()
    await one.until(() => lost(one).length > 0)
    await scene.settled([one, two])
  })

  it('removes no member for the time in which their common process was suspended', async () => {
    await using scene = await GroupScene.open()
    const one = await scene.start('one', { sessionTimeoutMs: 300 })
    await heartbeats(scene.kafka, 1)
    standStill(500)
    expect(one.machine.mayDeliver).toBe(false)
    await one.until(() => one.machine.mayDeliver)
    await heartbeats(scene.kafka, 3)
    expect(events(one)).toEqual(['+t-0 t-1 t-2 t-3'])
  })

  it('can be silent for a while: nothing is delivered meanwhile, then delivery continues', async () => {
    await using scene = await GroupScene.open()
    const one = await scene.start('one', { sessionTimeoutMs: 300, heartbeatIntervalMs: 30 })
    const silence = scene.kafka.faults.on(
      { api: 'Heartbeat' },
      { error: 'COORDINATOR_LOAD_IN_PROGRESS' },
    )
    while (one.machine.mayDeliver) await scene.kafka.requests.next({ api: 'Heartbeat' })
    silence.remove()
    // Whether the broker has kept it depends on which was faster; in either case the member continues.
    await one.until(() => one.log.includes('resume') || lost(one).length > 0)
    await one.until(() => one.machine.mayDeliver)
    await one.settledWith(4)
  })

  it.each<[ApiName, ErrorName, RegExp]>([
    ['JoinGroup', 'GROUP_AUTHORIZATION_FAILED', /joining group 'g'.*Grant it with an ACL/],
    ['JoinGroup', 'GROUP_MAX_SIZE_REACHED', /group\.max\.size/],
    ['JoinGroup', 'INVALID_SESSION_TIMEOUT', /sessionTimeoutMs is 30000.*group\.min\.session/],
    ['JoinGroup', 'INCONSISTENT_GROUP_PROTOCOL', /this member offers range/],
    ['JoinGroup', 'INVALID_GROUP_ID', /group id is not valid/],
    ['SyncGroup', 'GROUP_AUTHORIZATION_FAILED', /Grant it with an ACL/],
    ['FindCoordinator', 'GROUP_AUTHORIZATION_FAILED', /Grant it with an ACL/],
  ])(
    'can refuse the member permanently at %s with %s: start() reports the reason',
    async (api, error, message) => {
      await using scene = await GroupScene.open()
      scene.kafka.faults.on({ api }, { error })
      const one = scene.make('one')
      await expect(one.machine.start()).rejects.toMatchObject({
        code: error,
        message: expect.stringMatching(message),
      })
    },
  )

  it.each<ErrorName>(['GROUP_AUTHORIZATION_FAILED', 'FENCED_INSTANCE_ID'])(
    'can expel the member permanently by a heartbeat (%s): consume() reports the reason',
    async (error) => {
      await using scene = await GroupScene.open()
      const one = await scene.start('one')
      scene.kafka.faults.on({ api: 'Heartbeat' }, { error })
      await one.until(() => one.machine.phase === 'closed' && one.failures.length > 0)
      expect(one.failures.map(({ code }) => code)).toEqual([error])
      expect(scene.readings.count).toBe(0)
    },
  )

  it('keeps the assignment of a static member while it is away, without a rebalance', async () => {
    await using scene = await GroupScene.open()
    const options = { groupInstanceId: 'a', sessionTimeoutMs: 10_000 }
    const one = await scene.start('one', options)
    const two = await scene.start('two', { ...options, groupInstanceId: 'b' })
    await scene.settled([one, two])
    const [had, generation] = [one.assignment, two.coordinator.groupMetadata.generationId]
    await one.close()
    const again = await scene.start('again', options)
    expect(again.assignment).toBe(had)
    expect(two.coordinator.groupMetadata.generationId).toBe(generation)
    expect(scene.kafka.requests.all({ api: 'LeaveGroup' })).toEqual([])
  })

  it('has a returning static leader watch the topics as before', async () => {
    await using scene = await GroupScene.open()
    const options = {
      groupInstanceId: 'a',
      sessionTimeoutMs: 10_000,
      client: { metadataMaxAgeMs: 50 },
    }
    await (await scene.start('one', options)).close()
    const again = await scene.start('again', options)
    expect(again.coordinator.groupMetadata.generationId).toBe(1)
    await growTopic(scene.kafka, 't', 6)
    await again.settledWith(6)
  })

  it('lets the second of two members with one instance id take over, and fences the first', async () => {
    await using scene = await GroupScene.open()
    const one = await scene.start('one', { groupInstanceId: 'same' })
    scene.readings.stop('one', one.machine.assignment)
    const two = await scene.start('two', { groupInstanceId: 'same' })
    await one.until(() => one.failures.length > 0)
    expect(one.failures[0]).toMatchObject({
      code: 'FENCED_INSTANCE_ID',
      message: expect.stringContaining("another member took over the groupInstanceId 'same'"),
    })
    expect(two.assignment).toBe('t-0 t-1 t-2 t-3')
  })

  it.each(['0.9', '0.10', '0.11', '1.1', '2.8', '3.9', '4.4'] as const)(
    'can be a Kafka %s',
    async (version) => {
      await using scene = await GroupScene.open({ version })
      const [one, two] = [
        await scene.start('one', COOPERATIVE),
        await scene.start('two', COOPERATIVE),
      ]
      await scene.settled([one, two])
      await one.close()
      await two.settledWith(4)
    },
  )

  it('can be too old for static members, or for groups: start() reports it', async () => {
    await using old = await GroupScene.open({ version: '1.1' })
    await expect(old.make('one', { groupInstanceId: 'a' }).machine.start()).rejects.toThrow(
      /static membership \(groupInstanceId\) requires Kafka 2\.3/,
    )
    await using oldest = await GroupScene.open({ version: '0.8.2' })
    await expect(oldest.make('one').machine.start()).rejects.toThrow(
      /is a Kafka 0\.8, which does not coordinate groups: .*zookeeperHosts/,
    )
  })

  it('can leave a JoinGroup unanswered: a member stops waiting once the coordinator changes', async () => {
    await using scene = await GroupScene.open({ brokers: 2 })
    scene.kafka.moveCoordinator('g', 1)
    const one = await scene.start('one', COOPERATIVE)
    const joining = scene.kafka.requests.next({ api: 'JoinGroup', clientId: 'one' })
    scene.kafka.faults.on({ api: 'JoinGroup', broker: 1, clientId: 'one' }, { drop: true })
    const two = scene.make('two', COOPERATIVE)
    const starting = two.machine.start()
    await joining
    scene.kafka.moveCoordinator('g', 2)
    await starting
    await scene.settled([one, two])
    expect(lost(one)).toEqual([])
  })

  it('can be unreachable: start() reports it, and close ends soon', async () => {
    await using scene = await GroupScene.open()
    const one = scene.make('one', {
      client: { operationTimeoutMs: 300 },
      machine: { rebalanceMaxRetries: 1 },
    })
    await scene.kafka.stopBroker(1)
    await expect(one.machine.start()).rejects.toMatchObject({ code: 'NO_BROKERS_AVAILABLE' })
    await one.close()
  })
})

describe('a commit of a member', () => {
  it('during a rebalance is made in the next generation', async () => {
    await using scene = await GroupScene.open()
    const one = await scene.start('one', COOPERATIVE)
    one.positions.set('t-0', 7)
    const holding = scene.kafka.faults.on({ api: 'SyncGroup' }, { hold: true })
    const syncing = scene.kafka.requests.next({ api: 'SyncGroup' })
    const two = scene.make('two', COOPERATIVE)
    const starting = two.machine.start()
    await syncing
    await one.until(() => one.coordinator.membership.isJoining)
    const committing = one.commit([{ topic: 't', partition: 0 }])
    holding.release()
    await Promise.all([committing, starting])
    expect(one.log).toContain('commit t-0 OK')
    expect(await scene.committed(one, 0)).toBe(7)
  })

  it.each(['Metadata', 'SyncGroup'] as const)(
    'on close at the start of a generation is made in that one (its %s is answered late)',
    async (api) => {
      await using scene = await GroupScene.open()
      const one = await scene.start('one', COOPERATIVE)
      one.positions.set('t-0', 7)
      const leading = scene.kafka.requests.next({ api, clientId: 'one' })
      const holding = scene.kafka.faults.on({ api, clientId: 'one' }, { hold: true })
      const two = scene.make('two', COOPERATIVE)
      const starting = two.machine.start()
      await leading
      const trying = scene.kafka.requests.next({ api: 'OffsetCommit', clientId: 'one' })
      const closing = one.machine.close(new Deadline(60_000))
      await trying
      holding.release()
      await Promise.all([closing, starting])
      expect(one.log.filter((entry) => entry.startsWith('commit'))).toEqual(
        [0, 1, 2, 3].map((partition) => `commit t-${partition} OK`),
      )
      await two.settledWith(4)
      expect(await scene.committed(two, 0)).toBe(7)
    },
  )

  it('for partitions that the group has taken away fails, and changes nothing', async () => {
    await using scene = await GroupScene.open()
    const one = await scene.start('one', COOPERATIVE)
    const two = await scene.start('two', COOPERATIVE)
    await scene.settled([one, two])
    const [taken] = two.machine.assignment
    const before = await two.committed([taken!])
    one.positions.set(`t-${taken!.partition}`, 99)
    await one.commit([taken!])
    expect(one.log.at(-1)).toBe(`commit t-${taken!.partition} ILLEGAL_GENERATION`)
    expect(await two.committed([taken!])).toEqual(before)
  })

  it('after the membership was lost fails, and changes nothing', async () => {
    await using scene = await GroupScene.open()
    const one = await scene.start('one', { ...COOPERATIVE, sessionTimeoutMs: 1_000 })
    one.positions.set('t-1', 5)
    scene.kafka.faults.on({ api: 'Heartbeat', times: 1 }, { error: 'UNKNOWN_MEMBER_ID' })
    scene.kafka.faults.on({ api: 'JoinGroup' }, { hold: true })
    await scene.kafka.requests.next({ api: 'JoinGroup' })
    await one.until(() => lost(one).length > 0 && one.coordinator.membership.isJoining)
    const committing = one.commit([{ topic: 't', partition: 1 }])
    scene.kafka.faults.clear()
    await committing
    expect(one.log).toContain('commit t-1 ILLEGAL_GENERATION')
    expect(await scene.committed(one, 1)).toBeUndefined()
  })

  it.each(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'] as const)(
    'that is refused with %s makes the member join again before the next heartbeat is due',
    async (error) => {
      await using scene = await GroupScene.open()
      const { faults, requests } = scene.kafka
      const intervals = { heartbeatIntervalMs: 60_000, sessionTimeoutMs: 200_000 }
      const one = await scene.start('one', { ...COOPERATIVE, ...intervals })
      // Each comes after twice as long as the one before it. The next one never comes by itself.
      const timers = withoutTimersOf(800)
      // Since the start: on a busy machine the first may be over by now.
      await until(() => requests.all({ api: 'Heartbeat' }).length >= 3)
      if (error === 'UNKNOWN_MEMBER_ID') await forget(scene.kafka, one.coordinator.memberId)
      else {
        faults.on({ api: 'OffsetCommit', times: 1 }, { error })
        faults.on({ api: 'Heartbeat', times: 1 }, { error })
      }
      const joining = requests.next({ api: 'JoinGroup' })
      await one.commit([{ topic: 't', partition: 0 }])
      expect(one.log.at(-1)).toBe(`commit t-0 ${error}`)
      await joining
      expect(timers.omitted).toBe(1)
      timers.restore()
      await one.settledWith(4)
      expect(lost(one)).toHaveLength(error === 'REBALANCE_IN_PROGRESS' ? 0 : 1)
    },
  )
})
