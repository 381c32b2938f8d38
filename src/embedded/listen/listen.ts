import type { AddressInfo, Server } from 'node:net'
import { EmbeddedClusterError } from '../embedded-cluster-error.ts'

/**
 * Resolves with the port when the server listens; port 0 selects any free port. Throws
 * EmbeddedClusterError.
 */
export async function listenOn(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(cannotListen(host, port, error))
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      resolve()
    })
  })
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
