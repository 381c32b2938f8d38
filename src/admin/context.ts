import { aSignal, deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Deadline } from '../async/deadline.ts'
import { aBoolean, anInteger, checkOptions, type Check, type Checks } from '../options.ts'

/** The dependencies of every operation of the admin client. */
export interface AdminContext {
  readonly cluster: Cluster
  /** Throws ClosedError after the client is closed. */
  readonly checkOpen: () => void
}

/** Options of calls that change several things at once. */
export interface ChangeOptions extends CallOptions {
  /**
   * Returns an error in each item that failed instead of throwing an ItemsFailedError. Default:
   * false.
   */
  readonly settle?: boolean
}

/** The check for the option that changes have beside those of every call. */
export const CHANGE = { settle: aBoolean } as const

/** The checks for the options of an operation, beside those of every call. */
export type OwnChecks<Options extends CallOptions> = Checks<Omit<Options, keyof CallOptions>>

/**
 * Checks the options of an operation and starts its timeout. Throws InvalidArgumentError,
 * ClosedError.
 */
export function begin<Options extends CallOptions>(
  { cluster, checkOpen }: AdminContext,
  operation: string,
  options: Options,
  own: OwnChecks<Options>,
): Deadline {
  checkOpen()
  const checks: Record<string, Check<unknown>> = {
    ...own,
    timeoutMs: anInteger(1),
    signal: aSignal,
  }
  checkOptions<Record<string, unknown>>(operation, options as Record<string, unknown>, checks)
  const { timeoutMs, signal } = options
  const call = {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  }
  return deadlineOf(call, cluster.options.operationTimeoutMs)
}

/** The timeout that requests give to a broker for a change: the rest of the call's timeout. */
export function brokerTimeoutMs(cluster: Cluster, deadline: Deadline): number {
  return Math.max(1, Math.floor(Math.min(deadline.remainingMs, cluster.options.requestTimeoutMs)))
}
