/** A fault that has been added. */
export interface Fault {
  /** The number of requests that the fault has been applied to. */
  readonly hits: number
  /** Stops applying the fault; requests that it holds stay held. */
  remove(): void
  /** Releases the requests that it holds, and holds no more. */
  release(): void
}

export interface ActiveFaultOf<Match, Action> {
  readonly match: Match
  readonly action: Action
  /** Resolves when a held request may continue. */
  readonly released: Promise<void>
}

class SetFault<Match, Action> implements Fault, ActiveFaultOf<Match, Action> {
  readonly match: Match
  readonly action: Action
  readonly released: Promise<void>
  hits = 0
  readonly #onRemove: (fault: SetFault<Match, Action>) => void
  #release!: () => void

  constructor(match: Match, action: Action, onRemove: (fault: SetFault<Match, Action>) => void) {
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

/**
 * The faults in the order in which they were added: the first that matches a request is applied to
 * it.
 */
export class FaultList<Match extends { readonly times?: number }, Action, Target> {
  readonly #active = new Set<SetFault<Match, Action>>()
  readonly #fits: (match: Match, target: Target) => boolean

  constructor(fits: (match: Match, target: Target) => boolean) {
    this.#fits = fits
  }

  add(match: Match, action: Action): Fault {
    const fault = new SetFault(match, action, (removed) => this.#active.delete(removed))
    this.#active.add(fault)
    return fault
  }

  /** Removes all faults, and releases the requests that they hold. */
  clear(): void {
    for (const fault of [...this.#active]) fault.release()
  }

  /** Returns the fault that matches a request, and counts it. */
  meet(target: Target): ActiveFaultOf<Match, Action> | undefined {
    for (const fault of this.#active) {
      if (!this.#fits(fault.match, target)) continue
      fault.hits++
      if (fault.match.times !== undefined && fault.hits >= fault.match.times) fault.remove()
      return fault
    }
    return undefined
  }
}
