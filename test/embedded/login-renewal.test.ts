import { describe, expect, it } from '@jest/globals'
import type { Socket } from 'node:net'
import { saslAuthenticate } from '../../protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../protocol/apis/sasl-handshake.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type SaslOptions } from '../../src/index.ts'
import { FakeBroker } from '../support/fake-broker.ts'
import { failureOf } from '../support/settled.ts'
import { until } from '../support/until.ts'
import { keepWarnings } from '../support/warnings.ts'

const USERS = { alice: 'alice-secret' }
const PLAIN = { mechanism: 'PLAIN', username: 'alice', password: USERS.alice } as const

describe('a login during operation', () => {
  it('is retried when its token is unavailable for a while: nothing that runs ends', async () => {
    await using kafka = await EmbeddedCluster.start({
      topics: { t: { partitions: 1 } },
      sasl: { validateToken: () => ({ name: 'carol' }), maxReauthMs: 1_300 },
    })
    let isAway = false
    let refused = 0
    const token = () => {
      if (!isAway) return { value: 'good' }
      refused++
      throw new Error('the provider is away')
    }
    await using client = new KafkaClient({
      hosts: kafka.hosts,
      sasl: { mechanism: 'OAUTHBEARER', token },
    })
    const topic = client.topic('t')
    const consumer = await topic.getSimpleConsumer({ fetchErrorBackoffMs: 50 })
    const producer = await topic.getProducer()
    await producer.produce('before')
    expect((await consumer.consume())?.value?.toString()).toBe('before')
    isAway = true
    await until(() => refused >= 2)
    const during = producer.produce('during')
    await until(() => refused >= 10)
    isAway = false
    await during
    expect((await consumer.consume())?.value?.toString()).toBe('during')
  })

  it('falls back to a new connection when sessions are too short to be renewed', async () => {
    await using kafka = await EmbeddedCluster.start({
      topics: { t: { partitions: 1 } },
      sasl: { users: USERS, maxReauthMs: 1_000 },
    })
    const { logger } = keepWarnings()
    await using client = new KafkaClient({ hosts: kafka.hosts, sasl: PLAIN, logger })
    const producer = await client.topic('t').getProducer()
    const until = performance.now() + 3_000
    let sent = 0
    while (performance.now() < until) {
      await producer.produce('x')
      sent++
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(await client.topic('t').latestAvailableOffsets()).toEqual(new Map([[0, sent]]))
    const logins = kafka.requests.all({ api: 'SaslAuthenticate' })
    expect(logins.length).toBeGreaterThan(2)
  })

  it('fails at once at the start, when no earlier login has succeeded', async () => {
    await using kafka = await EmbeddedCluster.start({
      topics: { t: {} },
      sasl: { validateToken: () => ({ name: 'carol' }) },
    })
    const token = () => Promise.reject(new Error('no such tenant'))
    await using client = new KafkaClient({
      hosts: kafka.hosts,
      sasl: { mechanism: 'OAUTHBEARER', token },
    })
    expect(await failureOf(client.topic('t').partitions())).toMatchObject({
      code: 'SASL_CREDENTIALS_UNAVAILABLE',
      message: expect.stringContaining('no such tenant'),
    })
  })
})

describe('a client without a login at a listener that requires one', () => {
  it('gets an error that suggests the sasl option', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} }, sasl: { users: USERS } })
    // The client tries again until this time is over.
    await using client = new KafkaClient({ hosts: kafka.hosts, operationTimeoutMs: 5_000 })
    const error = await failureOf(client.topic('t').partitions())
    expect(error.message).toContain('does this listener require a login (the option sasl)?')
  })
})

describe('a connection that the broker closes during the login', () => {
  it.each([
    ['ends', (socket: Socket) => socket.destroy()],
    ['is reset', (socket: Socket) => socket.resetAndDestroy()],
  ])('and that %s fails with an error that names what to check', async (_, close) => {
    await using broker = await FakeBroker.start()
    broker.handle(saslHandshake, () => ({ errorCode: 0, mechanisms: ['PLAIN'] }))
    broker.handle(saslAuthenticate, (_body, { socket }) => {
      close(socket)
      return undefined
    })
    await using client = new KafkaClient({ hosts: broker.name, sasl: PLAIN })
    const error = await failureOf(client.topic('t').partitions())
    expect(error.message).toContain(
      'while logging in with PLAIN: check the credentials, the mechanism and the port',
    )
  })
})

describe('a login without TLS', () => {
  const USER = { username: 'u', password: 'p' }

  it.each<[SaslOptions, string | undefined]>([
    [{ mechanism: 'PLAIN', ...USER }, 'PLAIN without TLS sends the password unencrypted'],
    [{ mechanism: 'SCRAM-SHA-256', ...USER }, undefined],
    [
      { mechanism: 'OAUTHBEARER', token: () => ({ value: 'v' }) },
      'OAUTHBEARER without TLS sends the token unencrypted',
    ],
    [
      { mechanism: 'AWS_MSK_IAM', region: 'r' },
      'AWS_MSK_IAM without TLS sends the signed request unencrypted',
    ],
    [
      { name: 'OWN', sendsSecret: 'the key', start: () => Promise.reject(new Error()) },
      'OWN without TLS sends the key unencrypted',
    ],
    [{ name: 'OWN', start: () => Promise.reject(new Error()) }, undefined],
  ])('warns if the mechanism sends a secret: %j', async (sasl, warning) => {
    const { warnings, logger } = keepWarnings()
    const hosts = '127.0.0.1:1'
    await new KafkaClient({ hosts, sasl, logger, tls: true }).close()
    expect(warnings).toEqual([])
    await new KafkaClient({ hosts, sasl, logger }).close()
    expect(warnings).toEqual(warning === undefined ? [] : [expect.stringContaining(warning)])
  })

  it('warns once', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} }, sasl: { users: USERS } })
    const { warnings, logger } = keepWarnings()
    await using client = new KafkaClient({ hosts: kafka.hosts, sasl: PLAIN, logger })
    const producer = await client.topic('t').getProducer()
    await producer.produce('x')
    expect(warnings).toEqual([expect.stringContaining('PLAIN without TLS')])
  })
})
