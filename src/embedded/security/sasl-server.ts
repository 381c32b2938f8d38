import { oauthBearerExchange } from './oauthbearer.ts'
import { mechanismsOf, passwordsFor, type EmbeddedSaslOptions } from './options.ts'
import { plainExchange } from './plain.ts'
import type { SaslMechanismName, SaslServerExchange } from './sasl-mechanism.ts'
import type { ScramMechanismName } from './scram-credentials.ts'
import { ScramUsers, type ScramDirectory } from './scram.ts'

/** The mechanisms of the brokers, and the lifetime of a login. */
export interface SaslServer {
  readonly mechanisms: readonly string[]
  /** 0 means forever. */
  readonly maxReauthMs: number
  /** Starts a login. Undefined for an unknown mechanism. */
  exchange(mechanism: string): SaslServerExchange | undefined
}

export function saslServer(options: EmbeddedSaslOptions, directory: ScramDirectory): SaslServer {
  const mechanisms = mechanismsOf(options)
  const plain = passwordsFor('PLAIN', options)
  const scramUsers = (name: ScramMechanismName) =>
    new ScramUsers(name, passwordsFor(name, options), directory)
  const sha256 = scramUsers('SCRAM-SHA-256')
  const sha512 = scramUsers('SCRAM-SHA-512')
  const validate = options.validateToken ?? (() => undefined)
  const exchanges: Readonly<Record<SaslMechanismName, () => SaslServerExchange>> = {
    PLAIN: () => plainExchange(plain),
    'SCRAM-SHA-256': () => sha256.exchange(),
    'SCRAM-SHA-512': () => sha512.exchange(),
    OAUTHBEARER: () => oauthBearerExchange(validate),
  }
  return {
    mechanisms,
    maxReauthMs: options.maxReauthMs ?? 0,
    exchange(wanted) {
      const mechanism = mechanisms.find((name) => name === wanted)
      return mechanism === undefined ? undefined : exchanges[mechanism]()
    },
  }
}
