import { InvalidArgumentError, type ErrorContext } from '../errors.ts'

/**
 * What a function of the application's returned, where it is needed at once. Types do not keep an async function
 * out of JavaScript: it is refused by name, and its own failure does not become an unhandled rejection.
 */
export function atOnce<T>(returned: T, what: string, context?: ErrorContext): T {
  if (!(returned instanceof Promise)) return returned
  returned.catch(() => undefined)
  const reason = `${what} returned a promise: it must return its result at once`
  throw new InvalidArgumentError(reason, context)
}
