import { AuthenticationError, InvalidArgumentError, isRetriable } from '../../errors.ts'
import { formatAddress, type Address } from '../address.ts'
import { messageOf } from '../node-error.ts'

/** A secret, or a function that returns it. Each connection calls the function, because the secret may have changed. */
export type Secret = string | (() => string | Promise<string>)

/** Half of a surrogate pair: it has no encoding in UTF-8, and would silently become another character. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** Like a Check of options.ts, but throws the error itself, because the message must not contain the value. */
export function checkSecret(what: string, name: string, value: unknown): void {
  if (typeof value === 'function') return
  const problem = problemOf(value)
  if (problem !== undefined) throw new InvalidArgumentError(`${what}: option '${name}' ${problem}`)
}

/** Returns the secret. Throws AuthenticationError if its function throws or returns an invalid value. */
export async function reveal(
  secret: Secret,
  name: string,
  mechanism: string,
  broker: Address,
): Promise<string> {
  if (typeof secret === 'string') return secret
  const value: unknown = await obtain(name, mechanism, broker, secret)
  const problem = problemOf(value)
  if (problem !== undefined) throw unavailable(`the ${name} ${problem}`, mechanism, broker)
  // `problemOf` returns a problem for any other type.
  return value as string
}

/** Calls a function of the application that returns credentials. Throws AuthenticationError if it throws. */
export async function obtain<T>(
  name: string,
  mechanism: string,
  broker: Address,
  get: () => T | Promise<T>,
): Promise<T> {
  try {
    return await get()
  } catch (error) {
    if (error instanceof AuthenticationError) throw error
    const reason = messageOf(error)
    throw unavailable(`getting the ${name} failed: ${reason}`, mechanism, broker, error)
  }
}

/** The error for credentials that are missing or invalid. Retriable if `cause` is. */
export function unavailable(
  reason: string,
  mechanism: string,
  broker: Address,
  cause?: unknown,
): AuthenticationError {
  const address = formatAddress(broker)
  return new AuthenticationError(
    'SASL_CREDENTIALS_UNAVAILABLE',
    `cannot log in to ${address} with ${mechanism}: ${reason}`,
    { broker: address, mechanism, cause, retriable: isRetriable(cause) },
  )
}

function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return 'must be a non-empty string'
  return unfit(value)
}

/** Why the text cannot be sent unchanged; undefined if it can. */
export function unfit(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain a NUL character'
  return LONE_SURROGATE.test(text) ? 'must be well-formed Unicode' : undefined
}
