/**
 * The message of a thrown value. Handlers throw anything, such as objects without a prototype, which cannot be converted
 * to text, and that must not make the error handling fail.
 */
export function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown)
  } catch {
    return `${typeof thrown} that cannot be shown`
  }
}
