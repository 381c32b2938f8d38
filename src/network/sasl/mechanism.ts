import type { Address } from '../address.ts'

/** One login with SASL on one connection. */
export interface SaslExchange {
  /**
   * Returns the next message for the broker. `challenge` is the broker's last message, empty at the first call.
   * An empty message is not sent once `isComplete` is true, except as the first message: a mechanism whose server begins
   * returns an empty message at the first call. Throws AuthenticationError if the broker's proof is wrong.
   */
  next(challenge: Buffer): Promise<Buffer> | Buffer
  /** True when the mechanism needs no further message from the broker: the broker's proof, if any, is verified. */
  readonly isComplete: boolean
  /**
   * Returns the text without the password or token of this exchange, because some brokers and proxies repeat in an
   * error message what they received. Default: the text is not changed.
   */
  conceal?(text: string): string
  /**
   * The error that the broker reported within the exchange. It is thrown after the last message has been sent. If it is
   * set when `rejected` has returned, it is thrown instead of the error that describes the broker's error code.
   */
  readonly refusal?: Error | undefined
  /**
   * Called once if the broker rejects the login, by an error code, by a message of the mechanism, or (before Kafka 1.0)
   * by closing the connection. A mechanism that caches credentials drops them here, so that the next login gets new ones.
   * The login fails when the promise resolves, if one is returned. Must neither throw nor reject.
   */
  rejected?(): void | Promise<void>
}

/** What a SASL mechanism knows about the connection: the broker's address, and the signal that ends the login. */
export interface SaslContext extends Address {
  /** Aborted when no caller waits for the connection any more. */
  readonly signal?: AbortSignal | undefined
}

/** A SASL mechanism. One object serves all connections of a client. Applications can pass their own. */
export interface SaslMechanism {
  /** The name that Kafka uses: PLAIN, SCRAM-SHA-256, … */
  readonly name: string
  /**
   * What the mechanism sends that others could log in with, such as `the password`. Without TLS the client warns of it.
   * Default: nothing, as with SCRAM.
   */
  readonly sendsSecret?: string
  /** Starts an exchange for a connection to this broker. */
  start(context: SaslContext): Promise<SaslExchange> | SaslExchange
}
