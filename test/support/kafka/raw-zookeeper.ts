import { ByteWriter } from './bytes.ts'
import { FrameSocket } from './frame-socket.ts'

/** The three things the starter requires of ZooKeeper, by hand for the same reason as raw-request.ts. */

const CREATE = 1
const EXISTS = 3
const CLOSE = -11
const NO_NODE = -101

export class RawZooKeeper implements AsyncDisposable {
  readonly #socket: FrameSocket
  #requests = 0

  private constructor(socket: FrameSocket) {
    this.#socket = socket
  }

  /** `timeoutMs` bounds the connection and each answer. Default: that of one attempt among several. */
  static async open(port: number, timeoutMs?: number): Promise<RawZooKeeper> {
    const socket = await FrameSocket.open(port, timeoutMs)
    const hello = new ByteWriter().int32(0).int64(0n).int32(10_000).int64(0n)
    await socket.ask(hello.bytes(Buffer.alloc(16)).toBuffer())
    return new RawZooKeeper(socket)
  }

  async exists(path: string): Promise<boolean> {
    const code = await this.#ask(EXISTS, new ByteWriter().bytes(path).int8(0).toBuffer())
    if (code !== 0 && code !== NO_NODE) throw new Error(`ZooKeeper error ${code} for ${path}`)
    return code === 0
  }

  /** A lasting node that everyone may change. */
  async create(path: string, data: string): Promise<void> {
    const body = new ByteWriter().bytes(path).bytes(data)
    body.int32(1).int32(31).bytes('world').bytes('anyone').int32(0)
    const code = await this.#ask(CREATE, body.toBuffer())
    if (code !== 0) throw new Error(`ZooKeeper error ${code} when creating ${path}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ask(CLOSE, Buffer.alloc(0)).catch(() => undefined)
    this.#socket[Symbol.dispose]()
  }

  async #ask(operation: number, body: Buffer): Promise<number> {
    const request = new ByteWriter().int32(++this.#requests).int32(operation).raw(body)
    const answer = await this.#socket.ask(request.toBuffer())
    answer.int32()
    answer.int64()
    return answer.int32() // the error code
  }
}
