import { aSignal } from '../../call-options.ts'
import { checksOf, type OptionTable } from '../../option-table.ts'
import { aBoolean, aDurationMs, checkOptions } from '../../options.ts'

/** The options of `consume()`. */
export interface ConsumeOptions {
  /** Whether to wait for a message. With `false` it returns undefined if none is available. Default: true. */
  readonly block?: boolean
  /** How long to wait for one. Default: the consumer's `consumerTimeoutMs`. */
  readonly timeoutMs?: number
  /** Ends the wait when it is aborted: `consume()` then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** The options of `messages()`, `batches()` and `stream()`. */
export interface ReadOptions {
  /** Ends the reading when it is aborted: it then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** The checks and defaults of `ConsumeOptions`. */
export const CONSUME_OPTIONS = {
  block: { check: aBoolean, default: true },
  timeoutMs: { check: aDurationMs(0), defaultText: "the consumer's `consumerTimeoutMs`" },
  signal: { check: aSignal },
} as const satisfies OptionTable<ConsumeOptions>

/** The checks and defaults of `ReadOptions`. */
export const READ_OPTIONS = {
  signal: { check: aSignal },
} as const satisfies OptionTable<ReadOptions>

const CONSUME_CHECKS = checksOf<ConsumeOptions>(CONSUME_OPTIONS)
const READ_CHECKS = checksOf<ReadOptions>(READ_OPTIONS)

/** Throws InvalidArgumentError for an unknown option or an invalid value. */
export function checkConsume(options: ConsumeOptions): void {
  checkOptions<ConsumeOptions>('consume', options, CONSUME_CHECKS)
}

/** Throws InvalidArgumentError for an unknown option or an invalid value. */
export function checkRead(options: ReadOptions): void {
  checkOptions<ReadOptions>('reading', options, READ_CHECKS)
}
