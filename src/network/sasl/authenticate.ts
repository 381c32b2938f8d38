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

/** The part of a connection that a login uses. */
export interface SaslTransport {
  readonly versions: BrokerVersions
  request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: Encodable<Request>,
  ): Promise<Decoded<Response>>
  /** Sends a frame without a header and resolves with the next whole frame, as brokers before 1.0 require. */
  exchangeFrame(token: Buffer): Promise<Buffer>
}

export interface SaslSession {
  /** The time after which the broker closes the connection unless the client logs in again (KIP-368); 0 if there is no limit. */
  readonly sessionLifetimeMs: number
}

/** Sends one message of the exchange. */
type Send = (token: Buffer) => Promise<{ challenge: Buffer; sessionLifetimeMs: number }>

/** More than any mechanism needs. Prevents a broker from continuing the exchange without end. */
const MOST_ROUNDS = 32

/**
 * Logs in. No other request may be sent on the connection during the login. Throws AuthenticationError, or the error of
 * the transport. After an error the connection must not be used.
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
    // Before the handshake, because getting credentials may take longer than a broker waits after the handshake.
    const exchange = await this.#abortable(() => this.#mechanism.start(this.#context))
    this.#exchange = exchange
    const send = await this.#handshake()
    try {
      return await this.#exchangeTokens(exchange, send)
    } catch (error) {
      if (!isRejection(error) && exchange.refusal === undefined) throw error
      await this.#abortable(() => exchange.rejected?.())
      throw exchange.refusal ?? error
    }
  }

  async #handshake(): Promise<Send> {
    const { versions } = this.#transport
    const mechanism = this.#mechanism.name
    if (!versions.has(saslHandshake)) {
      throw this.#failure(
        'ILLEGAL_SASL_STATE',
        'the broker is older than Kafka 0.10: it has no SaslHandshake, and supports Kerberos only',
      )
    }
    const hasRequest = versions.has(saslAuthenticate)
    const version = hasRequest ? versions.pick(saslHandshake) : 0
    const response = await this.#transport.request(saslHandshake, version, { mechanism })
    switch (response.errorCode) {
      case ErrorCode.NONE:
        return version > 0 ? (token) => this.#sendRequest(token) : (token) => this.#sendFrame(token)
      case ErrorCode.UNSUPPORTED_SASL_MECHANISM:
        throw this.#failure('UNSUPPORTED_SASL_MECHANISM', supported(response.mechanisms))
      case ErrorCode.ILLEGAL_SASL_STATE:
        throw this.#failure('ILLEGAL_SASL_STATE', 'this listener does not use SASL: check the port')
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
        // The mechanism's error says more than the error code that follows it.
        throw exchange.refusal ?? error
      }
      if (exchange.refusal !== undefined) throw exchange.refusal
      if (exchange.isComplete) return { sessionLifetimeMs }
    }
    throw this.#failure(
      'SASL_AUTHENTICATION_FAILED',
      `the broker did not end the exchange after ${MOST_ROUNDS} rounds`,
    )
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
          // A copy, because the exchange may keep it and the memory of the frame may be reused.
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
            ? 'the broker did not report a reason'
            : `the broker reported ${this.#reported(errorMessage)}`,
        )
      default:
        throw new BrokerError(
          errorCode,
          'SaslAuthenticate',
          { broker: this.#address },
          errorMessage === null ? null : this.#reported(errorMessage),
        )
    }
  }

  #reported(text: string): string {
    return quoted(this.#exchange?.conceal?.(text) ?? text)
  }

  /** Brokers of 0.10 and 0.11 have no error response: they close the connection. */
  async #sendFrame(token: Buffer): ReturnType<Send> {
    try {
      const challenge = await this.#transport.exchangeFrame(token)
      return { challenge: Buffer.from(challenge), sessionLifetimeMs: 0 }
    } catch (error) {
      if (!(error instanceof SocketDisconnectedError)) throw error
      throw this.#failure(
        'SASL_AUTHENTICATION_FAILED',
        'the broker closed the connection; the user name or password is probably wrong',
        error,
      )
    }
  }

  /** Mechanisms may call the application or the network, which may take any time. */
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

/** Whether the broker, rather than the network, ended the login. */
function isRejection(error: unknown): boolean {
  return error instanceof AuthenticationError && error.code === 'SASL_AUTHENTICATION_FAILED'
}

function supported(mechanisms: readonly string[]): string {
  if (mechanisms.length === 0) return 'the broker supports no mechanism'
  return `the broker does not support it; it supports ${mechanisms.join(', ')}`
}
