import { bounded } from './bounded.ts'
import { abortable } from './abortable.ts'
import { TookTooLongError } from './limited.ts'
import { aSignal } from '../call-options.ts'
import { RequestTimeoutError } from '../errors.ts'
import { checksOf, type OptionTable } from '../option-table.ts'
import { aDurationMs, checkOptions } from '../options.ts'

/** The bounds of a wait. */
export interface WaitOptions {
  /** The time limit. Default: none. */
  readonly timeoutMs?: number
  /** Ends the wait when it is aborted: the wait then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** The checks and defaults of `WaitOptions`. */
export const WAIT_OPTIONS = {
  timeoutMs: { check: aDurationMs(0), defaultText: 'none' },
  signal: { check: aSignal },
} as const satisfies OptionTable<WaitOptions>

const CHECKS = checksOf<WaitOptions>(WAIT_OPTIONS)

/** Throws InvalidArgumentError for an unknown option or an invalid value. */
export function checkWait(wait: WaitOptions): void {
  checkOptions<WaitOptions>('wait', wait, CHECKS)
}

/**
 * Waits within these bounds. Rejects with RequestTimeoutError and the given reason when the time has passed, or with
 * the signal's reason.
 */
export async function within<T>(
  { timeoutMs, signal }: WaitOptions,
  running: Promise<T>,
  reason: () => string,
): Promise<T> {
  if (timeoutMs === undefined) {
    if (signal === undefined) return running
    return abortable(running, signal)
  }
  try {
    return await bounded(timeoutMs, signal, () => running)
  } catch (error) {
    if (error instanceof TookTooLongError) throw new RequestTimeoutError(reason(), {})
    throw error
  }
}
