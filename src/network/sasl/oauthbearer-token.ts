/** A token for OAUTHBEARER (KIP-255). */
export interface OAuthBearerToken {
  /** The token that is sent to the broker, such as a JWT. */
  readonly value: string
  /** Further properties for the broker, such as `logicalCluster` (KIP-342). */
  readonly extensions?: Readonly<Record<string, string>>
  /** How long the token is valid from now on. All connections share it for 80 % of this time. Default: it is used once. */
  readonly lifetimeMs?: number
}

/** Returns a token. Called again when the last token is about to expire, or a broker has rejected it. */
export type TokenProvider = () => OAuthBearerToken | Promise<OAuthBearerToken>
