import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'

/** Something that listens on 127.0.0.1 and is no Kafka broker. */
export interface FakeServer extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly address: string
  readonly connections: number
}

/** Handles each connection by hand; closing the server ends those that are open. */
export function listen(onConnection: (socket: Socket) => void): Promise<FakeServer> {
  return started(createServer(onConnection))
}

export function httpServer(): Promise<FakeServer> {
  return started(createHttpServer((_request, response) => response.end('hello')))
}

export function tlsServer(): Promise<FakeServer> {
  const server = createTlsServer(selfSigned())
  // What comes in is no TLS, which ends a connection with an error here.
  server.on('tlsClientError', () => undefined)
  return started(server)
}

/** An address on which nothing listens: it was free a moment ago. */
export async function unusedAddress(): Promise<string> {
  await using server = await listen(() => undefined)
  return server.address
}

async function started(server: Server): Promise<FakeServer> {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('The server has no port')
  return {
    address: `127.0.0.1:${bound.port}`,
    get connections() {
      return connections
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function selfSigned(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-tls-'))
  const key = join(folder, 'key.pem')
  const cert = join(folder, 'cert.pem')
  try {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=localhost'],
      ],
      { stdio: 'ignore' },
    )
    return { key: readFileSync(key), cert: readFileSync(cert) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
