/** A token for OAUTHBEARER (KIP-255). */
export interface OAuthBearerToken {
  /** The token as the broker is to get it, such as a JWT. */
  readonly value: string
  /** Further properties for the broker, such as `logicalCluster` (KIP-342). */
  readonly extensions?: Readonly<Record<string, string>>
  /** How long the token can be used from now on: it is kept for that long. Left out, it is used once. */
  readonly lifetimeMs?: number
}

/** Where tokens come from. It is asked again when the last token has run out, or was refused. */
export type TokenProvider = () => OAuthBearerToken | Promise<OAuthBearerToken>
