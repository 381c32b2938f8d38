import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { KafkaClient } from '../../src/index.ts'
import { CuttableSockets, NumberChecker, writeNumbered } from '../support/chaos/numbered-log.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

const PARTITIONS = 8
const MESSAGES = 1_000_000
/** What happens at as many places in the log, spread over all of it. */
const DISTURBANCES = 25

describeWithBrokers('a consumer whose brokers and connections fail and recover', ['java'], () => {
  let kafka: KafkaCluster
  beforeAll(async () => {
    const config = { 'default.replication.factor': '3', 'min.insync.replicas': '1' }
    kafka = await startKafka({ version: '4.4.0', brokers: 3, config })
  })
  afterAll(() => kafka.stop())

  it(`reads ${MESSAGES} messages in order, each exactly once`, async () => {
    await kafka.createTopic('numbered', { partitions: PARTITIONS, replicationFactor: 3 })
    await using writer = new KafkaClient({ hosts: kafka.hosts })
    const perPartition = MESSAGES / PARTITIONS
    await writeNumbered(writer, 'numbered', { partitions: PARTITIONS, perPartition })

    const sockets = new CuttableSockets()
    await using client = new KafkaClient({ hosts: kafka.hosts, socketFactory: sockets.factory })
    const consumer = await client.topic('numbered').getSimpleConsumer({
      consumerGroup: 'readers',
      autoCommitEnable: true,
      autoCommitIntervalMs: 100,
      stopAtEnd: true,
      // Little at a time, so that much of it is on its way when something happens.
      fetchMessageMaxBytes: 100_000,
    })
    const checker = new NumberChecker()
    let disturbances = 0
    let cut = 0
    for await (const message of consumer) {
      checker.take(message)
      if (checker.count % (MESSAGES / DISTURBANCES) !== 0) continue
      disturbances++
      if (disturbances % 4 !== 0) {
        cut += sockets.cutAll()
        continue
      }
      // Its partitions get other leaders; reading continues while it starts.
      const id = 1 + ((disturbances / 4) % 3)
      await kafka.stopBroker(id, disturbances % 8 === 0 ? 'SIGKILL' : 'SIGTERM')
      await kafka.startBroker(id)
    }
    expect(checker.count).toBe(MESSAGES)
    expect(disturbances).toBe(DISTURBANCES)
    expect(cut).toBeGreaterThan(20)
    await consumer.commitOffsets()
    const committed = await consumer.fetchOffsets()
    expect([...committed.values()]).toEqual(Array(PARTITIONS).fill(perPartition))
  })
})
