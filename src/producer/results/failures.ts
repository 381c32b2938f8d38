import type { Logger } from '../../observe/logger.ts'

/** Something that failed. */
export interface Failed {
  readonly error: Error | undefined
  /** How many messages failed with it that nobody has looked at. */
  readonly unseenCount: number
}

/** This many are kept for callers who never flush. */
const MAX_KEPT = 10_000

/**
 * Failures that nobody has looked at: the next flush or close throws the first of them. Those of a turn of the event
 * loop are logged once, in one line, unless somebody has looked by then: a program that neither awaits nor flushes
 * would lose messages without a word.
 */
export class Failures {
  readonly #logger: Logger | undefined
  readonly #unseen = new Set<Failed>()
  #fresh: Failed[] = []

  /** Without a logger where failures are reported otherwise. */
  constructor(logger: Logger | undefined) {
    this.#logger = logger
  }

  add(failed: Failed): void {
    if (this.#unseen.size < MAX_KEPT) this.#unseen.add(failed)
    if (this.#logger === undefined || this.#fresh.length >= MAX_KEPT) return
    this.#fresh.push(failed)
    if (this.#fresh.length === 1) setImmediate(() => this.#log())
  }

  /** Somebody handles it after all. */
  delete(failed: Failed): void {
    this.#unseen.delete(failed)
  }

  /** Nobody needs to handle them any more. */
  forget(): void {
    this.#unseen.clear()
  }

  /** Forgets all and throws the first, if there is one. */
  throwFirst(): void {
    const [first] = this.#unseen
    this.#unseen.clear()
    if (first?.error !== undefined) throw first.error
  }

  #log(): void {
    const unseen = this.#fresh.filter((failed) => this.#unseen.has(failed))
    this.#fresh = []
    const [first] = unseen
    if (first === undefined) return
    const count = unseen.reduce((sum, { unseenCount }) => sum + unseenCount, 0)
    const messages =
      count === 1
        ? 'a message that nobody waits for failed'
        : `${count} messages that nobody waits for failed; the first`
    this.#logger?.error(`${messages}: ${first.error?.message}`)
  }
}
