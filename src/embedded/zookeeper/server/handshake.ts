import { timingSafeEqual } from 'node:crypto'
import { Buffer } from 'node:buffer'
import { JuteWriter, type JuteReader } from '../jute.ts'
import type { Keeper } from '../keeper.ts'
import type { Session } from '../sessions.ts'

/** The first frame of a connection. */
export interface ConnectRequest {
  readonly lastZxidSeen: bigint
  readonly timeoutMs: number
  /** 0n requests a new session. */
  readonly sessionId: bigint
  readonly password: Buffer
  /**
   * Clients before ZooKeeper 3.4 do not support read-only servers: they neither send nor receive
   * this flag.
   */
  readonly knowsReadOnly: boolean
}

export interface SessionLimits {
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
}

/** The outcome for a connecting client. */
export type Greeting =
  | { readonly kind: 'session'; readonly session: Session }
  /**
   * The session has expired, or the password is wrong. The client receives this, and the connection
   * is closed.
   */
  | { readonly kind: 'expired' }
  /**
   * The client has seen a later state than this server: the connection is closed without a
   * response, so that the client tries another server.
   */
  | { readonly kind: 'refused' }

/** Throws ProtocolError. */
export function readConnectRequest(reader: JuteReader): ConnectRequest {
  reader.int32() // the version of the protocol: only one exists
  return {
    lastZxidSeen: reader.int64(),
    timeoutMs: reader.int32(),
    sessionId: reader.int64(),
    password: reader.bufferOrNull() ?? Buffer.alloc(0),
    knowsReadOnly: reader.remaining > 0,
  }
}

export function greet(keeper: Keeper, request: ConnectRequest, limits: SessionLimits): Greeting {
  if (request.lastZxidSeen > keeper.zxid) return { kind: 'refused' }
  const timeoutMs = Math.min(
    Math.max(request.timeoutMs, limits.minSessionTimeoutMs),
    limits.maxSessionTimeoutMs,
  )
  if (request.sessionId === 0n) return { kind: 'session', session: keeper.openSession(timeoutMs) }
  const session = keeper.sessions.find(request.sessionId)
  if (session === undefined) return { kind: 'expired' }
  // Checked before the password, as in ZooKeeper.
  session.link?.close()
  if (!isSame(session.password, request.password)) return { kind: 'expired' }
  keeper.sessions.setTimeout(session, timeoutMs)
  return { kind: 'session', session }
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

const NO_PASSWORD = Buffer.alloc(16)

/** `session` is undefined if the client's session has ended. */
export function connectResponse(
  session: Session | undefined,
  { knowsReadOnly }: ConnectRequest,
): JuteWriter {
  const writer = new JuteWriter()
  writer.int32(0)
  writer.int32(session?.timeoutMs ?? 0)
  writer.int64(session?.id ?? 0n)
  writer.buffer(session?.password ?? NO_PASSWORD)
  if (knowsReadOnly) writer.bool(false)
  return writer
}
