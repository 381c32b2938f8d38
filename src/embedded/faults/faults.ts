/** Faults on demand: which requests they are for, and what becomes of those. */
import { ErrorCode, type ErrorName } from '../../../protocol/errors.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { ApiName } from '../api/api-names.ts'
import { FaultList, type ActiveFault as ActiveFaultOf, type Fault } from './fault-list.ts'

export type { Fault } from './fault-list.ts'

/** The requests that a fault is for: all that fit everything given. */
export interface FaultMatch {
  /** Such as `Produce`. Default: any. */
  readonly api?: ApiName
  /** Requests about this topic. With `error`, only its partitions get it. Default: any. */
  readonly topic?: string
  /** With `error`: only this partition of each topic gets it. Default: all. */
  readonly partition?: number
  /** Requests to this broker. Default: any. */
  readonly broker?: number
  /** Requests of this client. Default: any. */
  readonly clientId?: string
  /** How many requests at most. Default: all, until `remove()`. */
  readonly times?: number
}

/** What becomes of a request. Only one of them. */
export type FaultAction =
  /** The broker does not execute it, and puts this error into every error field of the response. */
  | { readonly error: ErrorName }
  /** It is acted upon this many milliseconds later; those behind it on the connection wait, as in Kafka. */
  | { readonly delayMs: number }
  /** It is acted upon when the fault is released; those behind it on the connection wait. */
  | { readonly hold: true }
  /** Neither it nor anything behind it on the connection is acted upon or answered: silence. */
  | { readonly drop: true }
  /** It is not acted upon, and the connection closed. */
  | { readonly close: true }
  /** It is acted upon, and the connection closed after this many bytes of the response, 0 for none. */
  | { readonly cutAfterBytes: number }
  /** It is acted upon once, and the response sent twice. */
  | { readonly answerTwice: true }

/** A request, as far as faults tell requests apart. */
export interface FaultTarget {
  readonly api: string
  readonly broker: number
  readonly clientId: string | null
  /** The topics that it is about. Asked for only where a fault cares. */
  topics(): readonly string[]
}

export type ActiveFault = ActiveFaultOf<FaultMatch, FaultAction>

const ACTIONS = ['error', 'delayMs', 'hold', 'drop', 'close', 'cutAfterBytes', 'answerTwice']

/** Faults that the brokers of an embedded cluster answer requests with, as `cluster.faults`. */
export class Faults {
  readonly #faults = new FaultList<FaultMatch, FaultAction, FaultTarget>(fits)

  /** The first that was set up and fits is the one that a request meets. */
  on(match: FaultMatch, action: FaultAction): Fault {
    checkAction(action)
    return this.#faults.add(match, action)
  }

  /** Removes all, and releases what they hold. */
  clear(): void {
    this.#faults.clear()
  }

  /** The fault that a request meets; counts it. */
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
      `a fault is one of ${ACTIONS.join(', ')}, not ${names.join(', ')}`,
    )
  }
  if ('error' in action && !Object.hasOwn(ErrorCode, action.error)) {
    throw new InvalidArgumentError(`Kafka has no error '${action.error}'`)
  }
}
