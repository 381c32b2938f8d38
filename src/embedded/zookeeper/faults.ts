/** Faults on demand: the requests that they match, and their effects. */
import { InvalidArgumentError } from '../../errors.ts'
import { FaultList, type ActiveFaultOf, type Fault } from '../faults/fault-list.ts'
import { KeeperCode, type KeeperErrorName } from './error-codes.ts'
import { OPERATIONS, type Operation } from './operations.ts'

/** The requests that a fault matches: those that match all given properties. */
export interface ZooKeeperFaultMatch {
  /** By ZooKeeper's names, such as `create` or `getChildren2`. Default: any but `ping`. */
  readonly operation?: Operation
  /**
   * Requests about this node; the path includes the chroot. A `multi` has no node. Default: any.
   */
  readonly path?: string
  /** Requests of this session. Default: any. */
  readonly sessionId?: bigint
  /** The maximum number of requests. Default: all, until `remove()`. */
  readonly times?: number
}

/** The effect on a request: exactly one of these. */
export type ZooKeeperFaultAction =
  /** The server does not execute the request, and responds with this error. */
  | { readonly error: KeeperErrorName }
  /**
   * The server executes the request this many milliseconds later; later requests on the connection
   * wait.
   */
  | { readonly delayMs: number }
  /**
   * The server executes the request when the fault is released; later requests on the connection
   * wait.
   */
  | { readonly hold: true }
  /** The server does not execute the request, and closes the connection. */
  | { readonly close: true }
  /**
   * The server executes the request, and closes the connection without a response: the client does
   * not learn the outcome.
   */
  | { readonly loseReply: true }

/** The properties of a request that faults match. */
export interface ZooKeeperFaultTarget {
  readonly operation: Operation
  readonly sessionId: bigint
  /** The node of the request, if any. Called only if a fault names a node. */
  path(): string | undefined
}

export type ActiveZooKeeperFault = ActiveFaultOf<ZooKeeperFaultMatch, ZooKeeperFaultAction>

const ACTIONS = ['error', 'delayMs', 'hold', 'close', 'loseReply']

/** Faults with which an embedded ZooKeeper answers requests, as `zookeeper.faults`. */
export class ZooKeeperFaults {
  readonly #faults = new FaultList<ZooKeeperFaultMatch, ZooKeeperFaultAction, ZooKeeperFaultTarget>(
    fits,
  )

  /** Adds a fault. If several faults match a request, the one that was added first is applied. */
  on(match: ZooKeeperFaultMatch, action: ZooKeeperFaultAction): Fault {
    check(match, action)
    return this.#faults.add(match, action)
  }

  /** Removes all faults, and releases the requests that they hold. */
  clear(): void {
    this.#faults.clear()
  }

  /** Returns the fault that matches a request, and counts it. */
  meet(target: ZooKeeperFaultTarget): ActiveZooKeeperFault | undefined {
    return this.#faults.meet(target)
  }
}

function fits(
  { operation, path, sessionId }: ZooKeeperFaultMatch,
  target: ZooKeeperFaultTarget,
): boolean {
  return (
    (operation === undefined ? target.operation !== 'ping' : operation === target.operation) &&
    (sessionId === undefined || sessionId === target.sessionId) &&
    (path === undefined || path === target.path())
  )
}

function check({ operation }: ZooKeeperFaultMatch, action: ZooKeeperFaultAction): void {
  const names = Object.keys(action)
  const [name] = names
  if (names.length !== 1 || name === undefined || !ACTIONS.includes(name)) {
    throw new InvalidArgumentError(
      `a fault must have exactly one of ${ACTIONS.join(', ')}, not ${names.length === 0 ? 'none' : names.join(', ')}`,
    )
  }
  if ('error' in action && !Object.hasOwn(KeeperCode, action.error)) {
    throw new InvalidArgumentError(`ZooKeeper has no error '${action.error}'`)
  }
  if (operation !== undefined && !Object.hasOwn(OPERATIONS, operation)) {
    throw new InvalidArgumentError(`ZooKeeper has no operation '${operation}'`)
  }
}
