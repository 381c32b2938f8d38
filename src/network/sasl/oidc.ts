import type { IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import { InvalidArgumentError, KafkaError } from '../../errors.ts'
import { quoted } from '../../observe/printable.ts'
import { messageOf } from '../node-error.ts'
import { isObject } from './oauthbearer.ts'
import type { OAuthBearerToken } from './oauthbearer-token.ts'

/** Tokens from OAuth's client credentials grant (RFC 6749, section 4.4; KIP-768). */
export interface OidcOptions {
  /** The token endpoint, an https URL; http is for `localhost` only, unless it is allowed. Required. */
  readonly tokenEndpoint: string
  /** The id of the client at the provider. Required. */
  readonly clientId: string
  /** The secret of the client at the provider. Required. */
  readonly clientSecret: string
  /** The scope to ask for. Default: the provider's. */
  readonly scope?: string
  /** More fields of the form, such as the `audience` that some providers ask for. Default: none. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Extensions to send to the broker with each token, such as `logicalCluster` (KIP-342). Default: none. */
  readonly extensions?: Readonly<Record<string, string>>
  /** How the secret is sent: `basic` in the Authorization header, `post` in the form. Default: `basic`. */
  readonly clientAuthentication?: 'basic' | 'post'
  /** Authorities to trust instead of the system's, as PEM text. Refused for an http endpoint. Default: the system's. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[]
  /** How long the endpoint may take to respond. Default: 10,000. */
  readonly timeoutMs?: number
  /** Sends the secret unencrypted to an http endpoint. Refused for an https endpoint. Default: false. */
  readonly dangerouslyAllowHttp?: boolean
}

/** The endpoint did not return a token. */
class TokenEndpointError extends KafkaError {
  constructor(message: string, retriable: boolean, cause?: unknown) {
    super('TOKEN_ENDPOINT_FAILED', message, retriable, { cause })
  }
}

const LARGEST_ANSWER_BYTES = 1 << 20
const LOCAL_HOSTS = ['localhost', '127.0.0.1', '[::1]']

/** Throws InvalidArgumentError for a URL that is invalid, or would send the secret unencrypted. */
export function checkTokenEndpoint(text: string, allowHttp: boolean): URL {
  const problem = (what: string): InvalidArgumentError =>
    new InvalidArgumentError(`sasl.oidc: option 'tokenEndpoint' ${what}`)
  if (!URL.canParse(text)) throw problem('must be a URL')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') throw problem('must not contain credentials')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw problem('must be an https URL')
  if (url.protocol === 'http:' && !LOCAL_HOSTS.includes(url.hostname) && !allowHttp) {
    throw problem(
      'must be an https URL, because http sends the client secret unencrypted; dangerouslyAllowHttp permits it',
    )
  }
  return url
}

/** Requests a token from the endpoint. Errors never contain the secret, even if the endpoint repeats it. */
export async function requestToken(
  options: OidcOptions & { readonly timeoutMs: number },
): Promise<OAuthBearerToken> {
  const { clientSecret, extensions } = options
  const url = new URL(options.tokenEndpoint)
  const where = `${url.origin}${url.pathname}`
  const { timeoutMs } = options
  const { headers, body } = formOf(options)
  const signal = AbortSignal.timeout(timeoutMs)
  let answer: Answer
  try {
    const ca = options.ca === undefined ? {} : { ca: mutable(options.ca) }
    // Set explicitly, so that NODE_TLS_REJECT_UNAUTHORIZED has no effect.
    answer = await post(url, { ...ca, headers, signal, rejectUnauthorized: true }, body)
  } catch (error) {
    const reason = signal.aborted ? `no response within ${timeoutMs} ms` : messageOf(error)
    throw new TokenEndpointError(`${where}: ${reason}`, true, error)
  }
  const answered = readJson(answer.text)
  if (answer.status !== 200) {
    const retriable = answer.status >= 500 || answer.status === 429
    const reason = `${where}: HTTP status ${answer.status}${describe(answered, clientSecret)}`
    throw new TokenEndpointError(reason, retriable)
  }
  const value = answered['access_token']
  if (typeof value !== 'string') {
    throw new TokenEndpointError(`${where}: the response has no access_token`, false)
  }
  const seconds = Number(answered['expires_in'])
  return {
    value,
    ...(extensions === undefined ? {} : { extensions }),
    ...(seconds > 0 ? { lifetimeMs: seconds * 1000 } : {}),
  }
}

function formOf(options: OidcOptions): { headers: Record<string, string>; body: string } {
  const { clientId, clientSecret, scope, parameters, clientAuthentication } = options
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...parameters })
  if (scope !== undefined) form.set('scope', scope)
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  }
  if (clientAuthentication === 'post') {
    form.set('client_id', clientId)
    form.set('client_secret', clientSecret)
  } else {
    // RFC 6749, section 2.3.1: each is form-encoded before they are joined.
    const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`
  }
  const body = form.toString()
  headers['content-length'] = String(Buffer.byteLength(body))
  return { headers, body }
}

const formEncoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

interface Answer {
  readonly status: number
  readonly text: string
}

/** Does not use fetch, which accepts no authorities to trust and would send the secret on to a redirect. */
async function post(url: URL, options: RequestOptions, body: string): Promise<Answer> {
  // Imported here, because most processes need neither.
  const { request } =
    url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  return new Promise((resolve, reject) => {
    const onResponse = (response: IncomingMessage): void => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > LARGEST_ANSWER_BYTES) response.destroy(new Error('the response is too large'))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      )
    }
    request(url, { ...options, method: 'POST', agent: false }, onResponse)
      .on('error', reject)
      .end(body)
  })
}

function readJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

/** RFC 6749, section 5.2. */
function describe(answer: Record<string, unknown>, secret: string): string {
  const words = [answer['error'], answer['error_description']].filter(
    (word) => typeof word === 'string',
  )
  return words.map((word) => `, ${quoted(word.replaceAll(secret, '***'))}`).join('')
}

function mutable<T>(value: T | readonly T[]): T | T[] {
  // `Array.isArray` does not narrow readonly arrays.
  return Array.isArray(value) ? [...(value as readonly T[])] : (value as T)
}
