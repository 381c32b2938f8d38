import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { JuteWriter } from '../jute.ts'
import type { ReplyGate } from './reply-gate.ts'

/** The output of a connection, in order: written immediately, or held while the gate is closed. */
export class Outbox {
  readonly #socket: Socket
  readonly #gate: ReplyGate
  readonly #onSpace: () => void
  readonly #kept: Uint8Array[] = []
  #keptBytes = 0
  #isEnding = false
  #isMute = false
  readonly #flush = () => this.#writeKept()

  /** Calls `onSpace` when pending output has been written. */
  constructor(socket: Socket, gate: ReplyGate, onSpace: () => void) {
    this.#socket = socket
    this.#gate = gate
    this.#onSpace = onSpace
    socket.on('drain', onSpace)
  }

  get unsentBytes(): number {
    return this.#socket.writableLength + this.#keptBytes
  }

  /** When this is true, no more input may be read. */
  get isEnding(): boolean {
    return this.#isEnding
  }

  sendFrame(frame: JuteWriter): void {
    const size = Buffer.alloc(4)
    size.writeInt32BE(frame.length)
    this.send(size)
    for (const segment of frame.finish()) this.send(segment)
  }

  send(bytes: Uint8Array): void {
    if (this.#isMute) return
    if (this.#gate.isClosed) {
      this.#kept.push(bytes)
      this.#keptBytes += bytes.length
      this.#gate.onOpen(this.#flush)
    } else {
      this.#socket.write(bytes)
    }
  }

  /** Closes the connection when everything has been written. */
  end(): void {
    this.#isEnding = true
    if (this.#kept.length === 0) this.#socket.destroySoon()
  }

  /** Discards the held output and everything that is sent from now on. */
  mute(): void {
    this.#isMute = true
    this.#gate.forget(this.#flush)
  }

  #writeKept(): void {
    for (const bytes of this.#kept.splice(0)) this.#socket.write(bytes)
    this.#keptBytes = 0
    if (this.#isEnding) this.#socket.destroySoon()
    else this.#onSpace()
  }
}
