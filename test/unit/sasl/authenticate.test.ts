import { describe, expect, it } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { saslAuthenticate } from '../../../protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../../protocol/apis/sasl-handshake.ts'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import type { Message } from '../../../protocol/schema/api.ts'
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
    api: { key: number; name: string; response: Message<Response> },
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
  own: Message<Own>,
  api: { response: Message<Response> },
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

  it('goes on until the exchange is complete, and does not send its empty last answer', async () => {
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

  it("does not let in a broker without its proof, though the broker says it's done", async () => {
    const scram = saslMechanismOf({ mechanism: 'SCRAM-SHA-256', username: 'u', password: 'p' })
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [{}])
    await expect(authenticate(broker, scram, BROKER)).rejects.toMatchObject({
      code: 'SASL_SERVER_NOT_TRUSTED',
    })
  })

  it('lists the mechanisms of a broker that lacks the one asked for', async () => {
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, { ...OFFERED, errorCode: 33 })
    await expect(authenticate(broker, scripted('never sent'), BROKER)).rejects.toMatchObject({
      name: 'AuthenticationError',
      code: 'UNSUPPORTED_SASL_MECHANISM',
      message:
        'cannot log in to kafka1:9093 with SCRIPTED: the broker does not have it; it has PLAIN, SCRAM-SHA-512',
      broker: NAME,
      mechanism: 'SCRIPTED',
      retriable: false,
    })
    expect(broker.asked).toEqual(['SaslHandshake v1 SCRIPTED'])
  })

  it("gives the broker's reason", async () => {
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [
      { errorCode: 58, errorMessage: 'Invalid username\r\nor password' },
    ])
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      code: 'SASL_AUTHENTICATION_FAILED',
      message:
        "cannot log in to kafka1:9093 with PLAIN: the broker says 'Invalid username or password'",
      retriable: false,
    })
  })

  it('passes on other errors of the broker as they are', async () => {
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

  it('says that a listener is without SASL', async () => {
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, { errorCode: 34 })
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      code: 'ILLEGAL_SASL_STATE',
      message: expect.stringContaining('this listener does not ask for SASL'),
    })
  })

  it('says that a broker is too old', async () => {
    const broker = new FakeBroker({}, OFFERED)
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      code: 'ILLEGAL_SASL_STATE',
      message: expect.stringContaining('older than 0.10'),
    })
    expect(broker.asked).toEqual([])
  })

  it('takes a connection that ends after a bare token for a wrong password', async () => {
    const broker = new FakeBroker({ handshake: 0 }, OFFERED, [disconnected()])
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      code: 'SASL_AUTHENTICATION_FAILED',
      message: expect.stringContaining('most likely user name or password are wrong'),
      cause: expect.objectContaining({ name: 'SocketDisconnectedError' }),
    })
  })

  it('leaves a lost connection as it is where the broker could have said why', async () => {
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [disconnected()])
    await expect(authenticate(broker, PLAIN, BROKER)).rejects.toMatchObject({
      name: 'SocketDisconnectedError',
      retriable: true,
    })
  })

  it.each([
    ['the error that follows', { errorCode: 58, errorMessage: '{"status":"invalid_token"}' }],
    ['a connection that ends', disconnected()],
    ['consent all the same', {}],
  ])("reports a refused token by the broker's status, whatever follows: %s", async (_, last) => {
    const mechanism = saslMechanismOf({ mechanism: 'OAUTHBEARER', token: () => ({ value: 'abc' }) })
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, [
      { authBytes: Buffer.from('{"status":"invalid_token"}') },
      last,
    ])
    await expect(authenticate(broker, mechanism, BROKER)).rejects.toMatchObject({
      code: 'SASL_AUTHENTICATION_FAILED',
      message: "kafka1:9093 refused the token: status 'invalid_token'",
    })
    expect(broker.asked.at(-1)).toBe('SaslAuthenticate v2 \x01')
  })

  it('does not go on for ever', async () => {
    const endless: SaslMechanism = {
      name: 'ENDLESS',
      start: () => ({ isComplete: false, next: () => Buffer.from('more') }),
    }
    const answers = Array.from({ length: 100 }, () => ({ authBytes: Buffer.from('more') }))
    const broker = new FakeBroker({ handshake: 1, authenticate: 2 }, OFFERED, answers)
    await expect(authenticate(broker, endless, BROKER)).rejects.toThrow('no end after 32 rounds')
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
