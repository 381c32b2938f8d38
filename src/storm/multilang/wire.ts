import type { Outgoing } from './messages.ts'

/** The encoding of messages. Storm has a class for each: `topology.multilang.serializer`. */
export interface Wire {
  /**
   * Returns the complete messages in the received data, in order. The rest is kept for the next
   * call.
   */
  decode(chunk: Buffer): unknown[]
  encode(message: Outgoing): Buffer | string
  /** The reason why no message can contain this value; undefined if one can. */
  problemWith(value: unknown): string | undefined
}
