import { describe, expect, it } from '@jest/globals'
import { inspect } from 'node:util'
import { saslAuthenticate } from '../../../protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../../protocol/apis/sasl-handshake.ts'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { BrokerVersions } from '../../../src/network/api-versions.ts'
import { authenticate, type SaslTransport } from '../../../src/network/sasl/authenticate.ts'
import { messageOf } from '../../../src/network/node-error.ts'
import type { SaslMechanism } from '../../../src/network/sasl/mechanism.ts'
import { saslMechanismOf, type SaslOptions } from '../../../src/network/sasl/options.ts'
import { ScramExchange } from '../../../src/network/sasl/scram.ts'

const SECRET = 'h4rd-to-guess'
const BROKER = { host: 'kafka1', port: 9093 }

/** In plain, and in what it becomes in a Buffer that is inspected, serialised or encoded. */
function forms(): string[] {
  const bytes = Buffer.from(SECRET)
  const hex = bytes.toString('hex')
  return [
    SECRET,
    hex,
    hex.match(/../g)?.join(' ') ?? '',
    [...bytes].join(','),
    bytes.toString('base64').replaceAll('=', ''),
  ]
}

function expectNoSecret(value: unknown): void {
  const shown = [
    inspect(value, { depth: 10, showHidden: true, getters: true, maxStringLength: null }),
    JSON.stringify({ value }),
    String(value),
  ].join('\n')
  for (const form of forms()) expect(shown).not.toContain(form)
}

type MechanismOptions = Exclude<SaslOptions, SaslMechanism>

/** The compiler reports a mechanism that is missing. */
const OPTIONS_OF: Readonly<Record<MechanismOptions['mechanism'], readonly MechanismOptions[]>> = {
  PLAIN: [
    { mechanism: 'PLAIN', username: 'u', password: SECRET },
    { mechanism: 'PLAIN', username: 'u', password: () => SECRET },
  ],
  'SCRAM-SHA-256': [{ mechanism: 'SCRAM-SHA-256', username: 'u', password: SECRET }],
  'SCRAM-SHA-512': [{ mechanism: 'SCRAM-SHA-512', username: 'u', password: () => SECRET }],
  OAUTHBEARER: [{ mechanism: 'OAUTHBEARER', token: () => ({ value: SECRET, lifetimeMs: 60_000 }) }],
  AWS_MSK_IAM: [
    {
      mechanism: 'AWS_MSK_IAM',
      region: 'eu-west-1',
      credentials: { accessKeyId: 'a', secretAccessKey: SECRET, sessionToken: SECRET },
    },
    {
      mechanism: 'AWS_MSK_IAM',
      region: 'eu-west-1',
      credentials: () => ({ accessKeyId: 'a', secretAccessKey: SECRET, sessionToken: SECRET }),
    },
  ],
}
const OPTIONS = Object.values(OPTIONS_OF).flat()

describe('secrets', () => {
  it.each(OPTIONS)('are not shown in a mechanism or an exchange of %#', async (options) => {
    const mechanism = saslMechanismOf(options)
    expectNoSecret(mechanism)
    const exchange = await mechanism.start(BROKER)
    expectNoSecret(exchange)
    await exchange.next(Buffer.alloc(0))
    expectNoSecret(exchange)
    expectNoSecret(mechanism)
  })

  it('are not shown in the mechanism of an OpenID provider', () => {
    expectNoSecret(
      saslMechanismOf({
        mechanism: 'OAUTHBEARER',
        oidc: { tokenEndpoint: 'https://id.example/', clientId: 'me', clientSecret: SECRET },
      }),
    )
  })

  it('are not shown in errors', async () => {
    for (const options of OPTIONS) {
      const exchange = await saslMechanismOf(options).start(BROKER)
      await exchange.next(Buffer.alloc(0))
      const failure: unknown = await Promise.resolve()
        .then(() => exchange.next(Buffer.from('{"status":"no"}')))
        .catch((error: unknown) => error)
      if (!Buffer.isBuffer(failure)) expectNoSecret(failure)
      expectNoSecret(exchange)
    }
  })

  it('are not shown in the middle of SCRAM', async () => {
    const settings = { mechanism: 'SCRAM-SHA-256', minIterations: 1, maxIterations: 4096 } as const
    const exchange = new ScramExchange(settings, 'kafka1:9093', 'u', SECRET, 'nonce')
    await exchange.next(Buffer.alloc(0))
    await exchange.next(Buffer.from('r=nonce2,s=c2FsdA==,i=1'))
    expectNoSecret(exchange)
  })
})

/**
 * A broker that challenges the client a number of times, and then refuses the login. All that it says repeats what it
 * was sent.
 */
class RepeatingBroker implements SaslTransport {
  readonly versions = new BrokerVersions(
    'kafka1:9093',
    new Map([saslHandshake, saslAuthenticate].map(({ key, versions }) => [key, versions])),
  )
  readonly #rounds: number
  readonly #inItsForm: (sent: string) => string
  readonly #sent: string[] = []

  constructor(rounds: number, inItsForm: (sent: string) => string) {
    this.#rounds = rounds
    this.#inItsForm = inItsForm
  }

  request: SaslTransport['request'] = (api, version, body) => {
    const writer = new Writer()
    if ('authBytes' in body) {
      this.#sent.push(Buffer.from(body['authBytes'] as Uint8Array).toString())
      saslAuthenticate.response.encode(writer, version, this.#answer())
    } else saslHandshake.response.encode(writer, version, { errorCode: 0, mechanisms: [] })
    const reader = new Reader(Buffer.concat(writer.finish()))
    return Promise.resolve(api.response.decode(reader, version))
  }

  exchangeFrame(): Promise<Buffer> {
    return Promise.reject(new Error('not used'))
  }

  #answer() {
    const repeated = `invalid: ${this.#sent.map(this.#inItsForm).join(' ')}`
    if (this.#sent.length > this.#rounds) {
      const errorCode = ErrorCode.SASL_AUTHENTICATION_FAILED
      return { errorCode, errorMessage: repeated, authBytes: Buffer.alloc(0) }
    }
    return { errorCode: 0, errorMessage: null, authBytes: Buffer.from(this.#challenge(repeated)) }
  }

  #challenge(repeated: string): string {
    const [first, proof] = this.#sent
    const nonce = /^n,,n=.*,r=(.*)$/.exec(first!)?.[1]
    if (nonce === undefined) return repeated
    // Without a valid challenge, SCRAM does not send its proof.
    return proof === undefined ? `r=${nonce}more,s=c2FsdA==,i=4096` : `e=${repeated}`
  }
}

describe('a rejection that repeats the credentials', () => {
  const FORMS: readonly (readonly [string, (sent: string) => string])[] = [
    ['as they are', (sent) => sent],
    ['in base64', (sent) => Buffer.from(sent).toString('base64')],
  ]
  const cases = OPTIONS.flatMap((options, index) =>
    FORMS.map(([name, form]) => [options.mechanism, index, name, form] as const),
  )

  it.each(cases)('does not put the secret of %s (%i) into the error %s', async (...one) => {
    const [name, index, , form] = one
    const mechanism = saslMechanismOf(OPTIONS[index]!)
    const messages: string[] = []
    for (let rounds = 0; rounds < 3; rounds++) {
      const login = authenticate(new RepeatingBroker(rounds, form), mechanism, BROKER)
      const error = await login.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      // The mechanism needs no more rounds.
      if (error === undefined) break
      expectNoSecret(error)
      messages.push(messageOf(error))
    }
    if (messages.some((message) => message.includes('***'))) return
    throw new Error(
      `${name} does not replace what it has sent by *** in these errors. Either its exchange has no conceal(), or it ` +
        `needs a challenge of its own in RepeatingBroker:\n${messages.join('\n')}`,
    )
  })
})
