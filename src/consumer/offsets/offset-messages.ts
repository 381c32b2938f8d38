/** The common parts of requests for a group's offsets and of their responses, for every storage. */
import type { OffsetCommitResponse } from '../../../protocol/apis/offset-commit.ts'
import type { OffsetFetchResponse } from '../../../protocol/apis/offset-fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { BrokerError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import { nameOf, numbersByTopic, type TopicPartition } from '../topic-partition.ts'
import type { CommitResult, CommittedOffset } from './offset-store.ts'

const NO_OFFSET = -1n

export function topicsToFetch(
  partitions: readonly TopicPartition[],
): { name: string; partitionIndexes: number[] }[] {
  return numbersByTopic(partitions).map((one) => ({
    name: one.topic,
    partitionIndexes: one.partitions,
  }))
}

/**
 * Returns the committed offsets, without partitions that have none. An offset that no log can have counts as none,
 * with a warning, because otherwise the group could never start. Throws BrokerError, also for a partition that the
 * response leaves out: treating it as a partition without an offset would skip messages or read all of them again.
 */
export function committedOffsets(
  asked: readonly TopicPartition[],
  topics: OffsetFetchResponse['topics'],
  what: string,
  logger: Logger,
  broker?: string,
): CommittedOffset[] {
  const committed: CommittedOffset[] = []
  const missing = new Map(asked.map((one) => [nameOf(one), one]))
  for (const { name: topic, partitions } of topics) {
    for (const { partitionIndex: partition, ...one } of partitions) {
      missing.delete(nameOf({ topic, partition }))
      // v0 and v1 report a missing offset with this error, later versions with an offset of −1.
      if (one.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) continue
      if (one.errorCode !== ErrorCode.NONE) {
        throw new BrokerError(one.errorCode, what, { topic, partition, broker })
      }
      if (one.committedOffset === NO_OFFSET) continue
      const offset = Number(one.committedOffset)
      if (!Number.isSafeInteger(offset) || offset < 0) {
        const name = nameOf({ topic, partition })
        logger.warn(`${what}: ${name} has ${one.committedOffset}, which is treated as no offset`)
        continue
      }
      const { committedLeaderEpoch: leaderEpoch, metadata } = one
      committed.push({ topic, partition, offset, leaderEpoch, metadata: metadata ?? '' })
    }
  }
  for (const [name, { topic, partition }] of missing) {
    const context = { topic, partition, broker }
    const detail = `the response does not mention ${name}`
    throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, context, detail)
  }
  return committed
}

export function commitResults(
  { topics }: Pick<OffsetCommitResponse, 'topics'>,
  what: string,
  broker?: string,
): CommitResult[] {
  return topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partitionIndex: partition, errorCode }) => {
      if (errorCode === ErrorCode.NONE) return { topic, partition, error: undefined }
      const failed = `${what} for ${nameOf({ topic, partition })}`
      return {
        topic,
        partition,
        error: new BrokerError(errorCode, failed, { topic, partition, broker }),
      }
    }),
  )
}
