import { describe, expect, it } from '@jest/globals'
import { inspect } from 'node:util'
import { saslAuthenticate } from '../../../protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../../protocol/apis/sasl-handshake.ts'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { BrokerVersions } from '../../../src/network/api-versions.ts'
import { authenticate, type SaslTransport } from '../../../src/network/sasl/authenticate.ts'
import { saslMechanismOf, type SaslOptions } from '../../../src/network/sasl/options.ts'
import { ScramExchange } from '../../../src/network/sasl/scram.ts'
import { failureOf } from '../../support/settled.ts'

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

const OPTIONS: SaslOptions[] = [
  { mechanism: 'PLAIN', username: 'u', password: SECRET },
  { mechanism: 'PLAIN', username: 'u', password: () => SECRET },
  { mechanism: 'SCRAM-SHA-256', username: 'u', password: SECRET },
  { mechanism: 'SCRAM-SHA-512', username: 'u', password: () => SECRET },
  { mechanism: 'OAUTHBEARER', token: () => ({ value: SECRET, lifetimeMs: 60_000 }) },
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
]

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

/** A broker that refuses the login and repeats what it was sent. */
function repeating(refusal: (sent: string) => string): SaslTransport {
  return {
    versions: new BrokerVersions(
      'kafka1:9093',
      new Map([saslHandshake, saslAuthenticate].map(({ key, versions }) => [key, versions])),
    ),
    request: (api, version, body) => {
      const sent =
        'authBytes' in body ? Buffer.from(body['authBytes'] as Uint8Array).toString() : ''
      const writer = new Writer()
      if (api.key === saslHandshake.key)
        saslHandshake.response.encode(writer, version, { errorCode: 0, mechanisms: [] })
      else {
        const errorCode = ErrorCode.SASL_AUTHENTICATION_FAILED
        const refused = { errorCode, errorMessage: refusal(sent), authBytes: Buffer.alloc(0) }
        saslAuthenticate.response.encode(writer, version, refused)
      }
      const reader = new Reader(Buffer.concat(writer.finish()))
      return Promise.resolve(api.response.decode(reader, version))
    },
    exchangeFrame: () => Promise.reject(new Error('not used')),
  }
}

describe('a rejection that repeats the credentials', () => {
  it.each([
    { mechanism: 'PLAIN', username: 'u', password: SECRET },
    { mechanism: 'OAUTHBEARER', token: () => ({ value: SECRET }) },
    {
      mechanism: 'AWS_MSK_IAM',
      region: 'eu-west-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: SECRET },
    },
  ] satisfies SaslOptions[])('does not put the secret of %# into the error', async (options) => {
    const mechanism = saslMechanismOf(options)
    for (const form of [
      (sent: string) => `invalid: ${sent}`,
      (sent: string) => `invalid: ${Buffer.from(sent).toString('base64')}`,
    ]) {
      const error = await failureOf(authenticate(repeating(form), mechanism, BROKER))
      expect(error.message).toContain('invalid')
      expectNoSecret(error)
    }
  })
})
