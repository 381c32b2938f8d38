import { limited } from '../../async/limited.ts'
import { Timer } from '../../async/timer.ts'
import { ConnectionError, KafkaError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Address } from '../address.ts'
import type { BrokerVersions } from '../api-versions.ts'
import type { Connection } from '../connection.ts'
import { authenticate, type SaslTransport } from './authenticate.ts'
import type { SaslMechanism } from './mechanism.ts'

export interface LoginOptions {
  /** How long each step may take. */
  readonly connectTimeoutMs: number
  readonly logger: Logger
}

/**
 * Where in a session's lifetime to log in again: late, but with time to spare, and spread so that the
 * connections of many clients don't do it at once. Java's share.
 */
const RELOGIN_FROM = 0.85
const RELOGIN_SPREAD = 0.1

/** For a whole login: a token that never comes must not hold up everything on the connection for ever. */
const LOGIN_MS = 30_000

/**
 * Logs in on a new connection, and again before the session ends, as long as the connection is open
 * (KIP-368). Requests that are on their way then are answered first; later ones wait until the login is
 * done. Throws AuthenticationError; a later login that fails closes the connection with it.
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
    )
    if (sessionLifetimeMs > 0) logInAgainIn(sessionLifetimeMs)
  }
  const logInAgainIn = (sessionLifetimeMs: number) => {
    const waitMs = sessionLifetimeMs * (RELOGIN_FROM + RELOGIN_SPREAD * Math.random())
    const timer = new Timer(waitMs, () => void logInAgain()).unref()
    connection.onClose(() => timer.cancel())
  }
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
      connection.close(asKafkaError(error, connection.address))
    }
  }
  await login()
}

function asKafkaError(error: unknown, broker: string): KafkaError {
  if (error instanceof KafkaError) return error
  const what = `logging in to ${broker} again failed`
  return new ConnectionError('CONNECTION_CLOSED', what, { broker, cause: error })
}
