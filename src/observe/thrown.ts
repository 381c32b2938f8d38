import { utilModule } from '../../protocol/builtins.ts'

/**
 * Describes a thrown value. Applications throw anything: errors whose message is not a string, objects without a
 * prototype, objects whose getters throw. None of this may make the error handling fail.
 */
export function textOfThrown(thrown: unknown): string {
  try {
    const isError = typeof thrown === 'object' && thrown !== null && 'message' in thrown
    const text = isError ? thrown.message : thrown
    return typeof text === 'string' ? text : utilModule().inspect(text, { depth: 1 })
  } catch {
    return `${typeof thrown} that cannot be converted to text`
  }
}

/**
 * Returns a thrown value unchanged, with the type of an error. Applications can throw any value: where samsa passes one
 * on, the application gets the value that it threw.
 */
export function asError(thrown: unknown): Error {
  return thrown as Error
}
