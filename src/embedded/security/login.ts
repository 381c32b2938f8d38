/**
 * The principal of a connection, and the requests that are allowed before it is known.
 *
 *     start ──ApiVersions──▶ handshake ──SaslHandshake──▶ exchange ──the last token──▶ done
 *       └──────────SaslHandshake──────────────────────────▲   │                        │
 *                                                         └───┼──SaslHandshake (again)─┘
 *                                                             ▼
 *                                                           failed: the connection is closed
 *
 * Without SASL it begins at `done`. After SaslHandshake v0, tokens are sent in frames of their own;
 * after v1, in SaslAuthenticate (KIP-152). A client logs in again before its session ends
 * (KIP-368). Responses and rejections are those of Kafka's SaslServerAuthenticator.
 */
import { ErrorCode } from '../../../protocol/errors.ts'
import { ANONYMOUS } from './principal.ts'
import { SaslFailure, type SaslServerExchange } from './sasl-mechanism.ts'
import type { SaslServer } from './sasl-server.ts'

type State =
  | { readonly name: 'start' | 'handshake' | 'failed' }
  | {
      readonly name: 'exchange'
      readonly mechanism: string
      readonly exchange: SaslServerExchange
      readonly isFramed: boolean
      readonly before: LoggedIn | undefined
    }
  | LoggedIn

interface LoggedIn {
  readonly name: 'done'
  readonly principal: string
  /** Undefined without a login. */
  readonly mechanism: string | undefined
  readonly isByToken: boolean
  readonly sinceMs: number
  /** Infinity: never. */
  readonly endsAtMs: number
}

/** The next action for a request. */
export type Admission =
  'admitted' | 'refused' /** The connection is closed without a response. */ | 'closed'

export interface HandshakeAnswer {
  readonly errorCode: number
  readonly mechanisms: readonly string[]
}

export interface TokenAnswer {
  readonly errorCode: number
  /** Empty if there is no error, as in Kafka. */
  readonly errorMessage: string
  readonly authBytes: Buffer
  readonly sessionLifetimeMs: bigint
}

/** Kafka's sasl.server.max.receive.size: the broker reads no more from unauthenticated clients. */
export const MAX_LOGIN_BYTES = 512 * 1024
/** A login within this time after the last one is rejected. */
const MIN_REAUTHENTICATION_MS = 1_000
const NOTHING = Buffer.alloc(0)

export class Login {
  #state: State
  readonly #server: SaslServer | undefined
  readonly #nowMs: () => number
  readonly #onFailure: (error: unknown) => void

  /** `principal` is that of the client before its login: from its certificate, or anonymous. */
  constructor(
    server: SaslServer | undefined,
    principal: string,
    nowMs: () => number,
    onFailure: (error: unknown) => void,
  ) {
    this.#server = server
    this.#nowMs = nowMs
    this.#onFailure = onFailure
    this.#state =
      server === undefined
        ? {
            name: 'done',
            principal,
            mechanism: undefined,
            isByToken: false,
            sinceMs: -Infinity,
            endsAtMs: Infinity,
          }
        : { name: 'start' }
  }

  /** Undefined before the login. */
  get principal(): string | undefined {
    const state = this.#state
    if (state.name === 'done') return state.principal
    return state.name === 'exchange' ? state.before?.principal : undefined
  }

  /** Whether the client has logged in with a delegation token. */
  get isByToken(): boolean {
    return this.#state.name === 'done' && this.#state.isByToken
  }

  /** Whether the client is authenticated, by SASL or by a certificate. */
  get isAuthenticated(): boolean {
    return this.principal !== undefined && this.principal !== ANONYMOUS
  }

  get isDone(): boolean {
    return this.#state.name === 'done'
  }

  /** Whether the login has failed: the connection must then be closed. */
  get hasFailed(): boolean {
    return this.#state.name === 'failed'
  }

  /** Whether the next frame is a token rather than a request. */
  get expectsToken(): boolean {
    return this.#state.name === 'exchange' && !this.#state.isFramed
  }

  /** Called before each request is executed. */
  admits(api: string): Admission {
    const state = this.#state
    switch (state.name) {
      case 'start':
        if (api === 'ApiVersions') this.#state = { name: 'handshake' }
        return api === 'ApiVersions' || api === 'SaslHandshake' ? 'admitted' : 'closed'
      case 'handshake':
        return api === 'SaslHandshake' ? 'admitted' : 'closed'
      case 'exchange':
        return api === 'SaslAuthenticate' ? 'admitted' : 'refused'
      case 'done':
        return this.#nowMs() < state.endsAtMs || api === 'SaslHandshake' ? 'admitted' : 'closed'
      case 'failed':
        return 'closed'
    }
  }

  handshake(mechanism: string, version: number): HandshakeAnswer {
    const state = this.#state
    const server = this.#server
    const before = state.name === 'done' ? state : undefined
    const isTooSoon =
      before !== undefined && this.#nowMs() - before.sinceMs < MIN_REAUTHENTICATION_MS
    if (server === undefined || isTooSoon) {
      return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] }
    }
    const { mechanisms } = server
    const exchange = server.exchange(mechanism)
    if (exchange === undefined) {
      this.#fail(new SaslFailure(`the mechanism '${mechanism}' is not enabled`))
      return { errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms }
    }
    this.#state = { name: 'exchange', mechanism, exchange, isFramed: version > 0, before }
    return { errorCode: 0, mechanisms }
  }

  /** Takes the next token. The response to a token in a frame of its own is its `authBytes`. */
  async authenticate(token: Buffer): Promise<TokenAnswer> {
    const state = this.#state
    if (state.name !== 'exchange') {
      return refusal(
        ErrorCode.ILLEGAL_SASL_STATE,
        'SaslAuthenticate request received after successful authentication',
      )
    }
    try {
      checkMechanism(state.mechanism, state.before)
      const step = await state.exchange.next(token)
      if (step.kind === 'challenge') return answer(step.token, 0)
      checkPrincipal(step.principal, state.before)
      const sessionLifetimeMs = this.#lifetimeMs(step.lifetimeMs)
      const nowMs = this.#nowMs()
      this.#state = {
        name: 'done',
        principal: step.principal,
        mechanism: state.mechanism,
        isByToken: step.isByToken ?? false,
        sinceMs: nowMs,
        endsAtMs: sessionLifetimeMs === undefined ? Infinity : nowMs + sessionLifetimeMs,
      }
      return answer(step.token, sessionLifetimeMs ?? 0)
    } catch (error) {
      this.#fail(error)
      const how = state.before === undefined ? 'authentication' : 'reauthentication'
      const clientMessage = error instanceof SaslFailure ? error.clientMessage : undefined
      return refusal(
        ErrorCode.SASL_AUTHENTICATION_FAILED,
        clientMessage ??
          `Authentication failed during ${how} due to invalid credentials with SASL mechanism ${state.mechanism}`,
      )
    }
  }

  #fail(error: unknown): void {
    this.#state = { name: 'failed' }
    this.#onFailure(error)
  }

  #lifetimeMs(ofCredentials: number | undefined): number | undefined {
    const { maxReauthMs = 0 } = this.#server ?? {}
    const most = Math.min(ofCredentials ?? Infinity, maxReauthMs > 0 ? maxReauthMs : Infinity)
    return most === Infinity ? undefined : Math.max(0, Math.floor(most))
  }
}

function checkMechanism(mechanism: string, before: LoggedIn | undefined): void {
  if (before === undefined || before.mechanism === mechanism) return
  const message = `SASL mechanism '${mechanism}' requested by client is not supported for re-authentication of mechanism '${before.mechanism}'`
  throw new SaslFailure(message, message)
}

function checkPrincipal(principal: string, before: LoggedIn | undefined): void {
  if (before === undefined || before.principal === principal) return
  const message = `Cannot change principals during re-authentication from ${before.principal} to ${principal}`
  throw new SaslFailure(message, message)
}

function answer(authBytes: Buffer, sessionLifetimeMs: number): TokenAnswer {
  const sessionLifetime = BigInt(sessionLifetimeMs)
  return { errorCode: 0, errorMessage: '', authBytes, sessionLifetimeMs: sessionLifetime }
}

function refusal(errorCode: number, errorMessage: string): TokenAnswer {
  return { errorCode, errorMessage, authBytes: NOTHING, sessionLifetimeMs: 0n }
}
