import { InvalidArgumentError } from '../../errors.ts'
import { aFunction, anInteger, checkOptions } from '../../options.ts'

/** The options of `EmbeddedZooKeeper.start()`. */
export interface EmbeddedZooKeeperOptions {
  /** Default: any free port. Further servers use the following ports. */
  readonly port?: number
  /** The number of servers, as in an ensemble; all serve the same data. Default: 1. */
  readonly servers?: number
  /**
   * ZooKeeper's basic unit of time, in milliseconds; here it only determines the next two options.
   * Default: 2,000.
   */
  readonly tickTimeMs?: number
  /** The shortest session timeout that a client gets. Default: two ticks, as in ZooKeeper. */
  readonly minSessionTimeoutMs?: number
  /** The longest. Default: twenty ticks, as in ZooKeeper. */
  readonly maxSessionTimeoutMs?: number
  /**
   * Called with the reason when the server ends a connection: bytes that are not a request, or a
   * bug of the server.
   */
  readonly onError?: (error: unknown) => void
}

const DEFAULT_TICK_MS = 2_000
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

/** Throws InvalidArgumentError for an unknown option or an invalid value. */
export function checkedOptions(options: EmbeddedZooKeeperOptions): CheckedOptions {
  checkOptions<EmbeddedZooKeeperOptions>('EmbeddedZooKeeper', options, {
    port: anInteger(0, 65_535),
    servers: anInteger(1, MOST_SERVERS),
    tickTimeMs: anInteger(1, LONGEST_TIMEOUT_MS / MAX_SESSION_TICKS),
    minSessionTimeoutMs: anInteger(1, LONGEST_TIMEOUT_MS),
    maxSessionTimeoutMs: anInteger(1, LONGEST_TIMEOUT_MS),
    onError: aFunction,
  })
  const { tickTimeMs = DEFAULT_TICK_MS } = options
  const minSessionTimeoutMs = options.minSessionTimeoutMs ?? tickTimeMs * MIN_SESSION_TICKS
  const maxSessionTimeoutMs = options.maxSessionTimeoutMs ?? tickTimeMs * MAX_SESSION_TICKS
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    throw new InvalidArgumentError(
      `EmbeddedZooKeeper: minSessionTimeoutMs ${minSessionTimeoutMs} is larger than maxSessionTimeoutMs ${maxSessionTimeoutMs}`,
    )
  }
  const { port = 0, servers = 1, onError = () => undefined } = options
  return { port, servers, minSessionTimeoutMs, maxSessionTimeoutMs, onError }
}
