/** The outcome of a login, or the next challenge for the client. */
export type SaslStep =
  | { readonly kind: 'challenge'; readonly token: Buffer }
  | {
      readonly kind: 'done'
      readonly token: Buffer
      /** As Kafka writes it: `User:alice`. */
      readonly principal: string
      /**
       * Whether the client used a delegation token, with which it cannot create another one.
       * Default: false.
       */
      readonly isByToken?: boolean
      /** How long the credentials are valid; undefined means forever. */
      readonly lifetimeMs: number | undefined
    }

/** The broker's side of one login. Throws SaslFailure. */
export interface SaslServerExchange {
  next(token: Buffer): SaslStep | Promise<SaslStep>
}

export const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
/** The SASL mechanisms of an embedded cluster. */
export type SaslMechanismName = (typeof SASL_MECHANISMS)[number]

/** Why a login failed. */
export class SaslFailure extends Error {
  override readonly name = 'SaslFailure'
  /** The message for the client; undefined: Kafka's message for invalid credentials. */
  readonly clientMessage: string | undefined

  constructor(message: string, clientMessage?: string) {
    super(message)
    this.clientMessage = clientMessage
  }
}

/** Kafka's message when a user asks to act for another one, which no mechanism allows here. */
export const OTHER_AUTHORIZATION_ID =
  'Authentication failed: Client requested an authorization id that is different from username'
