import { describe, expect, it } from '@jest/globals'
import { EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { failureOf } from '../support/settled.ts'
import { ZooKeeperTestSession } from '../support/zookeeper/session.ts'

/** Sessions that may be short. */
const SHORT = { tickTimeMs: 50 } as const

describe('an embedded ZooKeeper', () => {
  it('keeps nodes with their data and children', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    await session.create('/a', 'one')
    await session.create('/a/b')
    await session.setData('/a', 'two')
    expect(await session.getData('/a')).toBe('two')
    expect(await session.getChildren('/')).toEqual(['a', 'zookeeper'])
    await session.remove('/a/b')
    expect(await session.exists('/a/b')).toBe(false)
    expect(zookeeper.node('/a')).toMatchObject({ children: [], stat: { version: 1, cversion: 2 } })
  })

  it('can be read and changed from within the process, too', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    zookeeper.create('/a/b/c', 'deep')
    expect(await session.getData('/a/b/c', true)).toBe('deep')
    zookeeper.setData('/a/b/c', 'deeper')
    expect(await session.untilEvents(1)).toEqual(['NODE_DATA_CHANGED /a/b/c'])
    expect(String(zookeeper.node('/a/b/c')?.data)).toBe('deeper')
    zookeeper.delete('/a')
    expect(await session.getChildren('/')).toEqual(['zookeeper'])
    expect(() => zookeeper.setData('/a', '')).toThrow('NO_NODE: /a')
    expect(() => zookeeper.create('a')).toThrow('BAD_ARGUMENTS')
  })

  it('serves a chroot once its node exists', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    zookeeper.create('/kafka/one')
    using session = await ZooKeeperTestSession.open(`${zookeeper.hosts}/kafka/one`)
    await session.create('/a')
    expect(zookeeper.node('/kafka/one/a')).toBeDefined()
  })

  it('numbers sequential nodes by how many children their parent has had', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    await session.create('/q')
    expect(await session.create('/q/n-', '', 'lastingSequential')).toBe('/q/n-0000000000')
    await session.remove('/q/n-0000000000')
    expect(await session.create('/q/n-', '', 'ephemeralSequential')).toBe('/q/n-0000000001')
  })

  it('deletes ephemeral nodes when their session is closed, and notifies watchers', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using watching = await ZooKeeperTestSession.open(zookeeper.hosts)
    const leaving = await ZooKeeperTestSession.open(zookeeper.hosts)
    await leaving.create('/e', '', 'ephemeral')
    const failure = await failureOf(leaving.create('/e/child'))
    expect(failure).toHaveProperty('name', 'NO_CHILDREN_FOR_EPHEMERALS')
    await watching.exists('/e', true)
    leaving.client.close()
    expect(await watching.untilEvents(1)).toEqual(['NODE_DELETED /e'])
  })

  it('leaves nothing behind when it stops', async () => {
    const zookeeper = await EmbeddedZooKeeper.start()
    const session = await ZooKeeperTestSession.open(zookeeper.hosts)
    await zookeeper.stop()
    await zookeeper.stop()
    await session.untilState('DISCONNECTED')
    session.client.close()
    expect(await failureOf(zookeeper.startServer())).toHaveProperty('code', 'INVALID_ARGUMENT')
  })

  it('rejects invalid options, and ports that are taken', async () => {
    const options = { tickTime: 5 } as Record<string, number>
    expect(await failureOf(EmbeddedZooKeeper.start(options))).toHaveProperty(
      'message',
      expect.stringContaining("no option 'tickTime'"),
    )
    await using zookeeper = await EmbeddedZooKeeper.start()
    expect(await failureOf(EmbeddedZooKeeper.start({ port: zookeeper.port }))).toHaveProperty(
      'code',
      'PORT_IN_USE',
    )
  })
})

describe('a session of an embedded ZooKeeper', () => {
  it('survives the loss of its connection', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    await session.create('/e', '', 'ephemeral')
    await session.getChildren('/', true)
    zookeeper.dropConnections(session.client.getSessionId())
    await session.untilState('SYNC_CONNECTED', 2)
    expect(zookeeper.node('/e')).toBeDefined()
    // The watch was set again, on the new connection.
    zookeeper.create('/later')
    expect(await session.untilEvents(1)).toEqual(['NODE_CHILDREN_CHANGED /'])
  })

  it('receives the events that it missed', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    await session.create('/data', 'old')
    await session.create('/gone')
    await session.getData('/data', true)
    await session.exists('/gone', true)
    await session.exists('/new', true)
    zookeeper.dropConnections()
    zookeeper.setData('/data', 'new')
    zookeeper.delete('/gone')
    zookeeper.create('/new')
    const events = await session.untilEvents(3)
    expect([...events].sort()).toEqual([
      'NODE_CREATED /new',
      'NODE_DATA_CHANGED /data',
      'NODE_DELETED /gone',
    ])
  })

  it('is expired on demand, and its client is notified', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    await session.create('/e', '', 'ephemeral')
    const id = session.client.getSessionId()
    expect(zookeeper.sessions).toMatchObject([{ isConnected: true, ephemerals: ['/e'] }])
    expect(zookeeper.expireSession(id)).toBe(true)
    expect(zookeeper.node('/e')).toBeUndefined()
    await session.untilState('EXPIRED')
    expect(zookeeper.expireSession(id)).toBe(false)
  })

  it('expires when its client is away for too long, not while it is connected', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start(SHORT)
    using watching = await ZooKeeperTestSession.open(zookeeper.hosts, { timeoutMs: 200 })
    const leaving = await ZooKeeperTestSession.open(zookeeper.hosts, { timeoutMs: 100 })
    await leaving.create('/e', '', 'ephemeral')
    await watching.exists('/e', true)
    await zookeeper.stopServer()
    // What the client would do from here on, its process being dead: nothing.
    leaving.client.removeAllListeners()
    leaving.client.close()
    await zookeeper.startServer()
    expect(await watching.untilEvents(1)).toEqual(['NODE_DELETED /e'])
    expect(zookeeper.sessions).toHaveLength(1)
    expect(watching.states).not.toContain('EXPIRED')
  })

  it('gets a timeout within the limits', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start({ tickTimeMs: 100 })
    const timeouts = []
    for (const timeoutMs of [1, 1_000, 10_000]) {
      using session = await ZooKeeperTestSession.open(zookeeper.hosts, { timeoutMs })
      timeouts.push(session.client.getSessionTimeout())
    }
    expect(timeouts).toEqual([200, 1_000, 2_000])
  })

  it('outlives a server that is down for longer than its timeout', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start(SHORT)
    using session = await ZooKeeperTestSession.open(zookeeper.hosts, { timeoutMs: 200 })
    await session.create('/e', '', 'ephemeral')
    const { port } = zookeeper
    await zookeeper.stopServer()
    await session.untilState('DISCONNECTED')
    await new Promise((resolve) => setTimeout(resolve, 300))
    await zookeeper.startServer()
    await session.untilState('SYNC_CONNECTED', 2)
    expect(zookeeper.port).toBe(port)
    expect(await session.exists('/e')).toBe(true)
  })

  it('continues at another server of three when its own is gone', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start({ servers: 3 })
    expect(zookeeper.hosts.split(',')).toHaveLength(3)
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    await session.create('/e', '', 'ephemeral')
    await session.getData('/e', true)
    // The client has picked any of them: each is gone for a while.
    for (const number of [1, 2, 3]) {
      await zookeeper.stopServer(number)
      expect(await session.eventually((one) => one.exists('/e'))).toBe(true)
      await zookeeper.startServer(number)
    }
    expect(session.states.filter((state) => state === 'SYNC_CONNECTED').length).toBeGreaterThan(1)
    expect(session.states).not.toContain('EXPIRED')
    expect(await failureOf(zookeeper.stopServer(4))).toHaveProperty('code', 'INVALID_ARGUMENT')
  })

  it('can lose the response to an operation that was executed', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    zookeeper.holdReplies()
    const created = failureOf(session.create('/a'))
    while (zookeeper.node('/a') === undefined) await new Promise(setImmediate)
    zookeeper.dropConnections()
    zookeeper.releaseReplies()
    expect(await created).toHaveProperty('name', 'CONNECTION_LOSS')
    await session.untilState('SYNC_CONNECTED', 2)
    expect(await session.exists('/a')).toBe(true)
  })

  it('receives held events late', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    zookeeper.holdReplies()
    const created = session.create('/a')
    while (zookeeper.node('/a') === undefined) await new Promise(setImmediate)
    zookeeper.releaseReplies()
    expect(await created).toBe('/a')
  })
})
