import type { CallOptions } from './call-options.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { PartitionMetadata } from './cluster/metadata.ts'
import type { OffsetSpec } from './consumer/list-offsets.ts'
import { limitsOf, offsetCall, offsetsOf, type OffsetLimitsOptions } from './offset-at.ts'

/**
 * A partition of a topic, as the brokers described it for `topic.partitions()`; it does not change afterwards. Its
 * methods ask the leader at the time of the call.
 */
export class Partition implements PartitionMetadata {
  /** The name of the topic. */
  readonly topic: string
  /** The number of the partition, from 0. */
  readonly partition: number
  /** Kafka's error code: 0, or the reason why the partition has no leader at the moment. */
  readonly errorCode: number
  /** The node id of the leader; −1 if there is none. */
  readonly leader: number
  /** The number of leader elections; −1 before Kafka 2.1, whose brokers do not report it. */
  readonly leaderEpoch: number
  /** The node ids of the brokers with a replica, the preferred leader first. */
  readonly replicas: readonly number[]
  /** The node ids of the replicas that are in sync with the leader, including the leader. */
  readonly isr: readonly number[]
  readonly #cluster: Cluster

  /** @internal `topic.partitions()` creates it. */
  constructor(cluster: Cluster, topic: string, found: PartitionMetadata) {
    this.#cluster = cluster
    this.topic = topic
    this.partition = found.partition
    this.errorCode = found.errorCode
    this.leader = found.leader
    this.leaderEpoch = found.leaderEpoch
    this.replicas = found.replicas
    this.isr = found.isr
  }

  /** pykafka's name for `partition`. */
  get id(): number {
    return this.partition
  }

  /** Returns the first offset that is still in the log. Throws as `fetchOffset` does. */
  earliestAvailableOffset(call: CallOptions = {}): Promise<number> {
    return this.fetchOffset('earliest', call)
  }

  /** Returns the offset of the next message to be written. Throws as `fetchOffset` does. */
  latestAvailableOffset(call: CallOptions = {}): Promise<number> {
    return this.fetchOffset('latest', call)
  }

  /**
   * Returns the offset of an end of the log, or of the first message at or after a time: a Date, or milliseconds
   * since 1970. Returns the end of the log if no message is as late. Brokers before Kafka 0.10.1 find times only to
   * the segment. Throws InvalidArgumentError, UnknownTopicError, BrokerError, NoBrokersAvailableError,
   * RequestTimeoutError.
   */
  async fetchOffset(at: OffsetSpec | Date, options: CallOptions = {}): Promise<number> {
    const { topic, partition } = this
    const { operationTimeoutMs } = this.#cluster.options
    const { spec, deadline } = offsetCall('fetchOffset', at, options, operationTimeoutMs, {
      topic,
      partition,
    })
    const [offset] = await offsetsOf(this.#cluster, [{ topic, partition }], spec, deadline)
    return offset!
  }

  /**
   * pykafka's `fetch_offset_limit`: returns up to `maxOffsets` offsets, the highest first, like
   * `topic.fetchOffsetLimits`. Kafka up to 3.9 only. Throws UnsupportedVersionError, and as `fetchOffset` does.
   */
  async fetchOffsetLimit(
    before: OffsetSpec | Date,
    options: OffsetLimitsOptions = {},
  ): Promise<readonly number[]> {
    const { topic, partition } = this
    const one = { topic, partition }
    const find = () => Promise.resolve([one])
    const found = await limitsOf(this.#cluster, 'fetchOffsetLimit', before, options, one, find)
    return found.get(partition)!
  }
}
