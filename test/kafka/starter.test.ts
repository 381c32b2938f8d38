import { describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { isProcessAlive } from '../support/kafka/process-birth.ts'
import { startKafka } from '../support/kafka/cluster.ts'
import { rawMetadata } from '../support/kafka/raw-request.ts'
import { RawZooKeeper } from '../support/kafka/raw-zookeeper.ts'
import { NEWEST_KAFKA } from '../support/kafka/versions.ts'

describe('the starter of real brokers', () => {
  it('starts a broker that responds, creates topics, and leaves nothing behind', async () => {
    const cluster = await startKafka({ version: NEWEST_KAFKA })
    const { folder, pids } = cluster
    try {
      expect(pids).toHaveLength(1)
      await cluster.createTopic('events', { partitions: 3, config: { 'retention.ms': '60000' } })
      const { brokers, topics } = await rawMetadata(cluster.ports[0]!)
      expect(brokers).toEqual([{ id: 1, host: '127.0.0.1', port: cluster.ports[0] }])
      expect(topics.find(({ name }) => name === 'events')?.partitions).toHaveLength(3)
      await expect(cluster.createTopic('events')).rejects.toThrow(/already exists/)
    } finally {
      await cluster.stop()
    }
    expect(pids.filter(isProcessAlive)).toEqual([])
    expect(existsSync(folder)).toBe(false)
  })

  it('fails an attempt that a server accepts and never answers, so that the next one can follow', async () => {
    // As ZooKeeper 3.8 does with a connection that arrives before its data is loaded.
    const accepted: Socket[] = []
    const server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await expect(RawZooKeeper.open(port)).rejects.toThrow('has not answered for 5000 ms')
    for (const socket of accepted) socket.destroy()
    server.close()
    await once(server, 'close')
  })

  it('names the versions it knows when another is requested', async () => {
    await expect(startKafka({ version: '4.9.9' })).rejects.toThrow(/4\.9\.9.*0\.8\.2\.2.*4\.4\.0/)
  })
})
