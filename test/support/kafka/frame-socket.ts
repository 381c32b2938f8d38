import { connect, type Socket } from 'node:net'
import { ByteReader, ByteWriter } from './bytes.ts'

/**
 * How long one attempt may take. Checks of whether a server is ready repeat their attempts, and an attempt may never be
 * answered: ZooKeeper 3.8 keeps a connection open without an answer when it arrives before the data is loaded
 * (NullPointerException in removeCnxn). What is asked once takes PATIENCE_MS instead.
 */
const ATTEMPT_MS = 5_000

/** A connection that carries frames with a four-byte length, one question and its answer at a time. */
export class FrameSocket implements Disposable {
  readonly #socket: Socket
  readonly #address: string

  private constructor(socket: Socket, address: string) {
    this.#socket = socket
    this.#address = address
  }

  static open(port: number, timeoutMs = ATTEMPT_MS): Promise<FrameSocket> {
    return new Promise((resolve, reject) => {
      const address = `127.0.0.1:${port}`
      const socket = connect({ port, host: '127.0.0.1' })
      socket.setTimeout(timeoutMs, () =>
        socket.destroy(new Error(`${address} has not answered for ${timeoutMs} ms`)),
      )
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        // Each question has its own listener; between them an error concerns no listener.
        socket.on('error', () => undefined)
        resolve(new FrameSocket(socket, address))
      })
    })
  }

  ask(body: Buffer): Promise<ByteReader> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket
      let received = Buffer.alloc(0)
      const settle = (finish: () => void): void => {
        socket.off('data', onData).off('error', onError).off('close', onClose)
        finish()
      }
      const onData = (chunk: Buffer): void => {
        received = Buffer.concat([received, chunk])
        if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return
        settle(() => resolve(new ByteReader(received.subarray(4))))
      }
      const onError = (error: Error): void => settle(() => reject(error))
      const onClose = (): void =>
        settle(() => reject(new Error(`${this.#address} closed the connection`)))
      if (socket.destroyed) {
        onClose()
        return
      }
      socket.on('data', onData).on('error', onError).on('close', onClose)
      socket.write(new ByteWriter().bytes(body).toBuffer())
    })
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
