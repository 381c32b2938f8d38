import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { FrameReader } from '../../../network/frame-reader.ts'
import type { Timers } from '../../timers.ts'
import { KeeperCode } from '../error-codes.ts'
import { JuteReader, JuteWriter } from '../jute.ts'
import type { ActiveZooKeeperFault, ZooKeeperFaults } from '../faults.ts'
import type { Keeper } from '../keeper.ts'
import { hasPath, operationOf, type Operation } from '../operations.ts'
import type { SessionLink } from '../sessions.ts'
import { digestIdentity } from '../tree/acl.ts'
import { EVENT_TYPES, type EventType } from '../tree/transaction.ts'
import { answer } from './answer.ts'
import { AttachedClient } from './attached-client.ts'
import { fourLetterAnswer } from './four-letter-words.ts'
import { connectResponse, greet, readConnectRequest, type SessionLimits } from './handshake.ts'
import { Outbox } from './outbox.ts'
import type { ReplyGate } from './reply-gate.ts'

/** The dependencies of a connection. */
export interface ZooKeeperConnectionDependencies {
  readonly keeper: Keeper
  readonly limits: SessionLimits
  readonly replies: ReplyGate
  readonly faults: ZooKeeperFaults
  readonly timers: Timers
  readonly onError: (error: unknown) => void
  readonly connections: () => number
}

/** ZooKeeper's jute.maxbuffer. */
const MAX_REQUEST_BYTES = 0xf_ffff
const WORD_BYTES = 4
/** The connection executes no more requests until a slow client has read the pending responses. */
const MOST_UNSENT_BYTES = 4 * 1024 * 1024
/**
 * A client that reads nothing while its watches fire would fill the memory: its connection is
 * closed.
 */
const MOST_UNSENT_EVENTS_BYTES = 64 * 1024 * 1024

/** The xids of events and heartbeats, which answer no request. */
const EVENT_XID = -1
const PING_XID = -2
const SYNC_CONNECTED = 3
const NO_ZXID = -1n

/**
 * The connection of one client. Its states: waiting for the first four bytes (which may be a
 * command), waiting for the connect request, attached to a session, closed. Invalid frames and
 * requests end only the connection.
 */
export class ZooKeeperConnection implements SessionLink {
  readonly #socket: Socket
  readonly #parts: ZooKeeperConnectionDependencies
  readonly #frames: FrameReader
  readonly #outbox: Outbox
  readonly #queue: Buffer[] = []
  /** The received bytes while there are fewer than four; undefined afterwards. */
  #head: Buffer | undefined = Buffer.alloc(0)
  #client: AttachedClient | undefined
  /** A fault delays a request, and all later ones. */
  #isStalled = false
  #isClosed = false
  readonly #onClose: () => void

  constructor(socket: Socket, parts: ZooKeeperConnectionDependencies, onClose: () => void) {
    this.#socket = socket
    this.#parts = parts
    this.#onClose = onClose
    this.#frames = new FrameReader(MAX_REQUEST_BYTES, (frame) => this.#queue.push(frame))
    this.#outbox = new Outbox(socket, parts.replies, () => this.#answerAll())
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#take(chunk))
    // A client that disconnects is not an error; 'close' follows.
    socket.on('error', () => undefined)
    socket.on('end', () => {
      // Pending output is still written before the connection ends.
      if (!this.#outbox.isEnding) this.close()
    })
    socket.on('close', () => this.close())
  }

  get sessionId(): bigint | undefined {
    return this.#client?.session.id
  }

  /** Closes the connection immediately; unwritten output is lost. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.destroy()
    this.#outbox.mute()
    if (this.#client !== undefined) {
      this.#parts.keeper.watches.removeAll(this.#client)
      const { session } = this.#client
      if (session.link === this) session.link = undefined
    }
    this.#onClose()
  }

  #take(chunk: Buffer): void {
    if (this.#outbox.isEnding) return
    this.#client?.session.touch()
    const bytes = this.#pastHead(chunk)
    if (bytes === undefined) return
    const outOfBounds = this.#frames.push(bytes)
    this.#answerAll()
    if (outOfBounds === undefined) return
    this.#fail(
      new RangeError(
        `a request has a length of ${outOfBounds.readInt32BE(0)} bytes, which is not allowed`,
      ),
    )
  }

  /** The input that is read as frames, after it is known not to be a command. */
  #pastHead(chunk: Buffer): Buffer | undefined {
    if (this.#head === undefined) return chunk
    const bytes = Buffer.concat([this.#head, chunk])
    if (bytes.length < WORD_BYTES) {
      this.#head = bytes
      return undefined
    }
    this.#head = undefined
    const word = fourLetterAnswer(bytes.toString('latin1', 0, WORD_BYTES), {
      keeper: this.#parts.keeper,
      connections: this.#parts.connections(),
    })
    if (word === undefined) return bytes
    this.#outbox.send(Buffer.from(word))
    this.#outbox.end()
    return undefined
  }

  #answerAll(): void {
    this.#socket.cork()
    try {
      while (this.#mayAnswer()) {
        const frame = this.#queue.shift()
        if (frame === undefined) break
        this.#answer(new JuteReader(frame))
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#socket.uncork()
    }
    if (this.#isClosed) return
    if (this.#queue.length > 0) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  #mayAnswer(): boolean {
    if (this.#isClosed || this.#outbox.isEnding || this.#isStalled) return false
    return this.#outbox.unsentBytes <= MOST_UNSENT_BYTES
  }

  #answer(reader: JuteReader): void {
    const client = this.#client
    if (client === undefined) {
      this.#connect(reader)
      return
    }
    const [xid, code] = [reader.int32(), reader.int32()]
    const operation = operationOf(code)
    if (operation === undefined) {
      this.#reply(xid, NO_ZXID, KeeperCode.UNIMPLEMENTED)
      this.#outbox.end()
      return
    }
    const fault = this.#parts.faults.meet({
      operation,
      sessionId: client.session.id,
      path: () => pathOf(operation, reader),
    })
    const act = () => this.#act(client, xid, operation, reader)
    if (fault === undefined) act()
    else this.#actFaulty(fault, xid, act)
  }

  #actFaulty({ action, released }: ActiveZooKeeperFault, xid: number, act: () => void): void {
    const { keeper, timers } = this.#parts
    if ('error' in action) {
      this.#reply(xid, keeper.zxid, KeeperCode[action.error])
    } else if ('delayMs' in action) {
      this.#stall((resume) => timers.after(action.delayMs, resume), act)
    } else if ('hold' in action) {
      this.#stall((resume) => void released.then(resume), act)
    } else {
      this.#outbox.mute()
      if ('loseReply' in action) act()
      this.close()
    }
  }

  /**
   * Executes the request when it is resumed, and continues with later ones, unless the client has
   * disconnected.
   */
  #stall(until: (resume: () => void) => void, act: () => void): void {
    this.#isStalled = true
    until(() => {
      if (this.#isClosed) return
      this.#isStalled = false
      try {
        act()
      } catch (error) {
        this.#fail(error)
      }
      this.#answerAll()
    })
  }

  #act(client: AttachedClient, xid: number, operation: Operation, reader: JuteReader): void {
    if (operation === 'auth') {
      this.#login(client, xid, reader)
    } else if (operation === 'closeSession') {
      this.#closeSession(client, xid)
    } else {
      const { keeper } = this.#parts
      const { errorCode, body } = answer(keeper, client, operation, reader)
      this.#reply(operation === 'ping' ? PING_XID : xid, keeper.zxid, errorCode, body)
    }
  }

  #connect(reader: JuteReader): void {
    const { keeper, limits } = this.#parts
    const request = readConnectRequest(reader)
    const greeting = greet(keeper, request, limits)
    if (greeting.kind === 'session') {
      const { session } = greeting
      session.link = this
      this.#client = new AttachedClient(session, this.#socket.remoteAddress, (type, path) =>
        this.#notify(type, path),
      )
      this.#outbox.sendFrame(connectResponse(session, request))
    } else if (greeting.kind === 'expired') {
      this.#outbox.sendFrame(connectResponse(undefined, request))
      this.#outbox.end()
    } else {
      this.close()
    }
  }

  #login(client: AttachedClient, xid: number, reader: JuteReader): void {
    reader.int32() // an unused type
    const scheme = reader.stringOrNull()
    const auth = reader.bufferOrNull() ?? Buffer.alloc(0)
    if (scheme === 'digest') client.add(digestIdentity(auth.toString()))
    const isKnown = scheme === 'digest' || scheme === 'ip'
    this.#reply(xid, 0n, isKnown ? KeeperCode.OK : KeeperCode.AUTH_FAILED)
    if (!isKnown) this.#outbox.end()
  }

  #closeSession({ session }: AttachedClient, xid: number): void {
    const { keeper } = this.#parts
    // The session must not close the connection: the response is not sent yet.
    session.link = undefined
    keeper.endSession(session)
    this.#reply(xid, keeper.zxid, KeeperCode.OK)
    this.#outbox.end()
  }

  #notify(type: EventType, path: string): void {
    const writer = new JuteWriter()
    header(writer, EVENT_XID, NO_ZXID, KeeperCode.OK)
    writer.int32(EVENT_TYPES[type])
    writer.int32(SYNC_CONNECTED)
    writer.string(path)
    this.#outbox.sendFrame(writer)
    if (this.#outbox.unsentBytes <= MOST_UNSENT_EVENTS_BYTES) return
    this.#fail(new RangeError('a client does not read its events'))
  }

  #reply(xid: number, zxid: bigint, errorCode: number, body?: JuteWriter): void {
    const writer = new JuteWriter()
    header(writer, xid, zxid, errorCode)
    if (body !== undefined) writer.append(body)
    this.#outbox.sendFrame(writer)
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return
    this.close()
    this.#parts.onError(error)
  }
}

/** Undefined if there is none, or none that can be read. */
function pathOf(operation: Operation, { buffer, offset }: JuteReader): string | undefined {
  if (!hasPath(operation)) return undefined
  try {
    return new JuteReader(buffer, offset).string()
  } catch {
    return undefined
  }
}

function header(writer: JuteWriter, xid: number, zxid: bigint, errorCode: number): void {
  writer.int32(xid)
  writer.int64(zxid)
  writer.int32(errorCode)
}
