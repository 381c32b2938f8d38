/** A fault that has been set up. */
export interface Fault {
  /** How many requests it has met. */
  readonly hits: number
  /** Meets no more requests; those that it holds stay held. */
  remove(): void
  /** Releases what it holds, and holds nothing more. */
  release(): void
}

export interface ActiveFault<Match, Action> {
  readonly match: Match
  readonly action: Action
  /** Resolves when a held request may go on. */
  readonly released: Promise<void>
}

class SetFault<Match, Action> implements Fault, ActiveFault<Match, Action> {
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

/** The faults that are set up, in their order: a request meets the first that fits. */
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

  /** Removes all, and releases what they hold. */
  clear(): void {
    for (const fault of [...this.#active]) fault.release()
  }

  /** The fault that a request meets; counts it. */
  meet(target: Target): ActiveFault<Match, Action> | undefined {
    for (const fault of this.#active) {
      if (!this.#fits(fault.match, target)) continue
      fault.hits++
      if (fault.match.times !== undefined && fault.hits >= fault.match.times) fault.remove()
      return fault
    }
    return undefined
  }
}
