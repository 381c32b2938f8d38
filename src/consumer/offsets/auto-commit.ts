import { KafkaError, OffsetCommitError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import { asError } from '../../observe/thrown.ts'

/** Errors for commits of a member that the group's own protocol resolves. */
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
 * True if a later commit or a rebalance resolves the failure without the application. Refused authorizations, and
 * settings that brokers reject, have to be reported to the application.
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
  /** Called with a failure that does not resolve by itself. */
  readonly onError: (error: Error) => void
}

/** Commits at intervals. After a failed commit the next interval commits again, as in Java's consumer. */
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
    // A commit that is still being retried includes what is processed by then.
    if (this.#isCommitting) return
    this.#isCommitting = true
    try {
      await this.#options.commit()
    } catch (error) {
      this.#failed(asError(error))
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
