import { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { readOptions, type OptionTable, type WithDefaults } from '../option-table.ts'
import { aBoolean } from '../options.ts'

/** The dependencies of every operation of the admin client. */
export interface AdminContext {
  readonly cluster: Cluster
  /** Throws ClosedError after the client is closed. */
  readonly checkOpen: () => void
}

/** Options of calls that change several things at once. */
export interface ChangeOptions extends CallOptions {
  /** Returns an error in each item that failed instead of throwing an ItemsFailedError. Default: false. */
  readonly settle?: boolean
}

/** The checks and defaults of `ChangeOptions`. */
export const CHANGE_OPTIONS = {
  ...CALL_OPTIONS,
  settle: { check: aBoolean, default: false },
} as const satisfies OptionTable<ChangeOptions>

/**
 * Checks the options of an operation and starts its timeout. Returns the options with their defaults, and the
 * deadline. Throws InvalidArgumentError, ClosedError.
 */
export function begin<Options extends CallOptions, Table extends OptionTable<Options>>(
  { cluster, checkOpen }: AdminContext,
  operation: string,
  options: Options,
  table: Table,
): WithDefaults<Options, Table> & { readonly deadline: Deadline } {
  checkOpen()
  const settings = readOptions(operation, options, table)
  const { timeoutMs = cluster.options.operationTimeoutMs, signal } = options
  return { ...settings, deadline: new Deadline(timeoutMs, signal) }
}

/** The timeout that requests give to a broker for a change: the rest of the call's timeout. */
export function brokerTimeoutMs(cluster: Cluster, deadline: Deadline): number {
  return Math.max(1, Math.floor(Math.min(deadline.remainingMs, cluster.options.requestTimeoutMs)))
}
