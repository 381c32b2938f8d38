import { InvalidArgumentError } from '../../errors.ts'
import {
  aFunction,
  anArrayOf,
  anInteger,
  anObject,
  aString,
  checkOptions,
  either,
  oneOf,
  type Check,
} from '../../options.ts'
import type { TokenValidator } from './oauthbearer.ts'
import { SASL_MECHANISMS, type SaslMechanismName } from './sasl-mechanism.ts'

/** PEM text, or its bytes. */
export type Pem = string | Uint8Array

/** TLS at a listener of an embedded cluster. */
export interface EmbeddedTlsOptions {
  /** The brokers' certificate for `127.0.0.1`, with its chain up to the authority. */
  readonly cert: Pem
  /** The private key of the certificate, as PEM. */
  readonly key: Pem
  /** The passphrase of the key. */
  readonly passphrase?: string
  /** The authorities of clients' certificates. Default: those that the system trusts. */
  readonly ca?: Pem | readonly Pem[]
  /** Whether clients need a certificate, as Kafka's `ssl.client.auth`. Default: `none`. */
  readonly clientAuth?: 'none' | 'requested' | 'required'
}

/** A user's passwords by mechanism; the user cannot log in with other mechanisms. */
export type MechanismPasswords = Readonly<
  Partial<Record<Exclude<SaslMechanismName, 'OAUTHBEARER'>, string>>
>

/** SASL at a listener of an embedded cluster. */
export interface EmbeddedSaslOptions {
  /** Default: PLAIN and SCRAM if there are `users`, OAUTHBEARER if there is `validateToken`. */
  readonly mechanisms?: readonly SaslMechanismName[]
  /**
   * Passwords by user name, for PLAIN and SCRAM: one for all mechanisms, or one for each named
   * mechanism.
   */
  readonly users?: Readonly<Record<string, string | MechanismPasswords>>
  /** For OAUTHBEARER: returns the owner of a token, or undefined for an invalid token. */
  readonly validateToken?: TokenValidator
  /**
   * How long a login lasts. Clients must log in again on the same connection before it ends, or the
   * connection is closed (KIP-368; Kafka's `connections.max.reauth.ms`). Default: 0, which means
   * forever.
   */
  readonly maxReauthMs?: number
}

/** Kafka's names of security protocols, which are also its default names of listeners. */
export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

export function securityProtocolOf(
  tls: object | undefined,
  sasl: object | undefined,
): SecurityProtocol {
  if (sasl === undefined) return tls === undefined ? 'PLAINTEXT' : 'SSL'
  return tls === undefined ? 'SASL_PLAINTEXT' : 'SASL_SSL'
}

const aPem: Check = (value) =>
  value instanceof Uint8Array || (typeof value === 'string' && value.includes('-----BEGIN '))
    ? undefined
    : 'must be PEM as a string or bytes'

/** Throws InvalidArgumentError. */
export function checkTlsOptions(options: EmbeddedTlsOptions): void {
  checkOptions<EmbeddedTlsOptions>('tls', options, {
    cert: aPem,
    key: aPem,
    passphrase: aString,
    ca: either(aPem, anArrayOf(aPem)),
    clientAuth: oneOf('none', 'requested', 'required'),
  })
  for (const name of ['cert', 'key'] as const) {
    if ((options[name] as unknown) === undefined) {
      throw new InvalidArgumentError(`tls: option '${name}' is missing`)
    }
  }
}

/** Throws InvalidArgumentError. */
export function checkSaslOptions(options: EmbeddedSaslOptions): void {
  checkOptions<EmbeddedSaslOptions>('sasl', options, {
    mechanisms: anArrayOf(oneOf(...SASL_MECHANISMS)),
    users: anObject,
    validateToken: aFunction,
    maxReauthMs: anInteger(0),
  })
  const mechanisms = mechanismsOf(options)
  if (mechanisms.length === 0) {
    throw new InvalidArgumentError("sasl: 'users' or 'validateToken' is missing")
  }
  for (const mechanism of mechanisms) {
    const needed = mechanism === 'OAUTHBEARER' ? 'validateToken' : 'users'
    if (options[needed] === undefined) {
      throw new InvalidArgumentError(`sasl: ${mechanism} requires option '${needed}'`)
    }
  }
  for (const [name, password] of Object.entries(options.users ?? {})) {
    checkPasswords(name, password)
  }
}

/** Throws InvalidArgumentError. */
function checkPasswords(user: string, given: string | MechanismPasswords): void {
  if (typeof given !== 'string') {
    checkOptions<MechanismPasswords>(`sasl: user '${user}'`, given, {
      PLAIN: aString,
      'SCRAM-SHA-256': aString,
      'SCRAM-SHA-512': aString,
    })
  }
  const passwords: readonly unknown[] = typeof given === 'string' ? [given] : Object.values(given)
  const areRight = passwords.every((value) => typeof value === 'string' && value !== '')
  if (user === '' || passwords.length === 0 || !areRight) {
    throw new InvalidArgumentError(`sasl: user '${user}' must have a name and a password`)
  }
}

/** The passwords by user name for one mechanism. */
export function passwordsFor(
  mechanism: Exclude<SaslMechanismName, 'OAUTHBEARER'>,
  { users = {} }: EmbeddedSaslOptions,
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(users).flatMap(([name, passwords]) => {
      const password = typeof passwords === 'string' ? passwords : passwords[mechanism]
      return password === undefined ? [] : [[name, password]]
    }),
  )
}

export function mechanismsOf({
  mechanisms,
  users,
  validateToken,
}: EmbeddedSaslOptions): readonly SaslMechanismName[] {
  return (
    mechanisms ??
    SASL_MECHANISMS.filter((name) =>
      name === 'OAUTHBEARER' ? validateToken !== undefined : users !== undefined,
    )
  )
}
