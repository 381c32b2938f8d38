import { afterEach, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { deferred } from '../../../src/async/deferred.ts'
import { FrameReader } from '../../../src/network/frame-reader.ts'
import { SocketReader } from '../../../src/network/socket-reader.ts'

let server: Server | undefined
let socket: Socket | undefined
afterEach(() => {
  socket?.destroy()
  server?.close()
})

/** A socket that a socketReader reads; its peer sends this at once. */
async function connected(socketReader: SocketReader, greeting: Buffer): Promise<Socket> {
  const listening = createServer((peer) => peer.write(greeting))
  server = listening
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const { port } = listening.address() as AddressInfo
  socket = connect({ host: '127.0.0.1', port, onread: socketReader.onread() })
  await once(socket, 'connect')
  return socket
}

function framed(text: string): Buffer {
  const bytes = Buffer.alloc(4 + text.length)
  bytes.writeInt32BE(text.length)
  bytes.write(text, 4)
  return bytes
}

it('the socket reader keeps bytes that arrive before there is a receiver, and then continues in order', async () => {
  const socketReader = new SocketReader()
  const texts = ['early', 'x'.repeat(200_000), 'late']
  const reading = await connected(socketReader, Buffer.concat(texts.map(framed)))
  // Something has been read by the time that the socket has read this much.
  while (reading.bytesRead < 5_000) await new Promise((resolve) => setImmediate(resolve))
  const found: string[] = []
  const all = deferred()
  const frames = new FrameReader(1_000_000, (frame) => {
    found.push(frame.toString())
    if (found.length === texts.length) all.resolve()
  })
  socketReader.to({ space: () => frames.space, received: (count) => void frames.received(count) })
  await all.promise
  expect(found).toEqual(texts)
})

it('the socket reader reports whether it reads a socket', () => {
  const socketReader = new SocketReader()
  expect(socketReader.isUsed).toBe(false)
  socketReader.onread()
  expect(socketReader.isUsed).toBe(true)
})
