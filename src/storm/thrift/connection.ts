/** A connection to a Thrift server: frames, one call at a time. */
import { connect, type Socket } from 'node:net'
import { StormError, type StormErrorCode } from '../errors.ts'
import { ThriftReader, ThriftWriter, WireType } from './binary.ts'
import type { Exception, Method } from './methods.ts'
import { i32, optional, string, struct } from './types.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * The upper 16 bits of a message's first number contain the version of the protocol, the lower ones
 * the type of the message.
 */
const VERSION_1 = 0x8001_0000 | 0
const CALL = 1
const EXCEPTION = 3
/** The maximum size of a response; Nimbus sends no larger ones. */
const LONGEST_ANSWER_BYTES = 256 * 1024 * 1024

const applicationException = struct({ message: optional(1, string), type: optional(2, i32) })
const declaredException = struct({ msg: optional(1, string) })

const CODES: Readonly<Record<Exception, StormErrorCode>> = {
  AlreadyAliveException: 'TOPOLOGY_EXISTS',
  NotAliveException: 'UNKNOWN_TOPOLOGY',
  InvalidTopologyException: 'INVALID_TOPOLOGY',
  AuthorizationException: 'NOT_AUTHORIZED',
}

interface Waiting {
  readonly name: string
  resolve(frame: Buffer): void
  reject(error: unknown): void
}

/** Opened by `open`, ended by `close` or by the first error. */
export class ThriftConnection implements Disposable {
  readonly address: Address
  readonly #socket: Socket
  readonly #timeoutMs: number
  #received: Buffer[] = []
  #receivedBytes = 0
  #waiting: Waiting | undefined
  #before: Promise<unknown> = Promise.resolve()
  #error: StormError | undefined
  #lastId = 0

  private constructor(socket: Socket, address: Address, timeoutMs: number) {
    this.address = address
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error) => this.#end(unreachable(address, error.message, error)))
    socket.on('close', () => this.#end(unreachable(address, 'it closed the connection')))
  }

  /** Throws StormError (NIMBUS_UNREACHABLE). */
  static async open(address: Address, timeoutMs: number): Promise<ThriftConnection> {
    const socket = connect({ ...address, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => fail(`no connection within ${timeoutMs} ms`), timeoutMs)
      const fail = (problem: string, cause?: unknown): void => {
        clearTimeout(late)
        socket.destroy()
        reject(unreachable(address, problem, cause))
      }
      socket.once('error', (error) => fail(reasonOf(error), error))
      socket.once('connect', () => {
        clearTimeout(late)
        socket.removeAllListeners('error')
        resolve()
      })
    })
    return new ThriftConnection(socket, address, timeoutMs)
  }

  /** Calls a method. Throws StormError. */
  call<Args, Result>(method: Method<Args, Result>, args: Args): Promise<Result> {
    const calling = this.#before.then(() => this.#callNow(method, args))
    this.#before = calling.catch(() => undefined)
    return calling
  }

  [Symbol.dispose](): void {
    this.#end(unreachable(this.address, 'the connection is closed'))
  }

  async #callNow<Args, Result>(method: Method<Args, Result>, args: Args): Promise<Result> {
    if (this.#error !== undefined) throw this.#error
    const id = ++this.#lastId
    const out = new ThriftWriter()
    out.i32(VERSION_1 | CALL)
    out.string(method.name)
    out.i32(id)
    method.args.write(out, args)
    const message = out.finish()
    const length = Buffer.alloc(4)
    length.writeInt32BE(message.length)
    const answer = await this.#exchange(method.name, Buffer.concat([length, message]))
    try {
      return this.#read(method, id, answer)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      const reason = `the response of ${textOf(this.address)} to ${method.name} is not valid Thrift: ${error.message}`
      throw new StormError('PROTOCOL', reason, undefined, error)
    }
  }

  #exchange(name: string, message: Buffer): Promise<Buffer> {
    return new Promise<Buffer>((resolve, reject) => {
      const late = setTimeout(() => {
        this.#end(unreachable(this.address, `no response to ${name} within ${this.#timeoutMs} ms`))
      }, this.#timeoutMs)
      const done = (): void => {
        clearTimeout(late)
        this.#waiting = undefined
      }
      this.#waiting = {
        name,
        resolve: (frame) => {
          done()
          resolve(frame)
        },
        reject: (error) => {
          done()
          reject(error instanceof Error ? error : new Error(String(error)))
        },
      }
      this.#socket.write(message)
    })
  }

  #read<Args, Result>(method: Method<Args, Result>, id: number, answer: Buffer): Result {
    const input = new ThriftReader(answer)
    const head = input.i32()
    const name = input.bytes().toString()
    const answered = input.i32()
    if ((head & 0xffff_0000) !== VERSION_1 || name !== method.name || answered !== id) {
      throw new RangeError(`a response to ${JSON.stringify(name.slice(0, 100))}`)
    }
    if ((head & 0xff) === EXCEPTION) {
      const { message = 'no reason' } = applicationException.read(input, WireType.struct)
      throw new StormError('NIMBUS_FAILED', `Nimbus failed at ${method.name}: ${message}`)
    }
    for (let wire = input.byte(); wire !== WireType.stop; wire = input.byte()) {
      const field = input.i16()
      const exception = method.exceptions[field]
      if (field === 0 && method.result !== undefined) return method.result.read(input, wire)
      if (exception !== undefined) {
        const { msg = 'no reason' } = declaredException.read(input, WireType.struct)
        throw new StormError(CODES[exception], msg)
      }
      input.skip(wire)
    }
    if (method.result !== undefined) throw new RangeError('a response without a result')
    // A method without a result returns undefined.
    return undefined as Result
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#receivedBytes += chunk.length
    if (this.#receivedBytes < 4) return
    // The first chunks contain the length: they are joined only when the frame is complete.
    const first = this.#received[0]!
    if (first.length < 4) this.#received = [Buffer.concat(this.#received)]
    const length = this.#received[0]!.readInt32BE()
    if (length < 0 || length > LONGEST_ANSWER_BYTES) {
      const reason =
        'it does not use framed Thrift: check that this is the port of Nimbus (6627 by default)'
      this.#end(unreachable(this.address, reason))
      return
    }
    if (this.#receivedBytes < 4 + length) return
    const bytes = Buffer.concat(this.#received)
    const rest = bytes.subarray(4 + length)
    this.#received = rest.length === 0 ? [] : [rest]
    this.#receivedBytes = rest.length
    this.#waiting?.resolve(bytes.subarray(4, 4 + length))
  }

  #end(error: StormError): void {
    this.#error ??= error
    this.#waiting?.reject(error)
    this.#socket.destroy()
  }
}

export function textOf({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function unreachable(address: Address, problem: string, cause?: unknown): StormError {
  const reason = `cannot connect to Nimbus at ${textOf(address)}: ${problem}`
  return new StormError('NIMBUS_UNREACHABLE', reason, undefined, cause)
}

/** If a name has several addresses, each of them has failed for its own reason. */
function reasonOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message
  return error.errors.map((one: unknown) => (one instanceof Error ? one.message : one)).join(', ')
}
