import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Duplex } from 'node:stream'
import { once } from 'node:events'
import { setImmediate as immediate } from 'node:timers/promises'
import { connect } from 'node:net'
import { listOffsets } from '../../../protocol/apis/list-offsets.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { produce } from '../../../protocol/apis/produce.ts'
import { deferred, type Deferred } from '../../../src/async/deferred.ts'
import {
  ClosedError,
  ConnectionError,
  RequestTimeoutError,
  SocketDisconnectedError,
} from '../../../src/errors.ts'
import { Connection, type ConnectionOptions } from '../../../src/network/connection.ts'
import { ClientMetrics } from '../../../src/observe/metrics/client-metrics.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { failureOf, settled } from '../../support/settled.ts'
import { keepWarnings } from '../../support/warnings.ts'

const OPTIONS: ConnectionOptions = {
  clientId: 'test',
  maxResponseBytes: 1_000_000,
  maxIdleMs: 60_000,
  metrics: new ClientMetrics('test'),
}
const ALL_TOPICS = { topics: null }
const NO_TOPICS = { brokers: [], topics: [] }

let broker: FakeBroker
beforeEach(async () => {
  broker = await FakeBroker.start()
})
afterEach(() => broker.stop())

async function connected(
  options: Partial<ConnectionOptions> = {},
  isKafka = false,
): Promise<Connection> {
  const socket = connect(broker.port, broker.host)
  await once(socket, 'connect')
  return new Connection(socket, broker.name, { ...OPTIONS, ...options }, isKafka)
}

const ask = (connection: Connection, timeoutMs = 5_000, version = 12) =>
  connection.request(metadata, version, ALL_TOPICS, timeoutMs)

/** Metadata answers that the test gives when it likes, in the order in which they were asked for. */
function answersByHand(): Deferred<string>[] {
  const answers: Deferred<string>[] = []
  broker.handle(metadata, async () => {
    const answer = deferred<string>()
    answers.push(answer)
    return { ...NO_TOPICS, clusterId: await answer.promise }
  })
  return answers
}

describe('a connection', () => {
  it('accepts a response that arrived while the process was blocked past the request timeout', async () => {
    broker.handle(metadata, () => {
      // When the response is in the client's socket, and before that is read.
      setImmediate(() => {
        const until = performance.now() + 400
        while (performance.now() < until);
      })
      return { ...NO_TOPICS, clusterId: 'in time' }
    })
    const connection = await connected()
    expect((await ask(connection, 200)).clusterId).toBe('in time')
    connection.close()
  })

  it('has many requests in flight and matches responses in any order', async () => {
    const answers = answersByHand()
    const connection = await connected()
    const asked = [1, 2, 3].map(() => ask(connection))
    await broker.until(() => broker.received(metadata).length === 3)
    for (const index of [2, 0, 1]) {
      answers[index]!.resolve(`answer ${index}`)
      expect((await asked[index]!).clusterId).toBe(`answer ${index}`)
    }
    connection.close()
  })

  it('writes the first request of a turn of the event loop immediately, and all others together', async () => {
    const stream = new CountingStream()
    const connection = new Connection(stream, 'somewhere:1', OPTIONS)
    const first = ask(connection)
    expect(stream.writes).toEqual([1])
    const all = Promise.allSettled([first, ...[2, 3, 4].map(() => ask(connection))])
    await immediate()
    expect(stream.writes).toEqual([1, 3])
    const next = settled(ask(connection))
    expect(stream.writes).toEqual([1, 3, 1])
    connection.close()
    await all
    await next
  })

  it('gives each request its own time, whatever was answered before', async () => {
    const answers = answersByHand()
    const connection = await connected()
    const answered = ask(connection, 30)
    await broker.until(() => broker.received(metadata).length === 1)
    answers[0]!.resolve('in time')
    await answered
    const startedAt = performance.now()
    const long = failureOf(ask(connection, 5_000))
    const short = failureOf(ask(connection, 90))
    for (const error of [await short, await long]) {
      expect(error.message).toBe(`${broker.name} did not answer Metadata within 90 ms`)
    }
    expect(performance.now() - startedAt).toBeGreaterThan(88)
  })

  it('closes when a request times out, and fails all its requests with the reason', async () => {
    broker.handle(metadata, () => undefined)
    broker.handle(listOffsets, () => undefined)
    const connection = await connected()
    const slow = failureOf(ask(connection))
    const late = failureOf(connection.request(listOffsets, 8, { replicaId: -1, topics: [] }, 100))
    const after = async () => {
      await late
      return failureOf(ask(connection))
    }
    for (const error of [await slow, await late, await after()]) {
      expect(error).toBeInstanceOf(RequestTimeoutError)
      expect(error).toMatchObject({ code: 'REQUEST_TIMED_OUT', broker: broker.name })
      // Not by its own time, which is longer.
      expect(error.message).toBe(`${broker.name} did not answer ListOffsets within 100 ms`)
    }
    await broker.until(() => broker.openConnections === 0)
  })

  it('reports which requests were lost with it', async () => {
    broker.handle(metadata, (_, { socket }) => {
      socket.destroy()
      return undefined
    })
    const connection = await connected()
    const error = await failureOf(ask(connection))
    expect(error).toBeInstanceOf(SocketDisconnectedError)
    expect(error).toMatchObject({ code: 'CONNECTION_CLOSED', retriable: true })
    expect(error.message).toContain('while it waited for Metadata')
  })

  it('reports a reset as a reset', async () => {
    broker.handle(metadata, (_, { socket }) => {
      socket.resetAndDestroy()
      return undefined
    })
    const error = await failureOf(ask(await connected()))
    expect(error).toMatchObject({ code: 'CONNECTION_CLOSED' })
    expect(error.message).toContain('ECONNRESET')
  })

  it('rejects a socket that has ended', async () => {
    const stream = new CountingStream()
    stream.destroy()
    const error = await failureOf(ask(new Connection(stream, 'somewhere:1', OPTIONS)))
    expect(error).toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  it('writes a request without a response to the socket before the socket is drained', async () => {
    const body = { acks: 0, timeoutMs: 1, topicData: [] }
    broker.handle(produce, () => undefined)
    const connection = await connected()
    const sent = Array.from({ length: 100 }, () => connection.send(produce, 12, body, 5_000))
    await Promise.all(sent)
    await connection.drained()
    connection.close()
    await broker.until(() => broker.received(produce).length === 100)
  })
})

describe('a connection that receives something other than a response', () => {
  const FOREIGN: readonly (readonly [what: string, bytes: Buffer, says: RegExp])[] = [
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /is an HTTP server/],
    ['a TLS alert', Buffer.from('15030300020228', 'hex'), /it requires TLS/],
    ['a size of −1', Buffer.from('ffffffff', 'hex'), /a response of -1 bytes/],
    ['a size of 2³¹−1', Buffer.from('7fffffff', 'hex'), /a response of 2147483647 bytes/],
    ['an answer to nothing', Buffer.from('0000000400112233', 'hex'), /matches no request/],
    ['an empty frame', Buffer.from('00000000', 'hex'), /matches no request/],
  ]

  it.each(FOREIGN)('reports it and ends if it was never Kafka: %s', async (_, bytes, says) => {
    broker.handle(metadata, (_body, { socket }) => {
      socket.write(bytes)
      return undefined
    })
    const error = await failureOf(ask(await connected()))
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ code: 'NOT_KAFKA', retriable: false, broker: broker.name })
    expect(error.message).toMatch(says)
  })

  it.each(FOREIGN)('reports damage after a valid Kafka response: %s', async (_, bytes, says) => {
    broker.handle(metadata, (_body, { socket }) => {
      if (broker.requests.length > 1) socket.write(bytes)
      return broker.requests.length > 1 ? undefined : NO_TOPICS
    })
    const connection = await connected()
    await ask(connection)
    const error = await failureOf(ask(connection))
    expect(error).toBeInstanceOf(SocketDisconnectedError)
    expect(error).toMatchObject({ code: 'CONNECTION_CLOSED', retriable: true })
    expect(error.message).toMatch(says)
  })
})

describe('a broker that throttles', () => {
  async function throttled(throttleTimeMs: number): Promise<Connection> {
    broker.handle(metadata, () => ({ ...NO_TOPICS, throttleTimeMs }))
    return connected()
  }

  it('receives no request for that long in versions that expect it', async () => {
    const connection = await throttled(300)
    const startedAt = performance.now()
    await ask(connection, 5_000, 6)
    await ask(connection, 5_000, 6)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(295)
    connection.close()
  })

  it('receives requests at once in versions in which it waits itself (KIP-219)', async () => {
    const connection = await throttled(60_000)
    await ask(connection, 5_000, 5)
    // Its own time is less than the throttle: it would fail if it waited.
    expect(await ask(connection, 30_000, 5)).toBeDefined()
    connection.close()
  })

  it('is not paused longer for many responses that arrive together', async () => {
    const connection = await throttled(500)
    await Promise.all(Array.from({ length: 100 }, () => ask(connection)))
    // One after the other they were 50 s: it would fail if it waited for this long.
    expect(await ask(connection, 45_000)).toBeDefined()
    connection.close()
  })

  it('delays no request past its timeout, and its throttle time is bounded', async () => {
    broker.handle(metadata, () => ({ ...NO_TOPICS, throttleTimeMs: 2 ** 31 - 1 }))
    const { warnings, logger } = keepWarnings()
    const connection = await connected({ logger })
    await ask(connection)
    expect(await failureOf(ask(connection, 100))).toMatchObject({
      name: 'RequestTimeoutError',
      message: expect.stringContaining('throttles'),
    })
    expect(connection.isOpen).toBe(true)
    expect(warnings).toEqual([expect.stringContaining('the client waits only 60000 ms of that')])
    connection.close()
  })

  it('delays no request without a response past its timeout, after which the request is not in flight', async () => {
    broker.handle(metadata, () => ({ ...NO_TOPICS, throttleTimeMs: 60_000 }))
    const connection = await connected()
    await ask(connection)
    const body = { acks: 0, timeoutMs: 1, topicData: [] }
    let isWritten = false
    const sent = connection.send(produce, 12, body, 100, () => {
      isWritten = true
    })
    expect(await failureOf(sent)).toMatchObject({ name: 'RequestTimeoutError' })
    expect(isWritten).toBe(false)
    expect(connection.isOpen).toBe(true)
    connection.close()
  })

  it('does not delay the failure of waiting requests when the connection ends', async () => {
    broker.handle(metadata, () => ({ ...NO_TOPICS, throttleTimeMs: 60_000 }))
    const connection = await connected()
    await ask(connection)
    const waiting = settled(ask(connection))
    connection.close()
    // Held up, it would fail by its own timeout.
    expect((await waiting).error).toBeInstanceOf(ClosedError)
  })
})

describe('an idle connection', () => {
  it('is closed at its timeout, counted from the last request', async () => {
    broker.handle(metadata, () => NO_TOPICS)
    const connection = await connected({ maxIdleMs: 200 })
    const startedAt = performance.now()
    await ask(connection)
    await broker.until(() => broker.openConnections === 0)
    expect(performance.now() - startedAt).toBeGreaterThan(150)
    expect(await failureOf(ask(connection))).toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  it('is kept while a response is awaited, no matter how long that takes', async () => {
    const answers = answersByHand()
    const connection = await connected({ maxIdleMs: 50 })
    const asked = ask(connection)
    await new Promise((resolve) => setTimeout(resolve, 200))
    answers[0]!.resolve('late')
    expect((await asked).clusterId).toBe('late')
    connection.close()
  })
})

/** Swallows what is written, and keeps of how many segments each write consisted. */
class CountingStream extends Duplex {
  readonly writes: number[] = []

  override _read(): void {
    // Never has anything.
  }

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(1)
    done()
  }

  override _writev(chunks: readonly unknown[], done: () => void): void {
    this.writes.push(chunks.length)
    done()
  }
}
