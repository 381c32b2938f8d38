import { offsetCommit } from '../../protocol/apis/offset-commit.ts'
import { offsetDelete } from '../../protocol/apis/offset-delete.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { byTopic, nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { LAST_WITH_NAMES, TopicIds } from '../consumer/offsets/topic-ids.ts'
import type { KafkaError } from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { anInteger, aText } from '../options.ts'
import { CHANGE_OPTIONS, begin, type AdminContext, type ChangeOptions } from './context.ts'
import { aTopicId } from './ids.ts'
import { checkDistinct, itemError, outcomeOf, retryUnlessUnknown, settled } from './items.ts'
import {
  LIST_GROUP_OFFSETS_OPTIONS,
  groupsToList,
  listOffsetsOfGroups,
  type GroupOffsets,
  type GroupPartitions,
  type ListGroupOffsetsOptions,
} from './list-group-offsets.ts'
import {
  TOPIC_PARTITION,
  checkPartitions,
  partitionResults,
  partitionsByName,
  type PartitionResult,
} from './partitions.ts'

/** An offset that `alterGroupOffsets` is to commit. */
export interface OffsetToSet extends TopicPartition {
  /** The offset of the next message that the group is to read. */
  readonly offset: number
  /** The leader epoch of the last message before the offset. Default: unknown. */
  readonly leaderEpoch?: number
  /** A text to commit with the offset. Default: empty. */
  readonly metadata?: string
  /**
   * The offset is rejected with UNKNOWN_TOPIC_ID if the topic of this name has another id (Kafka
   * 4.1 or newer; older brokers do not check). Checked only if all offsets of the call have it.
   * Default: not checked.
   */
  readonly topicId?: string
}

/** The checks and defaults of `OffsetToSet`. */
export const OFFSET_TO_SET = {
  ...TOPIC_PARTITION,
  offset: { check: anInteger(0), required: true },
  leaderEpoch: { check: anInteger(0, 2 ** 31 - 1), defaultText: 'unknown' },
  metadata: { check: aText, defaultText: 'empty' },
  topicId: { check: aTopicId, defaultText: 'not checked' },
} as const satisfies OptionTable<OffsetToSet>

export function groupOffsetOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the committed offsets of groups, in the given order, in all partitions (Kafka 0.10.2
     * or newer) or in the given ones. Java: `listConsumerGroupOffsets`.
     */
    async listGroupOffsets(
      groups: readonly GroupPartitions[],
      options: ListGroupOffsetsOptions = {},
    ): Promise<readonly GroupOffsets[]> {
      const operation = 'listGroupOffsets'
      const settings = begin(context, operation, options, LIST_GROUP_OFFSETS_OPTIONS)
      const { deadline, requireStable } = settings
      const wanted = groupsToList('listGroupOffsets', groups)
      return listOffsetsOfGroups(cluster, wanted, deadline, requireStable)
    },

    /**
     * Sets the offsets of a group that has no members. Java: `alterConsumerGroupOffsets`. Throws
     * ItemsFailedError, with UNKNOWN_MEMBER_ID while the group has members: stop them first.
     */
    async alterGroupOffsets(
      group: string,
      offsets: readonly OffsetToSet[],
      options: ChangeOptions = {},
    ): Promise<readonly PartitionResult[]> {
      const operation = 'alterGroupOffsets'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkDistinct(operation, 'group', [group])
      checkPartitions(operation, offsets, OFFSET_TO_SET)
      const results = await alterOffsets(cluster, group, offsets, deadline)
      return settled(operation, results, settle)
    },

    /**
     * Deletes the offsets of partitions that the members of a group do not subscribe to (Kafka 2.4 or newer).
     * Java: `deleteConsumerGroupOffsets`. Throws ItemsFailedError, with GROUP_SUBSCRIBED_TO_TOPIC for topics
     * that a member subscribes to.
     */
    async deleteGroupOffsets(
      group: string,
      partitions: readonly TopicPartition[],
      options: ChangeOptions = {},
    ): Promise<readonly PartitionResult[]> {
      const operation = 'deleteGroupOffsets'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkDistinct(operation, 'group', [group])
      checkPartitions(operation, partitions)
      const what = `deleting offsets of group '${group}'`
      const outcomes = await cluster.fanOut.run<TopicPartition, undefined>({
        items: partitions,
        to: () => ({ coordinator: 'group', key: group }),
        what,
        deadline,
        retry: retryUnlessUnknown,
        ask: async (items, recipient) => {
          const { errorCode, topics } = await recipient.request(offsetDelete, {
            groupId: group,
            topics: [...byTopic(items)].map(([name, ofTopic]) => ({
              name,
              partitions: ofTopic.map(({ partition }) => ({ partitionIndex: partition })),
            })),
          })
          const error = itemError(errorCode, what, recipient.name)
          if (error !== undefined) return items.map((item) => ({ item, error }))
          return outcomesOf(items, topics, what, recipient)
        },
      })
      return settled(operation, partitionResults(outcomes), settle)
    },
  }
}

/** Commits offsets for a group that has no members. */
export async function alterOffsets(
  cluster: Cluster,
  group: string,
  offsets: readonly OffsetToSet[],
  deadline: Deadline,
): Promise<readonly PartitionResult[]> {
  const what = `setting offsets of group '${group}'`
  const outcomes = await cluster.fanOut.run<OffsetToSet, undefined>({
    items: offsets,
    to: () => ({ coordinator: 'group', key: group }),
    what,
    deadline,
    retry: retryUnlessUnknown,
    ask: async (items, recipient) => {
      const ids = topicIdsOf(cluster, items)
      let version = 0
      const response = await recipient.request(
        offsetCommit,
        (negotiated) => {
          version = negotiated
          return {
            groupId: group,
            topics: [...byTopic(items)].map(([name, ofTopic]) => ({
              ...(ids?.named(version, name) ?? { name }),
              partitions: ofTopic.map(({ partition, offset, leaderEpoch, metadata }) => ({
                partitionIndex: partition,
                committedOffset: BigInt(offset),
                committedLeaderEpoch: leaderEpoch ?? -1,
                committedMetadata: metadata ?? '',
              })),
            })),
          }
        },
        // Requests that name topics by id cannot be used for topics without an id.
        ids === undefined ? { maxVersion: LAST_WITH_NAMES } : {},
      )
      const topics = ids?.withNames(version, response.topics) ?? response.topics
      return outcomesOf(items, topics, what, recipient)
    },
  })
  return partitionResults(outcomes)
}

/**
 * Undefined if a topic has no id: some brokers support the requests but return no ids (Azure Event
 * Hubs).
 */
function topicIdsOf(cluster: Cluster, offsets: readonly OffsetToSet[]): TopicIds | undefined {
  return offsets.every(({ topicId }) => topicId !== undefined)
    ? new TopicIds(cluster, offsets)
    : undefined
}

function outcomesOf<One extends TopicPartition>(
  items: readonly One[],
  topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[],
  what: string,
  recipient: Recipient,
): readonly Outcome<One, undefined>[] {
  const found = partitionsByName(topics)
  return items.flatMap((item) => {
    const answer = found.get(item)
    if (answer === undefined) return []
    const { topic, partition } = item
    const named = `${what}, ${nameOf(item)},`
    const detail =
      answer.errorCode === ErrorCode.UNKNOWN_MEMBER_ID
        ? 'the group has members: stop or remove them first'
        : null
    const error: KafkaError | undefined = itemError(
      answer.errorCode,
      named,
      recipient.name,
      detail,
      { topic, partition },
    )
    return [outcomeOf(item, error, undefined)]
  })
}
