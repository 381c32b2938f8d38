import { describeGroups, offsetFetch } from '../../../protocol/index.ts'
import type { Session } from '../connection/session.ts'
import { partitionMetadataOf, type TopicMetadata } from '../connection/topic-metadata.ts'
import { KafkaJSBrokerNotFound, KafkaJSNotImplemented } from '../errors.ts'
import type { TopicOffsets } from '../types/common.ts'
import type { Broker, BrokerMetadata, Cluster } from '../types/consumer.ts'
import { EARLIEST, LATEST } from './checks.ts'
import { OFFSET_FETCH_OF_ONE } from './group.ts'

/** The `cluster` of a partition assigner, which has metadata, coordinators and offsets, but cannot fetch or produce. */
export function clusterView(session: Session, topics: TopicMetadata): Cluster {
  let nodeIds: number[] = []
  const addTopics = async (names: string[]): Promise<void> => {
    await topics.load(names)
  }
  const metadata = async (): Promise<BrokerMetadata> => {
    const found = await topics.describe('all')
    nodeIds = found.brokers.map(({ nodeId }) => nodeId)
    return {
      brokers: found.brokers.map(({ nodeId, host, port, rack }) => ({
        nodeId,
        host,
        port,
        ...(rack === null ? {} : { rack }),
      })),
      topicMetadata: found.topics.map(({ errorCode, name, partitions }) => ({
        topicErrorCode: errorCode,
        topic: name ?? '',
        partitionMetadata: partitionMetadataOf(partitions),
      })),
    }
  }
  const refresh = async (): Promise<void> => {
    await metadata()
  }
  const coordinatorOf = async (groupId: string) => {
    const client = await session.client()
    const { id: nodeId, host, port } = await client.cluster.coordinator(groupId)
    return { nodeId, host, port }
  }
  const brokerView = (nodeId: number) => brokerOf(session, nodeId, metadata)
  return {
    getNodeIds: () => [...nodeIds],
    metadata,
    removeBroker: () => undefined,
    addMultipleTargetTopics: addTopics,
    addTargetTopic: (topic) => addTopics([topic]),
    isConnected: () => session.isConnected,
    connect: () => session.connect(),
    disconnect: () => session.disconnect(),
    refreshMetadata: refresh,
    refreshMetadataIfNecessary: refresh,
    findBroker: ({ nodeId }) => Promise.resolve(brokerView(Number(nodeId))),
    findControllerBroker: async () => {
      const { controllerId } = await topics.describe([])
      if (controllerId < 0) throw new KafkaJSBrokerNotFound('The cluster has no controller')
      return brokerView(controllerId)
    },
    findTopicPartitionMetadata: (topic) => topics.find(topic),
    findLeaderForPartitions: (topic, partitions) => {
      const leaders: Record<string, number[]> = {}
      for (const { partitionId, leader } of topics.find(topic)) {
        if (partitions.includes(partitionId)) (leaders[leader] ??= []).push(partitionId)
      }
      return leaders
    },
    findGroupCoordinator: async ({ groupId }) => brokerView((await coordinatorOf(groupId)).nodeId),
    findGroupCoordinatorMetadata: async ({ groupId }) => ({
      errorCode: 0,
      coordinator: await coordinatorOf(groupId),
    }),
    defaultOffset: ({ fromBeginning }) => (fromBeginning ? EARLIEST : LATEST),
    fetchTopicsOffset: async (requests) => {
      const client = await session.client()
      return Promise.all(
        requests.map(async ({ topic, partitions, fromBeginning, fromTimestamp }) => {
          const end = fromBeginning === true ? 'earliest' : 'latest'
          const at = fromTimestamp === undefined ? end : new Date(fromTimestamp)
          const listed = await client.admin.listOffsets(
            partitions.map(({ partition }) => ({ topic, partition })),
            at,
          )
          return {
            topic,
            partitions: listed.map(({ partition, offset = LATEST }) => ({
              partition,
              offset: String(offset),
            })),
          }
        }),
      )
    },
  }
}

function brokerOf(
  session: Session,
  nodeId: number,
  metadata: () => Promise<BrokerMetadata>,
): Broker {
  const to = { broker: nodeId }
  const notHere = (what: string) => () =>
    Promise.reject(new KafkaJSNotImplemented(`Broker#${what} is not a part of samsa/kafkajs`))
  const broker = {
    nodeId,
    isConnected: () => session.isConnected,
    connect: () => session.connect(),
    disconnect: () => Promise.resolve(),
    apiVersions: async () => {
      const client = await session.client()
      const versions = await client.admin.describeApiVersions(nodeId)
      return Object.fromEntries(
        versions.map(({ key, minVersion, maxVersion }) => [key, { minVersion, maxVersion }]),
      )
    },
    metadata,
    describeGroups: async ({ groupIds }: { groupIds: string[] }) => {
      const client = await session.client()
      return client.request(describeGroups, { groups: groupIds }, { to })
    },
    offsetFetch: async (request: { groupId: string; topics: TopicOffsets[] }) => {
      const client = await session.client()
      const { topics } = await client.request(
        offsetFetch,
        {
          groupId: request.groupId,
          topics: request.topics.map(({ topic, partitions }) => ({
            name: topic,
            partitionIndexes: partitions.map(({ partition }) => partition),
          })),
        },
        { to, maxVersion: OFFSET_FETCH_OF_ONE },
      )
      return {
        responses: topics.map(({ name, partitions }) => ({
          topic: name,
          partitions: partitions.map(({ partitionIndex, committedOffset }) => ({
            partition: partitionIndex,
            offset: String(committedOffset),
          })),
        })),
      }
    },
    offsetCommit: notHere('offsetCommit'),
    fetch: notHere('fetch'),
    produce: notHere('produce'),
    alterPartitionReassignments: notHere('alterPartitionReassignments'),
    listPartitionReassignments: notHere('listPartitionReassignments'),
  }
  return broker
}
