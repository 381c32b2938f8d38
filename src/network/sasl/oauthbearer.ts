import type { TokenProvider } from './oauthbearer-token.ts'
import { AuthenticationError } from '../../errors.ts'
import { quoted } from '../../observe/printable.ts'
import { formatAddress } from '../address.ts'
import { concealer } from './conceal.ts'
import type { SaslContext, SaslExchange, SaslMechanism } from './mechanism.ts'
import { obtain, unavailable } from './secret.ts'
import { TokenCache } from './token-cache.ts'

const MECHANISM = 'OAUTHBEARER'
const SEPARATOR = '\x01'

/** RFC 6750, section 2.1. Other characters could end the token early and inject fields. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/
/** RFC 7628, section 3.1. `auth` is reserved for the token. */
const EXTENSION_NAME = /^(?!auth$)[A-Za-z]+$/
const EXTENSION_VALUE = /^[\x21-\x7e \t\r\n]+$/

/** Login with a bearer token that another server has issued (RFC 7628, KIP-255). */
export class OAuthBearerMechanism implements SaslMechanism {
  readonly name = MECHANISM
  readonly sendsSecret = 'the token'
  readonly #tokens: TokenCache

  constructor(provider: TokenProvider) {
    this.#tokens = new TokenCache(provider)
  }

  async start(context: SaslContext): Promise<SaslExchange> {
    const token = await obtain('token', MECHANISM, context, () => this.#tokens.get())
    const message = initialResponse(token, context)
    const conceal = concealer(token.value, message.toString())
    return new OAuthBearerExchange(message, formatAddress(context), conceal, () =>
      this.#tokens.drop(token),
    )
  }
}

class OAuthBearerExchange implements SaslExchange {
  readonly #broker: string
  readonly conceal: (text: string) => string
  readonly rejected: () => void
  #message: Buffer | undefined
  #refusal: AuthenticationError | undefined
  #isComplete = false

  constructor(
    message: Buffer,
    broker: string,
    conceal: (text: string) => string,
    rejected: () => void,
  ) {
    this.#message = message
    this.#broker = broker
    this.conceal = conceal
    this.rejected = rejected
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  get refusal(): AuthenticationError | undefined {
    return this.#refusal
  }

  /** A challenge means that the broker rejects the token. It sends its error code after the client has acknowledged this. */
  next(challenge: Buffer): Buffer {
    const message = this.#message
    if (message !== undefined) {
      this.#message = undefined
      return message
    }
    this.#isComplete = challenge.length === 0
    if (this.#isComplete) return Buffer.alloc(0)
    this.#refusal = new AuthenticationError(
      'SASL_AUTHENTICATION_FAILED',
      `${this.#broker} rejected the token: ${explain(this.conceal(challenge.toString()))}`,
      { broker: this.#broker, mechanism: MECHANISM },
    )
    return Buffer.from(SEPARATOR)
  }
}

function initialResponse(token: unknown, context: SaslContext): Buffer {
  const refuse = (reason: string): never => {
    throw unavailable(reason, MECHANISM, context)
  }
  if (!isObject(token) || typeof token['value'] !== 'string') {
    return refuse('the token must be an object with a value')
  }
  if (!TOKEN.test(token['value']))
    return refuse('the value of the token is not a valid bearer token')
  const parts = [`auth=Bearer ${token['value']}`]
  const extensions = token['extensions'] ?? {}
  if (!isObject(extensions)) return refuse("the token's extensions must be an object")
  for (const [name, value] of Object.entries(extensions)) {
    if (!EXTENSION_NAME.test(name)) {
      return refuse(
        `the name of the token's extension ${quoted(name)} must consist of letters and must not be 'auth'`,
      )
    }
    if (typeof value !== 'string' || !EXTENSION_VALUE.test(value)) {
      return refuse(`the value of the token's extension '${name}' must be printable text`)
    }
    parts.push(`${name}=${value}`)
  }
  return Buffer.from(`n,,${SEPARATOR}${parts.join(SEPARATOR)}${SEPARATOR}${SEPARATOR}`)
}

/** RFC 7628, section 3.2.2: a JSON object whose `status` is the reason. */
function explain(challenge: string): string {
  try {
    const answer: unknown = JSON.parse(challenge)
    if (isObject(answer) && typeof answer['status'] === 'string') {
      const scope = answer['scope']
      const needs = typeof scope === 'string' ? `, scope ${quoted(scope)}` : ''
      return `status ${quoted(answer['status'])}${needs}`
    }
  } catch {
    // Not JSON: the text itself is shown.
  }
  return quoted(challenge)
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
