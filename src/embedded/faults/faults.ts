/** Faults on demand: which requests they are for, and what becomes of those. */
import { ErrorCode, type ErrorName } from '../../../protocol/errors.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { ApiName } from '../server/api-names.ts'

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
  /** It is not acted upon, but answered with this error wherever the response has a place for one. */
  | { readonly error: ErrorName }
  /** It is acted upon so many milliseconds later; those behind it on the connection wait, as in Kafka. */
  | { readonly delayMs: number }
  /** It is acted upon when the fault is released; those behind it on the connection wait. */
  | { readonly hold: true }
  /** Neither it nor anything behind it on the connection is acted upon or answered: silence. */
  | { readonly drop: true }
  /** It is not acted upon, and the connection closed. */
  | { readonly close: true }
  /** It is acted upon, and the connection closed after so many bytes of the response, 0 for none. */
  | { readonly cutAfterBytes: number }
  /** It is acted upon once, and the response sent twice. */
  | { readonly answerTwice: true }

/** A fault that has been set up. */
export interface Fault {
  /** How many requests it has met. */
  readonly hits: number
  /** Meets no more requests; those that it holds stay held. */
  remove(): void
  /** Lets go of what it holds, and holds nothing more. */
  release(): void
}

/** A request, as far as faults tell requests apart. */
export interface FaultTarget {
  readonly api: string
  readonly broker: number
  readonly clientId: string | null
  /** The topics that it is about. Asked for only where a fault cares. */
  topics(): readonly string[]
}

export interface ActiveFault {
  readonly match: FaultMatch
  readonly action: FaultAction
  /** Resolves when a held request may go on. */
  readonly released: Promise<void>
}

const ACTIONS = ['error', 'delayMs', 'hold', 'drop', 'close', 'cutAfterBytes', 'answerTwice']

class SetFault implements Fault, ActiveFault {
  readonly match: FaultMatch
  readonly action: FaultAction
  readonly released: Promise<void>
  hits = 0
  readonly #onRemove: (fault: SetFault) => void
  #release!: () => void

  constructor(match: FaultMatch, action: FaultAction, onRemove: (fault: SetFault) => void) {
    this.match = match
    this.action = action
    this.#onRemove = onRemove
    this.released = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  remove(): void {
    this.#onRemove(this)
  }

  release(): void {
    this.remove()
    this.#release()
  }
}

export class Faults {
  readonly #active = new Set<SetFault>()

  /** The first that was set up and fits is the one that a request meets. */
  on(match: FaultMatch, action: FaultAction): Fault {
    checkAction(action)
    const fault = new SetFault(match, action, (removed) => this.#active.delete(removed))
    this.#active.add(fault)
    return fault
  }

  /** Removes all, and lets go of what they hold. */
  clear(): void {
    for (const fault of [...this.#active]) fault.release()
  }

  /** The fault that a request meets; counts it. */
  meet(target: FaultTarget): ActiveFault | undefined {
    for (const fault of this.#active) {
      if (!fits(fault.match, target)) continue
      fault.hits++
      if (fault.match.times !== undefined && fault.hits >= fault.match.times) fault.remove()
      return fault
    }
    return undefined
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
