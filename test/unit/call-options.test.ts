import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { KafkaClient } from '../../src/index.ts'

describe('a call to a broker that accepts connections and never answers', () => {
  let server: Server
  let client: KafkaClient
  const sockets: Socket[] = []

  beforeEach(async () => {
    server = createServer((socket) => sockets.push(socket.on('error', () => undefined)))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    client = new KafkaClient({ hosts: `127.0.0.1:${(server.address() as AddressInfo).port}` })
  })

  afterEach(async () => {
    await client.close()
    for (const socket of sockets.splice(0)) socket.destroy()
    server.close()
  })

  it('ends when its signal is aborted, with the reason that was given', async () => {
    const controller = new AbortController()
    const reason = new Error('no caller waits for it any more')
    server.once('connection', () => controller.abort(reason))
    const { signal } = controller
    await expect(client.topic('t').partitions({ signal })).rejects.toBe(reason)
  })

  it('does not begin when its signal is already aborted', async () => {
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(client.topic('t').getProducer({}, { signal })).rejects.toThrow('too late')
    expect(sockets).toEqual([])
  })

  it('ends at its own timeout, and names what took so long', async () => {
    await expect(
      client.topic('t').fetchOffsets('latest', { timeoutMs: 200 }),
    ).rejects.toMatchObject({
      code: 'REQUEST_TIMED_OUT',
      message: expect.stringContaining("looking up topic 't'"),
    })
  })

  it('rejects unknown options', async () => {
    const call = { timeout: 5 } as object
    await expect(client.topic('t').partitions(call)).rejects.toThrow("no option 'timeout'")
  })
})
