/**
 * The null broker within the process of its client, behind a stream instead of a socket. Without a kernel and a second
 * process between them, each run does the same work in the same order, and its CPU time is the client's own: the user
 * time of a run on a socket is no substitute, because Linux splits CPU time by looking 250 times per second.
 */
import { Duplex } from 'node:stream'
import { FrameReader } from '../../src/network/frame-reader.ts'
import { answered } from '../runner/null-answers.ts'

const MAX_REQUEST_BYTES = 100 << 20

interface Write {
  readonly chunk: Buffer
}

export class MemoryBroker extends Duplex {
  readonly #responses: Uint8Array[] = []
  #next: NodeJS.Immediate | undefined
  readonly #requests = new FrameReader(MAX_REQUEST_BYTES, (frame) => {
    this.#responses.push(...(answered(frame) ?? []))
    this.#next ??= setImmediate(() => this.#respond())
  })

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#requests.push(chunk)
    done()
  }

  override _writev(writes: readonly Write[], done: () => void): void {
    for (const { chunk } of writes) this.#requests.push(chunk)
    done()
  }

  override _read(): void {
    // Responses are pushed when there are some.
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearImmediate(this.#next)
    done(error)
  }

  /** In a later turn of the event loop, as from a socket. */
  #respond(): void {
    this.#next = undefined
    for (const segment of this.#responses.splice(0)) this.push(segment)
  }
}
