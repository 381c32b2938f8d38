import { AuthenticationError, InvalidArgumentError, isRetriable } from '../../errors.ts'
import { formatAddress, type Address } from '../address.ts'
import { messageOf } from '../node-error.ts'

/** A secret, or where to get it, asked for again by each connection: it may have been changed meanwhile. */
export type Secret = string | (() => string | Promise<string>)

/** Half of a surrogate pair: it has no UTF-8, and would silently become another character. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** Like a Check of options.ts, but throws by itself: the value must not show in the message. */
export function checkSecret(what: string, name: string, value: unknown): void {
  if (typeof value === 'function') return
  const problem = problemOf(value)
  if (problem !== undefined) throw new InvalidArgumentError(`${what}: option '${name}' ${problem}`)
}

/** The secret itself. Throws AuthenticationError if its function fails, or gives something else. */
export async function reveal(
  secret: Secret,
  name: string,
  mechanism: string,
  broker: Address,
): Promise<string> {
  if (typeof secret === 'string') return secret
  const value: unknown = await obtain(name, mechanism, broker, secret)
  const problem = problemOf(value)
  if (problem !== undefined) throw unavailable(`the ${name} given ${problem}`, mechanism, broker)
  return value as string
}

/** Runs a function of the application's that gives credentials. */
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
    throw unavailable(`the ${name} could not be had: ${reason}`, mechanism, broker, error)
  }
}

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
  if (typeof value !== 'string' || value === '') return 'must be a string that is not empty'
  return unfit(value)
}

/** What keeps a text from being sent as it is, if anything does. */
export function unfit(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain a NUL character'
  return LONE_SURROGATE.test(text) ? 'must be well-formed Unicode' : undefined
}
