/**
 * The start offsets of share groups in their partitions (KIP-932, Kafka 4.1 or newer). The requests
 * go to the coordinator of the group, not to the share coordinators that keep the state.
 */
import { alterShareGroupOffsets } from '../../protocol/apis/alter-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../protocol/apis/delete-share-group-offsets.ts'
import {
  describeShareGroupOffsets,
  type DescribeShareGroupOffsetsResponse,
} from '../../protocol/apis/describe-share-group-offsets.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import {
  byTopic,
  nameOf,
  numbersByTopic,
  type TopicPartition,
} from '../consumer/topic-partition.ts'
import type { OptionTable } from '../option-table.ts'
import { anInteger } from '../options.ts'
import { CHANGE_OPTIONS, begin, type AdminContext, type ChangeOptions } from './context.ts'
import {
  checkDistinct,
  exactNumber,
  itemError,
  outcomeFrom,
  outcomeOf,
  retryUnlessUnknown,
  settled,
  type Item,
} from './items.ts'
import { groupsToList, type GroupPartitions, type GroupToList } from './list-group-offsets.ts'
import {
  TOPIC_PARTITION,
  checkPartitions,
  inOrder,
  partitionResults,
  type PartitionResult,
} from './partitions.ts'
import type { TopicResult } from './topics.ts'

/** The start offset of a share group in one partition (KIP-932). */
export interface ShareGroupOffset extends TopicPartition, Item {
  /** The first offset that the group has not finished. Undefined if there is none, or an error. */
  readonly startOffset?: number
  /** The leader epoch of the start offset; undefined if it is not known. */
  readonly leaderEpoch?: number
  /** The number of messages that are not acknowledged or archived yet (Kafka 4.2 or newer). */
  readonly lag?: number
}

/** The result of `listShareGroupOffsets` for one group. */
export interface ShareGroupOffsets extends Item {
  /** The name of the share group. */
  readonly group: string
  /**
   * Sorted by topic and partition. If all partitions were requested, those in which the group has not started are left
   * out; requested partitions are always included.
   */
  readonly offsets: readonly ShareGroupOffset[]
}

/** An offset that `alterShareGroupOffsets` is to set. */
export interface ShareGroupOffsetToSet extends TopicPartition {
  /** The offset of the first message that the group is to deliver. */
  readonly startOffset: number
}

/** The checks of `ShareGroupOffsetToSet`. */
export const SHARE_GROUP_OFFSET_TO_SET = {
  ...TOPIC_PARTITION,
  startOffset: { check: anInteger(0), required: true },
} as const satisfies OptionTable<ShareGroupOffsetToSet>

export function shareGroupOffsetOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the start offsets of share groups, in the given order, in all partitions or in the
     * given ones.
     */
    async listShareGroupOffsets(
      groups: readonly GroupPartitions[],
      options: CallOptions = {},
    ): Promise<readonly ShareGroupOffsets[]> {
      const { deadline } = begin(context, 'listShareGroupOffsets', options, CALL_OPTIONS)
      const wanted = groupsToList('listShareGroupOffsets', groups)
      const outcomes = await cluster.fanOut.run<GroupToList, readonly ShareGroupOffset[]>({
        items: wanted,
        to: ({ group: key }) => ({ coordinator: 'group', key }),
        what: 'listing offsets of share groups',
        deadline,
        retry: retryUnlessUnknown,
        ask: async (items, recipient) => {
          const response = await recipient.request(describeShareGroupOffsets, {
            groups: items.map(({ group: groupId, partitions }) => ({
              groupId,
              topics:
                partitions === undefined
                  ? null
                  : numbersByTopic(partitions).map(({ topic: topicName, partitions: numbers }) => ({
                      topicName,
                      partitions: numbers,
                    })),
            })),
          })
          const found = new Map(response.groups.map((one) => [one.groupId, one]))
          return items.flatMap((item) => {
            const answer = found.get(item.group)
            return answer === undefined ? [] : [groupOutcome(item, answer, recipient)]
          })
        },
      })
      return outcomes.map(({ item: { group }, result, error }) =>
        error === undefined ? { group, offsets: result } : { group, offsets: [], error },
      )
    },

    /**
     * Sets the start offsets of a share group without members. Throws ItemsFailedError, with
     * NON_EMPTY_GROUP while it has members.
     */
    async alterShareGroupOffsets(
      group: string,
      offsets: readonly ShareGroupOffsetToSet[],
      options: ChangeOptions = {},
    ): Promise<readonly PartitionResult[]> {
      const operation = 'alterShareGroupOffsets'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkDistinct(operation, 'group', [group])
      checkPartitions(operation, offsets, SHARE_GROUP_OFFSET_TO_SET)
      const what = `setting offsets of share group '${group}'`
      const outcomes = await cluster.fanOut.run<ShareGroupOffsetToSet, undefined>({
        items: offsets,
        to: () => ({ coordinator: 'group', key: group }),
        what,
        deadline,
        retry: retryUnlessUnknown,
        ask: async (items, recipient) => {
          const { errorCode, errorMessage, responses } = await recipient.request(
            alterShareGroupOffsets,
            {
              groupId: group,
              topics: [...byTopic(items)].map(([topicName, ofTopic]) => ({
                topicName,
                partitions: ofTopic.map(({ partition, startOffset }) => ({
                  partitionIndex: partition,
                  startOffset: BigInt(startOffset),
                })),
              })),
            },
          )
          const detail = detailOf(errorCode, errorMessage)
          const failed = itemError(errorCode, what, recipient.name, detail)
          if (failed !== undefined) return items.map((item) => ({ item, error: failed }))
          const found = new Map(
            responses.flatMap(({ topicName: topic, partitions }) =>
              partitions.map((one) => [nameOf({ topic, partition: one.partitionIndex }), one]),
            ),
          )
          return items.flatMap((item) => {
            const answer = found.get(nameOf(item))
            if (answer === undefined) return []
            const { topic, partition } = item
            const named = `${what}, ${nameOf(item)},`
            const where = { topic, partition }
            const { errorCode: code, errorMessage: message } = answer
            return [
              outcomeOf(item, itemError(code, named, recipient.name, message, where), undefined),
            ]
          })
        },
      })
      return settled(operation, partitionResults(outcomes), settle)
    },

    /**
     * Deletes the start offsets of a share group without members in topics, in the given order: the
     * group starts there again according to its `share.auto.offset.reset`. Throws ItemsFailedError.
     */
    async deleteShareGroupOffsets(
      group: string,
      topics: readonly string[],
      options: ChangeOptions = {},
    ): Promise<readonly TopicResult[]> {
      const operation = 'deleteShareGroupOffsets'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkDistinct(operation, 'group', [group])
      checkDistinct(operation, 'topic', topics)
      const what = `deleting offsets of share group '${group}'`
      const outcomes = await cluster.fanOut.run<string, undefined>({
        items: topics,
        to: () => ({ coordinator: 'group', key: group }),
        what,
        deadline,
        retry: retryUnlessUnknown,
        ask: async (names, recipient) => {
          const { errorCode, errorMessage, responses } = await recipient.request(
            deleteShareGroupOffsets,
            { groupId: group, topics: names.map((topicName) => ({ topicName })) },
          )
          const detail = detailOf(errorCode, errorMessage)
          const failed = itemError(errorCode, what, recipient.name, detail)
          if (failed !== undefined) return names.map((item) => ({ item, error: failed }))
          return responses.map(({ topicName: topic, errorCode: code, errorMessage: message }) => {
            const named = `${what}, topic '${topic}',`
            const error = itemError(code, named, recipient.name, message, { topic })
            return outcomeOf(topic, error, undefined)
          })
        },
      })
      const results = outcomes.map(({ item: topic, error }) => ({
        topic,
        ...(error === undefined ? {} : { error }),
      }))
      return settled(operation, results, settle)
    },
  }
}

function groupOutcome(
  item: GroupToList,
  { groupId, errorCode, errorMessage, topics }: DescribeShareGroupOffsetsResponse['groups'][number],
  recipient: Recipient,
): Outcome<GroupToList, readonly ShareGroupOffset[]> {
  const what = `listing offsets of share group '${groupId}'`
  const error = itemError(errorCode, what, recipient.name, errorMessage)
  if (error !== undefined) return { item, error }
  const offsets: ShareGroupOffset[] = []
  for (const { topicName: topic, partitions } of topics) {
    for (const {
      partitionIndex: partition,
      startOffset,
      leaderEpoch,
      lag,
      ...found
    } of partitions) {
      const where = { topic, partition }
      const failed = itemError(found.errorCode, what, recipient.name, found.errorMessage, where)
      if (failed === undefined && startOffset < 0n) {
        if (item.partitions !== undefined) offsets.push(where)
        continue
      }
      const of = nameOf(where)
      const outcome = outcomeFrom(where, failed, () => ({
        startOffset: exactNumber(startOffset, `the start offset of ${of}`, where),
        ...(leaderEpoch < 0 ? {} : { leaderEpoch }),
        ...(lag < 0n ? {} : { lag: exactNumber(lag, `the lag of ${of}`, where) }),
      }))
      offsets.push(
        outcome.error === undefined
          ? { ...where, ...outcome.result }
          : { ...where, error: outcome.error },
      )
    }
  }
  return { item, result: inOrder(offsets) }
}

function detailOf(errorCode: number, message: string | null): string | null {
  return errorCode === ErrorCode.NON_EMPTY_GROUP
    ? 'the group has members: stop them first'
    : message
}
