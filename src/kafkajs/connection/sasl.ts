import {
  AuthenticationError,
  type SaslExchange,
  type SaslMechanism,
  type SaslOptions,
} from '../../index.ts'
import { ErrorCode } from '../../../protocol/index.ts'
import { errorFrom, protocolErrorOf } from '../error-from.ts'
import { KafkaJSSASLAuthenticationError } from '../errors.ts'
import { textOf } from '../text.ts'
import type {
  Authenticator,
  KafkaConfig,
  Logger,
  Mechanism,
  SaslAuthenticateArgs,
  SASLOptions,
} from '../types/common.ts'

/** samsa's SASL options for those of kafkajs. */
export function saslFrom(sasl: KafkaConfig['sasl'], logger: Logger): SaslOptions | undefined {
  // As in kafkajs, null and false are accepted as well.
  if (!sasl) return undefined
  if ('authenticationProvider' in sasl) return new ProviderMechanism(sasl, logger)
  // The default case refuses other names.
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
      // Without this error, an unknown mechanism would connect without a login.
      throw new KafkaJSSASLAuthenticationError(
        `SASL ${String(sasl.mechanism).toUpperCase()} mechanism is not supported by the client`,
      )
  }
}

/** Options whose types are checked only where they are used, because applications without types may omit them. */
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
  // Callers without types may pass any value.
  const token = (await sasl.oauthBearerProvider()) as { value?: string } | undefined
  const { value } = token ?? {}
  if (value === undefined) {
    throw new KafkaJSSASLAuthenticationError('SASL OAUTHBEARER: Invalid OAuth bearer token')
  }
  return { ...token, value }
}

/** The mechanism AWS, which brokers support through a plugin. */
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
        try {
          await saslAuthenticate({ request: { encode: () => sized(token) } })
        } catch (error) {
          const reason = `SASL AWS-IAM authentication failed: ${textOf(error)}`
          throw new KafkaJSSASLAuthenticationError(reason)
        }
      },
    }),
  }
}

/** A mechanism of the application, in the form of kafkajs. */
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
    const exchange = new ProviderExchange(this.name)
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
 * Connects two callers that wait for each other: `saslAuthenticate` of the provider passes on a token and waits for the
 * broker's answer, while `next` of samsa passes on the broker's answer and waits for a token.
 */
class ProviderExchange implements SaslExchange {
  isComplete = false
  authenticator: Authenticator | undefined
  /** The error of the provider after the broker has rejected the login. */
  refusal: AuthenticationError | undefined
  readonly #mechanism: string
  #running: Promise<void> | undefined
  /** From the provider to the broker. */
  readonly #tokens = new Handover<Buffer>()
  /** From the broker to the provider. */
  readonly #challenges = new Handover<Buffer>()

  constructor(mechanism: string) {
    this.#mechanism = mechanism
  }

  readonly saslAuthenticate = async <ParseResult>({
    request,
    response,
  }: SaslAuthenticateArgs<ParseResult>): Promise<ParseResult | undefined> => {
    this.#tokens.give(await request.encode())
    const answer = await this.#challenges.take()
    if (response === undefined) return undefined
    // `parse` of some mechanisms returns a promise, which their callers await.
    return response.parse(await response.decode(sized(answer)))
  }

  async next(challenge: Buffer): Promise<Buffer> {
    if (this.#running === undefined) this.#running = this.authenticator?.authenticate()
    else this.#challenges.give(challenge)
    const token = await Promise.race([
      this.#tokens.take(),
      Promise.resolve(this.#running).then(() => undefined),
    ]).catch((error: unknown) => {
      throw this.#failure(error)
    })
    if (token !== undefined) return token.subarray(SIZE_BYTES)
    this.isComplete = true
    return Buffer.alloc(0)
  }

  /** Lets `saslAuthenticate` reject, as in kafkajs, so that the provider decides which error the login fails with. */
  async rejected(): Promise<void> {
    this.#challenges.fail(protocolErrorOf(ErrorCode.SASL_AUTHENTICATION_FAILED))
    try {
      await this.#running
    } catch (error) {
      this.refusal = this.#failure(error)
    }
  }

  /**
   * `errorFrom` returns the cause of this error to the application. samsa does not retry a login that fails with it.
   */
  #failure(error: unknown): AuthenticationError {
    const cause = errorFrom(error)
    return new AuthenticationError('SASL_CREDENTIALS_UNAVAILABLE', cause.message, {
      mechanism: this.#mechanism,
      cause,
    })
  }
}

/** Passes on one value at a time. `take` may be called before or after `give`, and rejects after `fail`. */
class Handover<T> {
  #value: T | undefined
  #error: Error | undefined
  #waiting: { resolve(value: T): void; reject(error: Error): void } | undefined

  give(value: T): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#value = value
    else waiting.resolve(value)
  }

  fail(error: Error): void {
    this.#error = error
    this.#waiting?.reject(error)
  }

  take(): Promise<T> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    const value = this.#value
    this.#value = undefined
    if (value !== undefined) return Promise.resolve(value)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }
}

/** In kafkajs, tokens begin with their size. */
const SIZE_BYTES = 4

function sized(bytes: Buffer): Buffer {
  const size = Buffer.alloc(SIZE_BYTES)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}
