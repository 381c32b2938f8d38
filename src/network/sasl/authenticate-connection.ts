import { limited, TookTooLongError } from '../../async/limited.ts'
import { Timer } from '../../async/timer.ts'
import { KafkaError, SocketDisconnectedError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Address } from '../address.ts'
import type { BrokerVersions } from '../api-versions.ts'
import type { Connection } from '../connection.ts'
import { messageOf } from '../node-error.ts'
import { authenticate, type SaslTransport } from './authenticate.ts'
import type { SaslMechanism } from './mechanism.ts'
import { unavailable } from './secret.ts'

export interface LoginOptions {
  /** The time limit of each request of a login. */
  readonly connectTimeoutMs: number
  readonly logger: Logger
}

/**
 * When to log in again, as a share of the session's lifetime: from 85 % to 95 %, chosen at random so that the
 * connections of many clients do not log in at the same time. The Java client uses the same shares.
 */
const RELOGIN_FROM = 0.85
const RELOGIN_SPREAD = 0.1

/** The time limit of a whole login, so that a token provider that never returns does not block the connection permanently. */
const LOGIN_MS = 30_000

/**
 * Brokers reject a second login within a second of the first (KIP-368). For shorter sessions the connection is closed
 * before the session ends, and the next request logs in on a new connection.
 */
const SHORTEST_RENEWED_SESSION_MS = 1_200

/**
 * Logs in on a new connection, and again before the session ends, as long as the connection is open
 * (KIP-368). Requests in flight are answered first; later ones wait until the login is done. Throws AuthenticationError,
 * or a ConnectionError whose message says that the client was logging in. A later login that fails closes the connection
 * with its error.
 */
export async function authenticateConnection(
  connection: Connection,
  versions: BrokerVersions,
  address: Address,
  mechanism: SaslMechanism,
  options: LoginOptions,
): Promise<void> {
  const transport: SaslTransport = {
    versions,
    request: (api, version, body) =>
      connection.requestNow(api, version, body, options.connectTimeoutMs),
    exchangeFrame: (token) => connection.exchangeToken(token, options.connectTimeoutMs),
  }
  const login = async () => {
    const { sessionLifetimeMs } = await limited(LOGIN_MS, undefined, (signal) =>
      authenticate(transport, mechanism, { ...address, signal }),
    ).catch((error: unknown) => {
      throw asLoginError(error, mechanism.name, address)
    })
    if (sessionLifetimeMs > 0) renewIn(sessionLifetimeMs)
  }
  const renewIn = (sessionLifetimeMs: number) => {
    const waitMs = sessionLifetimeMs * (RELOGIN_FROM + RELOGIN_SPREAD * Math.random())
    const renew =
      sessionLifetimeMs < SHORTEST_RENEWED_SESSION_MS
        ? () => endSession(sessionLifetimeMs)
        : logInAgain
    const timer = new Timer(waitMs, () => void renew()).unref()
    connection.onClose(() => timer.cancel())
  }
  const endSession = (sessionLifetimeMs: number) =>
    connection.hold(async () => {
      await connection.drained()
      const why = `the broker's sessions last ${sessionLifetimeMs} ms (connections.max.reauth.ms), too short to log in again on the same connection`
      const reason = `connection to ${connection.address} closed before its session ended: ${why}`
      connection.close(new SocketDisconnectedError(reason, { broker: connection.address }))
    })
  const logInAgain = async () => {
    if (!connection.isOpen) return
    options.logger.debug(`logging in to ${connection.address} again before the session ends`)
    try {
      await connection.hold(async () => {
        await connection.drained()
        await login()
      })
    } catch (error) {
      options.logger.warn(`logging in to ${connection.address} again failed: ${String(error)}`)
      // Requests that wait on this connection log in on a new one, and fail with that login's error.
      const reason = `connection to ${connection.address} closed: logging in again failed: ${messageOf(error)}`
      const { address: broker } = connection
      connection.close(new SocketDisconnectedError(reason, { broker, cause: error }))
    }
  }
  await login()
}

/** Returns a KafkaError whose message says that the client was logging in. */
function asLoginError(error: unknown, mechanism: string, address: Address): KafkaError {
  if (error instanceof TookTooLongError) {
    return unavailable(`the login took longer than ${LOGIN_MS} ms`, mechanism, address, error)
  }
  if (error instanceof SocketDisconnectedError) {
    const { broker, message } = error
    // Brokers before 1.0, and some proxies, close the connection instead of refusing the login.
    const hint = `while logging in with ${mechanism}: check the credentials, the mechanism and the port`
    const what = `${message} (${hint})`
    return new SocketDisconnectedError(what, { broker, cause: error })
  }
  if (error instanceof KafkaError) return error
  return unavailable(messageOf(error), mechanism, address, error)
}
