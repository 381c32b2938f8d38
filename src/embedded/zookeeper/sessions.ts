import { randomBytes } from 'node:crypto'
import type { Buffer } from 'node:buffer'
import type { Timer, Timers } from '../timers.ts'

const PASSWORD_BYTES = 16

/** The connection that a session is attached to. */
export interface SessionLink {
  /** Closes the connection without a message. */
  close(): void
}

export class Session {
  readonly id: bigint
  readonly password: Buffer
  timeoutMs: number
  /** Undefined while the client is disconnected. */
  link: SessionLink | undefined
  touchedAtMs = performance.now()

  constructor(id: bigint, timeoutMs: number) {
    this.id = id
    this.password = randomBytes(PASSWORD_BYTES)
    this.timeoutMs = timeoutMs
  }

  touch(): void {
    this.touchedAtMs = performance.now()
  }
}

/**
 * The sessions, each with a timer that expires it when its client has sent nothing for its timeout.
 */
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
    // As in ZooKeeper, ids begin with the time, so that a server does not repeat the ids of an earlier one.
    this.#nextId = (BigInt(Date.now()) << 16n) & 0xff_ffff_ffff_ffffn
  }

  get all(): readonly Session[] {
    return [...this.#byId.values()]
  }

  find(id: bigint): Session | undefined {
    return this.#byId.get(id)
  }

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

  /** Sets the timeout that the client has negotiated. */
  setTimeout(session: Session, timeoutMs: number): void {
    session.timeoutMs = timeoutMs
    session.touch()
    this.#watch(session)
  }

  /** Stops the timers of all sessions: a stopped server expires none. */
  pause(): void {
    this.#isPaused = true
    for (const timer of this.#timerOf.values()) timer.cancel()
    this.#timerOf.clear()
  }

  /** Starts the timers again: all sessions get their whole timeout, as after a restart of the server. */
  resume(): void {
    this.#isPaused = false
    for (const session of this.#byId.values()) {
      session.touch()
      this.#watch(session)
    }
  }

  #watch(session: Session): void {
    this.#timerOf.get(session.id)?.cancel()
    const leftMs = session.touchedAtMs + session.timeoutMs - performance.now()
    const timer = this.#timers.afterSilence(Math.max(1, Math.ceil(leftMs)), () => {
      // A request only stores the time: moving the timer with every request would cost more.
      const isAlive = session.touchedAtMs + session.timeoutMs > performance.now()
      if (isAlive) this.#watch(session)
      else this.#onExpired(session)
    })
    this.#timerOf.set(session.id, timer)
  }
}
