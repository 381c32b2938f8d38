import { Deadline } from '../../async/deadline.ts'
import type { Logger } from '../../observe/logger.ts'
import type { ConsumerSettings } from '../options.ts'
import { AutoCommit } from './auto-commit.ts'
import { CommitReminder } from './commit-reminder.ts'

/** How long a group may consume without a commit before a warning. */
const REMIND_AFTER_MS = 60_000

export interface AutomaticCommitsOptions {
  readonly settings: Pick<
    ConsumerSettings<unknown, unknown>,
    'consumerGroup' | 'autoCommitEnable' | 'autoCommitInRun' | 'autoCommitIntervalMs'
  >
  readonly logger: Logger
  /** How long a commit may take with all its retries. */
  readonly timeoutMs: number
  readonly remindAfterMs: number | undefined
  /** Commits what is processed. */
  readonly commit: (deadline: Deadline) => Promise<void>
  /** Called with a commit failure that the application has to handle. */
  readonly onError: (error: Error) => void
  /** True if the application has received messages. */
  readonly hasConsumed: () => boolean
}

/**
 * Decides if a consumer of a group commits by itself: always with `autoCommitEnable`; without this option from the
 * first `run` on, which knows which messages its handlers have finished. Until then it warns when nothing is
 * committed at all.
 */
export class AutomaticCommits {
  readonly #options: AutomaticCommitsOptions
  #autoCommit: AutoCommit | undefined
  #reminder: CommitReminder | undefined
  #isStopped = false

  constructor(options: AutomaticCommitsOptions) {
    this.#options = options
    const { autoCommitEnable, consumerGroup } = options.settings
    if (autoCommitEnable) this.#begin()
    else if (consumerGroup !== undefined) this.#reminder = this.#remind(consumerGroup)
  }

  /**
   * True if the consumer commits at intervals. It then also commits before partitions are given up and at the end.
   */
  get areMade(): boolean {
    return this.#autoCommit !== undefined
  }

  /** Call this when a `run` begins. */
  onRun(): void {
    if (!this.#options.settings.autoCommitInRun || this.#isStopped) return
    this.onCommitted()
    this.#begin()
  }

  /** Call this after each successful commit, automatic or not. */
  onCommitted(): void {
    this.#reminder?.stop()
  }

  /** Stops automatic commits. */
  stop(): void {
    this.#isStopped = true
    this.#autoCommit?.stop()
    this.#reminder?.stop()
  }

  #begin(): void {
    const { settings, logger, commit, timeoutMs, onError } = this.#options
    this.#autoCommit ??= new AutoCommit({
      intervalMs: settings.autoCommitIntervalMs,
      logger,
      commit: () => commit(new Deadline(timeoutMs)),
      onError,
    })
  }

  #remind(group: string): CommitReminder {
    const { remindAfterMs = REMIND_AFTER_MS, hasConsumed, logger } = this.#options
    return new CommitReminder({
      afterMs: remindAfterMs,
      hasConsumed,
      warn: () =>
        logger.warn(
          `group '${group}' has consumed for a minute without a commit: a restart reads everything again. ` +
            `Call commitOffsets(), set autoCommitEnable: true, or read with run()`,
        ),
    })
  }
}
