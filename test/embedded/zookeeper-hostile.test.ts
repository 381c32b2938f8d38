import { describe, expect, it } from '@jest/globals'
import { EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { ByteWriter } from '../support/kafka/bytes.ts'
import { RawSession } from '../support/zookeeper/raw-session.ts'
import { ZooKeeperTestSession } from '../support/zookeeper/session.ts'
import {
  addWatch,
  create,
  getChildren2,
  getData,
  multi,
  multiRead,
  odd,
  setAcl,
  setData,
  setWatches,
  WORLD,
  type RawRequest,
} from '../support/zookeeper/wire.ts'
import { Random } from '../wire/support/random.ts'

function framed(...bytes: readonly number[]): Buffer {
  return new ByteWriter().bytes(Buffer.from(bytes)).toBuffer()
}

function frameOf({ type, body }: RawRequest): Buffer {
  const frame = new ByteWriter().int32(1).int32(type).raw(body).toBuffer()
  return new ByteWriter().bytes(frame).toBuffer()
}

/** What a connection may begin with. */
const FIRST: Readonly<Record<string, Buffer>> = {
  'a size that is negative': Buffer.from([0xff, 0xff, 0xff, 0xff]),
  'a size past the limit': Buffer.from([0x00, 0x10, 0x00, 0x00]),
  'an empty frame': framed(),
  'half a connect request': framed(0, 0, 0, 0, 0, 0),
  'a password past the end': framed(...Array<number>(24).fill(0), 0x7f, 0xff, 0xff, 0xff),
  'a password of negative length': framed(...Array<number>(24).fill(0), 0x80, 0, 0, 0),
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
}

/** And what may come once there is a session. */
const LATER: Readonly<Record<string, Buffer>> = {
  'a size that is negative': Buffer.from([0x80, 0, 0, 0]),
  'a size past the limit': Buffer.from([0x00, 0x10, 0x00, 0x00]),
  'an empty frame': framed(),
  'half a header': framed(0, 0, 0, 1, 0),
  'half a login': framed(0, 0, 0, 1, 0, 0, 0, 100, 0, 0),
}

async function connected(zookeeper: EmbeddedZooKeeper): Promise<RawSession> {
  const session = await RawSession.open(zookeeper.port)
  session.connect({})
  await session.nextFrame()
  return session
}

async function stillWorks(zookeeper: EmbeddedZooKeeper): Promise<void> {
  using session = await ZooKeeperTestSession.open(zookeeper.hosts)
  expect(await session.getChildren('/')).toContain('zookeeper')
}

describe('hostile input to an embedded ZooKeeper', () => {
  it.each(Object.keys(FIRST))('%s ends the connection, and nothing else', async (name) => {
    const errors: unknown[] = []
    await using zookeeper = await EmbeddedZooKeeper.start({
      onError: (error) => errors.push(error),
    })
    using attacker = await RawSession.open(zookeeper.port)
    attacker.write(FIRST[name]!)
    await attacker.closed()
    expect(errors).toHaveLength(1)
    expect(zookeeper.sessions).toEqual([])
    await stillWorks(zookeeper)
  })

  it.each(Object.keys(LATER))('%s on a session ends the connection', async (name) => {
    const errors: unknown[] = []
    await using zookeeper = await EmbeddedZooKeeper.start({
      onError: (error) => errors.push(error),
    })
    using attacker = await connected(zookeeper)
    attacker.write(LATER[name]!)
    await attacker.closed()
    expect(errors).toHaveLength(1)
    expect(zookeeper.sessions).toMatchObject([{ isConnected: false }])
    await stillWorks(zookeeper)
  })

  it('bytes that arrive one by one are read', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    using session = await connected(zookeeper)
    for (const byte of frameOf(create('/slow'))) {
      session.write(Buffer.from([byte]))
      await new Promise(setImmediate)
    }
    await session.nextFrame()
    expect(zookeeper.node('/slow')).toBeDefined()
  })

  it('damage at any byte of valid requests gets a response, or ends the connection', async () => {
    const seed = Date.now() % 1_000_000
    const random = new Random(seed)
    const failures: unknown[] = []
    await using zookeeper = await EmbeddedZooKeeper.start({
      onError: (error) => {
        const { name } = error as Error
        if (name !== 'ProtocolError' && name !== 'RangeError') failures.push(error)
      },
    })
    zookeeper.create('/d', 'x')
    const good: readonly RawRequest[] = [
      create('/d/a', { acl: [{ permissions: 31, scheme: 'ip', id: '127.0.0.1/8' }] }),
      setData('/d', 'y', 0),
      setAcl('/d', WORLD, 0),
      getData('/d', true),
      getChildren2('/d', true),
      multi(create('/d/b'), setData('/d/b', '1')),
      multiRead(getData('/d')),
      setWatches(0n, { data: ['/d'], exist: ['/e'], children: ['/d'] }),
      addWatch('/d', 1),
      odd('noise', random.below(120), random.bytes(60)),
    ]
    for (const frame of good.map(frameOf)) {
      for (let at = 4; at < frame.length; at++) {
        using attacker = await connected(zookeeper)
        const damaged = Buffer.from(frame)
        damaged[at]! ^= 1 + random.below(255)
        attacker.write(damaged)
        // Whatever it was: an answer, or the end.
        await attacker.nextFrame()
      }
    }
    expect({ seed, failures }).toEqual({ seed, failures: [] })
    await stillWorks(zookeeper)
  })

  it('a client that reads nothing is left waiting, and does not fill the memory', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    // Small enough to be copied into each answer: 200 MB in all.
    zookeeper.create('/d', Buffer.alloc(4_000))
    using deaf = await connected(zookeeper)
    deaf.pause()
    const before = process.memoryUsage().arrayBuffers
    deaf.write(Buffer.concat(Array<Buffer>(50_000).fill(frameOf(getData('/d')))))
    for (let i = 0; i < 20; i++) await stillWorks(zookeeper)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000)
  })

  it('a request for too much data at once ends the connection', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    zookeeper.create('/l', Buffer.alloc(4_000))
    using greedy = await connected(zookeeper)
    greedy.send(multiRead(...Array.from({ length: 30_000 }, () => getData('/l'))))
    await greedy.closed()
    await stillWorks(zookeeper)
  })
})
