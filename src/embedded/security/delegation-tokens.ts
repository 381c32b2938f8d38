import { createHmac } from 'node:crypto'
import { newUuid } from '../cluster/uuid.ts'
import { Refused } from '../refused.ts'
import type { ClusterStorage } from '../storage/cluster-storage.ts'

/**
 * A token with which a client logs in as the token's owner (KIP-48). Times are milliseconds since
 * 1970.
 */
export interface DelegationToken {
  readonly tokenId: string
  readonly owner: string
  readonly requester: string
  readonly renewers: readonly string[]
  readonly issueMs: number
  readonly maxMs: number
  readonly expiryMs: number
}

/** Kafka's delegation.token.max.lifetime.ms and delegation.token.expiry.time.ms. */
const MAX_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000
const EXPIRY_MS = 24 * 60 * 60 * 1000

export class DelegationTokens {
  readonly #secretKey: string | undefined
  readonly #storage: ClusterStorage
  readonly #tokens: Map<string, DelegationToken>

  /** Tokens need a secret key, from which their HMACs are computed. */
  constructor(secretKey: string | undefined, storage: ClusterStorage) {
    this.#secretKey = secretKey
    this.#storage = storage
    this.#tokens = new Map(
      storage.saved.tokens.map(({ kind: _, ...token }) => [token.tokenId, token]),
    )
  }

  get isEnabled(): boolean {
    return this.#secretKey !== undefined
  }

  all(nowMs: number): readonly DelegationToken[] {
    this.#forgetExpired(nowMs)
    return [...this.#tokens.values()]
  }

  /** Undefined if it does not exist, or has expired. */
  find(tokenId: string, nowMs: number): DelegationToken | undefined {
    const token = this.#tokens.get(tokenId)
    return token === undefined || token.expiryMs < nowMs ? undefined : token
  }

  hmacOf(tokenId: string): Buffer {
    return createHmac('sha512', this.#secretKey ?? '')
      .update(tokenId)
      .digest()
  }

  create(
    of: Pick<DelegationToken, 'owner' | 'requester' | 'renewers'>,
    maxLifetimeMs: number,
    nowMs: number,
  ): DelegationToken {
    const lifetimeMs =
      maxLifetimeMs < 0 ? MAX_LIFETIME_MS : Math.min(maxLifetimeMs, MAX_LIFETIME_MS)
    const maxMs = nowMs + lifetimeMs
    const expiryMs = Math.min(maxMs, nowMs + EXPIRY_MS)
    const tokenId = newUuid()
    const token = { ...of, tokenId, issueMs: nowMs, maxMs, expiryMs }
    this.#save(token)
    return token
  }

  /** Returns the new expiry time. Throws Refused. */
  renew(hmac: Buffer, principal: string, periodMs: number, nowMs: number): number {
    const token = this.#tokenOf(hmac, principal)
    if (token.maxMs < nowMs || token.expiryMs < nowMs) throw new Refused('DELEGATION_TOKEN_EXPIRED')
    const wantedMs = nowMs + (periodMs < 0 ? EXPIRY_MS : periodMs)
    const expiryMs = Math.min(token.maxMs, wantedMs)
    this.#save({ ...token, expiryMs })
    return expiryMs
  }

  /** A negative period deletes the token. Returns the new expiry time. Throws Refused. */
  expire(hmac: Buffer, principal: string, periodMs: number, nowMs: number): number {
    const token = this.#tokenOf(hmac, principal)
    if (periodMs < 0) {
      this.#delete(token.tokenId)
      return nowMs
    }
    if (token.maxMs < nowMs || token.expiryMs < nowMs) throw new Refused('DELEGATION_TOKEN_EXPIRED')
    const expiryMs = Math.min(token.maxMs, nowMs + periodMs)
    this.#save({ ...token, expiryMs })
    return expiryMs
  }

  /** Throws Refused. */
  #tokenOf(hmac: Buffer, principal: string): DelegationToken {
    const token = [...this.#tokens.values()].find(({ tokenId }) =>
      this.hmacOf(tokenId).equals(hmac),
    )
    if (token === undefined) throw new Refused('DELEGATION_TOKEN_NOT_FOUND')
    const { owner, requester, renewers } = token
    if (![owner, requester, ...renewers].includes(principal)) {
      throw new Refused('DELEGATION_TOKEN_OWNER_MISMATCH')
    }
    return token
  }

  #save(token: DelegationToken): void {
    this.#storage.save({ kind: 'token', ...token })
    this.#tokens.set(token.tokenId, token)
  }

  #delete(tokenId: string): void {
    this.#storage.save({ kind: 'tokenDeleted', tokenId })
    this.#tokens.delete(tokenId)
  }

  #forgetExpired(nowMs: number): void {
    for (const { tokenId, expiryMs } of this.#tokens.values()) {
      if (expiryMs < nowMs) this.#delete(tokenId)
    }
  }
}
