import { describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import {
  KafkaClient,
  KafkaError,
  NoBrokersAvailableError,
  type KafkaClientOptions,
} from '../../../src/index.ts'
import { retryChannel } from '../../../src/observe/channels.ts'
import { httpServer, listen, tlsServer, unusedAddress } from '../../support/fake-servers.ts'

const TIMEOUT_MS = 300
/** A time that no test reaches: what fails within it does not fail by waiting it out. */
const LONG_MS = 600_000

/** What looking up a topic fails with, for a client of these hosts, after how long and how many retries. */
async function failure(
  hosts: string,
  options: KafkaClientOptions = {},
): Promise<{ error: KafkaError; tookMs: number; retries: number }> {
  await using client = new KafkaClient({ hosts, connectTimeoutMs: TIMEOUT_MS, ...options })
  const startedAt = performance.now()
  let retries = 0
  const count = () => retries++
  subscribe(retryChannel.name, count)
  try {
    await client.topic('any').partitions()
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { error, tookMs: performance.now() - startedAt, retries }
  } finally {
    unsubscribe(retryChannel.name, count)
  }
  throw new Error(`${hosts} was taken for a broker`)
}

describe('a client whose bootstrap servers are not brokers', () => {
  it('names each address that refused, and the reason', async () => {
    const [first, second] = [await unusedAddress(), await unusedAddress()]
    const { error, retries } = await failure(`${first},${second}`, {
      connectTimeoutMs: LONG_MS,
    })
    expect(error).toBeInstanceOf(NoBrokersAvailableError)
    expect(error.code).toBe('NO_BROKERS_AVAILABLE')
    expect(error.retriable).toBe(true)
    expect(error.message).toContain(`${first}: connect ECONNREFUSED`)
    expect(error.message).toContain(`${second}: connect ECONNREFUSED`)
    expect(retries).toBe(0)
  })

  it('names a host that does not exist', async () => {
    // RFC 6761: no name under .invalid is ever in the DNS.
    const { error } = await failure('kafka.invalid:9092', { connectTimeoutMs: LONG_MS })
    expect(error.message).toMatch(/kafka\.invalid:9092: .*(ENOTFOUND|EAI_AGAIN)/)
  })

  it('reports that a port speaks HTTP', async () => {
    await using server = await httpServer()
    const { error, retries } = await failure(server.address, { connectTimeoutMs: LONG_MS })
    expect(error.message).toContain(`${server.address} is an HTTP server, not a Kafka broker`)
    expect(retries).toBe(0)
  })

  it('reports that a port speaks another text protocol', async () => {
    await using server = await listen((socket) => socket.write('SSH-2.0-server\r\n'))
    const { error } = await failure(server.address, { connectTimeoutMs: LONG_MS })
    expect(error.message).toContain(server.address)
    expect(error.message).toContain('not a Kafka broker')
  })

  it('reports that a port requires TLS', async () => {
    await using server = await tlsServer()
    const { error, retries } = await failure(server.address, { connectTimeoutMs: LONG_MS })
    expect(error.message).toContain(server.address)
    expect(error.message).toMatch(/TLS/)
    expect(retries).toBe(0)
  })

  it('waits for its timeout on a broker that accepts and never responds', async () => {
    await using server = await listen((socket) => socket.resume())
    const { error, tookMs, retries } = await failure(server.address)
    expect(error).toBeInstanceOf(NoBrokersAvailableError)
    expect(error.message).toContain(`${server.address}: `)
    expect(error.message).toMatch(/did not answer .*within \d+ ms/)
    expect(tookMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 10)
    expect(retries).toBe(0)
  })

  it('reports that the other side closed the connection at once', async () => {
    await using server = await listen((socket) => socket.destroy())
    const { error, retries } = await failure(server.address, { connectTimeoutMs: LONG_MS })
    expect(error.message).toContain(server.address)
    expect(error.message).toMatch(/closed|ECONNRESET/)
    expect(retries).toBe(0)
  })

  it('reports that the other side closed the connection after the first request', async () => {
    await using server = await listen((socket) => socket.once('data', () => socket.end()))
    const { error } = await failure(server.address, { connectTimeoutMs: LONG_MS })
    expect(error.message).toMatch(/closed|lost/)
    // Once with ApiVersions, once in the oldest protocol: brokers before 0.10 close on the former.
    expect(server.connections).toBeGreaterThanOrEqual(2)
  })

  it('tries the next address when the first is not a broker', async () => {
    await using silent = await listen((socket) => socket.resume())
    const refused = await unusedAddress()
    const { error } = await failure(`${silent.address},${refused}`)
    expect(error).toBeInstanceOf(NoBrokersAvailableError)
    const attempts = error instanceof NoBrokersAvailableError ? error.attempts : []
    expect(attempts.map(({ address }) => address)).toEqual([silent.address, refused])
  })

  it('rejects a response whose size would fill the memory', async () => {
    await using server = await listen((socket) =>
      socket.once('data', () => socket.write(Buffer.from([0x7f, 0xff, 0xff, 0xff]))),
    )
    const { error } = await failure(server.address, { connectTimeoutMs: LONG_MS })
    expect(error.message).toContain('2147483647 bytes')
  })

  it('leaves no connection open once it is closed', async () => {
    const closed: Promise<unknown>[] = []
    await using server = await listen((socket) => {
      socket.resume()
      closed.push(once(socket, 'close'))
    })
    await failure(server.address)
    expect(closed.length).toBeGreaterThan(0)
    await Promise.all(closed)
  })
})
