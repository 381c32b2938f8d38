import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { FakeTopics, Member, Readings, type MemberOptions } from '../support/balanced/members.ts'
import { until } from '../support/until.ts'
import { keepWarnings } from '../support/warnings.ts'

let zookeeper: EmbeddedZooKeeper
let topics: FakeTopics
let readings: Readings
let members: Member[]

beforeEach(async () => {
  zookeeper = await EmbeddedZooKeeper.start({ minSessionTimeoutMs: 300 })
  topics = new FakeTopics()
  readings = new Readings()
  members = []
})

afterEach(async () => {
  await Promise.all(members.map((member) => member.close()))
  await zookeeper.stop()
  expect(readings.violations).toEqual([])
})

function member(name: string, options: Partial<MemberOptions> = {}): Member {
  const made = new Member(name, {
    hosts: zookeeper.hosts,
    subscription: topics.subscription('t'),
    readings,
    ...options,
  })
  members.push(made)
  return made
}

function sessionOf(name: string): bigint {
  const session = zookeeper.sessions.find(({ ephemerals }) =>
    ephemerals.includes(`/consumers/g/ids/${name}`),
  )
  if (session === undefined) throw new Error(`${name} has no session`)
  return session.id
}

function owners(folder: string): Record<string, string> {
  const path = `/consumers/g/owners/${folder}`
  const names = zookeeper.node(path)?.children ?? []
  return Object.fromEntries(
    names.map((name) => [name, zookeeper.node(`${path}/${name}`)!.data.toString()]),
  )
}

describe('a member', () => {
  it('writes the same znodes as pykafka, on Python 2 and on Python 3', async () => {
    topics.set('t', 2)
    await member('a').start()
    expect(zookeeper.node('/consumers/g/ids/a')?.data.toString()).toBe('t')
    expect(zookeeper.node('/consumers/g/ids/a')?.stat.ephemeralOwner).toBe(sessionOf('a'))
    expect(owners('t')).toEqual({ '0-0': 'a', '0-1': 'a' })
    expect(owners("b't'")).toEqual({ '0-0': 'a', '0-1': 'a' })
  })

  it('claims a partition under each broker that may become its leader', async () => {
    topics.setLeaders('t', [[2, 1, 3]])
    await member('a').start()
    expect(Object.keys(owners('t'))).toEqual(['1-0', '2-0', '3-0'])
  })

  it('takes over at once when another member leaves', async () => {
    topics.set('t', 4)
    const [a, b] = [member('a'), member('b')]
    await Promise.all([a.start(), b.start()])
    await a.settledWith(2)
    await b.settledWith(2)
    expect(readings.byMember()).toEqual({ a: ['t-0', 't-1'], b: ['t-2', 't-3'] })
    await a.close()
    expect(owners('t')).toMatchObject({ '0-2': 'b', '0-3': 'b' })
    await b.settledWith(4)
  })

  it('has no partitions when there are more members than partitions, until one leaves', async () => {
    topics.set('t', 1)
    const [a, b] = [member('a'), member('b')]
    await a.start()
    await b.start()
    expect(b.assignment).toEqual([])
    await a.close()
    await b.settledWith(1)
  })

  it('assigns by round robin when the group does', async () => {
    topics.set('t', 5)
    const [a, b] = [
      member('a', { protocol: 'roundrobin' }),
      member('b', { protocol: 'roundrobin' }),
    ]
    await Promise.all([a.start(), b.start()])
    await a.settledWith(3)
    await b.settledWith(2)
    expect([a.assignment, b.assignment]).toEqual([
      [0, 2, 4],
      [1, 3],
    ])
  })

  it('does not rebalance when members of other topics come and go', async () => {
    topics.set('t', 2)
    const a = member('a')
    await a.start()
    const before = [...a.log]
    zookeeper.create('/consumers/g/ids/other', 'another-topic')
    await a.until(() => a.rounds === 2)
    zookeeper.delete('/consumers/g/ids/other')
    await a.until(() => a.rounds === 3)
    expect(a.log).toEqual(before)
  })

  it('rebalances once when several watches fire together', async () => {
    topics.set('t', 2)
    const a = member('a')
    await a.start()
    const session = zookeeper.openSession()
    for (let i = 0; i < 20; i++) zookeeper.create(`/consumers/g/ids/z${i}`, 't', session)
    await a.until(() => a.rounds >= 2)
    expect(a.rounds).toBeLessThanOrEqual(3)
    session.close()
  })

  it('reads several topics, with one registration for each', async () => {
    topics.set('t', 2)
    topics.set('u', 2)
    const subscription = topics.subscription('t', 'u')
    const [a, b] = [member('a', { subscription }), member('b', { subscription })]
    await Promise.all([a.start(), b.start()])
    await a.settledWith(2)
    await b.settledWith(2)
    expect(readings.byMember()).toEqual({ a: ['t-0', 'u-0'], b: ['t-1', 'u-1'] })
    expect(zookeeper.node('/consumers/g/ids/a:u')?.data.toString()).toBe('u')
  })
})

describe('a znode that neither samsa nor pykafka wrote', () => {
  it('is skipped and reported among the members of a group', async () => {
    topics.set('t', 2)
    zookeeper.create('/consumers/g/ids')
    zookeeper.create('/consumers/g/ids/java', '{"version":1,"subscription":{"t":1}}')
    const { warnings, logger } = keepWarnings()
    const a = member('a', { logger })
    await a.start()
    expect(a.assignment).toEqual([0, 1])
    expect(warnings).toEqual([
      expect.stringContaining(
        '/consumers/g/ids/java was not created by samsa or pykafka and is ignored',
      ),
    ])
  })

  it('is not an owner when its name is invalid', async () => {
    topics.set('t', 2)
    zookeeper.create('/consumers/g/owners/t')
    zookeeper.create('/consumers/g/owners/t/of whatever', 'host:other')
    zookeeper.create('/consumers/g/owners/t/0-99', 'host:other')
    const a = member('a')
    await a.start()
    expect(a.assignment).toEqual([0, 1])
  })
})

describe('a partition that another client owns', () => {
  it.each([
    ['on Python 2', '/consumers/g/owners/t/0-1'],
    ['on Python 3', "/consumers/g/owners/b't'/0-1"],
    ['under the id of another leader', '/consumers/g/owners/t/7-1'],
    ['as Java wrote it', '/consumers/g/owners/t/1'],
  ])('is not read, if the client wrote it %s, until the client releases it', async (_, path) => {
    topics.set('t', 2)
    zookeeper.create('/consumers/g/owners/t')
    zookeeper.create("/consumers/g/owners/b't'")
    const other = zookeeper.openSession()
    zookeeper.create(path, 'host:other', other)
    const a = member('a', { machine: { rebalanceBackoffMs: 100_000 } })
    const started = a.start()
    await a.until(() => a.machine.phase === 'waiting')
    expect(a.assignment).toEqual([0])
    other.close()
    await started
    expect(a.assignment).toEqual([0, 1])
  })

  it('costs a member none of its own partitions when every claim fails', async () => {
    topics.set('t', 2)
    const a = member('a', { machine: { rebalanceBackoffMs: 100_000 } })
    await a.start()
    topics.set('t', 3)
    const other = zookeeper.openSession()
    zookeeper.create('/consumers/g/owners/t/0-2', 'host:other', other)
    zookeeper.create('/consumers/g/ids/z', 'of-another-topic')
    await a.until(() => a.machine.phase === 'waiting')
    expect(Object.keys(owners('t'))).toEqual(['0-0', '0-1', '0-2'])
    expect(Object.keys(owners("b't'"))).toEqual(['0-0', '0-1'])
    expect(a.log).toEqual(['+0,1'])
    other.close()
    await a.settledWith(3)
  })

  it('is reported after all retries, with its owner', async () => {
    topics.set('t', 1)
    zookeeper.create('/consumers/g/owners/t/0-0', 'host:other', zookeeper.openSession())
    const a = member('a', { machine: { rebalanceBackoffMs: 1 } })
    await expect(a.start()).rejects.toMatchObject({
      name: 'PartitionOwnedError',
      message: 'still owned: t-0 by host:other',
    })
  })

  it('is released immediately when another client claims it under an unexpected leader', async () => {
    topics.set('t', 2)
    const a = member('a', { machine: { rebalanceBackoffMs: 100_000 } })
    await a.start()
    const other = zookeeper.openSession()
    zookeeper.create("/consumers/g/owners/b't'/9-1", 'host:other', other)
    await a.until(() => a.log.includes('!1'))
    expect(a.assignment).toEqual([0])
    expect(owners('t')).toEqual({ '0-0': 'a' })
    other.close()
    await a.settledWith(2)
  })

  it('is detected by all members when they saw different leaders', async () => {
    topics.setLeaders('t', [[1], [2], [3], [4]])
    const stale = new FakeTopics()
    stale.setLeaders('t', [[4], [3], [2], [1]])
    const a = member('a', { subscription: stale.subscription('t') })
    await a.start()
    const b = member('b')
    const started = b.start()
    await b.until(() => b.machine.phase === 'waiting')
    // What a stale member learns is what makes it decide as the others do.
    stale.setLeaders('t', [[1], [2], [3], [4]])
    await started
    await a.settledWith(2)
    expect(readings.byMember()).toEqual({ a: ['t-0', 't-1'], b: ['t-2', 't-3'] })
  })
})

describe('a session', () => {
  it('that expires stops everything before another member can own it, and a new session follows', async () => {
    topics.set('t', 2)
    const a = member('a')
    await a.start()
    zookeeper.expireSession(sessionOf('a'))
    await a.until(() => a.log.includes('!0,1'))
    await a.settledWith(2)
    expect(a.log).toEqual(['+0,1', '!0,1', '+0,1'])
    expect(owners('t')).toEqual({ '0-0': 'a', '0-1': 'a' })
  })

  it('that loses its connection and regains it loses nothing, and delivers nothing meanwhile', async () => {
    topics.set('t', 2)
    const a = member('a')
    await a.start()
    expect(a.machine.mayDeliver).toBe(true)
    await zookeeper.stopServer()
    await until(() => !a.machine.mayDeliver)
    await zookeeper.startServer()
    await until(() => a.machine.mayDeliver)
    await a.until(() => a.rounds >= 2)
    expect(a.log).toEqual(['+0,1'])
  })

  it('without responses is in doubt, although its connection looks intact', async () => {
    topics.set('t', 1)
    const a = member('a', { sessionTimeoutMs: 600 })
    await a.start()
    zookeeper.holdReplies()
    await until(() => !a.machine.mayDeliver)
    zookeeper.releaseReplies()
    await until(() => a.machine.mayDeliver)
  })

  it('that ends during claims leaves no unknown znode', async () => {
    topics.set('t', 3)
    const a = member('a')
    const started = a.start()
    zookeeper.holdReplies()
    await until(() => zookeeper.node('/consumers/g/owners/t') !== undefined || isAsked())
    zookeeper.dropConnections()
    zookeeper.releaseReplies()
    await started
    expect(owners('t')).toEqual({ '0-0': 'a', '0-1': 'a', '0-2': 'a' })
    expect(a.assignment).toEqual([0, 1, 2])
  })

  it('registers again after its znode was removed', async () => {
    topics.set('t', 1)
    const a = member('a')
    await a.start()
    zookeeper.delete('/consumers/g/ids/a')
    await a.until(() => a.rounds >= 2)
    expect(zookeeper.node('/consumers/g/ids/a')).toBeDefined()
    expect(a.log).toEqual(['+0'])
  })

  it('claims again after its claim was removed', async () => {
    topics.set('t', 2)
    const a = member('a')
    await a.start()
    zookeeper.delete("/consumers/g/owners/b't'/0-1")
    await a.until(() => a.log.includes('!1'))
    await a.settledWith(2)
    expect(Object.keys(owners("b't'"))).toEqual(['0-0', '0-1'])
    expect(Object.keys(owners('t'))).toEqual(['0-0', '0-1'])
  })
})

function isAsked(): boolean {
  return zookeeper.sessions.length > 0
}
