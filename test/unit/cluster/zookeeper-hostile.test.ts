import { describe, expect, it } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { brokersFromZooKeeper } from '../../../src/cluster/zookeeper-brokers.ts'
import { parseZooKeeperHosts } from '../../../src/cluster/zookeeper-hosts.ts'
import { KafkaClient, KafkaError } from '../../../src/index.ts'
import { ByteWriter } from '../../support/kafka/bytes.ts'
import { runCommand } from '../../support/run-command.ts'
import { PATIENCE_MS } from '../../support/patience.ts'
import { failureOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import {
  childrenReply,
  CONNECT,
  dataReply,
  framed,
  granted,
  HostileZooKeeper,
  reply,
  type Answer,
} from '../../support/zookeeper/hostile-server.ts'

const TIMEOUT_MS = 1_500
const BROKER = Buffer.from(JSON.stringify({ host: '127.0.0.1', port: 9092 }))

/** A ZooKeeper that is right but for what a test changes. */
function answers(changed: Answer): Answer {
  return (operation, xid, path) => {
    const answer = changed(operation, xid, path)
    if (answer !== undefined) return answer
    if (operation === CONNECT) return granted()
    if (operation === 'getChildren') return childrenReply(xid, ['1'])
    return operation === 'getData' ? dataReply(xid, BROKER) : undefined
  }
}

function read(hosts: string, timeoutMs = TIMEOUT_MS) {
  return brokersFromZooKeeper(parseZooKeeperHosts(hosts), 'PLAINTEXT', timeoutMs)
}

const only = (wanted: string, make: (xid: number) => Buffer): Answer =>
  answers((operation, xid) => (operation === wanted ? make(xid) : undefined))

/** Answers that cannot be read, or mean nothing. */
const MALFORMED: Readonly<Record<string, Answer>> = {
  'a frame of negative size': only('getChildren', () => Buffer.from([0x80, 0, 0, 0])),
  'a frame of 2 GiB': only('getChildren', () => Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3])),
  'an empty frame': only('getChildren', () => framed(Buffer.alloc(0))),
  'half a header': only('getChildren', () => framed(Buffer.from([0, 0, 0, 1]))),
  'an error that does not exist': only('getChildren', (xid) => reply(xid, Buffer.alloc(0), -118)),
  'an answer to something else': only('getChildren', () => childrenReply(77, ['1'])),
  'a count past the end': only('getChildren', (xid) =>
    reply(xid, new ByteWriter().int32(0x7fff_ffff).toBuffer()),
  ),
  'a name past the end': only('getChildren', (xid) =>
    reply(xid, new ByteWriter().int32(1).int32(0x7fff_ffff).toBuffer()),
  ),
  'a value of 2 GiB': only('getData', (xid) =>
    reply(xid, new ByteWriter().int32(0x7fff_ffff).raw(Buffer.alloc(90)).toBuffer()),
  ),
  'half a value': only('getData', (xid) => reply(xid, new ByteWriter().int32(100).toBuffer())),
  'a connect response with a password of 2 GiB': only(CONNECT, () =>
    framed(new ByteWriter().int32(0).int32(6_000).int64(1n).int32(0x7fff_ffff).toBuffer()),
  ),
  'half a connect response': only(CONNECT, () => framed(Buffer.from([0, 0, 0, 0]))),
  'a refused session': only(CONNECT, () => granted(0)),
  'an HTTP response': only(CONNECT, () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
  'a watch that no client set': only('getChildren', () =>
    framed(new ByteWriter().int32(-1).int64(-1n).int32(0).raw(Buffer.alloc(3)).toBuffer()),
  ),
}

describe('the broker list of a ZooKeeper that answers with', () => {
  it.each(Object.entries(MALFORMED))('%s is an error', async (_name, answer) => {
    await using zookeeper = await HostileZooKeeper.start(answer)
    const error = await failureOf(read(zookeeper.hosts))
    expect(error).toBeInstanceOf(KafkaError)
    expect(error).toHaveProperty('retriable', true)
    // Without backoff thousands in a second.
    expect(zookeeper.connections).toBeLessThan(20)
  })

  it('a broker without data is a list of the others', async () => {
    await using zookeeper = await HostileZooKeeper.start(
      answers((operation, xid, path) => {
        if (operation === 'getChildren') return childrenReply(xid, ['1', '2'])
        return path.endsWith('/1') ? dataReply(xid, undefined) : undefined
      }),
    )
    expect(await read(zookeeper.hosts, PATIENCE_MS)).toEqual([{ host: '127.0.0.1', port: 9092 }])
  })

  it('invalid names is a list of the others', async () => {
    const names = ['', '..', 'a/b', '\0', '1']
    await using zookeeper = await HostileZooKeeper.start(
      only('getChildren', (xid) => childrenReply(xid, names)),
    )
    expect(await read(zookeeper.hosts, PATIENCE_MS)).toEqual([{ host: '127.0.0.1', port: 9092 }])
  })

  it('100,000 brokers is a list of the first 1,000', async () => {
    const names = Array.from({ length: 100_000 }, (_, id) => String(id))
    await using zookeeper = await HostileZooKeeper.start(
      only('getChildren', (xid) => childrenReply(xid, names)),
    )
    expect(await read(zookeeper.hosts, 60_000)).toHaveLength(1_000)
  })

  it('more than 4 MiB is an error that reports the size', async () => {
    const names = Array.from({ length: 200_000 }, (_, id) => `${id}-${'x'.repeat(20)}`)
    await using zookeeper = await HostileZooKeeper.start(
      only('getChildren', (xid) => childrenReply(xid, names)),
    )
    const failure = await failureOf(read(zookeeper.hosts))
    expect(failure.message).toMatch(/an answer of \d{7} bytes, the most is 4194304/)
  })

  it.each([CONNECT, 'getChildren', 'getData'])('no response to %s is an error', async (deaf) => {
    const right = answers(() => undefined)
    await using zookeeper = await HostileZooKeeper.start((operation, xid, path) =>
      operation === deaf ? undefined : right(operation, xid, path),
    )
    const failure = await failureOf(read(zookeeper.hosts))
    expect(failure).toHaveProperty('code', 'NO_BROKERS_AVAILABLE')
    expect(failure.message).toContain(`no answer of ZooKeeper within ${TIMEOUT_MS} ms`)
  })
})

describe('a client that waits for a ZooKeeper', () => {
  it('fails calls with CLOSED when it is closed before there is a connection', async () => {
    await using zookeeper = await HostileZooKeeper.start(answers(() => undefined))
    const codes: unknown[] = []
    for (let turns = 0; turns < 20; turns++) {
      const client = new KafkaClient({ zookeeperHosts: zookeeper.hosts })
      const refused = failureOf(client.topic('t').partitions())
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      await client.close()
      codes.push(await refused.then(({ code }: Error & { code?: unknown }) => code))
    }
    expect(new Set(codes)).toEqual(new Set(['CLOSED']))
  })

  it('stops waiting when it is closed', async () => {
    await using zookeeper = await HostileZooKeeper.start(answers(() => undefined))
    // No answer to the list.
    await using deaf = await HostileZooKeeper.start((operation) =>
      operation === CONNECT ? granted() : undefined,
    )
    const client = new KafkaClient({ zookeeperHosts: deaf.hosts, connectTimeoutMs: 60_000 })
    const refused = failureOf(client.topic('t').partitions())
    await until(() => deaf.asked.includes('getChildren'))
    await client.close()
    expect(await refused).toHaveProperty('code', 'CLOSED')
    expect(zookeeper.connections).toBe(0)
  })

  it('does not keep its process alive after it is closed', async () => {
    await using deaf = await HostileZooKeeper.start((operation) =>
      operation === CONNECT ? granted() : undefined,
    )
    const script = `
      import { KafkaClient } from './src/index.ts'
      const client = new KafkaClient({ zookeeperHosts: '${deaf.hosts}', connectTimeoutMs: 600_000 })
      client.topic('t').partitions().catch(({ code }) => console.log(code))
      setTimeout(() => client.close(), 300)`
    const node = ['--import', 'tsx', '--input-type=module', '--eval', script]
    const { exitCode, stdout } = await runCommand(process.execPath, node)
    expect({ exitCode, stdout: stdout.toString() }).toEqual({ exitCode: 0, stdout: 'CLOSED\n' })
  })

  it('finds the brokers once ZooKeeper answers again', async () => {
    let isDeaf = true
    await using zookeeper = await HostileZooKeeper.start(
      answers((operation) => (operation === 'getData' && isDeaf ? Buffer.alloc(0) : undefined)),
    )
    await failureOf(read(zookeeper.hosts, 300))
    isDeaf = false
    await delay(0)
    expect(await read(zookeeper.hosts, PATIENCE_MS)).toHaveLength(1)
  })
})
