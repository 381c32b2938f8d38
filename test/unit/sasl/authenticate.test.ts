import { describe, expect, it } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { saslAuthenticate } from '../../../protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../../protocol/apis/sasl-handshake.ts'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import type { MessageSchema } from '../../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../../protocol/schema/fields.ts'
import { SocketDisconnectedError } from '../../../src/errors.ts'
import { BrokerVersions } from '../../../src/network/api-versions.ts'
import { authenticate, type SaslTransport } from '../../../src/network/sasl/authenticate.ts'
import type { SaslExchange, SaslMechanism } from '../../../src/network/sasl/mechanism.ts'
import { saslMechanismOf } from '../../../src/network/sasl/options.ts'

const BROKER = { host: 'kafka1', port: 9093 }
const NAME = 'kafka1:9093'

interface HandshakeAnswer {
  readonly errorCode?: number
  readonly mechanisms?: readonly string[]
}
interface TokenAnswer {
  readonly errorCode?: number
  readonly errorMessage?: string | null
  readonly authBytes?: Uint8Array
  readonly sessionLifetimeMs?: bigint
}
interface Frame {
  readonly frame: Buffer
}

/** A broker that knows these versions and answers in turn; `asked` says what it was asked. */
class FakeBroker implements SaslTransport {
  readonly versions: BrokerVersions
  readonly asked: string[] = []
  readonly #handshake: HandshakeAnswer
  readonly #answers: (TokenAnswer | Frame | Error)[]

  constructor(
    versions: { handshake?: number; authenticate?: number },
    handshake: HandshakeAnswer,
    answers: (TokenAnswer | Frame | Error)[] = [],
  ) {
    const known = new Map<number, { min: number; max: number }>()
    if (versions.handshake !== undefined) known.set(17, { min: 0, max: versions.handshake })
    if (versions.authenticate !== undefined) known.set(36, { min: 0, max: versions.authenticate })
    this.versions = new BrokerVersions(NAME, known)
    this.#handshake = handshake
    this.#answers = answers
  }

  request<Request extends Fields, Response extends Fields>(
    api: { key: number; name: string; response: MessageSchema<Response> },
    version: number,
    body: Encodable<Request>,
  ): Promise<Decoded<Response>> {
    const text = 'mechanism' in body ? String(body['mechanism']) : textOf(body)
    this.asked.push(`${api.name} v${version} ${text}`)
    if (api.key === saslHandshake.key) {
      const full = { errorCode: 0, mechanisms: [], ...this.#handshake }
      return Promise.resolve(recoded(saslHandshake.response, api, version, full))
    }
    const answer = this.#next()
    if (answer instanceof Error) return Promise.reject(answer)
    if ('frame' in answer) return Promise.reject(new Error('for frames only'))
    const full = {
      errorCode: 0,
      errorMessage: null,
      authBytes: Buffer.alloc(0),
      sessionLifetimeMs: 0n,
      ...answer,
    }
    return Promise.resolve(recoded(saslAuthenticate.response, api, version, full))
  }

  exchangeFrame(token: Buffer): Promise<Buffer> {
    this.asked.push(`frame ${token.toString()}`)
    const answer = this.#next()
    if (answer instanceof Error) return Promise.reject(answer)
    if ('frame' in answer) return Promise.resolve(answer.frame)
    return Promise.reject(new Error('not for frames'))
  }

  #next(): TokenAnswer | Frame | Error {
    return this.#answers.shift() ?? new Error('the broker was not to be asked again')
  }
}

function textOf(body: object): string {
  return 'authBytes' in body && Buffer.isBuffer(body.authBytes) ? body.authBytes.toString() : ''
}

/** Written as one API's response and read as the one that was asked for: the same. */
function recoded<Own extends Fields, Response extends Fields>(
  own: MessageSchema<Own>,
  api: { response: MessageSchema<Response> },
  version: number,
  value: Encodable<Own>,
): Decoded<Response> {
  const writer = new Writer()
  own.encode(writer, version, value)
  return api.response.decode(new Reader(Buffer.concat(writer.finish())), version)
}

const OFFERED: HandshakeAnswer = { mechanisms: ['PLAIN', 'SCRAM-SHA-512'] }
const PLAIN = saslMechanismOf({ mechanism: 'PLAIN', username: 'u', password: 'hush' })
const disconnected = () => new SocketDisconnectedError('connection lost', { broker: NAME })

/** Answers each challenge with the next text; complete at the last one. */
function scripted(...answers: string[]): SaslMechanism {
  return {
    name: 'SCRIPTED',
    start: (): SaslExchange & { challenges: string[] } => {
      const left = [...answers]
      const challenges: string[] = []
      return {
        challenges,
        get isComplete() {
          return left.length === 0
        },
        next(challenge) {
          challenges.push(challenge.toString())
          return Buffer.from(left.shift() ?? '')
        },
      }
    },
  }
}

describe('authenticate', () => {
  it.each([
    [0, 0],
    [1, 3_600_000],
    [2, 3_600_000],
  ])('uses SaslAuthenticate v%i', async (version, lifetimeMs) => {
    const broker = new FakeBroker({ handshake: 1, authenticate: version }, OFFERED, [
      version === 0 ? {} : { sessionLifetimeMs: 3_600_000n },
    ])
    const session = await authenticate(broker, PLAIN, BROKER)
    expect(session).toEqual({ sessionLifetimeMs: lifetimeMs })
    expect(broker.asked).toEqual([
      'SaslHandshake v1 PLAIN',
      `SaslAuthenticate v${version} \0u\0hush`,
    ])
  })

  it('sends bare tokens to brokers before 1.0', async () => {
    const broker = new FakeBroker({ handshake: 0 }, OFFERED, [{ frame: Buffer.alloc(0) }])
    expect(await authenticate(broker, PLAIN, BROKER)).toEqual({ sessionLifetimeMs: 0 })
    expect(broker.asked).toEqual(['SaslHandshake v0 PLAIN', 'frame \0u\0hush'])
  })

  it('continues until the exchange is complete, and does not send its empty last message', async () => {
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [
      { authBytes: Buffer.from('challenge') },
      { authBytes: Buffer.from('proof'), sessionLifetimeMs: 5n },
    ])
    const session = await authenticate(broker, scripted('first', 'second', ''), BROKER)
    expect(session).toEqual({ sessionLifetimeMs: 5 })
    expect(broker.asked.slice(1)).toEqual([
      'SaslAuthenticate v2 first',
      'SaslAuthenticate v2 second',
    ])
  })

  it('rejects a broker without its proof, although the broker reports success', async () => {
    const scram = saslMechanismOf({ mechanism: 'SCRAM-SHA-256', username: 'u', password: 'p' })
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [{}])
    await expect(authenticate(broker, scram, BROKER)).rejects.toMatchObject({
      code: 'SASL_SERVER_NOT_TRUSTED',
    })
  })

  it('lists the mechanisms that a broker supports if it does not support the requested one', async () => {
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, { ...OFFERED, errorCode: 33 })
    await expect(authenticate(broker, scripted('never sent'), BROKER)).rejects.toMatchObject({
      name: 'AuthenticationError',
      code: 'UNSUPPORTED_SASL_MECHANISM',
      message:
        'cannot log in to kafka1:9093 with SCRIPTED: the broker does not support it; it supports PLAIN, SCRAM-SHA-512',
      broker: NAME,
      mechanism: 'SCRIPTED',
      retriable: false,
    })
    expect(broker.asked).toEqual(['SaslHandshake v1 SCRIPTED'])
  })

  it("throws the broker's reason", async () => {
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [
      { errorCode: 58, errorMessage: 'Invalid username\r\nor password' },
    ])
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      code: 'SASL_AUTHENTICATION_FAILED',
      message:
        "cannot log in to kafka1:9093 with PLAIN: the broker reported 'Invalid username or password'",
      retriable: false,
    })
  })

  it('passes other errors of the broker on unchanged', async () => {
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [
      { errorCode: 7, errorMessage: null },
    ])
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      name: 'BrokerError',
      code: 'REQUEST_TIMED_OUT',
      retriable: true,
    })
    const other = new FakeBroker({ handshake: 1, authenticate: 2 }, { errorCode: -1 })
    await expect(authenticate(other, PLAIN, BROKER)).rejects.toMatchObject({ name: 'BrokerError' })
  })

  it('reports a listener that does not use SASL', async () => {
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, { errorCode: 34 })
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      code: 'ILLEGAL_SASL_STATE',
      message: expect.stringContaining('this listener does not use SASL'),
    })
  })

  it('reports a broker that is too old for SASL', async () => {
    const broker = new FakeBroker({}, OFFERED)
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      code: 'ILLEGAL_SASL_STATE',
      message: expect.stringContaining('older than Kafka 0.10'),
    })
    expect(broker.asked).toEqual([])
  })

  it('reports a wrong password if a broker before 1.0 closes the connection', async () => {
    const broker = new FakeBroker({ handshake: 0 }, OFFERED, [disconnected()])
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      code: 'SASL_AUTHENTICATION_FAILED',
      message: expect.stringContaining('the user name or password is probably wrong'),
      cause: expect.objectContaining({ name: 'SocketDisconnectedError' }),
    })
  })

  it('throws the error of a lost connection if the broker could have reported a rejection', async () => {
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [disconnected()])
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      name: 'SocketDisconnectedError',
      retriable: true,
    })
  })

  it.each([
    ['an error code', { authenticate: 2 }, { errorCode: 58, errorMessage: 'extensions differ' }],
    ['a closed connection, before Kafka 1.0', {}, disconnected()],
  ])(
    'drops the token that all connections share when a broker rejects it with %s',
    async (...given) => {
      const [, versions, answer] = given
      let count = 0
      const token = () => ({ value: `token${++count}`, lifetimeMs: 3_600_000 })
      const mechanism = saslMechanismOf({ mechanism: 'OAUTHBEARER', token })
      const broker = (last: TokenAnswer | Frame | Error) =>
        new FakeBroker({ handshake: 'authenticate' in versions ? 1 : 0, ...versions }, OFFERED, [
          last,
        ])
      const rejecting = broker(answer)
      await expect(authenticate(rejecting, mechanism, BROKER)).rejects.toMatchObject({
        code: 'SASL_AUTHENTICATION_FAILED',
      })
      expect(rejecting.asked.at(-1)).toContain('token1')
      const accepting = broker('authenticate' in versions ? {} : { frame: Buffer.alloc(0) })
      await authenticate(accepting, mechanism, BROKER)
      expect(accepting.asked.at(-1)).toContain('token2')
    },
  )

  it.each([
    ['once for a rejected login', { errorCode: 58 }, 1],
    ['not for an accepted login', {}, 0],
    ['not for a lost connection', disconnected(), 0],
  ])("calls a mechanism's rejected() %s", async (_, answer, times) => {
    let rejections = 0
    const mechanism: SaslMechanism = {
      name: 'OWN',
      start: () => ({
        isComplete: true,
        next: () => Buffer.from('secret'),
        rejected: () => {
          rejections++
        },
      }),
    }
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [answer])
    await authenticate(broker, mechanism, BROKER).catch(() => undefined)
    expect(rejections).toBe(times)
  })

  it.each([
    ['the error that follows', { errorCode: 58, errorMessage: '{"status":"invalid_token"}' }],
    ['a connection that ends', disconnected()],
    ['consent all the same', {}],
  ])("reports a rejected token by the broker's status, whatever follows: %s", async (_, last) => {
    const mechanism = saslMechanismOf({ mechanism: 'OAUTHBEARER', token: () => ({ value: 'abc' }) })
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [
      { authBytes: Buffer.from('{"status":"invalid_token"}') },
      last,
    ])
    await expect(authenticate(broker, mechanism, BROKER)).rejects.toMatchObject({
      code: 'SASL_AUTHENTICATION_FAILED',
      message: "kafka1:9093 rejected the token: status 'invalid_token'",
    })
    expect(broker.asked.at(-1)).toBe('SaslAuthenticate v2 \x01')
  })

  it('ends an exchange that the broker never ends', async () => {
    const endless: SaslMechanism = {
      name: 'ENDLESS',
      start: () => ({ isComplete: false, next: () => Buffer.from('more') }),
    }
    const answers = Array.from({ length: 100 }, () => ({ authBytes: Buffer.from('more') }))
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, answers)
    await expect(authenticate(broker, endless, BROKER)).rejects.toThrow(
      'the broker did not end the exchange after 32 rounds',
    )
  })

  it('stops waiting for a password when it is aborted, and has sent nothing', async () => {
    const mechanism = saslMechanismOf({
      mechanism: 'PLAIN',
      username: 'u',
      password: () => delay(60_000, 'late', { ref: false }),
    })
    const controller = new AbortController()
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [])
    const waiting = authenticate(broker, mechanism, { ...BROKER, signal: controller.signal })
    controller.abort(new Error('given up'))
    await expect(waiting).rejects.toThrow('given up')
    expect(broker.asked).toEqual([])
  })
})
