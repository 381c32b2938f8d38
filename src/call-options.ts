import { Deadline } from './async/deadline.ts'
import { aDurationMs, checkOptions, type Check } from './options.ts'

/** How long a call may take, whatever it does and tries again. */
export interface CallOptions {
  /** Default: the client's `operationTimeoutMs`. */
  readonly timeoutMs?: number
  /** Ends the call when it is aborted: it then throws the signal's reason. */
  readonly signal?: AbortSignal
}

export const aSignal: Check = (value) =>
  value instanceof AbortSignal ? undefined : 'must be an AbortSignal'

/** Throws InvalidArgumentError for an option that isn't one, or can't be right. */
export function deadlineOf(call: CallOptions, operationTimeoutMs: number): Deadline {
  checkOptions<CallOptions>('call', call, { timeoutMs: aDurationMs(1), signal: aSignal })
  return new Deadline(call.timeoutMs ?? operationTimeoutMs, call.signal)
}
