import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { inspect } from 'node:util'
import { requestToken, type OidcOptions } from '../../../src/network/sasl/oidc.ts'
import { saslMechanismOf } from '../../../src/network/sasl/options.ts'
import { TestAuthority } from '../../support/certificates.ts'

interface Asked {
  readonly request: IncomingMessage
  readonly form: Record<string, string>
}

/** A token endpoint that gives this answer to all. */
class Endpoint {
  readonly asked: Asked[] = []
  readonly #server: Server
  #answer: (response: ServerResponse, asked: Asked) => void = () => undefined

  constructor(tls?: { cert: string; key: string }) {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (text: string) => (body += text))
      request.on('end', () => {
        const asked = { request, form: Object.fromEntries(new URLSearchParams(body)) }
        this.asked.push(asked)
        this.#answer(response, asked)
      })
    }
    this.#server = tls === undefined ? createServer(listener) : createHttpsServer(tls, listener)
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('it has no port')
    return `127.0.0.1:${address.port}`
  }

  answers(status: number, body: unknown, headers: Record<string, string> = {}): void {
    this.#answer = (response) => {
      response.writeHead(status, headers)
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    }
  }

  does(answer: (response: ServerResponse) => void): void {
    this.#answer = answer
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

const SECRET = 'h4rd/to+guess é'
let endpoint: Endpoint
let url: string

beforeAll(async () => {
  endpoint = new Endpoint()
  url = `http://${await endpoint.open()}/oauth/token?tenant=t`
})
afterEach(() => void endpoint.asked.splice(0))
afterAll(() => endpoint.close())

function options(more: Partial<OidcOptions> = {}) {
  const timeoutMs = 10_000
  return { tokenEndpoint: url, clientId: 'me:you', clientSecret: SECRET, timeoutMs, ...more }
}

async function failureOf(more?: Partial<OidcOptions>): Promise<Error> {
  const failure: unknown = await requestToken(options(more)).catch((error: unknown) => error)
  expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain('h4rd')
  if (failure instanceof Error) return failure
  throw new Error('it gave a token')
}

describe('a token of an OpenID provider', () => {
  it('is requested with the client credentials in the header', async () => {
    endpoint.answers(200, { access_token: 'abc', token_type: 'Bearer', expires_in: 300 })
    const more = { scope: 'kafka read', parameters: { audience: 'x&y' }, extensions: { a: 'b' } }
    expect(await requestToken(options(more))).toEqual({
      value: 'abc',
      lifetimeMs: 300_000,
      extensions: { a: 'b' },
    })
    const [asked] = endpoint.asked
    expect(asked?.request).toMatchObject({ method: 'POST', url: '/oauth/token?tenant=t' })
    expect(asked?.request.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from('me%3Ayou:h4rd%2Fto%2Bguess+%C3%A9').toString('base64')}`,
    })
    expect(asked?.form).toEqual({
      grant_type: 'client_credentials',
      scope: 'kafka read',
      audience: 'x&y',
    })
  })

  it('is requested with the client credentials in the form', async () => {
    endpoint.answers(200, { access_token: 'abc' })
    expect(await requestToken(options({ clientAuthentication: 'post' }))).toEqual({ value: 'abc' })
    const [asked] = endpoint.asked
    expect(asked?.request.headers.authorization).toBeUndefined()
    expect(asked?.form).toEqual({
      grant_type: 'client_credentials',
      client_id: 'me:you',
      client_secret: SECRET,
    })
  })

  it('is requested once while it is valid', async () => {
    endpoint.answers(200, { access_token: 'abc', expires_in: '300' })
    const mechanism = saslMechanismOf({ mechanism: 'OAUTHBEARER', oidc: options() })
    for (let connection = 0; connection < 3; connection++) {
      const exchange = await mechanism.start({ host: 'kafka1', port: 9093 })
      expect((await exchange.next(Buffer.alloc(0))).toString()).toContain('Bearer abc')
    }
    expect(endpoint.asked).toHaveLength(1)
  })

  it("reports the provider's reason, without the secret", async () => {
    const reason = { error: 'invalid_client', error_description: `'${SECRET}' is\x1b wrong` }
    endpoint.answers(401, reason)
    expect(await failureOf()).toMatchObject({
      message: `${url.replace('?tenant=t', '')}: HTTP status 401, 'invalid_client', ''***' is wrong'`,
      retriable: false,
    })
  })

  it.each([429, 500, 503])('can be retried after HTTP status %i', async (status) => {
    endpoint.answers(status, '<html>busy</html>')
    expect(await failureOf()).toMatchObject({
      message: expect.stringMatching(new RegExp(`: HTTP status ${status}$`)),
      retriable: true,
    })
  })

  it('is not requested from the target of a redirect', async () => {
    endpoint.answers(307, '', { location: `http://localhost/elsewhere` })
    expect(await failureOf()).toMatchObject({ message: expect.stringMatching(/HTTP status 307$/) })
    expect(endpoint.asked).toHaveLength(1)
  })

  it.each(['', 'abc', '[]', '{}', '{"access_token":1}'])(
    'is missing in the response %j',
    async (body) => {
      endpoint.answers(200, body)
      expect(await failureOf()).toMatchObject({
        message: expect.stringContaining('the response has no access_token'),
        retriable: false,
      })
    },
  )

  it('is not waited for longer than the timeout, also within the response', async () => {
    endpoint.does(() => undefined)
    const failure = {
      message: expect.stringContaining('no response within 100 ms'),
      retriable: true,
    }
    expect(await failureOf({ timeoutMs: 100 })).toMatchObject(failure)
    endpoint.does((response) => response.write('{'))
    expect(await failureOf({ timeoutMs: 100 })).toMatchObject(failure)
  })

  it('is not read from an endless response', async () => {
    endpoint.does((response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 16))) continue
      }
      response.on('drain', more)
      more()
    })
    expect((await failureOf()).message).toContain('the response is too large')
  })

  it('is unavailable if nothing listens', async () => {
    const other = new Endpoint()
    const tokenEndpoint = `http://${await other.open()}/`
    other.close()
    expect(await failureOf({ tokenEndpoint })).toMatchObject({
      message: expect.stringContaining('ECONNREFUSED'),
      retriable: true,
    })
  })

  it('causes the login to fail with all known details', async () => {
    endpoint.answers(503, { error: 'temporarily_unavailable' })
    const mechanism = saslMechanismOf({ mechanism: 'OAUTHBEARER', oidc: options() })
    await expect(async () => mechanism.start({ host: 'kafka1', port: 9093 })).rejects.toMatchObject(
      {
        name: 'AuthenticationError',
        code: 'SASL_CREDENTIALS_UNAVAILABLE',
        message: expect.stringMatching(
          /^cannot log in to kafka1:9093 with OAUTHBEARER: .*HTTP status 503, 'temporarily_unavailable'$/,
        ),
        retriable: true,
      },
    )
  })

  it("is requested over TLS if the provider's authority is trusted", async () => {
    using authority = new TestAuthority()
    const secure = new Endpoint(authority.issue({ commonName: 'id', hosts: ['127.0.0.1'] }))
    try {
      const tokenEndpoint = `https://${await secure.open()}/`
      secure.answers(200, { access_token: 'abc' })
      expect((await failureOf({ tokenEndpoint })).message).toContain('unable to verify')
      expect(secure.asked).toHaveLength(0)
      const ca = authority.cert
      expect(await requestToken(options({ tokenEndpoint, ca }))).toEqual({ value: 'abc' })
      expect(await requestToken(options({ tokenEndpoint, ca: [Buffer.from(ca)] }))).toEqual({
        value: 'abc',
      })
    } finally {
      secure.close()
    }
  })
})
