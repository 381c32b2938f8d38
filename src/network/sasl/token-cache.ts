import { abortable } from '../../async/abortable.ts'
import { limited } from '../../async/limited.ts'
import type { OAuthBearerToken, TokenProvider } from './oauthbearer-token.ts'

/** A new token is asked for when this much of the last one's life is over, as Kafka's own client does. */
const USABLE_PART = 0.8

/** How long a provider may take: less than a login may. */
const PROVIDER_MS = 20_000

/** One token for all connections: many that open at once ask for it once. */
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

  /** The broker has refused it: keys change, and tokens are revoked. */
  drop(token: OAuthBearerToken): void {
    if (this.#token === token) this.#token = undefined
  }

  async #ask(): Promise<OAuthBearerToken> {
    const askedAt = performance.now()
    // One that never answers must not be waited for by every later login.
    const token = await limited(this.#providerMs, undefined, (signal) =>
      abortable(Promise.resolve(this.#provider()), signal),
    )
    this.#token = token
    // From when it was asked for: how long the answer was on its way isn't known.
    this.#usableUntil = askedAt + lifetimeOf(token) * USABLE_PART
    return token
  }
}

/** The provider is the application's: its token may be anything, which is told when it is used. */
function lifetimeOf(token: unknown): number {
  if (typeof token !== 'object' || token === null || !('lifetimeMs' in token)) return 0
  const { lifetimeMs } = token
  return typeof lifetimeMs === 'number' && lifetimeMs > 0 ? lifetimeMs : 0
}
