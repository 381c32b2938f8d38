/** The number of checks in a period: a warning is late by at most a tenth of it. */
const CHECKS = 10

export interface CommitReminderOptions {
  /** How long a consumer may go without a commit. */
  readonly afterMs: number
  /** True if the application has received messages. */
  readonly hasConsumed: () => boolean
  readonly warn: () => void
}

/**
 * Warns once when a consumer of a group has consumed for a while without a commit. Its first restart would read
 * everything again, which developers notice in production rather than in a test.
 */
export class CommitReminder {
  readonly #options: CommitReminderOptions
  readonly #timer: NodeJS.Timeout
  #consumesSince: number | undefined

  constructor(options: CommitReminderOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#check(), options.afterMs / CHECKS).unref()
  }

  /** Stops the checks after the first commit: the application evidently commits. */
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
