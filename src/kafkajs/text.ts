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

/**
 * The text of a number that kafkajs declares as a number: partitions of uncommitted offsets and node ids of fetches are
 * keys of objects in it. Programs may rely on either.
 */
export function declaredAsNumber(value: number): number {
  return String(value) as unknown as number
}
