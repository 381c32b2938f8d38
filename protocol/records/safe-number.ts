import { ProtocolError } from '../protocol-error.ts'

/** Converts an int64 to a number; throws past 2^53 instead of rounding. */
export function toSafeNumber(value: bigint, what: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new ProtocolError(`the ${what} ${value} is larger than 2^53`)
}
