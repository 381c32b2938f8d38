import { describe, expect, it } from '@jest/globals'
import { InvalidArgumentError } from '../../../src/errors.ts'
import type { SaslMechanism } from '../../../src/network/sasl/mechanism.ts'
import { saslMechanismOf, type SaslOptions } from '../../../src/network/sasl/options.ts'

/** As JavaScript may call it: with anything. */
function refusalOf(options: unknown): string {
  try {
    saslMechanismOf(options as SaslOptions)
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError)
    return String(error)
  }
  throw new Error('it was taken')
}

const OIDC = { tokenEndpoint: 'https://id.example/token', clientId: 'me', clientSecret: 'hush' }

describe('saslMechanismOf', () => {
  it.each([
    { mechanism: 'PLAIN', username: 'u', password: 'hush' },
    { mechanism: 'SCRAM-SHA-256', username: 'u', password: () => 'hush', minIterations: 10_000 },
    { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'hush', maxIterations: 8192 },
    { mechanism: 'OAUTHBEARER', token: () => ({ value: 'hush' }) },
    { mechanism: 'OAUTHBEARER', oidc: { ...OIDC, scope: 'kafka', parameters: { audience: 'x' } } },
    { mechanism: 'AWS_MSK_IAM', region: 'eu-west-1' },
  ] as const satisfies SaslOptions[])('accepts $mechanism', (options) => {
    expect(saslMechanismOf(options).name).toBe(options.mechanism)
  })

  it("accepts the application's own mechanism", () => {
    const own: SaslMechanism = {
      name: 'GSSAPI',
      start: () => ({ isComplete: true, next: () => Buffer.alloc(0) }),
    }
    expect(saslMechanismOf(own)).toBe(own)
  })

  it.each([
    ['a string', 'PLAIN:hush', 'sasl: must be an object'],
    ['nothing', null, 'sasl: must be an object'],
    [
      'no mechanism',
      { username: 'u' },
      "sasl: option 'mechanism' must be one of PLAIN, SCRAM-SHA-256",
    ],
    ['an unknown mechanism', { mechanism: 'GSSAPI' }, "of your own; not 'GSSAPI'"],
    ['a mechanism in small letters', { mechanism: 'plain' }, 'must be one of PLAIN, SCRAM-SHA-256'],
    ['half a mechanism', { start: () => undefined }, "needs 'name' and 'start'"],
    [
      'an unknown option',
      { mechanism: 'PLAIN', username: 'u', pasword: 'hush' },
      "sasl has no option 'pasword'; it has mechanism, password, username",
    ],
    ['no password', { mechanism: 'PLAIN', username: 'u' }, "sasl: option 'password' is missing"],
    ['no user name', { mechanism: 'SCRAM-SHA-256', password: 'hush' }, "'username' is missing"],
    ['an empty password', { mechanism: 'PLAIN', username: 'u', password: '' }, 'non-empty'],
    [
      'a password that is an object',
      { mechanism: 'PLAIN', username: 'u', password: ['hush'] },
      "sasl: option 'password' must be a non-empty string",
    ],
    [
      'NUL in a password (RFC 4616)',
      { mechanism: 'PLAIN', username: 'u', password: 'hush\0' },
      'must not contain a NUL character',
    ],
    [
      'NUL in a user name',
      { mechanism: 'PLAIN', username: 'u\0', password: 'hush' },
      'must not contain a NUL character',
    ],
    [
      'half a character',
      { mechanism: 'SCRAM-SHA-256', username: 'u', password: 'hush\ud800' },
      'well-formed',
    ],
    [
      'iterations that leave no choice',
      { mechanism: 'SCRAM-SHA-256', username: 'u', password: 'hush', maxIterations: 100 },
      "option 'minIterations' (4096) must not be greater than 'maxIterations' (100)",
    ],
    ['neither token nor oidc', { mechanism: 'OAUTHBEARER' }, "needs one of 'token' and 'oidc'"],
    [
      'both',
      { mechanism: 'OAUTHBEARER', token: () => ({ value: 'hush' }), oidc: OIDC },
      "needs one of 'token' and 'oidc'",
    ],
    ['a bare token', { mechanism: 'OAUTHBEARER', token: 'hush' }, 'must be a function'],
    ['oidc that is a string', { mechanism: 'OAUTHBEARER', oidc: 'hush' }, 'sasl.oidc'],
    [
      'an oidc option that is unknown',
      { mechanism: 'OAUTHBEARER', oidc: { ...OIDC, secret: 'hush' } },
      "sasl.oidc has no option 'secret'",
    ],
    [
      'a secret of a function',
      { mechanism: 'OAUTHBEARER', oidc: { ...OIDC, clientSecret: () => 'hush' } },
      "sasl.oidc: option 'clientSecret' must be a non-empty string",
    ],
    [
      'an endpoint without TLS',
      { mechanism: 'OAUTHBEARER', oidc: { ...OIDC, tokenEndpoint: 'http://id.example/' } },
      'dangerouslyAllowHttp permits it',
    ],
    [
      'an endpoint that is no URL',
      { mechanism: 'OAUTHBEARER', oidc: { ...OIDC, tokenEndpoint: 'hush' } },
      'must be a URL',
    ],
    [
      'an endpoint of another protocol',
      { mechanism: 'OAUTHBEARER', oidc: { ...OIDC, tokenEndpoint: 'ftp://id.example/' } },
      'must be an https URL',
    ],
    [
      'credentials in the endpoint',
      { mechanism: 'OAUTHBEARER', oidc: { ...OIDC, tokenEndpoint: 'https://me:hush@id.example/' } },
      'must not contain credentials',
    ],
    [
      'an authority that is not PEM',
      { mechanism: 'OAUTHBEARER', oidc: { ...OIDC, ca: '/etc/ca.pem' } },
      'must be PEM text',
    ],
    ['no region', { mechanism: 'AWS_MSK_IAM' }, "sasl: option 'region' is missing"],
    [
      'half of the credentials',
      { mechanism: 'AWS_MSK_IAM', region: 'r', credentials: { secretAccessKey: 'hush' } },
      "sasl.credentials: option 'accessKeyId' is missing",
    ],
    [
      'credentials of an odd kind',
      { mechanism: 'AWS_MSK_IAM', region: 'r', credentials: 'hush' },
      'sasl.credentials',
    ],
    [
      'a secret key of an odd kind',
      {
        mechanism: 'AWS_MSK_IAM',
        region: 'r',
        credentials: { accessKeyId: 'a', secretAccessKey: ['hush'] },
      },
      "sasl.credentials: option 'secretAccessKey' must be a non-empty string",
    ],
  ])('rejects %s without showing a secret', (_, options, message) => {
    const refusal = refusalOf(options)
    expect(refusal).toContain(message)
    expect(refusal).not.toContain('hush')
  })

  it.each(['http://localhost:8080/t', 'http://127.0.0.1/t', 'http://[::1]/t'])(
    'accepts an endpoint without TLS on this machine: %s',
    (tokenEndpoint) => {
      const oidc = { ...OIDC, tokenEndpoint }
      expect(saslMechanismOf({ mechanism: 'OAUTHBEARER', oidc }).name).toBe('OAUTHBEARER')
    },
  )

  it('accepts an endpoint without TLS elsewhere if configured', () => {
    const oidc = { ...OIDC, tokenEndpoint: 'http://id.example/', dangerouslyAllowHttp: true }
    expect(saslMechanismOf({ mechanism: 'OAUTHBEARER', oidc }).name).toBe('OAUTHBEARER')
  })
})
