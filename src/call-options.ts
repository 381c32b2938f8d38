import { Deadline } from './async/deadline.ts'
import { checksOf, type OptionTable } from './option-table.ts'
import { aDurationMs, checkOptions, type Check } from './options.ts'

/** The options that every call takes. */
export interface CallOptions {
  /** How long the call may take, with all its requests and retries. Default: the client's `operationTimeoutMs`. */
  readonly timeoutMs?: number
  /** Ends the call when it is aborted. The call then throws the signal's reason. */
  readonly signal?: AbortSignal
}

export const aSignal: Check = (value) =>
  value instanceof AbortSignal ? undefined : 'must be an AbortSignal'

/** The checks and defaults of `CallOptions`. */
export const CALL_OPTIONS = {
  timeoutMs: { check: aDurationMs(1), defaultText: "the client's `operationTimeoutMs`" },
  signal: { check: aSignal },
} as const satisfies OptionTable<CallOptions>

const CHECKS = checksOf<CallOptions>(CALL_OPTIONS)

/** Throws InvalidArgumentError for an unknown option, or one with an invalid value. */
export function deadlineOf(call: CallOptions, operationTimeoutMs: number): Deadline {
  checkOptions<CallOptions>('call', call, CHECKS)
  return new Deadline(call.timeoutMs ?? operationTimeoutMs, call.signal)
}
