/** What the operations have in common: how results are brought into the form that the Java program prints. */

/** Java's `Uuid.ZERO_UUID` as text, for what has no id. */
export const NO_UUID = 'A'.repeat(22)

export const at = (topic: string, partition: number) => ({ topic, partition })

export const nameOf = ({ topic, partition }: { topic: string; partition: number }) =>
  `${topic}-${partition}`

export const byKey = <T>(entries: readonly (readonly [string, T])[]) => Object.fromEntries(entries)

export const sorted = (words: readonly string[] = []) => [...words].sort()

/** The result of a change, or its error. */
export async function done(change: Promise<unknown>): Promise<'done'> {
  await change
  return 'done'
}

/** The results of all items. Throws the first error of one. */
export async function all<T extends { readonly error?: Error }>(
  found: Promise<readonly T[]>,
): Promise<readonly T[]> {
  const results = await found
  for (const { error } of results) if (error !== undefined) throw error
  return results
}

/** The result of the first item, which is the one that was asked for. Throws its error. */
export async function only<T extends { readonly error?: Error }>(
  found: Promise<readonly T[]>,
): Promise<T> {
  const [one] = await found
  if (one === undefined) throw new Error('no result')
  if (one.error !== undefined) throw one.error
  return one
}

/** Whether every answer has this many elements, of enough answers that probably each broker gave one. */
export async function everywhere(
  ask: () => Promise<readonly unknown[]>,
  count: number,
): Promise<boolean> {
  const answers = await Promise.all(Array.from({ length: 30 }, ask))
  return answers.every(({ length }) => length === count)
}
