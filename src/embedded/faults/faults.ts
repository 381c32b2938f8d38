/** Faults on demand: the requests that they match, and their effects. */
import { ErrorCode, type ErrorName } from '../../../protocol/errors.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { ApiName } from '../api/api-names.ts'
import { FaultList, type ActiveFaultOf, type Fault } from './fault-list.ts'

export type { Fault } from './fault-list.ts'

/** The requests that a fault matches: those that match all given properties. */
export interface FaultMatch {
  /** Such as `Produce`. Default: any. */
  readonly api?: ApiName
  /** Requests about this topic. With `error`, only its partitions get the error. Default: any. */
  readonly topic?: string
  /** With `error`: only this partition of each topic gets the error. Default: all. */
  readonly partition?: number
  /** Requests to this broker. Default: any. */
  readonly broker?: number
  /** Requests of this client. Default: any. */
  readonly clientId?: string
  /** The maximum number of requests. Default: all, until `remove()`. */
  readonly times?: number
}

/** The effect on a request: exactly one of these. */
export type FaultAction =
  /**
   * The broker does not execute the request, and puts this error into every error field of the
   * response.
   */
  | { readonly error: ErrorName }
  /**
   * The broker executes the request this many milliseconds later; later requests on the connection
   * wait, as in Kafka.
   */
  | { readonly delayMs: number }
  /**
   * The broker executes the request when the fault is released; later requests on the connection
   * wait.
   */
  | { readonly hold: true }
  /** The broker neither executes nor answers the request, nor any later one on the connection. */
  | { readonly drop: true }
  /** The broker does not execute the request, and closes the connection. */
  | { readonly close: true }
  /**
   * The broker executes the request, and closes the connection after this many bytes of the
   * response; 0 sends none.
   */
  | { readonly cutAfterBytes: number }
  /** The broker executes the request once, and sends the response twice. */
  | { readonly answerTwice: true }

/** The properties of a request that faults match. */
export interface FaultTarget {
  readonly api: string
  readonly broker: number
  readonly clientId: string | null
  /** The topics that the request is about. Called only if a fault names a topic. */
  topics(): readonly string[]
}

export type ActiveFault = ActiveFaultOf<FaultMatch, FaultAction>

const ACTIONS = ['error', 'delayMs', 'hold', 'drop', 'close', 'cutAfterBytes', 'answerTwice']

/** Faults with which the brokers of an embedded cluster answer requests, as `cluster.faults`. */
export class Faults {
  readonly #faults = new FaultList<FaultMatch, FaultAction, FaultTarget>(fits)

  /** Adds a fault. If several faults match a request, the one that was added first is applied. */
  on(match: FaultMatch, action: FaultAction): Fault {
    checkAction(action)
    return this.#faults.add(match, action)
  }

  /** Removes all faults, and releases the requests that they hold. */
  clear(): void {
    this.#faults.clear()
  }

  /** Returns the fault that matches a request, and counts it. */
  meet(target: FaultTarget): ActiveFault | undefined {
    return this.#faults.meet(target)
  }
}

function fits({ api, topic, broker, clientId }: FaultMatch, target: FaultTarget): boolean {
  return (
    (api === undefined || api === target.api) &&
    (broker === undefined || broker === target.broker) &&
    (clientId === undefined || clientId === target.clientId) &&
    (topic === undefined || target.topics().includes(topic))
  )
}

function checkAction(action: FaultAction): void {
  const names = Object.keys(action)
  const [name] = names
  if (names.length !== 1 || name === undefined || !ACTIONS.includes(name)) {
    throw new InvalidArgumentError(
      `a fault must have exactly one of ${ACTIONS.join(', ')}, not ${names.length === 0 ? 'none' : names.join(', ')}`,
    )
  }
  if ('error' in action && !Object.hasOwn(ErrorCode, action.error)) {
    throw new InvalidArgumentError(`Kafka has no error '${action.error}'`)
  }
}
