import { describe, expect, it } from '@jest/globals'
import type { Assignor } from '../../src/balanced/assignors/assignor.ts'
import { rangeAssignor } from '../../src/balanced/assignors/range.ts'
import { BUILT_IN, type AssignorName } from '../../src/balanced/classic/settings.ts'
import { Readings } from '../support/balanced/members.ts'
import { GroupScene, growTopic } from './support/group-scene.ts'
import { GroupMember } from './support/group-member.ts'
import { keepWarnings } from '../support/warnings.ts'

describe('a member of a Kafka group', () => {
  it('is ready with its first assignment, and releases everything when it is closed', async () => {
    await using scene = await GroupScene.open()
    const one = await scene.start('one')
    expect(one.assignment).toBe('t-0 t-1 t-2 t-3')
    await one.close()
    expect(scene.readings.count).toBe(0)
    expect(scene.kafka.requests.all({ api: 'LeaveGroup' })).toHaveLength(1)
  })

  it.each(Object.keys(BUILT_IN) as AssignorName[])(
    'shares partitions with others that come and go (%s)',
    async (assignor) => {
      await using scene = await GroupScene.open()
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

  it.each(['range', 'cooperative-sticky'] as const)(
    'commits the partitions that it is about to release, and the commit succeeds (%s)',
    async (assignor) => {
      await using scene = await GroupScene.open()
      const one = await scene.start('one', { assignors: [assignor] })
      for (const name of ['t-0', 't-1', 't-2', 't-3']) one.positions.set(name, 42)
      const two = await scene.start('two', { assignors: [assignor] })
      await scene.settled([one, two])
      const given = two.machine.assignment
      expect(given).toHaveLength(2)
      expect((await two.committed(given)).map(({ offset }) => offset)).toEqual([42, 42])
      expect(one.log.filter((entry) => entry.startsWith('commit'))).toEqual(
        one.log.filter((entry) => entry.endsWith(' OK')),
      )
    },
  )

  it('keeps partitions that do not move, in the cooperative protocol', async () => {
    await using scene = await GroupScene.open()
    const one = await scene.start('one', { assignors: ['cooperative-sticky'] })
    const two = await scene.start('two', { assignors: ['cooperative-sticky'] })
    await scene.settled([one, two])
    expect(one.log.filter((entry) => /^[-+!]/.test(entry))).toEqual([
      '+t-0 t-1 t-2 t-3',
      '-t-2 t-3',
    ])
  })

  it('migrates from range to cooperative-sticky in two rounds of restarts, as Kafka documents', async () => {
    await using scene = await GroupScene.open()
    const both = { assignors: ['range', 'cooperative-sticky'] as const }
    const only = { assignors: ['cooperative-sticky'] as const }
    const old = { assignors: ['range'] as const }
    let [one, two] = [await scene.start('one', old), await scene.start('two', old)]
    for (const options of [both, only]) {
      await one.close()
      one = await scene.start('one', options)
      await two.close()
      two = await scene.start('two', options)
      await scene.settled([one, two])
    }
    expect([...one.errors, ...two.errors]).toEqual([])
  })

  it('notices new partitions of its topics', async () => {
    await using scene = await GroupScene.open()
    const client = { metadataMaxAgeMs: 50 }
    const one = await scene.start('one', { client })
    const two = await scene.start('two', { client })
    await growTopic(scene.kafka, 't', 7)
    await scene.settled([one, two], 7)
  })

  it('reads topics that match a pattern, also those that are created later', async () => {
    await using scene = await GroupScene.open()
    const one = await scene.start('one', { pattern: /^t/, client: { metadataMaxAgeMs: 50 } })
    expect(one.assignment).toBe('t-0 t-1 t-2 t-3')
    scene.kafka.createTopic('other', { partitions: 1 })
    scene.kafka.createTopic('t2', { partitions: 1 })
    await one.settledWith(5)
    expect(one.assignment).toBe('t-0 t-1 t-2 t-3 t2-0')
    scene.kafka.deleteTopic('t2')
    await one.settledWith(4)
  })

  it('waits for a topic that does not exist, and reports it', async () => {
    await using scene = await GroupScene.open({ autoCreateTopics: false })
    const { warnings, logger } = keepWarnings()
    const client = { metadataMaxAgeMs: 50, logger }
    const one = await scene.start('one', { topics: ['later'], client })
    const two = await scene.start('two', {
      groupId: 'h',
      pattern: /^later/,
      client,
      readings: new Readings(),
    })
    expect([one.assignment, two.assignment]).toEqual(['', ''])
    expect(warnings.join('\n')).toMatch(
      /'later' do not exist.*\n.*topics \/\^later\/ match no topic now/s,
    )
    scene.kafka.createTopic('later', { partitions: 1 })
    await Promise.all([one.settledWith(1), two.settledWith(1)])
  })

  it('can belong to several groups, and read several topics of one, at the same time', async () => {
    await using scene = await GroupScene.open({
      topics: { t: { partitions: 2 }, u: { partitions: 3 } },
    })
    const one = await scene.start('one', { topics: ['t', 'u'] })
    const two = await scene.start('two', { topics: ['u'] })
    await scene.settled([one, two], 5)
    expect(scene.readings.byMember()).toEqual({ one: ['t-0', 't-1', 'u-0', 'u-1'], two: ['u-2'] })
  })

  it('accepts a custom assignor, with its user data for the leader', async () => {
    await using scene = await GroupScene.open()
    const seen: (string | undefined)[] = []
    /** Everything to the one that says that it is the strongest. */
    const strongest: (strength: string) => Assignor = (strength) => ({
      name: 'strongest',
      protocols: ['eager'],
      userData: () => Buffer.from(strength),
      assign: (members, topics) => {
        seen.push(...members.map(({ userData }) => userData?.toString()))
        const [first] = [...members].sort((a, b) => Buffer.compare(b.userData!, a.userData!))
        const all = [...topics].flatMap(([topic, partitions]) =>
          partitions.map(({ partition }) => ({ topic, partition })),
        )
        return new Map([[first!.memberId, all]])
      },
    })
    await scene.start('weak', { assignors: [strongest('1')] })
    const strong = await scene.start('strong', { assignors: [strongest('9')] })
    await strong.settledWith(4)
    expect(new Set(seen)).toEqual(new Set(['1', '9']))
  })

  it('fails if an assignor assigns a partition to two members', async () => {
    await using scene = await GroupScene.open()
    const wrong: Assignor = {
      ...rangeAssignor,
      name: 'mine',
      assign: (members) =>
        new Map(members.map(({ memberId }) => [memberId, [{ topic: 't', partition: 0 }]])),
    }
    const one = await scene.start('one', { assignors: [wrong] })
    scene
      .make('two', { assignors: [wrong] })
      .machine.start()
      .catch(() => undefined)
    await one.until(() => one.failures.length > 0)
    expect(one.failures[0]?.message).toMatch(/'mine' assigned t-0 to both '.*' and '.*'/)
  })

  it('leaves the group when its assignor fails, so that the others do not wait for its session', async () => {
    await using scene = await GroupScene.open()
    const wrong: Assignor = {
      ...rangeAssignor,
      name: 'mine',
      assign: (members, topics) => {
        if (members.length > 1) throw new Error('one is enough')
        return rangeAssignor.assign(members, topics)
      },
    }
    const options = { assignors: [wrong], sessionTimeoutMs: 1_800_000 }
    const one = await scene.start('one', options)
    await scene.start('two', options)
    await one.until(() => one.failures.length > 0)
    const { message } = one.failures[0]!
    expect(message).toContain("the assignor 'mine' threw: one is enough")
    const left = scene.kafka.requests.all({ api: 'LeaveGroup' })
    expect(left).toHaveLength(1)
    await one.close()
    expect(scene.kafka.requests.all({ api: 'LeaveGroup' })).toHaveLength(1)
  })

  it('fails with an error that names the assignor whose user data is wrong', async () => {
    await using scene = await GroupScene.open()
    const wrong = { ...rangeAssignor, name: 'mine', userData: () => 'text' as unknown as Buffer }
    const one = scene.make('one', { assignors: [wrong] })
    await expect(one.machine.start()).rejects.toMatchObject({
      code: 'REBALANCE_FAILED',
      message:
        "in a rebalance group 'g': joining failed: userData of the assignor 'mine' must return a Buffer, or undefined for none, not 'text'",
    })
  })

  it('rejects incompatible assignors, and heartbeats that are too rare', async () => {
    await using scene = await GroupScene.open()
    const cooperative: Assignor = { ...rangeAssignor, name: 'mine', protocols: ['cooperative'] }
    expect(() => scene.make('a', { assignors: ['range', cooperative] })).toThrow(
      'range, mine have no rebalance protocol',
    )
    expect(() => scene.make('b', { assignors: ['range', 'range'] })).toThrow(
      'each may be listed only once',
    )
    expect(() => scene.make('c', { sessionTimeoutMs: 100, heartbeatIntervalMs: 100 })).toThrow(
      'must be less than sessionTimeoutMs',
    )
  })

  it('reports once that the application takes too long, and stays a member', async () => {
    await using scene = await GroupScene.open()
    let busyMs = 0
    const one = await scene.start('one', { maxPollIntervalMs: 1_000, busyForMs: () => busyMs })
    busyMs = 1_500
    await one.until(() => one.errors.length > 0)
    const beats = scene.kafka.requests.all({ api: 'Heartbeat' }).length
    while (scene.kafka.requests.all({ api: 'Heartbeat' }).length < beats + 3) {
      await scene.kafka.requests.next({ api: 'Heartbeat' })
    }
    expect(one.errors.map(({ code }) => code)).toEqual(['MAX_POLL_INTERVAL_EXCEEDED'])
    expect(one.assignment).toBe('t-0 t-1 t-2 t-3')
  })

  it('continues its heartbeats while a hook runs, no matter how long', async () => {
    await using scene = await GroupScene.open()
    let release: () => void = () => undefined
    const working = new Promise<void>((resolve) => {
      release = resolve
    })
    const one = scene.make('one', { sessionTimeoutMs: 200, onRevoked: () => working })
    await one.machine.start()
    const two = scene.make('two')
    const starting = two.machine.start()
    await one.until(() => one.log.some((entry) => entry.startsWith('-')))
    const before = scene.kafka.requests.all({ api: 'Heartbeat' }).length
    // Twice as long as the session would be without them.
    while (scene.kafka.requests.all({ api: 'Heartbeat' }).length < before + 14) {
      await scene.kafka.requests.next({ api: 'Heartbeat' })
    }
    release()
    await starting
    await scene.settled([one, two])
    expect(one.log.filter((entry) => entry.startsWith('!'))).toEqual([])
  })

  it('reports it if the group has members with other assignors', async () => {
    await using scene = await GroupScene.open()
    using stranger = await GroupMember.open(scene.kafka)
    await stranger.join()
    await stranger.sync({})
    await expect(
      scene.make('one', { assignors: ['sticky'] }).machine.start(),
    ).rejects.toMatchObject({
      code: 'INCONSISTENT_GROUP_PROTOCOL',
      message: expect.stringMatching(/joining group 'g' failed.*this member offers sticky/),
    })
  })
})
