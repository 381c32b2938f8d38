import { deferred } from './deferred.ts'
import { Timer } from './timer.ts'

/**
 * Asks one candidate after another and resolves with the first answer, or with undefined if no candidate has one. An
 * attempt ends without an answer (undefined), and then the next candidate is asked; if an attempt takes longer than
 * `patienceMs`, `onSilent` is called and the next candidate is asked beside it. An attempt that throws ends the search.
 */
export async function firstAnswer<Candidate, Answer>(
  candidates: AsyncIterable<Candidate>,
  attempt: (candidate: Candidate) => Promise<Answer | undefined>,
  patienceMs: number,
  onSilent: (candidate: Candidate) => void,
): Promise<Answer | undefined> {
  const found = deferred<Answer>()
  found.promise.catch(() => undefined)
  const search = { isOver: false }
  const attempts: Promise<void>[] = []
  for await (const candidate of candidates) {
    const ended = attempt(candidate).then(
      (answer) => {
        if (answer === undefined) return
        search.isOver = true
        found.resolve(answer)
      },
      (error: unknown) => {
        search.isOver = true
        found.reject(error)
      },
    )
    attempts.push(ended)
    await within(patienceMs, [ended, found.promise], () => onSilent(candidate))
    if (search.isOver) return found.promise
  }
  await Promise.race([found.promise, Promise.all(attempts)])
  return search.isOver ? found.promise : undefined
}

/** Waits for one of the promises, but no longer than this. */
async function within(
  waitMs: number,
  promises: readonly Promise<unknown>[],
  onOver: () => void,
): Promise<void> {
  if (waitMs === Infinity) {
    await Promise.race(promises).catch(() => undefined)
    return
  }
  const over = deferred()
  const timer = new Timer(waitMs, () => {
    onOver()
    over.resolve()
  })
  try {
    await Promise.race([...promises, over.promise]).catch(() => undefined)
  } finally {
    timer.cancel()
  }
}
