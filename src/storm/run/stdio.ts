import { writeSync } from 'node:fs'
import type { Outgoing } from '../multilang/messages.ts'
import type { Wire } from '../multilang/wire.ts'

/** The maximum size of the pending data. Pipes of Linux have this capacity. */
const MOST_BYTES = 64 * 1024
/** How long to sleep if a non-blocking pipe is full. */
const FULL_PIPE_MS = 1

/**
 * Writes messages to a file descriptor: those of one turn of the event loop together, and synchronously, so that
 * nothing is lost when the process ends.
 */
export class MessageWriter {
  readonly #fd: number
  /** Can be replaced before the first message. */
  wire: Wire
  readonly #onGone: () => void
  #parts: (Buffer | string)[] = []
  #length = 0
  #isScheduled = false

  /** `onGone` is called when the other side has stopped reading. */
  constructor(fd: number, wire: Wire, onGone: () => void) {
    this.#fd = fd
    this.wire = wire
    this.#onGone = onGone
  }

  send(message: Outgoing): void {
    const part = this.wire.encode(message)
    this.#parts.push(part)
    this.#length += part.length
    if (this.#length >= MOST_BYTES) this.flush()
    else if (!this.#isScheduled) {
      this.#isScheduled = true
      // Runs after all promises that are settled now, so that a bolt's responses to one read are
      // sent in one write.
      process.nextTick(() => this.flush())
    }
  }

  flush(): void {
    this.#isScheduled = false
    if (this.#parts.length === 0) return
    const parts = this.#parts
    this.#parts = []
    this.#length = 0
    try {
      for (const bytes of joined(parts)) writeAll(this.#fd, bytes)
    } catch (error) {
      if (!isGone(error)) throw error
      this.#onGone()
    }
  }
}

/** Text and bytes are never mixed: a wire creates either one. */
function joined(parts: readonly (Buffer | string)[]): Buffer[] {
  const isText = parts.every((part) => typeof part === 'string')
  return isText ? [Buffer.from(parts.join(''))] : parts.map((part) => Buffer.from(part))
}

/** Also writes to a non-blocking pipe. */
export function writeAll(fd: number, bytes: Buffer): void {
  let written = 0
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written)
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_MS)
    }
  }
}

function isGone(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'EPIPE' || code === 'EBADF' || code === 'ECONNRESET'
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
}
