import {
  OTHER_AUTHORIZATION_ID,
  SaslFailure,
  type SaslServerExchange,
  type SaslStep,
} from './sasl-mechanism.ts'

/** The credentials that a client sends (RFC 7628, KIP-255). */
export interface PresentedToken {
  /** The token as the client sent it. */
  readonly value: string
  /** SASL extensions such as `logicalCluster` (KIP-342). */
  readonly extensions: Readonly<Record<string, string>>
}

/** The owner of a token. */
export interface TokenOwner {
  readonly name: string
  /** How long the token remains valid; the session then ends (KIP-368). Default: forever. */
  readonly lifetimeMs?: number
}

/** Validates a token and returns its owner; undefined for an invalid token. */
export type TokenValidator = (
  token: PresentedToken,
) => TokenOwner | undefined | Promise<TokenOwner | undefined>

const HEADER = /^n,(?:a=([^,]*))?,$/
const PAIR = /^([A-Za-z]+)=([\x20-\x7e\t\r\n]*)$/
const BEARER = /^Bearer +([-A-Za-z0-9._~+/]+=*)$/i
/** Ends each part of the message; a client also sends it alone to acknowledge a rejection. */
const SEPARATOR = '\x01'
/** RFC 7628, section 3.2.2. */
const REFUSAL = '{"status":"invalid_token"}'

/** Steps: the token → done, or a rejection, which the client acknowledges. */
export function oauthBearerExchange(validate: TokenValidator): SaslServerExchange {
  let isRefused = false
  return {
    async next(token): Promise<SaslStep> {
      const message = token.toString()
      if (isRefused) {
        throw new SaslFailure(
          message === SEPARATOR
            ? 'the token was rejected'
            : 'the client continues after the rejection',
          REFUSAL,
        )
      }
      const { authorizationId, presented } = read(message)
      const owner = await validate(presented)
      if (owner === undefined) {
        isRefused = true
        return { kind: 'challenge', token: Buffer.from(REFUSAL) }
      }
      if (authorizationId !== '' && authorizationId !== owner.name) {
        throw new SaslFailure(OTHER_AUTHORIZATION_ID, OTHER_AUTHORIZATION_ID)
      }
      const { name, lifetimeMs } = owner
      return { kind: 'done', token: Buffer.alloc(0), principal: `User:${name}`, lifetimeMs }
    },
  }
}

function read(message: string): { authorizationId: string; presented: PresentedToken } {
  // Each part ends with a separator, and so does the whole message.
  const [header = '', ...parts] = message.split(SEPARATOR)
  const begin = HEADER.exec(header)
  if (begin === null || parts.splice(-2).join() !== ',') {
    throw new SaslFailure('the first message of the client is not valid')
  }
  const values = new Map<string, string>()
  for (const part of parts) {
    const [, name, value] = PAIR.exec(part) ?? []
    if (name === undefined || value === undefined)
      throw new SaslFailure('a key-value pair has no key')
    values.set(name, value)
  }
  const value = BEARER.exec(values.get('auth') ?? '')?.[1]
  if (value === undefined) throw new SaslFailure('the bearer token is missing')
  values.delete('auth')
  const extensions = Object.fromEntries(values)
  return { authorizationId: begin[1] ?? '', presented: { value, extensions } }
}
