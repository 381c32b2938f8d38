/** Learns which producers and consumers are open, to close them with their client. */
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
 * again (see `Lifecycle`), so a start after a stop makes a new one, from what the session before left:
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
   * To be called before a session is started. After a stop it resolves with true once that has ended, successfully or
   * not, and a new session is in use; undefined where there is nothing to wait for.
   */
  again(): Promise<boolean> | undefined {
    return this.#stopping === undefined || this.#isClosed ? undefined : this.#again(this.#stopping)
  }

  /** `stopping` is the closing of the session in use. */
  stop(stopping: Promise<void>): Promise<void> {
    this.#stopping ??= stopping
    return stopping
  }

  /** As `stop`, permanently: the session's own `start` throws from now on. */
  close(closing: Promise<void>): Promise<void> {
    this.#isClosed = true
    return closing
  }

  async #again(stopping: Promise<void>): Promise<boolean> {
    // Its error is thrown to the caller of `stop`.
    await stopping.catch(() => undefined)
    // Another start has been faster, or a close.
    if (this.#stopping !== stopping || this.#isClosed) return false
    this.#current = this.#make(this.#current)
    this.#stopping = undefined
    this.#register.onOpened()
    return true
  }
}
