import { concealer } from './conceal.ts'
import type { SaslContext, SaslExchange, SaslMechanism } from './mechanism.ts'
import { reveal, type Secret } from './secret.ts'

/** Login with PLAIN (RFC 4616), Kafka 0.10 or newer. */
export interface PlainOptions {
  /** Selects PLAIN. Required. */
  readonly mechanism: 'PLAIN'
  /** The name of the user. Required. */
  readonly username: string
  /**
   * The password, or a function that each new connection calls for it. It is sent unencrypted: use PLAIN with TLS only.
   * Required.
   */
  readonly password: Secret
}

/** Sends user name and password unencrypted (RFC 4616). */
export class PlainMechanism implements SaslMechanism {
  readonly name = 'PLAIN'
  readonly sendsSecret = 'the password'
  readonly #username: string
  readonly #password: Secret

  constructor(username: string, password: Secret) {
    this.#username = username
    this.#password = password
  }

  async start(context: SaslContext): Promise<SaslExchange> {
    const password = await reveal(this.#password, 'password', this.name, context)
    // The first part, the user to act for, is empty: Kafka accepts only the user's own name.
    const message = Buffer.from(`\0${this.#username}\0${password}`)
    const conceal = concealer(password, message.toString())
    return { isComplete: true, next: () => message, conceal }
  }
}
