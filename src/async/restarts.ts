/** Registers which producers and consumers are open, so that their client can close them. */
export interface OpenRegister {
  readonly onOpened: () => void
  readonly onClosed: () => void
}

export const NO_REGISTER: OpenRegister = {
  onOpened: () => undefined,
  onClosed: () => undefined,
}

/**
 * The sessions of a producer or consumer, one from each start to the next stop. A session that was closed never acts
 * again (see `Lifecycle`), so a start after a stop creates a new one from what the previous session left:
 *
 *   from \ call   again             stop              close
 *   in use        (nothing)         stopped           closed
 *   stopped       in use            (the same stop)   closed
 *   closed        (nothing)         closed            closed
 */
export class Restarts<Session> {
  readonly #make: (before: Session | undefined) => Session
  readonly #register: OpenRegister
  #current: Session
  #stopping: Promise<void> | undefined
  #isClosed = false

  constructor(make: (before: Session | undefined) => Session, register: OpenRegister) {
    this.#make = make
    this.#register = register
    this.#current = make(undefined)
  }

  /** The session in use; after a stop or a close, the last one. */
  get current(): Session {
    return this.#current
  }

  /**
   * Called before a session is started. After a stop it resolves with true when the stop has ended, successfully or
   * not, and a new session is in use. Returns undefined if there is nothing to wait for.
   */
  again(): Promise<boolean> | undefined {
    return this.#stopping === undefined || this.#isClosed ? undefined : this.#again(this.#stopping)
  }

  /** The promise of closing the session in use. */
  stop(stopping: Promise<void>): Promise<void> {
    this.#stopping ??= stopping
    return stopping
  }

  /** Like `stop`, but permanent: the session's own `start` throws from now on. */
  close(closing: Promise<void>): Promise<void> {
    this.#isClosed = true
    return closing
  }

  async #again(stopping: Promise<void>): Promise<boolean> {
    // The error is thrown to the caller of `stop`.
    await stopping.catch(() => undefined)
    // Another start, or a close, came first.
    if (this.#stopping !== stopping || this.#isClosed) return false
    this.#current = this.#make(this.#current)
    this.#stopping = undefined
    this.#register.onOpened()
    return true
  }
}
