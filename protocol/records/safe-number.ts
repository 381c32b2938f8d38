import { ProtocolError } from '../protocol-error.ts'

/** An int64 as a number; an error rather than a rounded one past 2^53. */
export function toSafeNumber(value: bigint, what: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new ProtocolError(`the ${what} ${value} is past 2^53`)
}
