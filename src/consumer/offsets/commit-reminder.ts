/** Checks in a period: a warning comes at most a tenth of it late. */
const CHECKS = 10

export interface CommitReminderOptions {
  /** How long a consumer may go without a commit. */
  readonly afterMs: number
  /** Whether the application was given messages. */
  readonly hasConsumed: () => boolean
  readonly warn: () => void
}

/**
 * Warns once when a consumer of a group has consumed for a while and committed nothing. Its first restart would read
 * everything again, which is noticed in production rather than in a test.
 */
export class CommitReminder {
  readonly #options: CommitReminderOptions
  readonly #timer: NodeJS.Timeout
  #consumesSince: number | undefined

  constructor(options: CommitReminderOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#check(), options.afterMs / CHECKS).unref()
  }

  /** Once something is committed, the application knows how. */
  stop(): void {
    clearInterval(this.#timer)
  }

  #check(): void {
    const { afterMs, hasConsumed, warn } = this.#options
    if (!hasConsumed()) return
    this.#consumesSince ??= performance.now()
    if (performance.now() - this.#consumesSince < afterMs) return
    this.stop()
    warn()
  }
}
