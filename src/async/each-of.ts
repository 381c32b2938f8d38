/** Runs `work` for each item, with at most `limit` calls at a time. */
export async function eachOf<T>(
  all: readonly T[],
  limit: number,
  work: (one: T) => Promise<void>,
): Promise<void> {
  const left = all.values()
  const worker = async () => {
    for (const one of left) await work(one)
  }
  await Promise.all(Array.from({ length: Math.min(limit, all.length) }, worker))
}
