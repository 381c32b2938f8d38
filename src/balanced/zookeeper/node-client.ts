/**
 * node-zookeeper-client 1.1.3, with what it lacks put right from outside. It does not change any more, so that this
 * file is where its sticking points are:
 *
 * - What is left of a frame when a connection ends is put before the next connection's first bytes.
 * - A response that it cannot read, or an error code that it does not know (−118, the session moved), is an
 *   exception in a socket's listener: the process would end.
 * - It sends pings and reads no answers: a connection that leads nowhere is never given up. `reconnect` does that,
 *   for a session that noticed (session.ts).
 * - Requests made while there is no connection wait in front of the login that the next connection begins with:
 *   session.ts makes none.
 * - After an expired session it is of no further use: session.ts makes another.
 */
import { zooKeeperPackage } from '../../cluster/zookeeper-package.ts'
import type { ZooKeeperAcl, ZooKeeperClient } from './client.ts'

export interface ZooKeeperAuth {
  /** `digest` for a name and a password. */
  readonly scheme: string
  /** `name:password` for `digest`. */
  readonly auth: string
}

/** The longest wait before servers that have all failed are tried again: its default is 1 s. */
const SPIN_DELAY_MS = 300

export function createNodeClient(
  hosts: string,
  sessionTimeoutMs: number,
  auth: ZooKeeperAuth | undefined,
): ZooKeeperClient {
  const client = zooKeeperPackage().createClient(hosts, {
    sessionTimeout: sessionTimeoutMs,
    spinDelay: SPIN_DELAY_MS,
    retries: 0,
  })
  if (auth !== undefined) client.addAuthInfo(auth.scheme, Buffer.from(auth.auth))
  guard(client)
  return client
}

/** Ends the connection that it has, so that it makes another, to the next server, with the same session. */
export function reconnect(client: ZooKeeperClient): void {
  managerOf(client)?.socket?.destroy()
}

/** For what is created: everyone's without a login, and with one only of who has the same. */
export function aclFor(auth: ZooKeeperAuth | undefined): ZooKeeperAcl[] {
  const { ACL, Id, Permission } = zooKeeperPackage()
  const id = auth === undefined ? new Id('world', 'anyone') : new Id('auth', '')
  return [new ACL(Permission.ALL, id)]
}

/** What is reached into. All of it may be missing in a client of another make. */
interface Manager {
  socket?: { destroy(): void } | null
  pendingBuffer?: Buffer | null
  onSocketData?: (data: Buffer) => void
  onSocketClosed?: (hasError: boolean) => void
}

function managerOf(client: ZooKeeperClient): Manager | undefined {
  const manager: unknown = Reflect.get(client, 'connectionManager')
  return typeof manager === 'object' && manager !== null ? manager : undefined
}

function guard(client: ZooKeeperClient): void {
  const manager = managerOf(client)
  const onData = manager?.onSocketData
  const onClosed = manager?.onSocketClosed
  if (manager === undefined || onData === undefined || onClosed === undefined) return
  manager.onSocketData = (data) => {
    try {
      onData.call(manager, data)
    } catch {
      // What was asked on this connection ends as its loss does.
      manager.pendingBuffer = null
      manager.socket?.destroy()
    }
  }
  manager.onSocketClosed = (hasError) => {
    manager.pendingBuffer = null
    onClosed.call(manager, hasError)
  }
}
