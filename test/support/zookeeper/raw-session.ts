import { connect, type Socket } from 'node:net'
import { FrameReader } from '../../../src/network/frame-reader.ts'
import { ByteWriter } from '../kafka/bytes.ts'
import { PATIENCE_MS } from '../patience.ts'
import type { RawRequest } from './wire.ts'

export interface ConnectFields {
  readonly timeoutMs?: number
  readonly sessionId?: bigint
  readonly password?: Buffer
  readonly lastZxid?: bigint
  /** Clients before ZooKeeper 3.4 don't send it. Default: true. */
  readonly sendsReadOnly?: boolean
}

/** A connection to a ZooKeeper: frames as they are. */
export class RawSession implements Disposable {
  readonly #socket: Socket
  readonly #frames: Buffer[] = []
  #isClosed = false
  #wake: () => void = () => undefined
  #xid = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    const reader = new FrameReader(0x7fff_ffff, (frame) => this.#frames.push(Buffer.from(frame)))
    socket.on('data', (chunk) => {
      reader.push(chunk)
      this.#wake()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
  }

  static open(port: number): Promise<RawSession> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () =>
        resolve(new RawSession(socket)),
      )
      socket.once('error', reject)
    })
  }

  connect(fields: ConnectFields): void {
    const { timeoutMs = 30_000, sessionId = 0n, lastZxid = 0n, sendsReadOnly = true } = fields
    const hello = new ByteWriter().int32(0).int64(lastZxid).int32(timeoutMs).int64(sessionId)
    hello.bytes(fields.password ?? Buffer.alloc(16))
    if (sendsReadOnly) hello.int8(0)
    this.write(new ByteWriter().bytes(hello.toBuffer()).toBuffer())
  }

  /** Returns the xid that it was sent with. */
  send({ type, body, xid }: RawRequest): number {
    const id = xid ?? ++this.#xid
    const frame = new ByteWriter().int32(id).int32(type).raw(body).toBuffer()
    this.write(new ByteWriter().bytes(frame).toBuffer())
    return id
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause()
  }

  /** Undefined when the connection has been closed, and everything before that was read. */
  async nextFrame(): Promise<Buffer | undefined> {
    while (this.#frames.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`ZooKeeper has said nothing for ${PATIENCE_MS} ms`))
        }, PATIENCE_MS)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return this.#frames.shift()
  }

  /** Resolves when the server has closed the connection; what it said before is left aside. */
  async closed(): Promise<void> {
    while ((await this.nextFrame()) !== undefined);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
