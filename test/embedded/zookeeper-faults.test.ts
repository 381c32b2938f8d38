import { describe, expect, it } from '@jest/globals'
import { EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { failureOf } from '../support/settled.ts'
import { ZooKeeperTestSession } from '../support/zookeeper/session.ts'
import { mayNotFire } from '../support/fault-watch.ts'

describe('a fault of an embedded ZooKeeper', () => {
  it('answers with an error the configured number of times', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    const fault = zookeeper.faults.on(
      { operation: 'create', path: '/a', times: 1 },
      { error: 'NO_AUTH' },
    )
    expect(await session.create('/b')).toBe('/b')
    expect(await failureOf(session.create('/a'))).toHaveProperty('name', 'NO_AUTH')
    expect(zookeeper.node('/a')).toBeUndefined()
    expect(await session.create('/a')).toBe('/a')
    expect(fault.hits).toBe(1)
  })

  it('closes the connection before a request is executed', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    zookeeper.faults.on({ operation: 'create', times: 1 }, { close: true })
    expect(await failureOf(session.create('/a'))).toHaveProperty('name', 'CONNECTION_LOSS')
    await session.untilState('SYNC_CONNECTED', 2)
    expect(zookeeper.node('/a')).toBeUndefined()
  })

  it('loses the response to a request that was executed', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    zookeeper.faults.on({ operation: 'create', times: 1 }, { loseReply: true })
    expect(await failureOf(session.create('/a'))).toHaveProperty('name', 'CONNECTION_LOSS')
    expect(zookeeper.node('/a')).toBeDefined()
    await session.untilState('SYNC_CONNECTED', 2)
    expect(await failureOf(session.create('/a'))).toHaveProperty('name', 'NODE_EXISTS')
  })

  it('holds a request and those after it until it is released', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    using other = await ZooKeeperTestSession.open(zookeeper.hosts)
    const sessionId = session.client.getSessionId().readBigInt64BE()
    const fault = zookeeper.faults.on({ operation: 'setData', sessionId }, { hold: true })
    const written = session.setData('/', 'x')
    const behind = session.create('/behind')
    // Others are served, which shows that time enough has passed, too.
    await other.setData('/', 'y')
    await other.create('/other')
    expect(zookeeper.node('/behind')).toBeUndefined()
    fault.release()
    await written
    expect(await behind).toBe('/behind')
    expect(String(zookeeper.node('/')?.data)).toBe('x')
  })

  it('delays a request', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    zookeeper.faults.on({ operation: 'getChildren2', path: '/' }, { delayMs: 100 })
    const startedAt = performance.now()
    await session.getChildren('/')
    expect(performance.now() - startedAt).toBeGreaterThan(95)
    zookeeper.faults.clear()
  })

  it('spares heartbeats unless it names them', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start({ tickTimeMs: 100 })
    using session = await ZooKeeperTestSession.open(zookeeper.hosts, { timeoutMs: 300 })
    const any = mayNotFire(zookeeper.faults.on({}, { error: 'MARSHALLING_ERROR' }))
    const pings = zookeeper.faults.on({ operation: 'ping', times: 1 }, { close: true })
    await session.untilState('DISCONNECTED')
    expect([any.hits, pings.hits]).toEqual([0, 1])
    await session.untilState('SYNC_CONNECTED', 2)
  })

  it('is rejected if it is invalid', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    const on = (match: object, action: object) => () =>
      zookeeper.faults.on(match, action as { hold: true })
    expect(on({}, {})).toThrow(
      'a fault must have exactly one of error, delayMs, hold, close, loseReply, not none',
    )
    expect(on({}, { error: 'NONE' })).toThrow("ZooKeeper has no error 'NONE'")
    expect(on({ operation: 'read' }, { hold: true })).toThrow("no operation 'read'")
  })
})
