import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  ItemsFailedError,
  KafkaClient,
  type Admin,
  type ConfigResource,
  type Item,
} from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { failureOf } from '../support/settled.ts'
import { clientJars } from '../wire/support/jars.ts'
import { runJava } from '../wire/support/run-java.ts'

/** The first with CreateTopics and DeleteTopics is 0.10.1; the first with all calls of this test is 1.1. */
const versions = versionsToTest().filter((version) => isAtLeast(version, '1.1'))

const nameOf = ({ topic, partition }: { topic: string; partition: number }) =>
  `${topic}-${partition}`

describeWithBrokers('the admin client', ['java'], () => {
  describe.each(versions)('on Kafka %s', (version) => {
    let kafka: KafkaCluster
    let client: KafkaClient
    let admin: Admin

    beforeAll(async () => {
      kafka = await startKafka({ version, brokers: 3 })
      client = new KafkaClient({ hosts: kafka.hosts })
      admin = client.admin
    })
    afterAll(async () => {
      await client.close()
      await kafka.stop()
    })

    it('returns the same cluster, topics, offsets and groups as the admin client of Java', async () => {
      await admin.createTopics([
        { topic: 'orders', partitions: 3, replicationFactor: 3 },
        { topic: 'invoices', assignments: [kafka.brokerIds.slice(0, 2)] },
      ])
      await using producer = await client.topic('orders').getProducer()
      for (let i = 0; i < 30; i++) void producer.produce(`${i}`, { partition: i % 3 })
      await producer.flush()
      await admin.deleteRecords([{ topic: 'orders', partition: 1, beforeOffset: 4 }])
      await using member = await client.topic('orders').getBalancedConsumer({
        consumerGroup: 'readers',
        managed: true,
        autoOffsetReset: 'earliest',
      })
      expect((await member.consume())?.topic).toBe('orders')
      await member.commitOffsets()

      // Java's admin client of 4.x speaks to brokers from 2.1 on.
      const jars = await clientJars(isAtLeast(version, '2.1') ? '4.4.0' : '3.9.1')
      const input = Buffer.from(`${kafka.hosts}\nreaders\n`)
      const java = JSON.parse(
        (await runJava('test/kafka/java/AdminReferee.java', jars, input)).toString(),
      ) as { readonly broker: number }

      const { clusterId, brokers } = await admin.describeCluster()
      const listed = await admin.listTopics()
      expect(await admin.listTopicNames()).toEqual(listed.map(({ topic }) => topic))
      const topics = listed.map(({ topic, topicId, isInternal, partitions }) => ({
        topic,
        isInternal,
        ...(topicId === undefined ? {} : { topicId }),
        partitions: partitions.map(({ partition, leader, replicas, isr }) => ({
          partition,
          leader,
          replicas,
          isr: [...isr].sort((a, b) => a - b),
        })),
      }))
      const all = topics.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition }) => ({ topic, partition })),
      )
      const offsetsAt = async (at: 'earliest' | 'latest') =>
        Object.fromEntries(
          (await admin.listOffsets(all, at)).map((one) => [nameOf(one), one.offset]),
        )
      const configsOf = async (resource: ConfigResource) => {
        const [found] = await admin.describeConfigs([resource])
        const entries = (found?.configs ?? []).map(
          ({ name, value, isDefault, isReadOnly, isSensitive, type = 'unknown' }) =>
            [name, { value, isDefault, isReadOnly, isSensitive, type }] as const,
        )
        return Object.fromEntries(entries)
      }
      const { broker } = java
      const [described] = await admin.describeGroups(['readers'])
      const [committed] = await admin.listGroupOffsets(['readers'])
      expect({
        cluster: { clusterId, brokers },
        topics,
        earliest: await offsetsAt('earliest'),
        latest: await offsetsAt('latest'),
        broker,
        configs: await configsOf({ type: 'topic', name: 'invoices' }),
        brokerConfigs: await configsOf({ type: 'broker', name: String(broker) }),
        groups: [
          {
            group: 'readers',
            assignor: described?.assignor,
            members: Object.fromEntries(
              (described?.members ?? []).map(({ memberId, clientId, clientHost, assignment }) => [
                memberId,
                { clientId, host: clientHost, assignment: assignment.map(nameOf) },
              ]),
            ),
            offsets: Object.fromEntries(
              (committed?.offsets ?? []).map((one) => [nameOf(one), one.offset]),
            ),
          },
        ],
      }).toEqual(java)
    })

    it('creates topics that are usable at once, deletes them, and creates them again', async () => {
      for (let round = 0; round < 3; round++) {
        await admin.createTopics([{ topic: 'again', partitions: 6, replicationFactor: 2 }])
        expect(await client.topic('again').partitions()).toHaveLength(6)
        await admin.createPartitions([{ topic: 'again', count: 8 }])
        expect(await client.topic('again').partitions()).toHaveLength(8)
        await admin.deleteTopics(['again'])
      }
    })

    it('reports which item of a batch failed, and completes the others', async () => {
      const error = await failureOf(
        admin.createTopics([
          { topic: 'good', partitions: 1, replicationFactor: 1 },
          { topic: 'bad name', partitions: 1, replicationFactor: 1 },
          { topic: 'too-many-replicas', partitions: 1, replicationFactor: 99 },
        ]),
      )
      if (!(error instanceof ItemsFailedError)) throw error
      const results: readonly Item[] = error.results
      expect(results.map((one) => one.error?.code)).toEqual([
        undefined,
        'INVALID_TOPIC_EXCEPTION',
        'INVALID_REPLICATION_FACTOR',
      ])
      expect((await admin.describeTopics(['good']))[0]?.partitions).toHaveLength(1)
    })

    it('changes one config of a topic and leaves the others unchanged', async () => {
      await admin.createTopics([
        {
          topic: 'tuned',
          partitions: 1,
          replicationFactor: 1,
          configs: { 'segment.ms': '5000000' },
        },
      ])
      const change = { type: 'topic', name: 'tuned', set: { 'retention.ms': '1234567' } } as const
      const changed = admin.incrementalAlterConfigs([change])
      if (!isAtLeast(version, '2.3')) {
        expect(await failureOf(changed)).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
        return
      }
      await changed
      const names = ['retention.ms', 'segment.ms']
      // The broker that is asked may learn of the change a moment after the controller.
      let values: string | undefined
      while (values !== '1234567,5000000') {
        const [found] = await admin.describeConfigs([{ type: 'topic', name: 'tuned' }], { names })
        values = found?.configs.map(({ value }) => value).join()
      }
    })

    it('sets, lists and deletes the offsets of a group, and returns its lag', async () => {
      await admin.createTopics([{ topic: 'lagging', partitions: 2, replicationFactor: 1 }])
      await using producer = await client.topic('lagging').getProducer()
      for (let i = 0; i < 10; i++) void producer.produce(`${i}`, { partition: 0 })
      await producer.flush()
      await admin.alterGroupOffsets('batch', [
        { topic: 'lagging', partition: 0, offset: 3 },
        { topic: 'lagging', partition: 1, offset: 0 },
      ])
      const [lag] = await admin.lag(['batch'])
      expect(lag).toMatchObject({ group: 'batch', lag: 7, state: 'Empty' })
      if (isAtLeast(version, '2.4')) {
        await admin.deleteGroupOffsets('batch', [{ topic: 'lagging', partition: 1 }])
        expect((await admin.listGroupOffsets(['batch']))[0]?.offsets).toHaveLength(1)
      }
      await admin.deleteGroups(['batch'])
      const { groups, incomplete } = await admin.listGroups()
      expect(incomplete).toEqual([])
      expect(groups.map(({ group }) => group)).not.toContain('batch')
    })
  })
})
