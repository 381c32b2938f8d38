import { findCoordinator } from '../../protocol/apis/find-coordinator.ts'
import { listOffsets } from '../../protocol/apis/list-offsets.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Encodable } from '../../protocol/schema/fields.ts'
import { Cluster } from '../../src/cluster/cluster.ts'
import type { ClusterOptions } from '../../src/cluster/cluster-options.ts'
import { clusterOptions, type KafkaClientOptions } from '../../src/client-options.ts'
import type { FakeBroker } from './fake-broker.ts'

/** What fake brokers say the cluster looks like; tests change it as they go. */
export interface Layout {
  brokers: { nodeId: number; host: string; port: number; rack?: string }[]
  /** The leaders of each topic's partitions: node ids, −1 for none. */
  topics: Record<string, readonly number[]>
}

/** Brokers with the ids 1, 2, … where they are, and topics with their leaders. */
export function layoutOf(brokers: readonly FakeBroker[], topics: Layout['topics'] = {}): Layout {
  const described = brokers.map(({ host, port }, index) => ({ nodeId: index + 1, host, port }))
  return { brokers: described, topics }
}

/** Lets brokers answer Metadata by the layout as it is when they are asked. */
export function tellLayout(layout: Layout, ...brokers: readonly FakeBroker[]): void {
  for (const broker of brokers) {
    broker.handle(metadata, ({ topics }, { version }) => {
      const isAll = topics === null || (version === 0 && topics.length === 0)
      const names = isAll ? Object.keys(layout.topics) : topics.map(({ name }) => name ?? '')
      return metadataOf(layout, names)
    })
  }
}

export function metadataOf(
  { brokers, topics }: Layout,
  names: readonly string[],
): Encodable<typeof metadata.response.fields> {
  return {
    brokers,
    topics: names.map((name) => ({
      name,
      errorCode: topics[name] === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : 0,
      partitions: (topics[name] ?? []).map((leaderId, partitionIndex) => ({
        errorCode: leaderId === -1 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
        partitionIndex,
        leaderId,
        replicaNodes: [leaderId],
        isrNodes: [leaderId],
      })),
    })),
  }
}

/** Lets a broker, the first one of its layout, answer FindCoordinator with itself for every key (versions from 4 on). */
export function tellCoordinator(broker: FakeBroker): void {
  broker.handle(findCoordinator, ({ coordinatorKeys }) => ({
    coordinators: coordinatorKeys.map((key) => ({ key, nodeId: 1, ...broker.address })),
  }))
}

/** Lets a broker answer ListOffsets: with the offset, or with the error while `error()` gives one. */
export function tellOffsets(
  broker: FakeBroker,
  offset: bigint,
  error: () => number = () => ErrorCode.NONE,
): void {
  broker.handle(listOffsets, ({ topics }) => {
    const errorCode = error()
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, offset })),
      })),
    }
  })
}

/** Short waits, so that tests of failures don't take long. */
export const QUICK = {
  socketTimeoutMs: 2_000,
  connectTimeoutMs: 2_000,
  operationTimeoutMs: 5_000,
  retryBackoffMs: 5,
  retryBackoffMaxMs: 20,
  reconnectBackoffMs: 5,
  reconnectBackoffMaxMs: 20,
} as const satisfies KafkaClientOptions

export function clusterAt(
  brokers: readonly FakeBroker[],
  options: KafkaClientOptions = {},
  more: Partial<ClusterOptions> = {},
): Cluster {
  const hosts = brokers.map(({ name }) => name)
  return new Cluster({ ...clusterOptions({ ...QUICK, hosts, ...options }), ...more })
}

/** A connection's options, to make a Broker or a Connection of. */
export function brokerOptions(options: KafkaClientOptions = {}): ClusterOptions['broker'] {
  return clusterOptions({ ...QUICK, ...options }).broker
}
