import type { Socket } from 'node:net'
import type { Ending } from './proxy-faults.ts'

/** One direction of a connection through a proxy. */
export class Link {
  readonly #to: Socket
  readonly #from: Socket
  #isStalled = false
  #queue: Promise<void> = Promise.resolve()

  constructor(from: Socket, to: Socket) {
    this.#from = from
    this.#to = to
  }

  write(bytes: Uint8Array): void {
    if (!this.#isStalled && this.#to.writable) this.#to.write(bytes)
  }

  /** Writes, and resolves when the system has taken it. */
  async flushed(bytes: Uint8Array): Promise<void> {
    if (this.#isStalled || !this.#to.writable || bytes.length === 0) return
    await new Promise<void>((resolve) => this.#to.write(bytes, () => resolve()))
  }

  stall(): void {
    this.#isStalled = true
  }

  cut(ending: Ending): void {
    this.stall()
    for (const socket of [this.#from, this.#to]) {
      if (ending === 'reset') socket.resetAndDestroy()
      else {
        socket.end()
        socket.destroySoon()
      }
    }
  }

  /** Does one thing after the other, in the order of the calls. */
  inTurn(work: () => Promise<void> | void): void {
    this.#queue = this.#queue.then(work)
  }
}
