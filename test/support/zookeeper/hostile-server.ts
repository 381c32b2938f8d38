import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { frameCutter } from '../frames.ts'
import { ByteWriter } from '../kafka/bytes.ts'

export const CONNECT = 'connect'

/** ZooKeeper's numbers of the requests that a client sends. */
const TYPES: Readonly<Record<number, string>> = {
  3: 'exists',
  4: 'getData',
  11: 'ping',
  12: 'getChildren',
  [-11]: 'closeSession',
}

/** What the answer to a request is; undefined for none at all. `xid` is the request's. */
export type Answer = (operation: string, xid: number, path: string) => Buffer | undefined

/** A ZooKeeper that answers whatever a test says. */
export class HostileZooKeeper implements AsyncDisposable {
  connections = 0
  readonly asked: string[] = []
  readonly #answer: Answer
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(answer: Answer) {
    this.#answer = answer
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
  }

  static async start(answer: Answer): Promise<HostileZooKeeper> {
    const zookeeper = new HostileZooKeeper(answer)
    zookeeper.#server.listen(0, '127.0.0.1')
    await once(zookeeper.#server, 'listening')
    return zookeeper
  }

  get hosts(): string {
    const address = this.#server.address()
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  }

  #serve(socket: Socket): void {
    this.connections++
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    let isFirst = true
    socket.on(
      'data',
      frameCutter((frame) => {
        const xid = isFirst ? 0 : frame.readInt32BE(4)
        const operation = isFirst ? CONNECT : (TYPES[frame.readInt32BE(8)] ?? 'other')
        const path = frame.length > 16 && !isFirst ? pathOf(frame) : ''
        isFirst = false
        this.asked.push(operation)
        const answer = this.#answer(operation, xid, path)
        if (answer !== undefined) socket.write(answer)
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

function pathOf(frame: Buffer): string {
  return frame.toString('utf8', 16, 16 + frame.readInt32BE(12))
}

export function framed(body: Buffer): Buffer {
  return new ByteWriter().bytes(body).toBuffer()
}

/** A session is granted, for this long. */
export function granted(timeoutMs = 6_000): Buffer {
  const session = new ByteWriter().int32(0).int32(timeoutMs).int64(1n)
  return framed(session.bytes(Buffer.alloc(16)).toBuffer())
}

export function reply(xid: number, body: Buffer, error = 0): Buffer {
  return framed(new ByteWriter().int32(xid).int64(1n).int32(error).raw(body).toBuffer())
}

const STAT = Buffer.alloc(68)

export function childrenReply(xid: number, names: readonly string[]): Buffer {
  const body = new ByteWriter()
  body.array(names, (name) => body.bytes(name))
  return reply(xid, body.raw(STAT).toBuffer())
}

export function dataReply(xid: number, data: Buffer | undefined): Buffer {
  const body = new ByteWriter()
  if (data === undefined) body.int32(-1)
  else body.bytes(data)
  return reply(xid, body.raw(STAT).toBuffer())
}
