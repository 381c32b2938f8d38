/** One of two servers that are asked the same, and all that it says, told in a way that can be compared. */
import { RawSession, type ConnectFields } from './raw-session.ts'
import { closeSession, ping, type Field, type RawRequest } from './wire.ts'

const PING_XID = -2
const EVENT_XID = -1
const NO_ERROR = 0

interface Connection {
  readonly name: string
  readonly session: RawSession
  /** What its answers are made of, by xid. */
  readonly expected: Map<number, RawRequest>
}

/** A session that a connection got. */
interface Granted {
  readonly sessionId: bigint
  readonly password: Buffer
}

export class Side implements Disposable {
  /** A line for each thing that the server has said, or done. */
  readonly lines: string[] = []
  readonly #port: number
  readonly #connections = new Map<string, Connection>()
  readonly #granted = new Map<string, Granted>()
  /** Transactions before the first session: not the same on both sides. */
  #baseZxid: bigint | undefined
  #lastZxid = 0n

  constructor(port: number) {
    this.#port = port
  }

  /** The last transaction with a notification. */
  get lastZxid(): bigint {
    return this.#lastZxid
  }

  /** Opens a connection of this name; `of` gives it the session that another has or had. */
  async connect(
    name: string,
    fields: ConnectFields & { readonly of?: string; readonly isFuture?: boolean } = {},
  ): Promise<void> {
    const session = await RawSession.open(this.#port)
    const { of, isFuture = false, ...more } = fields
    const granted = of === undefined ? {} : (this.#granted.get(of) ?? {})
    const lastZxid = isFuture ? this.#lastZxid + 1_000n : 0n
    session.connect({ lastZxid, ...granted, ...more })
    const frame = await session.nextFrame()
    if (frame === undefined) {
      this.lines.push(`${name}: refused`)
      return
    }
    const reader = new Decoder(frame, this)
    const [version, timeoutMs, sessionId] = [reader.int32(), reader.int32(), reader.int64()]
    const password = reader.buffer() ?? Buffer.alloc(0)
    const isNew = sessionId !== 0n && of === undefined
    if (isNew) this.#granted.set(name, { sessionId, password })
    const has = [
      `version ${version}`,
      `timeout ${timeoutMs}`,
      `session ${this.ownerName(sessionId)}`,
      `password ${password.length}${password.every((byte) => byte === 0) ? ' zeros' : ''}`,
      `rest ${reader.rest().toString('hex')}`,
    ]
    this.lines.push(`${name}: connected, ${has.join(', ')}`)
    this.#connections.set(name, { name, session, expected: new Map() })
    if (sessionId === 0n) await this.#settle()
    else await this.ask(name, ping())
  }

  /** Sends, and notes the answer and whatever else is told to anyone because of it. */
  async ask(name: string, ...requests: readonly RawRequest[]): Promise<void> {
    const connection = this.#connections.get(name)
    if (connection === undefined) throw new Error(`there is no connection ${name}`)
    for (const request of requests) {
      this.lines.push(`${name} < ${request.what}`)
      connection.expected.set(connection.session.send(request), request)
      await this.#readUntilAnswer(connection, request)
      await this.#settle()
    }
  }

  /** Ends the session. Its nodes go in any order. */
  async close(name: string): Promise<void> {
    const from = this.lines.length
    await this.ask(name, closeSession())
    const isEvent = (line: string) => line.includes(' > event ')
    const after = this.lines.splice(from)
    this.lines.push(...after.filter((line) => !isEvent(line)), ...after.filter(isEvent).sort())
  }

  /** The client's end of the connection is gone; the session stays. */
  drop(name: string): void {
    this.#connections.get(name)?.session[Symbol.dispose]()
    this.#connections.delete(name)
  }

  /** Records all notifications: what was sent before a ping's answer has come before it. */
  async #settle(): Promise<void> {
    for (const connection of [...this.#connections.values()]) {
      const request = ping()
      connection.expected.set(connection.session.send(request), request)
      await this.#readUntilAnswer(connection, request)
    }
  }

  async #readUntilAnswer(connection: Connection, request: RawRequest): Promise<void> {
    const { name, session } = connection
    for (;;) {
      const frame = await session.nextFrame()
      if (frame === undefined) {
        this.lines.push(`${name}: closed`)
        this.#connections.delete(name)
        return
      }
      const reader = new Decoder(frame, this)
      const [xid, zxid, error] = [reader.int32(), reader.int64(), reader.int32()]
      if (xid === EVENT_XID) {
        const [type, state, path] = [reader.int32(), reader.int32(), reader.string()]
        this.lines.push(`${name} > event ${type}, state ${state}, ${path}, zxid ${zxid}`)
        continue
      }
      this.#baseZxid ??= zxid
      if (zxid > this.#lastZxid) this.#lastZxid = zxid
      const asked = connection.expected.get(xid)
      if (asked === undefined) throw new Error(`an answer to nothing: ${xid}`)
      if (xid !== PING_XID || request.what !== 'ping') {
        const body = error === NO_ERROR ? asked.answer.map((field) => reader.field(field)) : []
        const rest = reader.rest()
        if (rest.length > 0) body.push(`and ${rest.toString('hex')}`)
        this.lines.push(
          [`${name} > xid ${xid}, zxid ${this.zxidName(zxid)}, error ${error}`, ...body].join(', '),
        )
      }
      if (asked === request) return
    }
  }

  zxidName(zxid: bigint): string {
    if (zxid <= 0n) return String(zxid)
    return `+${zxid - (this.#baseZxid ?? 0n)}`
  }

  ownerName(id: bigint): string {
    for (const [name, { sessionId }] of this.#granted) if (sessionId === id) return `of ${name}`
    return String(id)
  }

  [Symbol.dispose](): void {
    for (const { session } of this.#connections.values()) session[Symbol.dispose]()
  }
}

class Decoder {
  readonly #bytes: Buffer
  readonly #side: Side
  #at = 0

  constructor(bytes: Buffer, side: Side) {
    this.#bytes = bytes
    this.#side = side
  }

  int32(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  int64(): bigint {
    this.#at += 8
    return this.#bytes.readBigInt64BE(this.#at - 8)
  }

  buffer(): Buffer | null {
    const length = this.int32()
    if (length < 0) return null
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  string(): string {
    return this.buffer()?.toString() ?? 'null'
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at)
  }

  field(field: Field): string {
    switch (field) {
      case 'path':
        return this.string()
      case 'data':
        return `data ${this.buffer()?.toString() ?? 'null'}`
      case 'count':
        return `count ${this.int32()}`
      case 'names':
        // Servers give them in any order.
        return `names ${this.#vector(() => this.string())
          .sort()
          .join(' ')}`
      case 'acl':
        return `acl ${this.#vector(() => `${this.int32()} ${this.string()}:${this.string()}`).join(' ')}`
      case 'clients':
        return `clients ${this.#vector(() => `${this.string()}:${this.string()}`)
          .sort()
          .join(' ')}`
      case 'stat':
        return this.#stat()
      case 'results':
        return this.#results()
    }
  }

  #results(): string {
    const found: string[] = []
    for (;;) {
      const type = this.int32()
      this.#at += 1
      const isDone = this.#bytes[this.#at - 1] !== 0
      const error = this.int32()
      if (isDone) return `results [${[...found, `end ${type} ${error}`].join('; ')}]`
      const fields = RESULT_FIELDS[type]
      if (fields === undefined) throw new Error(`a result of type ${type}`)
      // A read of names has no stat in a multi.
      found.push(`${type} ${error} ${fields.map((one) => this.field(one)).join(' ')}`)
    }
  }

  #stat(): string {
    const [czxid, mzxid] = [this.int64(), this.int64()].map((zxid) => this.#side.zxidName(zxid))
    const [ctime, mtime] = [this.int64(), this.int64()]
    const [version, cversion, aversion] = [this.int32(), this.int32(), this.int32()]
    const owner = this.#side.ownerName(this.int64())
    const [dataLength, numChildren] = [this.int32(), this.int32()]
    const pzxid = this.#side.zxidName(this.int64())
    const times = `${ctime === 0n ? 'no' : 'some'} ctime, mtime ${mtime < ctime ? 'before it' : 'not before it'}`
    return `stat {c ${czxid} m ${mzxid} p ${pzxid}, ${times}, versions ${version} ${cversion} ${aversion}, owner ${owner}, length ${dataLength}, children ${numChildren}}`
  }

  #vector<T>(read: () => T): T[] {
    return Array.from({ length: this.int32() }, read)
  }
}

/** What the result of each type of a multi has. */
const RESULT_FIELDS: Readonly<Record<number, readonly Field[]>> = {
  [-1]: ['count'],
  1: ['path'],
  2: [],
  4: ['data', 'stat'],
  5: ['stat'],
  8: ['names'],
  13: [],
  15: ['path', 'stat'],
  19: ['path', 'stat'],
  21: ['path', 'stat'],
}
