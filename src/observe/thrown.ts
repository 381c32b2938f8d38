import { inspect } from 'node:util'

/**
 * What was thrown, in words. Applications throw anything: errors whose message is no string, objects without a
 * prototype, objects whose getters throw. Nothing of that may make the code fail that handles the error.
 */
export function textOfThrown(thrown: unknown): string {
  try {
    const isError = typeof thrown === 'object' && thrown !== null && 'message' in thrown
    const text = isError ? thrown.message : thrown
    return typeof text === 'string' ? text : inspect(text, { depth: 1 })
  } catch {
    return `${typeof thrown} that cannot be shown`
  }
}
