import { InvalidArgumentError, type ErrorContext } from '../errors.ts'

/**
 * Returns the result of a function of the application where it is needed synchronously. Throws an error that names the
 * function if it returned a promise, which types cannot prevent in JavaScript; a rejection of that promise is not
 * reported as unhandled.
 */
export function atOnce<T>(returned: T, what: string, context?: ErrorContext): T {
  if (!(returned instanceof Promise)) return returned
  returned.catch(() => undefined)
  const reason = `${what} returned a promise: it must return its result synchronously`
  throw new InvalidArgumentError(reason, context)
}
