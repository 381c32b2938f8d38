import { describe, expect, it } from '@jest/globals'
import { inspect } from 'node:util'
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
  it.each(OPTIONS)('do not show in a mechanism or an exchange of %#', async (options) => {
    const mechanism = saslMechanismOf(options)
    expectNoSecret(mechanism)
    const exchange = await mechanism.start(BROKER)
    expectNoSecret(exchange)
    await exchange.next(Buffer.alloc(0))
    expectNoSecret(exchange)
    expectNoSecret(mechanism)
  })

  it('do not show in the mechanism of an OpenID provider', () => {
    expectNoSecret(
      saslMechanismOf({
        mechanism: 'OAUTHBEARER',
        oidc: { tokenEndpoint: 'https://id.example/', clientId: 'me', clientSecret: SECRET },
      }),
    )
  })

  it('do not show in what goes wrong', async () => {
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

  it('do not show half way through SCRAM', async () => {
    const settings = { mechanism: 'SCRAM-SHA-256', minIterations: 1, maxIterations: 4096 } as const
    const exchange = new ScramExchange(settings, 'kafka1:9093', 'u', SECRET, 'nonce')
    await exchange.next(Buffer.alloc(0))
    await exchange.next(Buffer.from('r=nonce2,s=c2FsdA==,i=1'))
    expectNoSecret(exchange)
  })
})
