import { bounded } from '../../async/bounded.ts'
import type { OAuthBearerToken, TokenProvider } from './oauthbearer-token.ts'

/** The share of a token's lifetime after which the cache gets a new one. The Java client uses the same share. */
const USABLE_PART = 0.8

/** The time limit of a provider: less than that of a login (LOGIN_MS). */
const PROVIDER_MS = 20_000

/** Keeps one token for all connections. Connections that open at the same time share one call of the provider. */
export class TokenCache {
  readonly #provider: TokenProvider
  readonly #providerMs: number
  #token: OAuthBearerToken | undefined
  #usableUntil = 0
  #pending: Promise<OAuthBearerToken> | undefined

  constructor(provider: TokenProvider, providerMs = PROVIDER_MS) {
    this.#provider = provider
    this.#providerMs = providerMs
  }

  async get(): Promise<OAuthBearerToken> {
    if (this.#token !== undefined && performance.now() < this.#usableUntil) return this.#token
    this.#pending ??= this.#ask().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  /** Called when a broker has rejected the token, because its key was changed or the token was revoked. */
  drop(token: OAuthBearerToken): void {
    if (this.#token === token) this.#token = undefined
  }

  async #ask(): Promise<OAuthBearerToken> {
    const askedAt = performance.now()
    // Without the limit, a provider that never returns would block every later login.
    const token = await bounded(this.#providerMs, undefined, () =>
      Promise.resolve(this.#provider()),
    )
    this.#token = token
    // From the time of the call, because the time that the response needed is not known.
    this.#usableUntil = askedAt + lifetimeOf(token) * USABLE_PART
    return token
  }
}

/** Returns 0 for a token without a valid lifetime. The mechanism checks the token when it is used. */
function lifetimeOf(token: unknown): number {
  if (typeof token !== 'object' || token === null || !('lifetimeMs' in token)) return 0
  const { lifetimeMs } = token
  return typeof lifetimeMs === 'number' && lifetimeMs > 0 ? lifetimeMs : 0
}
