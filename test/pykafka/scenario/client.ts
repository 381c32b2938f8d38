import { KafkaClient, type ProducerOptions } from '../../../src/index.ts'
import { byPartition, failure, type Case } from './scene.ts'

/** Clients, clusters, topics and partitions: the port of the first part of scenario.py. */
export const CLIENT_CASES: Readonly<Record<string, Case>> = {
  'client/no broker': () =>
    failure(async () => {
      await using client = new KafkaClient({ hosts: '127.0.0.1:1' })
      return (await client.topics.list()).length
    }),

  'client/the constructor connects': () =>
    failure(async () => {
      await new KafkaClient({ hosts: '127.0.0.1:1' }).close()
      return 'made'
    }),

  'client/brokers': async ({ client }) => {
    await client.updateCluster()
    return (await client.brokers.list()).map(({ id, host, connected }) => [id, host, connected])
  },

  'client/topics are listed': async (scene) => {
    await scene.topic()
    const topics = await scene.client.topics.list()
    return topics.map(({ name }) => name).filter((name) => name === scene.name)
  },

  'client/a topic is in topics': async (scene) => {
    const before = await scene.client.topics.has(scene.name)
    await scene.topic()
    return [before, await scene.client.topics.has(scene.name)]
  },

  'client/asking for a topic creates it': (scene) => {
    scene.client.topic(scene.name)
    return scene.client.topics.has(scene.name)
  },

  'client/topic updates': async (scene) => {
    const other = scene.another()
    const before = await other.topics.has(scene.name)
    await scene.topic()
    return [before, await other.topics.has(scene.name)]
  },

  'client/internal topics are hidden': async (scene) => {
    await scene.fill()
    const consumer = await scene.consumer({ consumerGroup: scene.name })
    await consumer.consume()
    await consumer.commitOffsets()
    const hasInternal = async (excludeInternalTopics?: boolean) =>
      (
        await scene.client.topics.list(
          excludeInternalTopics === undefined ? {} : { excludeInternalTopics },
        )
      ).some(({ name }) => name === '__consumer_offsets')
    return [await hasInternal(), await hasInternal(false)]
  },

  'client/an internal topic by name': ({ client }) =>
    failure(() => {
      client.topic('__consumer_offsets')
      return 'given'
    }),

  'client/brokers from ZooKeeper': async (scene) => {
    const client = scene.another({ zookeeperHosts: scene.zookeeperHosts })
    return (await client.brokers.list()).map(({ id }) => id)
  },

  'client/a topic whose name is not ASCII': ({ client }) =>
    failure(() => {
      client.topic('tópico')
      return 'given'
    }),

  'client/an option that does not exist': ({ hosts }) =>
    failure(() => {
      new KafkaClient({ hosts, ...{ noSuchOption: 1 } })
      return 'taken'
    }),

  'cluster/controller': ({ client }) =>
    failure(async () => (await client.cluster.controller())?.id),

  'cluster/coordinator of a group': async ({ client, name }) =>
    (await client.cluster.coordinator(name)).id,

  'cluster/api versions': async ({ client }) => {
    const ranges = await client.cluster.apiVersions()
    return [1, 3].map((key) => ranges.find((range) => range.key === key)!.maxVersion)
  },

  'cluster/groups are described': async (scene) => {
    await scene.fill()
    await scene.client
      .topic(scene.name)
      .getBalancedConsumer({ consumerGroup: scene.name, managed: true })
    const groups = await scene.client.cluster.describeGroups([scene.name])
    return groups.map(({ group }) => group)
  },

  'broker/topics are created and deleted': async (scene) => {
    const topic = scene.client.topic(scene.name)
    await topic.create({ partitions: 3, replicationFactor: 1 })
    const count = (await topic.partitions()).length
    await scene.client.admin.deleteTopics([scene.name])
    return [count, await scene.until(async () => !(await scene.client.topics.has(scene.name)))]
  },

  'broker/a group is listed': async (scene) => {
    await scene.fill()
    await scene.client
      .topic(scene.name)
      .getBalancedConsumer({ consumerGroup: scene.name, managed: true })
    const { groups } = await scene.client.cluster.listGroups()
    return groups.some(({ group }) => group === scene.name)
  },

  'topic/name': ({ client, name }) => Promise.resolve(client.topic(name).name),

  'topic/partitions': async (scene) => {
    const partitions = await (await scene.topic()).partitions()
    return partitions.map(({ id, leader, replicas, isr, topic }) => [
      id,
      leader,
      replicas,
      isr,
      topic,
    ])
  },

  'topic/earliest offsets': async (scene) =>
    byPartition(await (await scene.fill()).earliestAvailableOffsets()),

  'topic/latest offsets': async (scene) =>
    byPartition(await (await scene.fill()).latestAvailableOffsets()),

  'topic/offsets by OffsetType': async (scene) =>
    byPartition(await (await scene.fill()).fetchOffsets('latest')),

  'topic/a list of offsets': async (scene) =>
    byPartition(await (await scene.fill()).fetchOffsetLimits('latest', { maxOffsets: 5 })),

  'topic/a list of offsets by time': async (scene) => {
    const later = Date.now() + 3_600_000
    return byPartition(await (await scene.fill()).fetchOffsetLimits(later, { maxOffsets: 5 }))
  },

  'topic/offsets before all messages': async (scene) => {
    const topic = await scene.fill()
    return byPartition(await topic.fetchOffsetLimits(new Date('2001-01-01')))
  },

  'topic/use_rdkafka': async (scene) => {
    const topic = await scene.topic()
    return failure(async () => {
      await topic.getProducer({ useRdkafka: true } as ProducerOptions)
      return 'taken'
    })
  },

  'partition/earliest and latest offset': async (scene) => {
    const [, partition] = await (await scene.fill()).partitions()
    return [await partition!.earliestAvailableOffset(), await partition!.latestAvailableOffset()]
  },

  'partition/offset limit': async (scene) => {
    const [, partition] = await (await scene.fill()).partitions()
    return partition!.fetchOffsetLimit('latest').then(([...offsets]) => offsets)
  },
}
