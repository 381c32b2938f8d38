import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { InvalidArgumentError } from '../../errors.ts'
import type { EmbeddedTlsOptions, PemContent } from '../security/options.ts'

/** The time limit for a client that sends nothing. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** A server that passes on each connected client, with TLS after the handshake. */
export function createBrokerServer(
  tls: EmbeddedTlsOptions | undefined,
  onClient: (socket: Socket) => void,
  onError: (error: unknown) => void,
): Server {
  if (tls === undefined) return createServer({ noDelay: true }, onClient)
  const { clientAuth = 'none' } = tls
  const server = tlsServer(tls, clientAuth)
  server.on('tlsClientError', onError)
  server.on('secureConnection', (socket) => {
    // If a certificate is only requested, a client may send none, but not an invalid one.
    const isWrong = socket.getPeerX509Certificate() !== undefined && !socket.authorized
    if (isWrong && clientAuth === 'requested') {
      socket.destroy()
      onError(socket.authorizationError)
    } else onClient(socket)
  })
  return server
}

/** Throws InvalidArgumentError if the certificate and the key cannot be used. */
function tlsServer(tls: EmbeddedTlsOptions, clientAuth: string): TlsServer {
  const { cert, key, passphrase, ca } = tls
  try {
    return createTlsServer({
      cert: bytesOf(cert),
      key: bytesOf(key),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(ca === undefined ? {} : { ca: isList(ca) ? ca.map(bytesOf) : bytesOf(ca) }),
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: clientAuth === 'required',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      noDelay: true,
    })
  } catch (error) {
    throw new InvalidArgumentError(
      `tls: the certificate, the key or the authorities are not valid: ${String(error)}`,
      { cause: error },
    )
  }
}

function isList(ca: PemContent | readonly PemContent[]): ca is readonly PemContent[] {
  return Array.isArray(ca)
}

function bytesOf(pem: PemContent): Buffer {
  return typeof pem === 'string' ? Buffer.from(pem) : Buffer.from(pem)
}
