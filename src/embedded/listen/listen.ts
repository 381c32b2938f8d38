import type { AddressInfo, Server } from 'node:net'
import { deferred } from '../../async/deferred.ts'
import { EmbeddedClusterError } from '../embedded-cluster-error.ts'

/**
 * Resolves with the port when the server listens; port 0 selects any free port. Throws
 * EmbeddedClusterError.
 */
export async function listenOn(server: Server, host: string, port: number): Promise<number> {
  const listening = deferred()
  const done = () => listening.resolve()
  const fail = (error: NodeJS.ErrnoException) => listening.reject(cannotListen(host, port, error))
  // Node calls no callback if a server is closed before it listens.
  const close = () => fail(new Error('it was closed'))
  server.once('error', fail).once('close', close).once('listening', done)
  try {
    server.listen(port, host)
    await listening.promise
  } finally {
    server.off('error', fail).off('close', close).off('listening', done)
  }
  return portOf(server.address())
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address === 'object' && address !== null) return address.port
  throw new TypeError(`the address of a TCP server must have a port, not be ${String(address)}`)
}

function cannotListen(
  host: string,
  port: number,
  error: NodeJS.ErrnoException,
): EmbeddedClusterError {
  const at = `${host}:${port}`
  return error.code === 'EADDRINUSE'
    ? new EmbeddedClusterError(
        'PORT_IN_USE',
        `${at} is already in use: stop the other server, or use another port (0 for a free one)`,
        error,
      )
    : new EmbeddedClusterError(
        'PORT_UNAVAILABLE',
        `cannot listen on ${at}: ${error.message}`,
        error,
      )
}
