/**
 * A broker that only acknowledges, as a program of its own: it prints its port, and stops at the end of its
 * standard input. What clients reach here is their own limit, not Kafka's.
 */
import { createServer, type Socket } from 'node:net'
import { FrameReader } from '../../src/network/frame-reader.ts'
import { address, answered } from './null-answers.ts'

const MAX_REQUEST_BYTES = 100 << 20

function serve(socket: Socket): void {
  socket.setNoDelay(true)
  const reader = new FrameReader(MAX_REQUEST_BYTES, (frame) => {
    const segments = answered(frame)
    if (segments === undefined) return
    socket.cork()
    for (const segment of segments) socket.write(segment)
    socket.uncork()
  })
  socket.on('data', (chunk) => reader.push(chunk))
  // A client that goes away is no failure.
  socket.on('error', () => undefined)
}

const server = createServer(serve)
server.listen(0, '127.0.0.1', () => {
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('it has no port')
  address.port = bound.port
  process.stdout.write(`${bound.port}\n`)
})
process.stdin.resume().on('end', () => process.exit(0))
