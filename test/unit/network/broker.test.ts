import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { fetch } from '../../../protocol/apis/fetch.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { produce } from '../../../protocol/apis/produce.ts'
import { Deadline } from '../../../src/async/deadline.ts'
import { deferred } from '../../../src/async/deferred.ts'
import { Broker, type BrokerRequestOptions } from '../../../src/network/broker.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { brokerOptions } from '../../support/fake-cluster.ts'
import { failureOf, settled } from '../../support/settled.ts'

const IN_TIME: BrokerRequestOptions = { timeoutMs: 5_000 }
const NO_TOPICS = { brokers: [], topics: [] }
const EMPTY_FETCH = { maxWaitMs: 60_000, minBytes: 1, topics: [] }
const EMPTY_PRODUCE = { acks: -1, timeoutMs: 1_000, topicData: [] }

let fake: FakeBroker
let broker: Broker
beforeEach(async () => {
  fake = await FakeBroker.start()
  fake.handle(metadata, () => NO_TOPICS)
  broker = brokerAt(fake)
})
afterEach(async () => {
  await broker.close()
  await fake.stop()
})

function brokerAt({ address }: FakeBroker, options = brokerOptions()): Broker {
  return new Broker(1, address, options)
}

const ask = () => broker.request(metadata, { topics: null }, IN_TIME)

describe('before a connection is ready', () => {
  it('a response larger than those of handshakes is rejected', async () => {
    // 400,000 unknown tagged fields: what ended processes with a small heap, in small.
    const fields = Buffer.alloc(800_000)
    for (let at = 0; at < fields.length; at += 2) fields[at] = 0x50
    fake.onConnection = (socket) =>
      void socket.once('data', () => {
        const head = Buffer.from('0000000000000100000000', 'hex')
        const size = Buffer.alloc(4)
        size.writeInt32BE(head.length + 3 + fields.length)
        socket.write(Buffer.concat([size, head, Buffer.from('80b518', 'hex'), fields]))
      })
    expect(await failureOf(ask())).toMatchObject({
      code: 'NOT_KAFKA',
      message: expect.stringContaining('maxResponseBytes'),
    })
  })

  it('limits apply, which end when it is ready', async () => {
    const clusterId = 'x'.repeat(30_000)
    const racks = Array.from({ length: 40 }, (_, nodeId) => ({
      nodeId,
      host: 'h',
      port: 1,
      rack: clusterId,
    }))
    fake.handle(metadata, () => ({ brokers: racks, topics: [] }))
    expect((await ask()).brokers).toHaveLength(40)
  })
})

describe('a broker', () => {
  it('is connected to once for many concurrent requests, and asked for its versions once', async () => {
    await Promise.all(Array.from({ length: 50 }, ask))
    expect(fake.connectionCount).toBe(1)
    expect(fake.requests.map(({ api }) => api).filter((api) => api === 'ApiVersions')).toHaveLength(
      1,
    )
  })

  it('gets requests in the order in which they were made while its connection opens', async () => {
    const asked: string[] = []
    const received: (string | null | undefined)[] = []
    fake.handle(metadata, ({ topics }) => {
      received.push(topics?.[0]?.name)
      return NO_TOPICS
    })
    const results: Promise<unknown>[] = []
    const askFor = (name: string) => {
      asked.push(name)
      results.push(broker.request(metadata, { topics: [{ name }] }, IN_TIME))
    }
    // Requests in each of the turns in which those before them learn that the connection is open.
    const inEachTurn = async () => {
      for (let turn = 0; turn < 20; turn++) {
        askFor(`turn ${turn}`)
        await Promise.resolve()
      }
    }
    broker = brokerAt(fake, { ...brokerOptions(), onReached: () => void inEachTurn() })
    askFor('before')
    askFor('also before')
    await results[0]
    await Promise.all(results)
    expect(received).toEqual(asked)
    expect(asked).toHaveLength(22)
  })

  it('is polled on a separate connection, which delays no other request', async () => {
    fake.handle(fetch, () => undefined)
    fake.handle(produce, () => ({ responses: [] }))
    const poll = settled(broker.request(fetch, EMPTY_FETCH, { ...IN_TIME, purpose: 'fetch' }))
    await fake.until(() => fake.received(fetch).length === 1)
    await broker.request(produce, EMPTY_PRODUCE, { ...IN_TIME, purpose: 'produce' })
    await ask()
    const sockets = [fetch, produce, metadata].map((api) => fake.received(api)[0]?.socket)
    expect(new Set(sockets).size).toBe(3)
    await broker.close()
    expect((await poll).error).toMatchObject({ code: 'CLOSED' })
  })

  it('is connected to again when the connection was lost', async () => {
    await ask()
    fake.dropConnections()
    await fake.until(() => fake.openConnections === 0)
    // The client learns of it in its own time: the request that finds out fails, the next one works.
    await ask().catch(() => ask())
    expect(fake.connectionCount).toBe(2)
  })

  it('is contacted at increasing intervals while it cannot be reached', async () => {
    await fake.stop()
    broker = brokerAt(fake, brokerOptions({ reconnectBackoffMs: 20, reconnectBackoffMaxMs: 80 }))
    const sleep = jest.spyOn(Deadline.prototype, 'sleep')
    for (let attempt = 0; attempt < 10; attempt++) await failureOf(ask())
    const waits = sleep.mock.calls.map(([waitMs]) => waitMs)
    sleep.mockRestore()
    // A wait that was over before the next request came is not slept for. Each has a fifth of jitter.
    expect(Math.max(...waits)).toBeGreaterThan(40 * 1.2)
    expect(Math.max(...waits)).toBeLessThanOrEqual(80 * 1.2)
  })

  it('completes its requests when it is closed with a timeout, but cancels long polls', async () => {
    const answer = deferred()
    fake.handle(fetch, () => undefined)
    fake.handle(metadata, async () => {
      await answer.promise
      return NO_TOPICS
    })
    const poll = settled(broker.request(fetch, EMPTY_FETCH, { ...IN_TIME, purpose: 'fetch' }))
    const asked = settled(ask())
    await fake.until(() => fake.received(metadata).length + fake.received(fetch).length === 2)
    const closed = broker.close(5_000)
    expect((await poll).error).toMatchObject({ code: 'CLOSED' })
    expect(await failureOf(ask())).toMatchObject({ code: 'CLOSED' })
    answer.resolve()
    expect((await asked).value).toBeDefined()
    await closed
    await fake.until(() => fake.openConnections === 0)
  })

  it('is closed within its timeout', async () => {
    fake.handle(metadata, () => undefined)
    const asked = settled(ask())
    await fake.until(() => fake.received(metadata).length === 1)
    await broker.close(100)
    // Had it waited for the request, that would have ended by its own timeout.
    expect((await asked).error).toMatchObject({ code: 'CLOSED' })
  })

  it('sends requests without responses before it closes', async () => {
    fake.handle(produce, () => undefined)
    const body = { ...EMPTY_PRODUCE, acks: 0 }
    const sent = Array.from({ length: 100 }, () =>
      broker.send(produce, body, { ...IN_TIME, purpose: 'produce' }),
    )
    await Promise.all(sent)
    await broker.close(1_000)
    await fake.until(() => fake.received(produce).length === 100)
  })

  it('fails requests in flight with a retriable error when it has left the cluster', async () => {
    fake.handle(metadata, () => undefined)
    const asked = settled(ask())
    await fake.until(() => fake.received(metadata).length === 1)
    await broker.retire()
    for (const error of [(await asked).error, await failureOf(ask())]) {
      expect(error).toMatchObject({ code: 'CONNECTION_CLOSED', retriable: true })
      expect(error?.message).toContain('has left the cluster or moved')
    }
  })

  it('opens no further connection when it is closed while one is being opened', async () => {
    const asked = settled(ask())
    await broker.close()
    expect((await asked).error).toMatchObject({ code: 'CLOSED' })
    await fake.until(() => fake.openConnections === 0)
    expect(fake.received(metadata)).toHaveLength(0)
  })
})
