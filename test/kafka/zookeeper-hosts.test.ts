import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { KafkaClient } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

for (const version of ['0.8.2.2', '1.1.1']) {
  describeWithBrokers(`a Kafka ${version} discovered through ZooKeeper`, ['java'], () => {
    let cluster: KafkaCluster
    let zookeeperHosts: string

    beforeAll(async () => {
      cluster = await startKafka({ version })
      await cluster.createTopic('t', { partitions: 2 })
      zookeeperHosts = cluster.zookeeperHosts!
    })

    afterAll(() => cluster.stop())

    it('serves a client that knows only the ZooKeeper servers', async () => {
      await using client = new KafkaClient({ zookeeperHosts })
      const partitions = await client.topic('t').partitions()
      expect(partitions.map(({ partition }) => partition)).toEqual([0, 1])
    })

    it('is not found under a chroot that does not exist, and the error names the chroot', async () => {
      const wrong = `${zookeeperHosts.replace(/\/.*/, '')}/nothing-here`
      await using client = new KafkaClient({ zookeeperHosts: wrong })
      await expect(client.topic('t').partitions()).rejects.toMatchObject({
        code: 'NO_BROKERS_AVAILABLE',
        message: expect.stringContaining('chroot'),
      })
    })
  })
}

it('a client names ZooKeeper servers that do not respond', async () => {
  await using client = new KafkaClient({ zookeeperHosts: '127.0.0.1:1', connectTimeoutMs: 500 })
  await expect(client.topic('t').partitions()).rejects.toMatchObject({
    name: 'NoBrokersAvailableError',
    message: expect.stringContaining('127.0.0.1:1'),
  })
})
