import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { abortable } from '../async/abortable.ts'
import { deferred } from '../async/deferred.ts'
import { limited, TookTooLongError } from '../async/limited.ts'
import { onAbort } from '../async/on-abort.ts'
import { dnsModule, netModule, tlsModule } from '../builtins.ts'
import { ConnectionError } from '../errors.ts'
import { asError } from '../observe/thrown.ts'
import { formatAddress, type Address } from './address.ts'
import type { SocketReader } from './socket-reader.ts'
import { explainTlsError, tlsConnectOptions, type PreparedTls } from './tls.ts'

/** Opens a connected byte stream to a broker: for proxies and tunnels. */
export type SocketFactory = (address: Address) => Duplex | Promise<Duplex>

/** Returns the addresses of a host name, in the order in which to try them. */
export type Lookup = (host: string) => Promise<readonly string[]>

export interface TransportOptions {
  readonly connectTimeoutMs: number
  readonly tls?: PreparedTls | undefined
  readonly socketFactory?: SocketFactory | undefined
  readonly lookup?: Lookup | undefined
}

/** How long a connection is idle before the operating system checks whether the other side is alive. */
const KEEP_ALIVE_MS = 60_000

/**
 * Opens a stream to a broker, with TLS if it is configured. All addresses of a name are tried in turn
 * (`client.dns.lookup=use_all_dns_ips`, KIP-302), within one connect timeout. Without TLS and socket factory the socket
 * reader reads the socket, and the stream has no data. Rejects with ConnectionError or TlsError.
 */
export async function openTransport(
  address: Address,
  options: TransportOptions,
  signal: AbortSignal,
  socketReader?: SocketReader,
): Promise<Duplex> {
  const timeoutMs = options.connectTimeoutMs
  try {
    return await limited(timeoutMs, signal, async (either) => {
      // TLS reads its socket itself, and provides the deciphered data as a stream.
      const direct = options.tls === undefined ? socketReader : undefined
      const socket = await openTcp(address, options, either, performance.now() + timeoutMs, direct)
      return options.tls === undefined ? socket : await secure(socket, address, options.tls, either)
    })
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof TookTooLongError)) throw error
    const name = formatAddress(address)
    const reason = `connecting to ${name} took longer than ${timeoutMs} ms`
    throw new ConnectionError('CONNECTION_TIMED_OUT', reason, { broker: name })
  }
}

async function openTcp(
  address: Address,
  options: TransportOptions,
  signal: AbortSignal,
  deadline: number,
  socketReader: SocketReader | undefined,
): Promise<Duplex> {
  if (options.socketFactory !== undefined) {
    try {
      const opening = Promise.resolve(options.socketFactory(address))
      return await abortable(opening, signal, (late) => late.destroy())
    } catch (error) {
      signal.throwIfAborted()
      throw cannotConnect(address, [asError(error)])
    }
  }
  const hosts = await addressesOf(address, options.lookup ?? systemLookup, signal)
  const failures: Error[] = []
  for (const [index, host] of hosts.entries()) {
    const open = (attempt: AbortSignal) => {
      const onread = socketReader?.onread()
      const socket = netModule.connect({
        host,
        port: address.port,
        noDelay: true,
        ...(onread === undefined ? {} : { onread }),
      })
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      return whenReady(socket, 'connect', attempt)
    }
    const others = hosts.length - index - 1
    // The remaining time is divided among the addresses, so that an address that does not answer leaves time for the
    // others.
    const shareMs = Math.max(1, Math.ceil((deadline - performance.now()) / (others + 1)))
    try {
      return others === 0 ? await open(signal) : await limited(shareMs, signal, open)
    } catch (error) {
      signal.throwIfAborted()
      failures.push(asError(error))
    }
  }
  throw cannotConnect(address, failures)
}

async function addressesOf(
  address: Address,
  resolve: Lookup,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (netModule.isIP(address.host) !== 0) return [address.host]
  try {
    // The system's lookup cannot be cancelled: it continues without a waiting caller.
    const found = await abortable(resolve(address.host), signal)
    if (found.length > 0) return found
  } catch (error) {
    signal.throwIfAborted()
    throw cannotConnect(address, [asError(error)])
  }
  throw cannotConnect(address, [new Error(`'${address.host}' has no address`)])
}

/** Returns all addresses of a host name, by the operating system. */
export async function systemLookup(host: string): Promise<readonly string[]> {
  return (await dnsModule().promises.lookup(host, { all: true })).map(({ address }) => address)
}

async function secure(
  socket: Duplex,
  address: Address,
  tls: PreparedTls,
  signal: AbortSignal,
): Promise<Duplex> {
  const secured = tlsModule().connect({ ...tlsConnectOptions(tls, address.host), socket })
  try {
    return await whenReady(secured, 'secureConnect', signal)
  } catch (error) {
    socket.destroy()
    signal.throwIfAborted()
    const name = formatAddress(address)
    throw explainTlsError(error, name) ?? cannotConnect(address, [asError(error)])
  }
}

/** Waits for the event after which the stream can be used; destroys the stream if the event does not come. */
async function whenReady<Stream extends Socket>(
  stream: Stream,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<Stream> {
  const ready = deferred()
  const onReady = () => ready.resolve()
  const onError = (error: Error) => ready.reject(error)
  const onClose = () => ready.reject(new Error('the other side closed the connection'))
  const abort = () => ready.reject(signal.reason)
  stream.once(event, onReady).once('error', onError).once('close', onClose)
  const stopWatching = onAbort(signal, abort)
  try {
    if (signal.aborted) abort()
    await ready.promise
    return stream
  } catch (error) {
    stream.on('error', () => undefined) // A late error concerns no caller.
    stream.destroy()
    throw error
  } finally {
    stream.off(event, onReady).off('error', onError).off('close', onClose)
    stopWatching()
  }
}

function cannotConnect(address: Address, failures: readonly Error[]): ConnectionError {
  const name = formatAddress(address)
  const reason = failures.map(({ message }) => message).join(', ')
  return new ConnectionError('CONNECTION_FAILED', `cannot connect to ${name}: ${reason}`, {
    broker: name,
    cause: new Error(reason, { cause: failures[0] }),
  })
}
