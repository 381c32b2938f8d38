import { offsetCommit } from '../../../protocol/apis/offset-commit.ts'
import { offsetFetch } from '../../../protocol/apis/offset-fetch.ts'
import type { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { UnsupportedVersionError } from '../../errors.ts'
import { byTopic, type TopicPartition } from '../topic-partition.ts'
import { commitOffsets } from './commit-offsets.ts'
import type { KafkaOffsetsOptions } from './kafka-offsets.ts'
import { committedOffsets, commitResults, topicsToFetch } from './offset-messages.ts'
import type { CommitResult, CommittedOffset, OffsetStore, OffsetToCommit } from './offset-store.ts'

/** Version 0 of both APIs uses ZooKeeper. Brokers support it up to Kafka 3.9. */
const TO_ZOOKEEPER = { maxVersion: 0, purpose: 'group' } as const

/**
 * A group's offsets in ZooKeeper, as before Kafka 0.8.2: `/consumers/GROUP/offsets/TOPIC/PARTITION`. Any broker reads
 * and writes them, because these offsets have no coordinator.
 */
export class ZooKeeperOffsets implements OffsetStore {
  readonly expires = false
  readonly group: string
  readonly #cluster: Cluster
  readonly #options: KafkaOffsetsOptions

  constructor(cluster: Cluster, group: string, options: KafkaOffsetsOptions) {
    this.#cluster = cluster
    this.group = group
    this.#options = options
  }

  async fetch(
    partitions: readonly TopicPartition[],
    deadline: Deadline,
  ): Promise<readonly CommittedOffset[]> {
    if (partitions.length === 0) return []
    const what = `fetching the offsets of group '${this.group}' from ZooKeeper`
    const body = { groupId: this.group, topics: topicsToFetch(partitions) }
    const { backoff } = this.#options
    return this.#cluster.router.ask({ to: 'any', what, deadline, backoff }, async (recipient) => {
      const response = await explained(recipient.request(offsetFetch, body, TO_ZOOKEEPER))
      return committedOffsets(partitions, response.topics, what, this.#cluster.options.logger)
    })
  }

  commit(offsets: readonly OffsetToCommit[], deadline: Deadline): Promise<readonly CommitResult[]> {
    const what = `committing offsets of group '${this.group}' to ZooKeeper`
    const { backoff, maxRetries } = this.#options
    return commitOffsets(this.#cluster, {
      items: offsets,
      to: 'any',
      what,
      deadline,
      backoff,
      maxRetries,
      ask: async (left, recipient) => {
        const topics = [...byTopic(left)].map(([name, ofTopic]) => ({
          name,
          partitions: ofTopic.map(({ partition, offset }) => ({
            partitionIndex: partition,
            committedOffset: BigInt(offset),
            committedMetadata: '',
          })),
        }))
        const body = { groupId: this.group, topics }
        return commitResults(
          await explained(recipient.request(offsetCommit, body, TO_ZOOKEEPER)),
          what,
        )
      },
    })
  }
}

async function explained<T>(response: Promise<T>): Promise<T> {
  try {
    return await response
  } catch (error) {
    if (!(error instanceof UnsupportedVersionError)) throw error
    const reason = `offsets in ZooKeeper need brokers up to Kafka 3.9, on ZooKeeper: ${error.message}`
    throw new UnsupportedVersionError(reason, { broker: error.broker, cause: error })
  }
}
