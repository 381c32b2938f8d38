import { performance } from 'node:perf_hooks'
import { listGroups } from '../../protocol/apis/list-groups.ts'
import { onAbort } from '../async/on-abort.ts'
import { Timer } from '../async/timer.ts'
import { SocketDisconnectedError } from '../errors.ts'
import { connectChannel, type ConnectEvent } from '../observe/channels.ts'
import type { Logger } from '../observe/logger.ts'
import { formatAddress, type Address } from './address.ts'
import { askVersions, BrokerVersions } from './api-versions.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { authenticateConnection } from './sasl/authenticate-connection.ts'
import type { SaslMechanism } from './sasl/mechanism.ts'
import { Intake } from './intake.ts'
import { openTransport, type TransportOptions } from './transport.ts'

export interface SessionOptions extends TransportOptions, ConnectionOptions {
  readonly sasl?: SaslMechanism | undefined
  readonly logger: Logger
}

/** A connection that is ready for requests: secured, its versions negotiated, authenticated. */
export interface Session {
  readonly connection: Connection
  readonly versions: BrokerVersions
}

/** What is known of the broker at an address from earlier connections. */
export interface BrokerMemory {
  /**
   * Set once it has proved to be older than 0.10: it closed the connection on which it was asked for its
   * versions, as TLS listeners and overloaded proxies do too, and then answered in the oldest versions.
   */
  isOldest: boolean
  /** Set once it has answered in Kafka's protocol. */
  isKafka: boolean
}

/** One opening of a session: what it needs, and the connection it is at. */
interface Setup {
  readonly address: Address
  readonly options: SessionOptions
  readonly memory: BrokerMemory
  readonly signal: AbortSignal
  connection: Connection | undefined
}

/**
 * Opens a connection. An abort ends it at once, in whatever step it is.
 * Rejects with ConnectionError, TlsError, AuthenticationError, BrokerError.
 */
export async function openSession(
  address: Address,
  purpose: string,
  options: SessionOptions,
  memory: BrokerMemory,
  signal: AbortSignal,
): Promise<Session> {
  const setup: Setup = { address, options, memory, signal, connection: undefined }
  const stopWatching = onAbort(signal, () => setup.connection?.close())
  const startedAt = performance.now()
  try {
    const session = memory.isOldest ? await openOldest(setup) : await negotiate(setup)
    report(setup, purpose, startedAt, undefined)
    return session
  } catch (error) {
    setup.connection?.close()
    signal.throwIfAborted()
    report(setup, purpose, startedAt, error as Error)
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
  if (connectChannel.hasSubscribers) {
    const event: ConnectEvent = { broker, purpose, durationMs, error }
    connectChannel.publish(event)
  }
}

async function negotiate(setup: Setup): Promise<Session> {
  const { address, options, memory } = setup
  const session = await askTwice(setup)
  if (session === undefined) return openOldest(setup)
  memory.isKafka = true
  const { connection, versions } = session
  if (options.sasl !== undefined) {
    await authenticateConnection(connection, versions, address, options.sasl, options)
  }
  return session
}

/**
 * Undefined for a broker that does not say what it speaks: 0.8 closes the connection, 0.9 never answers. A
 * connection that was lost by chance looks like the first, and must not make a newer broker pass for an old
 * one: it is asked twice, and never taken for old once it has answered.
 */
async function askTwice(setup: Setup): Promise<Session | undefined> {
  const { options, memory } = setup
  for (let attempt = 1; attempt <= 2; attempt++) {
    const connection = await connect(setup)
    const stopProbing = memory.isKafka ? () => undefined : probeOldest(connection, setup)
    try {
      return { connection, versions: await askVersions(connection, options.connectTimeoutMs) }
    } catch (error) {
      connection.close()
      if (memory.isOldest) return undefined
      const isSilent = error instanceof SocketDisconnectedError && connection.wasSilent
      if (!isSilent || memory.isKafka) throw error
    } finally {
      stopProbing()
    }
  }
  return undefined
}

/** How long a broker may be silent before it is asked something that 0.9 knows, too. */
const PROBE_AFTER_MS = 500

/**
 * Kafka 0.9 drops a request that it does not know without a word and reads on. As brokers answer a
 * connection's requests in order, the first answer on the connection can only be one to a later question if
 * the one for the versions was dropped. The connection is then closed, since the first never ends. That an
 * answer to the versions has not been looked at yet says nothing: it and the later one may come together.
 * Returns how to stop. Not for connections that are to log in: no other request may come before that, and
 * 0.9 has no login that samsa knows.
 */
function probeOldest(connection: Connection, { options, memory }: Setup): () => void {
  if (options.sasl !== undefined) return () => undefined
  let firstAnswered: string | undefined
  connection.onFirstResponse((api) => {
    firstAnswered = api
  })
  const timer = new Timer(PROBE_AFTER_MS, () => {
    connection.requestNow(listGroups, 0, {}, options.connectTimeoutMs).then(
      () => {
        if (firstAnswered !== listGroups.name) return
        memory.isOldest = true
        memory.isKafka = true
        connection.close()
      },
      () => undefined, // Why, the question for the versions will tell.
    )
  })
  return () => timer.cancel()
}

async function openOldest(setup: Setup): Promise<Session> {
  const { memory } = setup
  const connection = await connect(setup)
  const versions = BrokerVersions.oldest(connection.address)
  connection.onFirstResponse(() => {
    memory.isOldest = true
    memory.isKafka = true
  })
  return { connection, versions }
}

async function connect(setup: Setup): Promise<Connection> {
  const { address, options, memory, signal } = setup
  const intake = new Intake()
  const stream = await openTransport(address, options, signal, intake)
  setup.connection = new Connection(stream, formatAddress(address), options, memory.isKafka, intake)
  return setup.connection
}
