import type { OnReadOpts } from 'node:net'

/** Takes bytes where it wants them to be put. */
export interface Receiver {
  /** Where the next bytes go; asked again after each `received`. */
  space(): Buffer
  /** This many bytes were put at the beginning of what `space` gave. */
  received(byteCount: number): void
}

/** A broker says nothing before it is asked. Others do, and it says what they are. */
const EARLY_BYTES = 4096

/**
 * Reads a TCP socket straight into the memory of its receiver (Node's `onread`), where a stream would allocate
 * 64 KiB for each read, to be copied from and collected. Sockets begin to read when they are connected:
 * what comes before there is a receiver is kept for it.
 */
export class SocketReader {
  #receiver: Receiver | undefined
  readonly #early: Buffer[] = []
  #isUsed = false

  /** For the socket that is read this way. Another one may take its place. */
  onread(): OnReadOpts {
    this.#isUsed = true
    const early = Buffer.allocUnsafeSlow(EARLY_BYTES)
    /** The socket holds on to what it was given last, also when a receiver comes in between. */
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

  /** Whether a socket was made to be read this way: its stream then has no data. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  /** Delivers what has come, and everything that comes from now on. */
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
