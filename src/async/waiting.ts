import { abortable } from './abortable.ts'
import { limited, TookTooLongError } from './limited.ts'
import { aSignal } from '../call-options.ts'
import { RequestTimeoutError } from '../errors.ts'
import { aDurationMs, checkOptions } from '../options.ts'

/** How long a wait may take. */
export interface WaitOptions {
  /** Default: as long as it takes. */
  readonly timeoutMs?: number
  /** Ends the wait when it is aborted: it then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** Throws InvalidArgumentError for an option that isn't one, or can't be right. */
export function checkWait(wait: WaitOptions): void {
  checkOptions<WaitOptions>('wait', wait, { timeoutMs: aDurationMs(0), signal: aSignal })
}

/** Waits, but no longer than that: then throws RequestTimeoutError with the reason, or the signal's. */
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
    return await limited(timeoutMs, signal, (limit) => abortable(running, limit))
  } catch (error) {
    if (error instanceof TookTooLongError) throw new RequestTimeoutError(reason(), {})
    throw error
  }
}
