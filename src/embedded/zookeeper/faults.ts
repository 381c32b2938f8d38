/** Faults on demand: which requests they are for, and what becomes of those. */
import { InvalidArgumentError } from '../../errors.ts'
import { FaultList, type ActiveFault, type Fault } from '../faults/fault-list.ts'
import { KeeperCode, type KeeperErrorName } from './error-codes.ts'
import { OPERATIONS, type Operation } from './operations.ts'

/** The requests that a fault is for: all that fit everything given. */
export interface ZooKeeperFaultMatch {
  /** By ZooKeeper's names, such as `create` or `getChildren2`. Default: any but `ping`. */
  readonly operation?: Operation
  /** Requests about this node, chroot and all. A `multi` is about none. Default: any. */
  readonly path?: string
  /** Requests of this session. Default: any. */
  readonly sessionId?: bigint
  /** How many requests at most. Default: all, until `remove()`. */
  readonly times?: number
}

/** What becomes of a request. Only one of them. */
export type ZooKeeperFaultAction =
  /** It is not acted upon, but answered with this error. */
  | { readonly error: KeeperErrorName }
  /** It is acted upon this many milliseconds later; those behind it on the connection wait. */
  | { readonly delayMs: number }
  /** It is acted upon when the fault is released; those behind it on the connection wait. */
  | { readonly hold: true }
  /** It is not acted upon, and the connection closed. */
  | { readonly close: true }
  /** It is acted upon, and the connection closed before the answer: the client can't know. */
  | { readonly loseReply: true }

/** A request, as far as faults tell requests apart. */
export interface ZooKeeperFaultTarget {
  readonly operation: Operation
  readonly sessionId: bigint
  /** The node that it is about, if any. Asked for only where a fault cares. */
  path(): string | undefined
}

export type ActiveZooKeeperFault = ActiveFault<ZooKeeperFaultMatch, ZooKeeperFaultAction>

const ACTIONS = ['error', 'delayMs', 'hold', 'close', 'loseReply']

/** Faults that an embedded ZooKeeper answers requests with, as `zookeeper.faults`. */
export class ZooKeeperFaults {
  readonly #faults = new FaultList<ZooKeeperFaultMatch, ZooKeeperFaultAction, ZooKeeperFaultTarget>(
    fits,
  )

  /** The first that was set up and fits is the one that a request meets. */
  on(match: ZooKeeperFaultMatch, action: ZooKeeperFaultAction): Fault {
    check(match, action)
    return this.#faults.add(match, action)
  }

  /** Removes all, and releases what they hold. */
  clear(): void {
    this.#faults.clear()
  }

  /** The fault that a request meets; counts it. */
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
      `a fault is one of ${ACTIONS.join(', ')}, not ${names.join(', ')}`,
    )
  }
  if ('error' in action && !Object.hasOwn(KeeperCode, action.error)) {
    throw new InvalidArgumentError(`ZooKeeper has no error '${action.error}'`)
  }
  if (operation !== undefined && !Object.hasOwn(OPERATIONS, operation)) {
    throw new InvalidArgumentError(`ZooKeeper has no operation '${operation}'`)
  }
}
