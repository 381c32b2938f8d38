import type { Outgoing } from './messages.ts'

/** How messages are bytes. Storm has a class for each: `topology.multilang.serializer`. */
export interface Wire {
  /** The complete messages in what has arrived, in order. The rest is kept for the next call. */
  decode(chunk: Buffer): unknown[]
  encode(message: Outgoing): Buffer | string
  /** Why no message can carry this value; undefined if one can. */
  problemWith(value: unknown): string | undefined
}
