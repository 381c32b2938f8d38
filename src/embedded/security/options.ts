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
import { checkTable, type OptionTable } from '../../option-table.ts'
import type { TokenValidator } from './oauthbearer.ts'
import { SASL_MECHANISMS, type SaslMechanismName } from './sasl-mechanism.ts'

/** PEM text, or its bytes. */
export type PemContent = string | Uint8Array

/** TLS at a listener of an embedded cluster. */
export interface EmbeddedTlsOptions {
  /** The brokers' certificate for `127.0.0.1` as PEM, with its chain up to the authority. Required. */
  readonly cert: PemContent
  /** The private key of the certificate, as PEM. Required. */
  readonly key: PemContent
  /** The passphrase of the key. */
  readonly passphrase?: string
  /** The authorities of clients' certificates. Default: those that the system trusts. */
  readonly ca?: PemContent | readonly PemContent[]
  /** Whether clients need a certificate, as Kafka's `ssl.client.auth`. Default: `none`. */
  readonly clientAuth?: 'none' | 'requested' | 'required'
}

/** A user's passwords by mechanism; the user cannot log in with other mechanisms. */
export type MechanismPasswords = Readonly<
  Partial<Record<Exclude<SaslMechanismName, 'OAUTHBEARER'>, string>>
>

/** SASL at a listener of an embedded cluster. */
export interface EmbeddedSaslOptions {
  /**
   * The mechanisms that clients may use. Default: PLAIN and SCRAM if there are `users`, OAUTHBEARER
   * if there is `validateToken`.
   */
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
   * connection is closed (KIP-368; Kafka's `connections.max.reauth.ms`); 0: a login does not end. Default: 0.
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

/** The checks and defaults of `EmbeddedTlsOptions`. */
export const EMBEDDED_TLS_OPTIONS = {
  cert: { check: aPem, required: true },
  key: { check: aPem, required: true },
  passphrase: { check: aString },
  ca: { check: either(aPem, anArrayOf(aPem)), defaultText: 'those that the system trusts' },
  clientAuth: { check: oneOf('none', 'requested', 'required'), default: 'none' },
} as const satisfies OptionTable<EmbeddedTlsOptions>

/** The checks and defaults of `EmbeddedSaslOptions`. */
export const EMBEDDED_SASL_OPTIONS = {
  mechanisms: {
    check: anArrayOf(oneOf(...SASL_MECHANISMS)),
    defaultText: 'PLAIN and SCRAM if there are `users`, OAUTHBEARER if there is `validateToken`',
  },
  users: { check: anObject },
  validateToken: { check: aFunction },
  maxReauthMs: { check: anInteger(0), default: 0 },
} as const satisfies OptionTable<EmbeddedSaslOptions>

/** The option with which clients log in, for each mechanism; where it is set, the mechanism is a default. */
const LOGS_IN_WITH: Readonly<Record<SaslMechanismName, 'users' | 'validateToken'>> = {
  PLAIN: 'users',
  'SCRAM-SHA-256': 'users',
  'SCRAM-SHA-512': 'users',
  OAUTHBEARER: 'validateToken',
}

/** Throws InvalidArgumentError. */
export function checkTlsOptions(options: EmbeddedTlsOptions): void {
  checkTable('tls', options, EMBEDDED_TLS_OPTIONS)
}

/** Throws InvalidArgumentError. */
export function checkSaslOptions(options: EmbeddedSaslOptions): void {
  checkTable('sasl', options, EMBEDDED_SASL_OPTIONS)
  const mechanisms = mechanismsOf(options)
  if (mechanisms.length === 0) {
    throw new InvalidArgumentError("sasl: 'users' or 'validateToken' is missing")
  }
  for (const mechanism of mechanisms) {
    const needed = LOGS_IN_WITH[mechanism]
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

/** The mechanisms that the options name, or by default those whose option they set. */
export function mechanismsOf(options: EmbeddedSaslOptions): readonly SaslMechanismName[] {
  return (
    options.mechanisms ??
    SASL_MECHANISMS.filter((name) => options[LOGS_IN_WITH[name]] !== undefined)
  )
}
