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

/** Text as PEM, or its bytes. */
export type Pem = string | Uint8Array

/** TLS at a listener of an embedded cluster. */
export interface EmbeddedTlsOptions {
  /** The brokers' certificate, with those that lead to its authority; for `127.0.0.1`. */
  readonly cert: Pem
  /** The private key of the certificate, as PEM. */
  readonly key: Pem
  /** Of the key. */
  readonly passphrase?: string
  /** The authorities of clients' certificates. Default: those that the system knows. */
  readonly ca?: Pem | readonly Pem[]
  /** Whether clients need a certificate, as Kafka's `ssl.client.auth`. Default: `none`. */
  readonly clientAuth?: 'none' | 'requested' | 'required'
}

/** A user's passwords; with other mechanisms the user can't log in. */
export type MechanismPasswords = Readonly<
  Partial<Record<Exclude<SaslMechanismName, 'OAUTHBEARER'>, string>>
>

/** Login at a listener of an embedded cluster. */
export interface EmbeddedSaslOptions {
  /** Default: PLAIN and SCRAM if there are `users`, OAUTHBEARER if there is `validateToken`. */
  readonly mechanisms?: readonly SaslMechanismName[]
  /** Passwords by user name, for PLAIN and SCRAM: one for all mechanisms, or one for each that is named. */
  readonly users?: Readonly<Record<string, string | MechanismPasswords>>
  /** For OAUTHBEARER: whose token it is. It is undefined for a token that is good for nothing. */
  readonly validateToken?: TokenValidator
  /**
   * How long a login lasts: then clients have to log in again on the same connection, or it is closed
   * (KIP-368; Kafka's `connections.max.reauth.ms`). Default: 0, which is for ever.
   */
  readonly maxReauthMs?: number
}

/** Kafka's names for how a listener is secured; its default names of listeners, too. */
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
    : 'must be PEM, as a string or bytes'

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
    throw new InvalidArgumentError("sasl: there have to be 'users' or 'validateToken'")
  }
  for (const mechanism of mechanisms) {
    const needed = mechanism === 'OAUTHBEARER' ? 'validateToken' : 'users'
    if (options[needed] === undefined) {
      throw new InvalidArgumentError(`sasl: ${mechanism} needs option '${needed}'`)
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
    throw new InvalidArgumentError(`sasl: user '${user}' needs a name and a password`)
  }
}

/** The passwords by user name that a mechanism knows. */
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
