import type { OnReadOpts } from 'node:net'

/** Takes bytes into memory that it provides. */
export interface Receiver {
  /** Where the next bytes go; called again after each `received`. */
  space(): Buffer
  /** This many bytes were put at the beginning of the last result of `space`. */
  received(byteCount: number): void
}

/** A broker sends nothing before it gets a request. Other servers do, and their first bytes show what they are. */
const EARLY_BYTES = 4096

/**
 * Reads a TCP socket directly into the memory of its receiver (Node's `onread`). A stream would allocate 64 KiB for
 * each read, which would be copied and collected. Sockets begin to read when they are connected: bytes that arrive
 * before there is a receiver are kept for it.
 */
export class SocketReader {
  #receiver: Receiver | undefined
  readonly #early: Buffer[] = []
  #isUsed = false

  /** The option for the socket that is read this way. A later socket may replace it. */
  onread(): OnReadOpts {
    this.#isUsed = true
    const early = Buffer.allocUnsafeSlow(EARLY_BYTES)
    /** The socket keeps the buffer that it got last, also when a receiver is set meanwhile. */
    let isReceivers = false
    return {
      buffer: () => {
        isReceivers = this.#receiver !== undefined
        return this.#receiver?.space() ?? early
      },
      callback: (byteCount) => {
        const receiver = this.#receiver
        if (receiver === undefined) this.#early.push(Buffer.from(early.subarray(0, byteCount)))
        else if (isReceivers) receiver.received(byteCount)
        else give(early.subarray(0, byteCount), receiver)
        return true
      },
    }
  }

  /** Whether a socket was created to be read this way: its stream then has no data. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  /** Delivers the bytes that have arrived, and all later ones. */
  to(receiver: Receiver): void {
    this.#receiver = receiver
    for (const chunk of this.#early.splice(0)) give(chunk, receiver)
  }
}

/** Delivers bytes that were read elsewhere. */
function give(chunk: Buffer, receiver: Receiver): void {
  for (let at = 0; at < chunk.length;) {
    const taken = chunk.copy(receiver.space(), 0, at)
    receiver.received(taken)
    at += taken
  }
}
