import { randomBytes } from 'node:crypto'
import type { Buffer } from 'node:buffer'
import type { Timer, Timers } from '../timers.ts'

const PASSWORD_BYTES = 16

/** The connection that a session is attached to. */
export interface SessionLink {
  /** Ends the connection without a word. */
  close(): void
}

export class Session {
  readonly id: bigint
  readonly password: Buffer
  timeoutMs: number
  /** Undefined while the client is away. */
  link: SessionLink | undefined
  heardAtMs = performance.now()

  constructor(id: bigint, timeoutMs: number) {
    this.id = id
    this.password = randomBytes(PASSWORD_BYTES)
    this.timeoutMs = timeoutMs
  }

  touch(): void {
    this.heardAtMs = performance.now()
  }
}

/** The sessions, each with a timer that ends it when its client is silent for its timeout. */
export class Sessions {
  readonly #byId = new Map<bigint, Session>()
  readonly #timerOf = new Map<bigint, Timer>()
  readonly #timers: Timers
  readonly #onExpired: (session: Session) => void
  #nextId: bigint
  #isPaused = false

  constructor(timers: Timers, onExpired: (session: Session) => void) {
    this.#timers = timers
    this.#onExpired = onExpired
    // As ZooKeeper makes them, so that two servers one after the other don't give the same.
    this.#nextId = (BigInt(Date.now()) << 16n) & 0xff_ffff_ffff_ffffn
  }

  get all(): readonly Session[] {
    return [...this.#byId.values()]
  }

  find(id: bigint): Session | undefined {
    return this.#byId.get(id)
  }

  /** An id that no session has had. */
  newId(): bigint {
    return ++this.#nextId
  }

  open(timeoutMs: number): Session {
    const session = new Session(this.newId(), timeoutMs)
    this.#byId.set(session.id, session)
    if (!this.#isPaused) this.#watch(session)
    return session
  }

  remove(session: Session): void {
    this.#byId.delete(session.id)
    this.#timerOf.get(session.id)?.cancel()
    this.#timerOf.delete(session.id)
  }

  /** The client has agreed on another timeout. */
  setTimeout(session: Session, timeoutMs: number): void {
    session.timeoutMs = timeoutMs
    session.touch()
    this.#watch(session)
  }

  /** A server that is down expires no session. */
  pause(): void {
    this.#isPaused = true
    for (const timer of this.#timerOf.values()) timer.cancel()
    this.#timerOf.clear()
  }

  /** All have their whole timeout again, as after a server's restart. */
  resume(): void {
    this.#isPaused = false
    for (const session of this.#byId.values()) {
      session.touch()
      this.#watch(session)
    }
  }

  #watch(session: Session): void {
    this.#timerOf.get(session.id)?.cancel()
    const leftMs = session.heardAtMs + session.timeoutMs - performance.now()
    const timer = this.#timers.afterSilence(Math.max(1, Math.ceil(leftMs)), () => {
      // A request only stores the time: a timer moved with every request would cost more.
      const isHeard = session.heardAtMs + session.timeoutMs > performance.now()
      if (isHeard) this.#watch(session)
      else this.#onExpired(session)
    })
    this.#timerOf.set(session.id, timer)
  }
}
