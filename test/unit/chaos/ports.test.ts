import { expect, it } from '@jest/globals'
import { createServer, type AddressInfo } from 'node:net'
import { takenPort } from '../../support/kafka/ports.ts'

it('a range of ports is not free if a port after the first one is taken', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    expect(await takenPort(port, 1)).toBe(port)
    // Another process may have the first port.
    expect([port - 1, port]).toContain(await takenPort(port - 1, 2))
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})
