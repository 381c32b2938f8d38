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
 * Returns a number as text with the type of a number, as kafkajs does: its partitions of uncommitted offsets and its
 * node ids of fetches are keys of objects. Programs may rely on the type or on the text.
 */
export function declaredAsNumber(value: number): number {
  return String(value) as unknown as number
}
