import { saslAuthenticate } from '../../../protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../../protocol/apis/sasl-handshake.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Api } from '../../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../../protocol/schema/fields.ts'
import { abortable } from '../../async/abortable.ts'
import {
  AuthenticationError,
  BrokerError,
  SocketDisconnectedError,
  type AuthenticationErrorCode,
} from '../../errors.ts'
import { quoted } from '../../observe/printable.ts'
import { formatAddress } from '../address.ts'
import type { BrokerVersions } from '../api-versions.ts'
import type { SaslContext, SaslExchange, SaslMechanism } from './mechanism.ts'

/** What the exchange goes over: a connection, seen by someone who logs in. */
export interface SaslTransport {
  readonly versions: BrokerVersions
  request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: Encodable<Request>,
  ): Promise<Decoded<Response>>
  /** Sends a frame without a header and resolves with the next frame, whole: for brokers before 1.0. */
  exchangeFrame(token: Buffer): Promise<Buffer>
}

export interface SaslSession {
  /** By when to log in again on the same connection, or the broker closes it (KIP-368); 0 if never. */
  readonly sessionLifetimeMs: number
}

/** Sends one token. */
type Send = (token: Buffer) => Promise<{ challenge: Buffer; sessionLifetimeMs: number }>

/** More than any mechanism takes: a broker that goes on and on is not let. */
const MOST_ROUNDS = 32

/**
 * Logs in. Nothing else may be asked on the connection meanwhile. Throws AuthenticationError; what the
 * transport throws goes through. The connection is of no use after an error.
 */
export async function authenticate(
  transport: SaslTransport,
  mechanism: SaslMechanism,
  context: SaslContext,
): Promise<SaslSession> {
  const login = new Login(transport, mechanism, context)
  return login.run()
}

class Login {
  readonly #transport: SaslTransport
  readonly #mechanism: SaslMechanism
  readonly #context: SaslContext
  readonly #address: string
  #exchange: SaslExchange | undefined

  constructor(transport: SaslTransport, mechanism: SaslMechanism, context: SaslContext) {
    this.#transport = transport
    this.#mechanism = mechanism
    this.#context = context
    this.#address = formatAddress(context)
  }

  async run(): Promise<SaslSession> {
    // Before the handshake: a broker waits only so long for what follows it.
    const exchange = await this.#abortable(() => this.#mechanism.start(this.#context))
    this.#exchange = exchange
    const send = await this.#handshake()
    return this.#exchangeTokens(exchange, send)
  }

  async #handshake(): Promise<Send> {
    const { versions } = this.#transport
    const mechanism = this.#mechanism.name
    if (!versions.has(saslHandshake)) {
      throw this.#failure(
        'ILLEGAL_SASL_STATE',
        'the broker has no SaslHandshake: it is older than 0.10, and knows Kerberos only',
      )
    }
    const hasRequest = versions.has(saslAuthenticate)
    const version = hasRequest ? versions.pick(saslHandshake) : 0
    const response = await this.#transport.request(saslHandshake, version, { mechanism })
    switch (response.errorCode) {
      case ErrorCode.NONE:
        return version > 0 ? (token) => this.#sendRequest(token) : (token) => this.#sendFrame(token)
      case ErrorCode.UNSUPPORTED_SASL_MECHANISM:
        throw this.#failure('UNSUPPORTED_SASL_MECHANISM', whatThereIs(response.mechanisms))
      case ErrorCode.ILLEGAL_SASL_STATE:
        throw this.#failure(
          'ILLEGAL_SASL_STATE',
          'this listener does not ask for SASL: is it the right port?',
        )
      default:
        throw new BrokerError(response.errorCode, 'SaslHandshake', { broker: this.#address })
    }
  }

  async #exchangeTokens(exchange: SaslExchange, send: Send): Promise<SaslSession> {
    let challenge: Buffer = Buffer.alloc(0)
    let sessionLifetimeMs = 0
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const answered: Buffer = challenge
      const token = await this.#abortable(() => exchange.next(answered))
      if (exchange.isComplete && token.length === 0 && round > 0) return { sessionLifetimeMs }
      try {
        ;({ challenge, sessionLifetimeMs } = await send(token))
      } catch (error) {
        // What the mechanism knows says more than that the broker is through with us.
        throw exchange.refusal ?? error
      }
      if (exchange.refusal !== undefined) throw exchange.refusal
      if (exchange.isComplete) return { sessionLifetimeMs }
    }
    throw this.#failure('SASL_AUTHENTICATION_FAILED', `no end after ${MOST_ROUNDS} rounds`)
  }

  /** Brokers from 1.0 on (KIP-152). */
  async #sendRequest(token: Buffer): ReturnType<Send> {
    const version = this.#transport.versions.pick(saslAuthenticate)
    const body = { authBytes: token }
    const { errorCode, errorMessage, authBytes, sessionLifetimeMs } = await this.#transport.request(
      saslAuthenticate,
      version,
      body,
    )
    switch (errorCode) {
      case ErrorCode.NONE:
        return {
          // A view on the frame, which may be reused: the exchange may keep it.
          challenge: Buffer.from(authBytes),
          sessionLifetimeMs: Number(sessionLifetimeMs),
        }
      case ErrorCode.SASL_AUTHENTICATION_FAILED:
      case ErrorCode.ILLEGAL_SASL_STATE:
        throw this.#failure(
          errorCode === ErrorCode.ILLEGAL_SASL_STATE
            ? 'ILLEGAL_SASL_STATE'
            : 'SASL_AUTHENTICATION_FAILED',
          errorMessage === null
            ? 'the broker gives no reason'
            : `the broker says ${this.#said(errorMessage)}`,
        )
      default:
        throw new BrokerError(
          errorCode,
          'SaslAuthenticate',
          { broker: this.#address },
          errorMessage === null ? null : this.#said(errorMessage),
        )
    }
  }

  #said(text: string): string {
    return quoted(this.#exchange?.conceal?.(text) ?? text)
  }

  /** Brokers of 0.10 and 0.11 have no way to say no: they close the connection. */
  async #sendFrame(token: Buffer): ReturnType<Send> {
    try {
      const challenge = await this.#transport.exchangeFrame(token)
      return { challenge: Buffer.from(challenge), sessionLifetimeMs: 0 }
    } catch (error) {
      if (!(error instanceof SocketDisconnectedError)) throw error
      throw this.#failure(
        'SASL_AUTHENTICATION_FAILED',
        'the broker closed the connection; most likely user name or password are wrong',
        error,
      )
    }
  }

  /** Mechanisms may ask the application or the network for something, and take any time for it. */
  async #abortable<T>(run: () => T | Promise<T>): Promise<T> {
    const { signal } = this.#context
    if (signal === undefined) return run()
    signal.throwIfAborted()
    return abortable(Promise.resolve(run()), signal)
  }

  #failure(code: AuthenticationErrorCode, reason: string, cause?: unknown): AuthenticationError {
    const mechanism = this.#mechanism.name
    return new AuthenticationError(
      code,
      `cannot log in to ${this.#address} with ${mechanism}: ${reason}`,
      { broker: this.#address, mechanism, cause },
    )
  }
}

function whatThereIs(mechanisms: readonly string[]): string {
  if (mechanisms.length === 0) return 'the broker has no mechanism at all'
  return `the broker does not have it; it has ${mechanisms.join(', ')}`
}
