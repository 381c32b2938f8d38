/** Something that failed. */
export interface Failed {
  readonly error: Error | undefined
}

/** So many are kept for callers who never flush. */
const MAX_KEPT = 10_000

/** Failures that nobody has looked at: the next flush or close throws the first of them. */
export class Failures {
  readonly #unseen = new Set<Failed>()

  add(failed: Failed): void {
    if (this.#unseen.size < MAX_KEPT) this.#unseen.add(failed)
  }

  /** Somebody handles it after all. */
  delete(failed: Failed): void {
    this.#unseen.delete(failed)
  }

  /** Forgets all and throws the first, if there is one. */
  throwFirst(): void {
    const [first] = this.#unseen
    this.#unseen.clear()
    if (first?.error !== undefined) throw first.error
  }
}
