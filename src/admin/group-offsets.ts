import { offsetCommit } from '../../protocol/apis/offset-commit.ts'
import { offsetDelete } from '../../protocol/apis/offset-delete.ts'
import { offsetFetch, type OffsetFetchResponse } from '../../protocol/apis/offset-fetch.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import type { CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { byTopic, nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { InvalidArgumentError, type KafkaError } from '../errors.ts'
import { aBoolean, anInteger } from '../options.ts'
import { begin, type AdminContext, type ChangeOptions } from './context.ts'
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
import {
  checkPartitions,
  inOrder,
  partitionResults,
  partitionsByName,
  type PartitionResult,
} from './partitions.ts'

/** The committed offset of a group in one partition. */
export interface GroupOffset extends TopicPartition, Item {
  /** The offset of the next message that the group reads. Undefined where there is an error. */
  readonly offset?: number
  /** The leader epoch of the last message before the offset; undefined where it is not known. */
  readonly leaderEpoch?: number
  /** The text that was committed with the offset. */
  readonly metadata?: string
}

/** The result of `listGroupOffsets` for one group. */
export interface GroupOffsets extends Item {
  /** The name of the group. */
  readonly group: string
  /** By topic and partition; partitions without a committed offset are left out. */
  readonly offsets: readonly GroupOffset[]
}

/** The options of `listGroupOffsets`. */
export interface ListGroupOffsetsOptions extends CallOptions {
  /** Waits for offsets of transactions that are about to commit (KIP-447, Kafka 2.5). Default: false. */
  readonly requireStable?: boolean
}

/** An offset that `alterGroupOffsets` is to commit. */
export interface OffsetToSet extends TopicPartition {
  /** The offset of the next message that the group is to read. */
  readonly offset: number
  /** The leader epoch of the last message before the offset. Default: unknown. */
  readonly leaderEpoch?: number
  /** A text to commit with the offset. Default: empty. */
  readonly metadata?: string
}

/** The versions of OffsetFetch and OffsetCommit after this one name topics by ids. */
const LAST_WITH_NAMES = 9
const MANY_GROUPS = 8
const ALL_PARTITIONS = 2
const WITH_REQUIRE_STABLE = 7

export function groupOffsetOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /** The committed offsets of groups, in the order of the names. Java: `listConsumerGroupOffsets`. */
    async listGroupOffsets(
      groups: readonly string[],
      options: ListGroupOffsetsOptions = {},
    ): Promise<readonly GroupOffsets[]> {
      const deadline = begin(context, 'listGroupOffsets', options, { requireStable: aBoolean })
      checkDistinct('listGroupOffsets', 'group', groups)
      return offsetsOfGroups(cluster, groups, deadline, options.requireStable ?? false)
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
      const deadline = begin(context, operation, options, {})
      checkDistinct(operation, 'group', [group])
      checkPartitions(operation, offsets)
      for (const { offset, ...one } of offsets) {
        const problem = anInteger(0)(offset)
        if (problem === undefined) continue
        throw new InvalidArgumentError(`${operation}: the offset of ${nameOf(one)} ${problem}`)
      }
      const results = await commitOffsets(cluster, group, offsets, deadline)
      return settled(operation, results, options.settle)
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
      const deadline = begin(context, operation, options, {})
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
      return settled(operation, partitionResults(outcomes), options.settle)
    },
  }
}

/** Commits offsets in the place of a group that has no members. */
export async function commitOffsets(
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
      const response = await recipient.request(
        offsetCommit,
        {
          groupId: group,
          topics: [...byTopic(items)].map(([name, ofTopic]) => ({
            name,
            partitions: ofTopic.map(({ partition, offset, leaderEpoch, metadata }) => ({
              partitionIndex: partition,
              committedOffset: BigInt(offset),
              committedLeaderEpoch: leaderEpoch ?? -1,
              committedMetadata: metadata ?? '',
            })),
          })),
        },
        { maxVersion: LAST_WITH_NAMES },
      )
      return outcomesOf(items, response.topics, what, recipient)
    },
  })
  return partitionResults(outcomes)
}

export async function offsetsOfGroups(
  cluster: Cluster,
  groups: readonly string[],
  deadline: Deadline,
  requireStable: boolean,
): Promise<readonly GroupOffsets[]> {
  const outcomes = await cluster.fanOut.run<string, readonly GroupOffset[]>({
    items: groups,
    to: (key) => ({ coordinator: 'group', key }),
    what: 'listing offsets of groups',
    deadline,
    retry: retryUnlessUnknown,
    ask: (names, recipient) => fetchOffsets(names, recipient, requireStable),
  })
  return outcomes.map(({ item, result, error }) =>
    error === undefined ? { group: item, offsets: result } : { group: item, offsets: [], error },
  )
}

async function fetchOffsets(
  groups: readonly string[],
  recipient: Recipient,
  requireStable: boolean,
): Promise<readonly Outcome<string, readonly GroupOffset[]>[]> {
  let version = 0
  const ask = (names: readonly string[]) =>
    recipient.request(
      offsetFetch,
      (negotiated) => {
        version = negotiated
        return {
          ...(negotiated >= MANY_GROUPS
            ? { groups: names.map((groupId) => ({ groupId, topics: null })) }
            : { groupId: names[0]!, topics: negotiated >= ALL_PARTITIONS ? null : [] }),
          ...(negotiated >= WITH_REQUIRE_STABLE ? { requireStable } : {}),
        }
      },
      { maxVersion: LAST_WITH_NAMES },
    )
  const [first] = groups
  const response = await ask(groups)
  if (version >= MANY_GROUPS) {
    return response.groups.map((found) => groupOutcome(found.groupId, found, recipient))
  }
  const outcomes = [groupOutcome(first!, response, recipient)]
  for (const group of groups.slice(1)) {
    outcomes.push(groupOutcome(group, await ask([group]), recipient))
  }
  return outcomes
}

function groupOutcome(
  group: string,
  { errorCode, topics }: Pick<OffsetFetchResponse, 'errorCode' | 'topics'>,
  recipient: Recipient,
): Outcome<string, readonly GroupOffset[]> {
  const what = `listing offsets of group '${group}'`
  const offsets: GroupOffset[] = []
  for (const { name: topic, partitions } of topics) {
    for (const { partitionIndex: partition, ...found } of partitions) {
      const where = { topic, partition }
      const failed = itemError(found.errorCode, what, recipient.name, null, where)
      if (failed === undefined && found.committedOffset < 0n) continue
      const { committedLeaderEpoch: leaderEpoch, committedOffset, metadata } = found
      const { result, error } = outcomeFrom(where, failed, () => ({
        offset: exactNumber(committedOffset, `the committed offset of ${nameOf(where)}`, where),
        ...(leaderEpoch < 0 ? {} : { leaderEpoch }),
        ...(metadata === null || metadata === '' ? {} : { metadata }),
      }))
      offsets.push(error === undefined ? { ...where, ...result } : { ...where, error })
    }
  }
  return outcomeOf(group, itemError(errorCode, what, recipient.name), inOrder(offsets))
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
    const answer = found.get(nameOf(item))
    if (answer === undefined) return []
    const { topic, partition } = item
    const named = `${what}, ${nameOf(item)},`
    const detail =
      answer.errorCode === ErrorCode.UNKNOWN_MEMBER_ID
        ? 'the group has members: stop them first, or remove them'
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
