import { describe, expect, it } from '@jest/globals'
import {
  apiVersions,
  metadata,
  saslAuthenticate,
  saslHandshake,
} from '../../protocol/apis/index.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import { KafkaClient, type SaslOptions } from '../../src/index.ts'
import type { RawClient } from './support/raw-client.ts'
import { rawClientOf, topicOf } from './support/requests.ts'

const USERS = { alice: 'alice-secret', 'b=o,b': 'pässword' }
const SASL = {
  users: USERS,
  validateToken: ({ value }: { readonly value: string }) =>
    value === 'good' ? { name: 'carol' } : undefined,
}

function start(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
  return EmbeddedCluster.start({ topics: { t: {} }, sasl: SASL, ...options })
}

async function produceOne(kafka: EmbeddedCluster, sasl: SaslOptions): Promise<unknown> {
  await using client = new KafkaClient({ hosts: kafka.hosts, sasl })
  const producer = await client.topic('t').getProducer()
  return await producer.produce('hello')
}

async function begin(raw: RawClient, mechanism: string, version = 1) {
  return raw.request(saslHandshake, version, { mechanism })
}

function sendToken(raw: RawClient, token: string) {
  return raw.request(saslAuthenticate, 2, { authBytes: Buffer.from(token) })
}

const PLAIN_TOKEN = '\0alice\0alice-secret'

describe('logging in', () => {
  const ways: readonly [string, SaslOptions][] = [
    ['alice', { mechanism: 'PLAIN', username: 'alice', password: 'alice-secret' }],
    ['b=o,b', { mechanism: 'PLAIN', username: 'b=o,b', password: 'pässword' }],
    ['alice', { mechanism: 'SCRAM-SHA-256', username: 'alice', password: 'alice-secret' }],
    ['b=o,b', { mechanism: 'SCRAM-SHA-512', username: 'b=o,b', password: 'pässword' }],
    ['carol', { mechanism: 'OAUTHBEARER', token: () => ({ value: 'good' }) }],
  ]
  describe.each(['4.4', '2.8', '0.11', '0.10'] as const)('to Kafka %s', (version) => {
    it.each(ways)('succeeds for %s with %j', async (name, sasl) => {
      await using kafka = await start({ version })
      expect(await produceOne(kafka, sasl)).toMatchObject({ partition: 0, offset: 0 })
      expect(kafka.requests.all({ api: 'Produce' })[0]).toMatchObject({ principal: `User:${name}` })
    })
  })

  it.each<[string, SaslOptions, string]>([
    [
      'a wrong password for PLAIN',
      { mechanism: 'PLAIN', username: 'alice', password: 'x' },
      'Authentication failed: Invalid username or password',
    ],
    [
      'a wrong password for SCRAM',
      { mechanism: 'SCRAM-SHA-512', username: 'alice', password: 'x' },
      'Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512',
    ],
    [
      'a user that does not exist',
      { mechanism: 'SCRAM-SHA-256', username: 'mallory', password: 'x' },
      'Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256',
    ],
    [
      'a name that every object has',
      { mechanism: 'PLAIN', username: 'constructor', password: 'x' },
      'Authentication failed: Invalid username or password',
    ],
    [
      'a token that is good for nothing',
      { mechanism: 'OAUTHBEARER', token: () => ({ value: 'bad' }) },
      "status 'invalid_token'",
    ],
  ])('fails with %s, with the message of Kafka', async (_name, sasl, words) => {
    const errors: unknown[] = []
    await using kafka = await start({ onError: (error) => errors.push(error) })
    const producing = produceOne(kafka, sasl)
    await expect(producing).rejects.toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
    await expect(producing).rejects.toThrow(words)
    expect(errors.length).toBeGreaterThan(0)
  })

  it('fails with a closed connection before Kafka 1.0, which has no error messages for it', async () => {
    await using kafka = await start({ version: '0.10' })
    const sasl = { mechanism: 'PLAIN', username: 'alice', password: 'x' } as const
    await expect(produceOne(kafka, sasl)).rejects.toMatchObject({
      code: 'SASL_AUTHENTICATION_FAILED',
    })
  })

  it('returns the supported mechanisms to a client that requests another, and closes the connection', async () => {
    await using kafka = await start({ sasl: { users: USERS, mechanisms: ['SCRAM-SHA-512'] } })
    using raw = await rawClientOf(kafka)
    expect(await begin(raw, 'PLAIN')).toEqual({
      errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM,
      mechanisms: ['SCRAM-SHA-512'],
    })
    await raw.closed
  })

  it('is refused by a cluster without sasl, and the connection stays usable', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    using raw = await rawClientOf(kafka)
    expect(await begin(raw, 'PLAIN')).toMatchObject({ errorCode: ErrorCode.ILLEGAL_SASL_STATE })
    expect(await sendToken(raw, PLAIN_TOKEN)).toMatchObject({
      errorCode: ErrorCode.ILLEGAL_SASL_STATE,
      errorMessage: 'SaslAuthenticate request received after successful authentication',
    })
    expect(await topicOf(raw, 't')).toMatchObject({ errorCode: 0 })
  })

  it('can be made to fail on demand', async () => {
    await using kafka = await start()
    kafka.faults.on({ api: 'SaslAuthenticate', times: 1 }, { error: 'SASL_AUTHENTICATION_FAILED' })
    const sasl = { mechanism: 'PLAIN', username: 'alice', password: 'alice-secret' } as const
    await expect(produceOne(kafka, sasl)).rejects.toMatchObject({
      code: 'SASL_AUTHENTICATION_FAILED',
    })
  })
})

describe('a client before its login', () => {
  it('loses its connection with any request, which is not executed', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    raw.send(metadata, 12, { topics: [{ name: 'made' }] })
    await raw.closed
    expect(kafka.topics).toEqual(['t'])
  })

  it('can request the API versions, once', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    const { apiKeys } = await raw.request(apiVersions, 0, {})
    expect(apiKeys.map(({ apiKey }) => apiKey)).toEqual(expect.arrayContaining([17, 36]))
    raw.send(apiVersions, 0, {})
    await raw.closed
  })

  it('loses its connection with a token without a handshake', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    raw.send(saslAuthenticate, 2, { authBytes: Buffer.from(PLAIN_TOKEN) })
    await raw.closed
  })

  it('loses its connection with any other request during the login, which is refused', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    await begin(raw, 'PLAIN')
    const { topics } = await raw.request(metadata, 12, { topics: [{ name: 'made' }] })
    expect(topics[0]).toMatchObject({ errorCode: ErrorCode.ILLEGAL_SASL_STATE })
    await raw.closed
    expect(kafka.topics).toEqual(['t'])
  })
})

describe('reauthentication', () => {
  it('keeps a connection open past the end of its session (KIP-368)', async () => {
    await using kafka = await start({ sasl: { users: USERS, maxReauthMs: 1_300 } })
    const sasl = {
      mechanism: 'SCRAM-SHA-256',
      username: 'alice',
      password: 'alice-secret',
    } as const
    await using client = new KafkaClient({ hosts: kafka.hosts, sasl })
    const producer = await client.topic('t').getProducer()
    await producer.produce('one')
    const logins = kafka.requests.all({ api: 'SaslHandshake' }).length
    const connections = kafka.requests.all({ api: 'ApiVersions' }).length
    await kafka.requests.next({ api: 'SaslHandshake' })
    expect(await producer.produce('two')).toMatchObject({ offset: 1 })
    expect(kafka.requests.all({ api: 'SaslHandshake' }).length).toBeGreaterThan(logins)
    // A new connection would have asked for the versions once more.
    expect(kafka.requests.all({ api: 'ApiVersions' })).toHaveLength(connections)
  })

  it('is due within the lifetime of a session, which a token may shorten', async () => {
    const sasl = { validateToken: () => ({ name: 'x', lifetimeMs: 5_000 }), maxReauthMs: 60_000 }
    await using kafka = await start({ sasl })
    using raw = await rawClientOf(kafka)
    await begin(raw, 'OAUTHBEARER')
    const answer = await sendToken(raw, 'n,,\x01auth=Bearer abc\x01\x01')
    expect(answer).toMatchObject({ errorCode: 0, sessionLifetimeMs: 5_000n })
  })

  it('is required: a request after the end of the session closes the connection', async () => {
    await using kafka = await start({ sasl: { users: USERS, maxReauthMs: 60_000 } })
    using raw = await rawClientOf(kafka)
    await begin(raw, 'PLAIN')
    expect(await sendToken(raw, PLAIN_TOKEN)).toMatchObject({ sessionLifetimeMs: 60_000n })
    kafka.skewClock(59_000)
    expect(await topicOf(raw, 't')).toMatchObject({ errorCode: 0 })
    kafka.skewClock(61_000)
    raw.send(metadata, 12, { topics: [] })
    await raw.closed
  })

  it.each([
    ['as another principal', 'PLAIN', '\0b=o,b\0pässword', 'Cannot change principals during'],
    ['by another mechanism', 'SCRAM-SHA-256', 'n,,n=alice,r=abc', 'is not supported for re-authen'],
  ])('%s is refused', async (_name, mechanism, token, words) => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    await begin(raw, 'PLAIN')
    await sendToken(raw, PLAIN_TOKEN)
    kafka.skewClock(2_000)
    expect(await begin(raw, mechanism)).toMatchObject({ errorCode: 0 })
    expect(await sendToken(raw, token)).toMatchObject({
      errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
      errorMessage: expect.stringContaining(words),
    })
    await raw.closed
  })

  it('within a second is refused, and the session continues', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    await begin(raw, 'PLAIN')
    await sendToken(raw, PLAIN_TOKEN)
    expect(await begin(raw, 'PLAIN')).toMatchObject({ errorCode: ErrorCode.ILLEGAL_SASL_STATE })
    expect(await topicOf(raw, 't')).toMatchObject({ errorCode: 0 })
  })
})

describe('hostile tokens', () => {
  const TOKENS: readonly Buffer[] = [
    Buffer.alloc(0),
    Buffer.alloc(1),
    Buffer.from('\0\0\0\0\0\0'),
    Buffer.from('\0alice'),
    Buffer.from('\0alice\0\0'),
    Buffer.from('bob\0alice\0alice-secret'),
    Buffer.from([0xff, 0xfe, 0, 0xff, 0, 0xff]),
    Buffer.from('n,,n=alice,r='),
    Buffer.from('p=tls-unique,,n=alice,r=abc'),
    Buffer.from('n,a=bob,n=alice,r=abc'),
    Buffer.from('n,,n=al=2Xice,r=abc'),
    Buffer.from('n,,n=alice,r=with,comma'),
    Buffer.from(`n,,n=${'a'.repeat(100_000)},r=abc`),
    Buffer.from('n,,\x01auth=Bearer \x01\x01'),
    Buffer.from('n,,\x01auth=Bearer good'),
    Buffer.from('n,a=bob,\x01auth=Bearer good\x01\x01'),
    Buffer.from(`n,,${'\x01a=b'.repeat(10_000)}\x01\x01`),
  ]

  it.each(['PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER'])(
    'end the connection and nothing else: %s',
    async (mechanism) => {
      await using kafka = await start()
      for (const [isFramed, token] of TOKENS.flatMap((one) => [
        [true, one] as const,
        [false, one] as const,
      ])) {
        using raw = await rawClientOf(kafka)
        await begin(raw, mechanism, isFramed ? 1 : 0)
        if (isFramed) {
          const { errorCode, errorMessage } = await raw.request(saslAuthenticate, 2, {
            authBytes: token,
          })
          // A nonce may have more behind it: then the exchange continues.
          if (errorCode === 0) continue
          expect(errorMessage).toMatch(/^Authentication failed|^Invalid SASL/)
        } else {
          const size = Buffer.alloc(4)
          size.writeInt32BE(token.length)
          raw.write(Buffer.concat([size, token]))
          const answered = await Promise.race([raw.closed, raw.nextFrame().catch(() => undefined)])
          if (answered !== undefined) continue
        }
        await raw.closed
      }
      using bystander = await rawClientOf(kafka)
      await begin(bystander, 'PLAIN')
      expect(await sendToken(bystander, PLAIN_TOKEN)).toMatchObject({ errorCode: 0 })
    },
  )

  it.each(['wrong nonce', 'wrong binding', 'wrong proof', 'no proof', 'short proof'])(
    'of SCRAM with %s are refused',
    async (what) => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      await begin(raw, 'SCRAM-SHA-256')
      const { authBytes } = await sendToken(raw, 'n,,n=alice,r=abc')
      const [, nonce] = /^r=([^,]+),s=.+,i=4096$/.exec(Buffer.from(authBytes).toString())!
      const zeros = Buffer.alloc(32).toString('base64')
      const finals: Readonly<Record<string, string>> = {
        'wrong nonce': `c=biws,r=${nonce}x,p=${zeros}`,
        'wrong binding': `c=eSws,r=${nonce},p=${zeros}`,
        'wrong proof': `c=biws,r=${nonce},p=${zeros}`,
        'no proof': `c=biws,r=${nonce}`,
        'short proof': `c=biws,r=${nonce},p=AAAA`,
      }
      const { errorCode } = await sendToken(raw, finals[what]!)
      expect(errorCode).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED)
      await raw.closed
    },
  )

  it('too large for a login end the connection', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    await begin(raw, 'PLAIN')
    raw.send(saslAuthenticate, 2, { authBytes: Buffer.alloc(600_000) })
    await raw.closed
  })

  it('of a validator that throws end the connection, and the error is reported', async () => {
    const errors: unknown[] = []
    await using kafka = await start({
      onError: (error) => errors.push(error),
      sasl: {
        validateToken: () => {
          throw new Error('no key to check it with')
        },
      },
    })
    using raw = await rawClientOf(kafka)
    await begin(raw, 'OAUTHBEARER')
    const { errorCode } = await sendToken(raw, 'n,,\x01auth=Bearer abc\x01\x01')
    expect(errorCode).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED)
    expect(errors).toMatchObject([{ message: 'no key to check it with' }])
  })
})

describe('options of sasl', () => {
  it.each<[EmbeddedClusterOptions, string]>([
    [{ sasl: {} }, "'users' or 'validateToken' is missing"],
    [{ sasl: { mechanisms: ['PLAIN'] } }, "PLAIN requires option 'users'"],
    [{ sasl: { users: { a: '' } } }, "user 'a' must have a name and a password"],
    [{ sasl: SASL, version: '0.9' }, 'Kafka 0.9 is too old for SASL'],
  ])('are rejected if they are invalid: %j', async (options, problem) => {
    await expect(EmbeddedCluster.start(options)).rejects.toThrow(problem)
  })
})
