import type { Logger } from '../../observe/logger.ts'

/** A failed batch, or a failed group of messages. */
export interface Failed {
  readonly error: Error | undefined
  /** The number of messages that failed with this error and that the application does not handle. */
  readonly unhandledCount: number
}

/** The maximum number that is kept if the application never flushes. */
const MAX_KEPT = 10_000

/**
 * Failures that the application has not handled: the next flush or close throws the first of them. The failures of one
 * turn of the event loop are logged in one line, unless they have been handled by then: a program that neither awaits
 * nor flushes would otherwise lose messages silently.
 */
export class UnhandledFailures {
  /** The number of messages whose result the application has used, failed or not. */
  handledMessages = 0
  readonly #logger: Logger | undefined
  readonly #unhandled = new Set<Failed>()
  #fresh: Failed[] = []

  /** `logger` is undefined if the application gets failures as delivery reports. */
  constructor(logger: Logger | undefined) {
    this.#logger = logger
  }

  add(failed: Failed): void {
    if (this.#unhandled.size < MAX_KEPT) this.#unhandled.add(failed)
    if (this.#logger === undefined || this.#fresh.length >= MAX_KEPT) return
    this.#fresh.push(failed)
    if (this.#fresh.length === 1) setImmediate(() => this.#log())
  }

  /** Called when the application handles the failure later. */
  delete(failed: Failed): void {
    this.#unhandled.delete(failed)
  }

  /** Called when the application does not need to handle the failures any more. */
  forget(): void {
    this.#unhandled.clear()
  }

  /** Forgets all and throws the first, if there is one. */
  throwFirst(): void {
    const [first] = this.#unhandled
    this.#unhandled.clear()
    if (first?.error !== undefined) throw first.error
  }

  #log(): void {
    const unhandled = this.#fresh.filter((failed) => this.#unhandled.has(failed))
    this.#fresh = []
    const [first] = unhandled
    if (first === undefined) return
    const count = unhandled.reduce((sum, { unhandledCount }) => sum + unhandledCount, 0)
    const messages =
      count === 1
        ? 'a message failed, and the application did not handle its error'
        : `${count} messages failed, and the application did not handle their errors; the first`
    this.#logger?.error(`${messages}: ${first.error?.message}`)
  }
}
