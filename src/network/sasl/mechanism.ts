import type { Address } from '../address.ts'

/** One SASL exchange. The connection sends what `next` gives until it is done. */
export interface SaslExchange {
  /**
   * Takes the broker's challenge (empty at first) and gives the answer. An empty answer of an exchange that
   * is complete is not sent. Throws AuthenticationError where the broker's proof is wrong.
   */
  next(challenge: Buffer): Promise<Buffer> | Buffer
  /** Whether nothing more is expected of the broker than its consent: its proof, if any, has been checked. */
  readonly isComplete: boolean
  /**
   * The text without this exchange's password or token: some brokers and proxies repeat in a refusal what they
   * were sent. Default: the text as it is.
   */
  conceal?(text: string): string
  /** Set once the broker has refused within the exchange: thrown when the last answer has been sent. */
  readonly refusal?: Error | undefined
}

/** What a SASL mechanism knows of the connection: the broker's address, and what ends the login. */
export interface SaslContext extends Address {
  /** Aborted when no caller waits for the connection any more. */
  readonly signal?: AbortSignal | undefined
}

/** A way to log in. One serves all connections of a client; others than samsa's own can be given. */
export interface SaslMechanism {
  /** Kafka's name: PLAIN, SCRAM-SHA-256, … */
  readonly name: string
  /** A new exchange for a connection to this broker. */
  start(context: SaslContext): Promise<SaslExchange> | SaslExchange
}
