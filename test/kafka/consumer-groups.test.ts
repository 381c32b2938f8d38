/** Groups by the protocol of KIP-848, with Java's members and ours. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { KafkaClient } from '../../src/index.ts'
import { ProcessGroup } from '../support/balanced/process-members.ts'
import { writeNumbered } from '../support/balanced/write-numbered.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

const PARTITIONS = 6

/** Brokers allow 5 s and more by default; members learn of changes at this interval. */
const QUICK = {
  'group.consumer.min.heartbeat.interval.ms': '200',
  'group.consumer.heartbeat.interval.ms': '500',
}

describeWithBrokers('a consumer group of Kafka 4.4.0', ['java'], () => {
  let kafka: KafkaCluster

  beforeAll(async () => {
    kafka = await startKafka({ version: '4.4.0', config: QUICK })
  })
  afterAll(() => kafka.stop())

  const scene = async (topic: string) => {
    await kafka.createTopic(topic, { partitions: PARTITIONS })
    const group = new ProcessGroup({ hosts: kafka.hosts, topic, group: topic })
    const written: string[] = []
    return {
      group,
      written,
      write: async () => {
        written.push(...(await writeNumbered(kafka.hosts, topic, PARTITIONS, 600)))
      },
      allRead: () => group.until('all read', () => group.read.length >= written.length),
      problems: () =>
        group.members
          .flatMap(({ events }) => events)
          .filter(({ name }) => name === 'partitions_lost' || name === 'error'),
      [Symbol.asyncDispose]: () => group[Symbol.asyncDispose](),
    }
  }
  const CONSUMER = { groupProtocol: 'consumer' } as const

  it('shares partitions among Java members and samsa members as they come and go, each message read once', async () => {
    await using shared = await scene('shared')
    const { group, written, write, allRead, problems } = shared
    await write()
    const one = group.ours('ours 1', CONSUMER)
    await group.shared([one], PARTITIONS)
    const java = await group.javaOfConsumerProtocol('java 1')
    await group.shared([one, java], PARTITIONS)
    await write()
    const two = group.ours('ours 2', CONSUMER)
    await group.shared([one, java, two], PARTITIONS)
    await write()
    await java.stop()
    await group.shared([one, two], PARTITIONS)
    await one.stop()
    await group.shared([two], PARTITIONS)
    await write()
    await allRead()
    expect([...group.read].sort()).toEqual([...written].sort())
    expect(problems()).toEqual([])

    await two.stop()
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const [left] = await client.admin.lag(['shared'])
    expect(left).toMatchObject({ type: 'consumer', state: 'Empty' })
    expect(left!.partitions.map(({ lag }) => lag)).toEqual([0, 0, 0, 0, 0, 0])
  })
})
