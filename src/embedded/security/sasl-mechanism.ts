/** What a login comes to, or the next thing that the client is to answer. */
export type SaslStep =
  | { readonly kind: 'challenge'; readonly token: Buffer }
  | {
      readonly kind: 'done'
      readonly token: Buffer
      /** As Kafka writes it: `User:alice`. */
      readonly principal: string
      /** By a delegation token, which may not get another one. Default: false. */
      readonly isByToken?: boolean
      /** How long the credentials are good for; undefined: for ever. */
      readonly lifetimeMs: number | undefined
    }

/** One login, seen by the broker. Throws SaslFailure. */
export interface SaslServerExchange {
  next(token: Buffer): SaslStep | Promise<SaslStep>
}

export const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
/** The SASL mechanisms of an embedded cluster. */
export type SaslMechanismName = (typeof SASL_MECHANISMS)[number]

/** Why a login failed. */
export class SaslFailure extends Error {
  override readonly name = 'SaslFailure'
  /** What the client is told; undefined: that its credentials are wrong, as Kafka puts it. */
  readonly told: string | undefined

  constructor(message: string, told?: string) {
    super(message)
    this.told = told
  }
}

/** Kafka's words where a mechanism lets users act for others, which none does. */
export const OTHER_AUTHORIZATION_ID =
  'Authentication failed: Client requested an authorization id that is different from username'
