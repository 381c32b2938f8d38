import { offsetCommit } from '../../../protocol/apis/offset-commit.ts'
import { offsetFetch } from '../../../protocol/apis/offset-fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { toSafeNumber } from '../../../protocol/records/safe-number.ts'
import type { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { retrying } from '../../cluster/retry.ts'
import { BrokerError, UnsupportedVersionError } from '../../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { commitWithRetries } from './commit-offsets.ts'
import { byTopic, type KafkaOffsetsOptions } from './kafka-offsets.ts'
import type { CommitResult, CommittedOffset, OffsetStore, OffsetToCommit } from './offset-store.ts'

/** The first version means ZooKeeper, for both APIs; brokers have it up to Kafka 3.9. */
const ZOOKEEPER = 0

/**
 * The offsets of a group as they were kept before 0.8.2: in ZooKeeper, `/consumers/GROUP/offsets/TOPIC/PARTITION`.
 * The brokers read and write them there: any of them, a group has no coordinator for this.
 */
export class ZooKeeperOffsets implements OffsetStore {
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
    const { logger, requestTimeoutMs } = this.#cluster.options
    const what = `fetching the offsets of group '${this.group}' from ZooKeeper`
    return retrying({ what, deadline, backoff: this.#options.backoff, logger }, async () => {
      const topics = [...byTopic(partitions)].map(([name, ofTopic]) => ({
        name,
        partitionIndexes: ofTopic.map(({ partition }) => partition),
      }))
      const response = await explained(
        this.#cluster.requestAny(
          offsetFetch,
          { groupId: this.group, topics },
          { timeoutMs: requestTimeoutMs, purpose: 'group', maxVersion: ZOOKEEPER },
        ),
      )
      const committed: CommittedOffset[] = []
      for (const { name: topic, partitions: ofTopic } of response.topics) {
        for (const { partitionIndex: partition, committedOffset, errorCode } of ofTopic) {
          // How it says that there is none.
          if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) continue
          if (errorCode !== ErrorCode.NONE)
            throw new BrokerError(errorCode, what, { topic, partition })
          const offset = toSafeNumber(committedOffset, 'committed offset')
          if (offset >= 0)
            committed.push({ topic, partition, offset, leaderEpoch: -1, metadata: '' })
        }
      }
      return committed
    })
  }

  commit(offsets: readonly OffsetToCommit[], deadline: Deadline): Promise<readonly CommitResult[]> {
    const { logger, requestTimeoutMs } = this.#cluster.options
    const { backoff, maxRetries } = this.#options
    const what = `committing offsets of group '${this.group}' to ZooKeeper`
    return commitWithRetries(
      offsets,
      deadline,
      { what, backoff, logger, maxRetries },
      async (left) => {
        const topics = [...byTopic(left)].map(([name, ofTopic]) => ({
          name,
          partitions: ofTopic.map(({ partition, offset }) => ({
            partitionIndex: partition,
            committedOffset: BigInt(offset),
            committedMetadata: '',
          })),
        }))
        const response = await explained(
          this.#cluster.requestAny(
            offsetCommit,
            { groupId: this.group, topics },
            { timeoutMs: requestTimeoutMs, purpose: 'group', maxVersion: ZOOKEEPER },
          ),
        )
        return response.topics.flatMap(({ name: topic, partitions }) =>
          partitions.map(({ partitionIndex: partition, errorCode }) => {
            const error =
              errorCode === ErrorCode.NONE
                ? undefined
                : new BrokerError(errorCode, `${what} for ${topic}-${partition}`, {
                    topic,
                    partition,
                  })
            return { topic, partition, error }
          }),
        )
      },
    )
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
