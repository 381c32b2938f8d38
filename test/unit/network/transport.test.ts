import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Duplex } from 'node:stream'
import { openTransport, type TransportOptions } from '../../../src/network/transport.ts'
import { deferred } from '../../../src/async/deferred.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellLayout, tellOffsets } from '../../support/fake-cluster.ts'
import { whileSwallowing } from '../../support/swallowing-port.ts'
import { failureOf, settled } from '../../support/settled.ts'
import { KafkaClient } from '../../../src/client.ts'

let fake: FakeBroker
beforeEach(async () => {
  fake = await FakeBroker.start()
})
afterEach(() => fake.stop())

const NEVER = new AbortController().signal

async function open(
  options: Partial<TransportOptions>,
  host = 'broker.test',
  signal = NEVER,
): Promise<Duplex> {
  return openTransport({ host, port: fake.port }, { connectTimeoutMs: 400, ...options }, signal)
}

const addresses = (...found: string[]) => ({ lookup: () => Promise.resolve(found) })

describe('opening a connection', () => {
  it('tries all addresses of a host name', async () => {
    // Nothing listens at the first.
    const stream = await open(addresses('127.0.0.2', '127.0.0.1'))
    await fake.until(() => fake.connectionCount === 1)
    stream.destroy()
  })

  it('leaves time for the next address when one drops packets', async () => {
    const { value, tookMs } = await whileSwallowing('127.0.0.2', fake.port, () =>
      settled(open({ ...addresses('127.0.0.2', '127.0.0.1'), connectTimeoutMs: 3_000 })),
    )
    expect(value).toBeDefined()
    // Half of the time was its share.
    expect(tookMs).toBeGreaterThan(1_000)
    value?.destroy()
  })

  it('ends at its timeout when the only address drops packets', async () => {
    const error = await whileSwallowing('127.0.0.2', fake.port, () =>
      failureOf(open(addresses('127.0.0.2'))),
    )
    expect(error).toMatchObject({ code: 'CONNECTION_TIMED_OUT', retriable: true })
  })

  it('reports the error of each address', async () => {
    const error = await failureOf(open(addresses('127.0.0.2', '127.0.0.3')))
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', retriable: true })
    expect(error.message).toContain(`ECONNREFUSED 127.0.0.2:${fake.port}`)
    expect(error.message).toContain(`ECONNREFUSED 127.0.0.3:${fake.port}`)
  })

  it('reports that a host name has no address', async () => {
    expect((await failureOf(open(addresses()))).message).toContain("'broker.test' has no address")
    const lookup = () => Promise.reject(new Error('getaddrinfo ENOTFOUND broker.test'))
    expect(await failureOf(open({ lookup }))).toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  it.each<[string, Partial<TransportOptions>]>([
    ['looking up the name', { lookup: () => deferred<string[]>().promise }],
    ['the socket factory', { socketFactory: () => deferred<Duplex>().promise }],
  ])('ends at its timeout when %s does not', async (_, options) => {
    const error = await failureOf(open({ ...options, connectTimeoutMs: 100 }))
    expect(error).toMatchObject({ code: 'CONNECTION_TIMED_OUT', retriable: true })
    expect(error.message).toContain('took longer than 100 ms')
  })

  it('destroys a socket that its factory returns too late', async () => {
    const late = deferred<Duplex>()
    await failureOf(open({ socketFactory: () => late.promise, connectTimeoutMs: 50 }))
    const stream = new Duplex({ read: () => undefined, write: () => undefined })
    const closed = new Promise((resolve) => stream.once('close', resolve))
    late.resolve(stream)
    await closed
  })

  it('ends at once when it is aborted', async () => {
    const abort = new AbortController()
    const opening = settled(open({ lookup: () => deferred<string[]>().promise }, 'x', abort.signal))
    abort.abort(new Error('not wanted any more'))
    expect((await opening).error?.message).toBe('not wanted any more')
  })
})

describe('a client', () => {
  it('connects through the socket factory it is given', async () => {
    tellOffsets(fake, 3n)
    tellLayout(layoutOf([fake], { orders: [1] }), fake)
    const asked: string[] = []
    await using client = new KafkaClient({
      ...QUICK,
      hosts: 'behind-a-tunnel:1234',
      socketFactory: ({ host, port }) => {
        asked.push(`${host}:${port}`)
        return connect(fake.port, fake.host)
      },
    })
    expect((await client.topic('orders').latestAvailableOffsets()).get(0)).toBe(3)
    expect(new Set(asked)).toEqual(new Set(['behind-a-tunnel:1234', fake.name]))
  })

  const hasIpv6 = Object.values(networkInterfaces()).some((one) =>
    one?.some(({ address }) => address === '::1'),
  )
  const itOnIpv6 = hasIpv6 ? it : it.skip

  itOnIpv6('connects over IPv6', async () => {
    await using broker = await FakeBroker.start({ host: '::1' })
    tellOffsets(broker, 6n)
    tellLayout(layoutOf([broker], { orders: [1] }), broker)
    await using client = new KafkaClient({ ...QUICK, hosts: `[::1]:${broker.port}` })
    expect((await client.topic('orders').latestAvailableOffsets()).get(0)).toBe(6)
  })
})
