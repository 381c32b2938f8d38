import { InvalidArgumentError } from '../../errors.ts'
import { readOptions, type OptionTable } from '../../option-table.ts'
import { aFunction, anInteger } from '../../options.ts'

/** The options of `EmbeddedZooKeeper.start()`. */
export interface EmbeddedZooKeeperOptions {
  /** The port of the first server; further servers use the following ports. Default: any free port. */
  readonly port?: number
  /** The number of servers, as in an ensemble; all serve the same data. Default: 1. */
  readonly servers?: number
  /**
   * ZooKeeper's basic unit of time, in milliseconds; here it only determines the next two options.
   * Default: 2,000.
   */
  readonly tickTimeMs?: number
  /** The shortest session timeout that a client gets. Default: two ticks (as in ZooKeeper). */
  readonly minSessionTimeoutMs?: number
  /** The longest session timeout that a client gets. Default: twenty ticks (as in ZooKeeper). */
  readonly maxSessionTimeoutMs?: number
  /**
   * Called with the reason when the server ends a connection: bytes that are not a request, or a
   * bug of the server.
   */
  readonly onError?: (error: unknown) => void
}

const MIN_SESSION_TICKS = 2
const MAX_SESSION_TICKS = 20
const MOST_SERVERS = 9
/** The maximum of Node's timers. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export interface CheckedOptions {
  readonly port: number
  readonly servers: number
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly onError: (error: unknown) => void
}

/** The checks and defaults of `EmbeddedZooKeeperOptions`. */
export const EMBEDDED_ZOOKEEPER_OPTIONS = {
  port: { check: anInteger(0, 65_535), defaultText: 'any free port' },
  servers: { check: anInteger(1, MOST_SERVERS), default: 1 },
  tickTimeMs: { check: anInteger(1, LONGEST_TIMEOUT_MS / MAX_SESSION_TICKS), default: 2_000 },
  minSessionTimeoutMs: { check: anInteger(1, LONGEST_TIMEOUT_MS), defaultText: 'two ticks' },
  maxSessionTimeoutMs: { check: anInteger(1, LONGEST_TIMEOUT_MS), defaultText: 'twenty ticks' },
  onError: { check: aFunction },
} as const satisfies OptionTable<EmbeddedZooKeeperOptions>

/** Throws InvalidArgumentError for an unknown option or an invalid value. */
export function checkedOptions(options: EmbeddedZooKeeperOptions): CheckedOptions {
  const { tickTimeMs, servers } = readOptions<
    EmbeddedZooKeeperOptions,
    typeof EMBEDDED_ZOOKEEPER_OPTIONS
  >('EmbeddedZooKeeper', options, EMBEDDED_ZOOKEEPER_OPTIONS)
  const minSessionTimeoutMs = options.minSessionTimeoutMs ?? tickTimeMs * MIN_SESSION_TICKS
  const maxSessionTimeoutMs = options.maxSessionTimeoutMs ?? tickTimeMs * MAX_SESSION_TICKS
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    throw new InvalidArgumentError(
      `EmbeddedZooKeeper: minSessionTimeoutMs ${minSessionTimeoutMs} is larger than maxSessionTimeoutMs ${maxSessionTimeoutMs}`,
    )
  }
  const { port = 0, onError = () => undefined } = options
  return { port, servers, minSessionTimeoutMs, maxSessionTimeoutMs, onError }
}
