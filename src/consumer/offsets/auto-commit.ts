import { KafkaError, OffsetCommitError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'

/** Why the group refuses the commits of a member, which the group's own protocol then resolves. */
const RESOLVED_BY_MEMBERSHIP: readonly string[] = [
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'STALE_MEMBER_EPOCH',
  'FENCED_MEMBER_EPOCH',
  'FENCED_INSTANCE_ID',
  'PARTITION_NOT_OWNED',
  'PARTITION_REVOKED',
]

/**
 * Whether a later commit, or a rebalance, makes up for one that failed without anything that the application can do.
 * Refused authorizations and settings that brokers do not take are for the application to know.
 */
export function passesByItself(error: unknown): boolean {
  if (error instanceof OffsetCommitError) return error.failures.every(passesByItself)
  if (!(error instanceof KafkaError)) return false
  return error.retriable || RESOLVED_BY_MEMBERSHIP.includes(error.code)
}

export interface AutoCommitOptions {
  readonly intervalMs: number
  readonly logger: Logger
  readonly commit: () => Promise<void>
  /** Notified of a failure that does not pass by itself. */
  readonly onError: (error: Error) => void
}

/** Commits at intervals. A commit that fails is made up for at the next interval, as in Java's consumer. */
export class AutoCommit {
  readonly #options: AutoCommitOptions
  readonly #timer: NodeJS.Timeout
  #isCommitting = false
  #isStopped = false

  constructor(options: AutoCommitOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.#commit(), options.intervalMs).unref()
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  async #commit(): Promise<void> {
    // One that is still tried again commits what is processed by then.
    if (this.#isCommitting) return
    this.#isCommitting = true
    try {
      await this.#options.commit()
    } catch (error) {
      this.#failed(error as Error)
    } finally {
      this.#isCommitting = false
    }
  }

  #failed(error: Error): void {
    if (this.#isStopped) return
    const { logger, onError } = this.#options
    if (passesByItself(error)) {
      logger.warn(
        `an automatic commit failed and is repeated at the next interval: ${error.message}`,
      )
    } else {
      onError(error)
    }
  }
}
