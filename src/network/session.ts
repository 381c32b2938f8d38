import { apiVersions } from '../../protocol/apis/api-versions.ts'
import { listOffsets } from '../../protocol/apis/list-offsets.ts'
import { listGroups } from '../../protocol/apis/list-groups.ts'
import { onAbort } from '../async/on-abort.ts'
import { Timer } from '../async/timer.ts'
import { SocketDisconnectedError } from '../errors.ts'
import { connectChannel, type ConnectEvent } from '../observe/channels.ts'
import type { Logger } from '../observe/logger.ts'
import { asError } from '../observe/thrown.ts'
import { formatAddress, type Address } from './address.ts'
import {
  askVersions,
  BrokerVersions,
  confirmCluster,
  type AskedVersions,
  type BrokerIdentity,
} from './api-versions.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { authenticateConnection } from './sasl/authenticate-connection.ts'
import type { SaslMechanism } from './sasl/mechanism.ts'
import { SocketReader } from './socket-reader.ts'
import { openTransport, type TransportOptions } from './transport.ts'

export interface SessionOptions extends TransportOptions, ConnectionOptions {
  readonly sasl?: SaslMechanism | undefined
  readonly logger: Logger
}

/** A connection that is ready for requests: secured, with versions negotiated, and authenticated. */
export interface Session {
  readonly connection: Connection
  readonly versions: BrokerVersions
}

/**
 * What earlier connections showed about the broker at an address. Connections that were closed, or stayed silent, show
 * nothing: the cause may be a proxy, or a broker that is about to stop.
 */
export interface BrokerMemory {
  /** Whether it has answered in Kafka's protocol. */
  isKafka: boolean
  /**
   * The version of the ApiVersions request: samsa's newest until the broker has reported the versions that it supports.
   */
  askInVersion?: number
  /** Whether it has reported its versions, as 0.10 and newer do: it is then never treated as an older broker. */
  hasVersions: boolean
  /**
   * Whether it has proved to be older than 0.10. Each new connection still requests its versions, because the broker
   * may have been upgraded; this flag only shortens the next proof.
   */
  isOldest: boolean
}

/**
 * The largest response that is accepted before a connection is ready. The server is not authenticated until then, and
 * no response of a handshake is nearly as large; brokers have the same limit for clients
 * (`sasl.server.max.receive.size`).
 */
const LARGEST_BEFORE_LOGIN_BYTES = 512 * 1024

/** The state of opening one session: its dependencies and the current connection. */
interface Setup {
  readonly address: Address
  readonly options: SessionOptions
  readonly memory: BrokerMemory
  readonly identity: BrokerIdentity
  readonly signal: AbortSignal
  connection: Connection | undefined
}

/**
 * Opens a connection. An abort ends it immediately, in any step. Rejects with ConnectionError, TlsError,
 * AuthenticationError, BrokerError.
 */
export async function openSession(
  address: Address,
  purpose: string,
  options: SessionOptions,
  memory: BrokerMemory,
  identity: BrokerIdentity,
  signal: AbortSignal,
): Promise<Session> {
  const setup: Setup = { address, options, memory, identity, signal, connection: undefined }
  const stopWatching = onAbort(signal, () => setup.connection?.close())
  const startedAt = performance.now()
  try {
    const session = await negotiate(setup)
    session.connection.becomeReady()
    report(setup, purpose, startedAt, undefined)
    return session
  } catch (error) {
    setup.connection?.close()
    signal.throwIfAborted()
    report(setup, purpose, startedAt, asError(error))
    throw error
  } finally {
    stopWatching()
  }
}

function report(
  { address, options }: Setup,
  purpose: string,
  startedAt: number,
  error: Error | undefined,
): void {
  const broker = formatAddress(address)
  const durationMs = performance.now() - startedAt
  const what = `connection to ${broker} (${purpose})`
  if (error === undefined) options.logger.debug(`opened a ${what}`)
  else options.logger.warn(`could not open a ${what}: ${error.message}`)
  const { clientId, metrics } = options
  metrics.lastConnection = error === undefined ? 'opened' : 'failed'
  if (error !== undefined) metrics.broker(broker).failed++
  if (connectChannel.hasSubscribers) {
    const event: ConnectEvent = { clientId, broker, purpose, durationMs, error }
    connectChannel.publish(event)
  }
}

async function negotiate(setup: Setup): Promise<Session> {
  const { address, options, memory, identity } = setup
  const asked = await askOrProve(setup)
  memory.isKafka = true
  memory.isOldest = asked === 'oldest'
  if (asked === 'oldest') {
    const oldest = await connect(setup)
    return { connection: oldest, versions: BrokerVersions.oldest(oldest.address) }
  }
  const { versions, isIdentified } = asked
  memory.hasVersions = true
  memory.askInVersion = versions.has(apiVersions) ? versions.pick(apiVersions) : 0
  const session = { connection: asked.connection, versions }
  if (options.sasl !== undefined) {
    await authenticateConnection(session.connection, versions, address, options.sasl, options)
  } else {
    session.connection.closingHint =
      'at the first request: does this listener require a login (the option sasl)?'
  }
  const { clusterId } = identity
  if (clusterId !== undefined && !isIdentified) {
    await confirmCluster(session.connection, versions, clusterId, options.connectTimeoutMs)
  }
  return session
}

interface Asked extends AskedVersions {
  readonly connection: Connection
}

/**
 * Asks twice, because a connection may be lost by chance, before it checks whether the broker is an old one. The second
 * request has version 0: some servers that are not Apache Kafka (Azure Event Hubs) reset the connection at a version
 * that they do not support, instead of rejecting it.
 */
async function askOrProve(setup: Setup): Promise<Asked | 'oldest'> {
  const { options, memory, identity } = setup
  // Kafka 0.8 and 0.9 have no login that samsa supports, and no other request is allowed before a login.
  const mayBeOldest = !memory.hasVersions && options.sasl === undefined
  let isAgain = memory.isOldest
  for (;;) {
    const connection = await connect(setup)
    const dropped = mayBeOldest ? watchForDrop(connection, setup) : undefined
    try {
      const firstVersion = isAgain ? 0 : memory.askInVersion
      const timeoutMs = options.connectTimeoutMs
      const asked = await askVersions(connection, identity, timeoutMs, firstVersion)
      return { connection, ...asked }
    } catch (error) {
      connection.close()
      if (dropped?.isProved === true) return 'oldest'
      const isSilent = error instanceof SocketDisconnectedError && connection.wasSilent
      if (!isSilent || memory.hasVersions) throw error
      if (isAgain && mayBeOldest) return await proveClosing(setup, error)
      if (isAgain) throw error
      isAgain = true
    } finally {
      dropped?.stop()
    }
  }
}

/**
 * Kafka 0.8 closes the connection at an ApiVersions request, and so do proxies without a broker behind them. The server
 * proves to be Kafka by its response to a request that 0.8 supports, and to be 0.8 by closing that same connection at
 * an ApiVersions request; twice, because a broker may stop in between. A newer broker answers both requests, or, since
 * Kafka 4, closes the connection at the first.
 */
async function proveClosing(setup: Setup, silence: Error): Promise<Asked | 'oldest'> {
  const { options, memory, identity } = setup
  const timeoutMs = options.connectTimeoutMs
  for (let proofs = memory.isOldest ? 1 : 2; proofs > 0; proofs--) {
    const connection = await connect(setup)
    try {
      // For no topic, so that it has no effect.
      await connection.requestNow(listOffsets, 0, { replicaId: -1, topics: [] }, timeoutMs)
    } catch {
      connection.close()
      throw silence
    }
    try {
      return { connection, ...(await askVersions(connection, identity, timeoutMs, 0)) }
    } catch (error) {
      connection.close()
      if (!(error instanceof SocketDisconnectedError)) throw error
    }
  }
  return 'oldest'
}

/** How long a broker may be silent before the client sends a request that 0.9 also supports. */
const PROBE_AFTER_MS = 500

/**
 * Kafka 0.9 ignores a request that it does not support and reads the next one. Brokers answer the requests of a
 * connection in order, so the first response on the connection can be that of a later request only if the ApiVersions
 * request was ignored. The connection is then closed, because the first request never ends. That no versions have been
 * processed yet proves nothing: both responses may arrive together.
 */
function watchForDrop(
  connection: Connection,
  { options, memory }: Setup,
): { readonly isProved: boolean; stop(): void } {
  let isProved = false
  let firstAnswered: string | undefined
  connection.onFirstResponse((api) => {
    firstAnswered = api
  })
  const timer = new Timer(memory.isOldest ? 0 : PROBE_AFTER_MS, () => {
    connection.requestNow(listGroups, 0, {}, options.connectTimeoutMs).then(
      () => {
        if (firstAnswered !== listGroups.name) return
        isProved = true
        connection.close()
      },
      () => undefined, // The ApiVersions request reports why.
    )
  })
  return {
    get isProved() {
      return isProved
    },
    stop: () => timer.cancel(),
  }
}

async function connect(setup: Setup): Promise<Connection> {
  const { address, options, memory, signal } = setup
  const socketReader = new SocketReader()
  const stream = await openTransport(address, options, signal, socketReader)
  const connection = new Connection(
    stream,
    formatAddress(address),
    options,
    memory.isKafka,
    socketReader,
  )
  connection.limitResponses(LARGEST_BEFORE_LOGIN_BYTES)
  setup.connection = connection
  return connection
}
