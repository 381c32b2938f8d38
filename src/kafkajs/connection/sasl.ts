import type { SaslExchange, SaslMechanism, SaslOptions } from '../../index.ts'
import { errorFrom } from '../error-from.ts'
import { KafkaJSSASLAuthenticationError } from '../errors.ts'
import type {
  Authenticator,
  KafkaConfig,
  Logger,
  Mechanism,
  SaslAuthenticateArgs,
  SASLOptions,
} from '../types/common.ts'

/** How samsa logs in for a `sasl` of kafkajs. */
export function saslFrom(sasl: KafkaConfig['sasl'], logger: Logger): SaslOptions | undefined {
  // Null and false, too, as in kafkajs.
  if (!sasl) return undefined
  if ('authenticationProvider' in sasl) return new ProviderMechanism(sasl, logger)
  switch (sasl.mechanism.toLowerCase() as SASLOptions['mechanism']) {
    case 'plain':
      return { mechanism: 'PLAIN', ...credentialsOf(sasl, 'Plain') }
    case 'scram-sha-256':
      return { mechanism: 'SCRAM-SHA-256', ...credentialsOf(sasl, 'SCRAM SHA256') }
    case 'scram-sha-512':
      return { mechanism: 'SCRAM-SHA-512', ...credentialsOf(sasl, 'SCRAM SHA512') }
    case 'oauthbearer':
      return { mechanism: 'OAUTHBEARER', token: () => tokenOf(sasl) }
    case 'aws':
      return new ProviderMechanism(awsMechanism(sasl), logger)
    default:
      // Never a connection without a login.
      throw new KafkaJSSASLAuthenticationError(
        `SASL ${String(sasl.mechanism).toUpperCase()} mechanism is not supported by the client`,
      )
  }
}

/** Read when they are used: applications that do not use types leave them out. */
type Loose = Readonly<Record<string, unknown>>

function credentialsOf(sasl: SASLOptions, name: string): { username: string; password: string } {
  const { username, password }: Loose = { ...sasl }
  if (typeof username !== 'string' || typeof password !== 'string') {
    throw new KafkaJSSASLAuthenticationError(`SASL ${name}: Invalid username or password`)
  }
  return { username, password }
}

async function tokenOf(sasl: SASLOptions): Promise<{ value: string }> {
  if (!('oauthBearerProvider' in sasl) || typeof sasl.oauthBearerProvider !== 'function') {
    throw new KafkaJSSASLAuthenticationError(
      'SASL OAUTHBEARER: Missing OAuth bearer token provider',
    )
  }
  const token = (await sasl.oauthBearerProvider()) as { value?: string } | undefined
  const { value } = token ?? {}
  if (value === undefined) {
    throw new KafkaJSSASLAuthenticationError('SASL OAUTHBEARER: Invalid OAuth bearer token')
  }
  return { ...token, value }
}

/** The mechanism AWS, which brokers with a plugin of that name have. */
function awsMechanism(sasl: SASLOptions): Mechanism {
  const {
    authorizationIdentity,
    accessKeyId,
    secretAccessKey,
    sessionToken = '',
  }: Loose = {
    ...sasl,
  }
  return {
    mechanism: 'AWS',
    authenticationProvider: ({ saslAuthenticate }) => ({
      authenticate: async () => {
        const parts = { authorizationIdentity, accessKeyId, secretAccessKey }
        for (const [name, value] of Object.entries(parts)) {
          if (!value) throw new KafkaJSSASLAuthenticationError(`SASL AWS-IAM: Missing ${name}`)
        }
        const token = Buffer.from([...Object.values(parts), sessionToken].join('\u0000'))
        await saslAuthenticate({ request: { encode: () => sized(token) } })
      },
    }),
  }
}

/** A mechanism of the application's, in kafkajs's form. */
class ProviderMechanism implements SaslMechanism {
  readonly name: string
  readonly #mechanism: Mechanism
  readonly #logger: Logger

  constructor(mechanism: Mechanism, logger: Logger) {
    this.name = mechanism.mechanism.toUpperCase()
    this.#mechanism = mechanism
    this.#logger = logger.namespace(`SaslAuthenticator-${this.name}`)
  }

  start({ host, port }: { readonly host: string; readonly port: number }): SaslExchange {
    const exchange = new ProviderExchange()
    const { saslAuthenticate } = exchange
    exchange.authenticator = this.#mechanism.authenticationProvider({
      host,
      port,
      logger: this.#logger,
      saslAuthenticate,
    })
    return exchange
  }
}

/**
 * The provider calls `saslAuthenticate` and waits, samsa calls `next` and waits: each token of the one is the answer
 * to the other.
 */
class ProviderExchange implements SaslExchange {
  isComplete = false
  authenticator: Authenticator | undefined
  #running: Promise<void> | undefined
  /** What the provider wants to send. */
  readonly #tokens = new Handover<Buffer>()
  /** What the broker has answered. */
  readonly #challenges = new Handover<Buffer>()

  readonly saslAuthenticate = async <ParseResult>({
    request,
    response,
  }: SaslAuthenticateArgs<ParseResult>): Promise<ParseResult | undefined> => {
    this.#tokens.give(await request.encode())
    const answer = await this.#challenges.take()
    if (response === undefined) return undefined
    // Some mechanisms have `parse` return a promise, which a caller awaits.
    return response.parse(await response.decode(sized(answer)))
  }

  async next(challenge: Buffer): Promise<Buffer> {
    if (this.#running === undefined) this.#running = this.authenticator?.authenticate()
    else this.#challenges.give(challenge)
    const token = await Promise.race([
      this.#tokens.take(),
      Promise.resolve(this.#running).then(() => undefined),
    ]).catch((error: unknown) => {
      throw errorFrom(error)
    })
    if (token !== undefined) return token.subarray(SIZE_BYTES)
    this.isComplete = true
    return Buffer.alloc(0)
  }
}

/** One value at a time, for a taker that may come before or after it. */
class Handover<T> {
  #value: T | undefined
  #waiting: ((value: T) => void) | undefined

  give(value: T): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#value = value
    else waiting(value)
  }

  take(): Promise<T> {
    const value = this.#value
    this.#value = undefined
    if (value !== undefined) return Promise.resolve(value)
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }
}

/** Tokens of kafkajs begin with their size. */
const SIZE_BYTES = 4

function sized(bytes: Buffer): Buffer {
  const size = Buffer.alloc(SIZE_BYTES)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}
