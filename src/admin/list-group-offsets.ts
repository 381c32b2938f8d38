import { offsetFetch, type OffsetFetchResponse } from '../../protocol/apis/offset-fetch.ts'
import type { Deadline } from '../async/deadline.ts'
import { eachOf } from '../async/each-of.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { LAST_WITH_NAMES } from '../consumer/offsets/topic-ids.ts'
import { byTopic, nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { KafkaError, UnsupportedVersionError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import { aBoolean, anArrayOf, anObject, aString } from '../options.ts'
import {
  checkArray,
  checkDistinct,
  exactNumber,
  type Item,
  itemError,
  outcomeFrom,
  outcomeOf,
  retryUnlessUnknown,
} from './items.ts'
import { checkPartitions, inOrder } from './partitions.ts'

/** The committed offset of a group in one partition. */
export interface GroupOffset extends TopicPartition, Item {
  /**
   * The offset of the next message that the group reads. Undefined if there is none, or an error.
   */
  readonly offset?: number
  /** The leader epoch of the last message before the offset; undefined if it is not known. */
  readonly leaderEpoch?: number
  /** The text that was committed with the offset. */
  readonly metadata?: string
}

/** The result of `listGroupOffsets` for one group. */
export interface GroupOffsets extends Item {
  /** The name of the group. */
  readonly group: string
  /**
   * Sorted by topic and partition. If all partitions were requested, those without a committed offset are left out;
   * requested partitions are always included.
   */
  readonly offsets: readonly GroupOffset[]
}

/** A group whose offsets are listed, in all its partitions or in the given ones. */
export type GroupPartitions =
  | string
  | {
      /** The name of the group. */
      readonly group: string
      /** The partitions whose offsets are listed. */
      readonly partitions: readonly TopicPartition[]
    }

/** The checks of `GroupPartitions` that are not only a name. */
export const GROUP_PARTITIONS = {
  group: { check: aString, required: true },
  partitions: { check: anArrayOf(anObject), required: true },
} as const satisfies OptionTable<Exclude<GroupPartitions, string>>

/** The options of `listGroupOffsets`. */
export interface ListGroupOffsetsOptions extends CallOptions {
  /**
   * Waits for the offsets of transactions that are being committed (KIP-447, Kafka 2.5). Default:
   * false.
   */
  readonly requireStable?: boolean
}

/** The checks and defaults of `ListGroupOffsetsOptions`. */
export const LIST_GROUP_OFFSETS_OPTIONS = {
  ...CALL_OPTIONS,
  requireStable: { check: aBoolean, default: false },
} as const satisfies OptionTable<ListGroupOffsetsOptions>

export interface GroupToList {
  readonly group: string
  /** Undefined for all. */
  readonly partitions: readonly TopicPartition[] | undefined
}

const MANY_GROUPS = 8
const ALL_PARTITIONS = 2
const WITH_REQUIRE_STABLE = 7

/**
 * How many groups one request names. This limits the size of a response, which a broker builds in
 * memory.
 */
const GROUPS_IN_A_REQUEST = 1_000
/** How many requests are in flight to a broker that accepts only one group in each. */
const REQUESTS_AT_ONCE = 20

/** Throws InvalidArgumentError. */
export function groupsToList(
  operation: string,
  groups: readonly GroupPartitions[],
): readonly GroupToList[] {
  checkArray(operation, 'groups', groups)
  const wanted = groups.map((given) => {
    if (typeof given === 'string') return { group: given, partitions: undefined }
    checkTable(`a group of ${operation}`, given, GROUP_PARTITIONS)
    checkPartitions(operation, given.partitions)
    return given
  })
  checkDistinct(
    operation,
    'group',
    wanted.map(({ group }) => group),
  )
  return wanted
}

/**
 * Returns all committed offsets of groups, without waiting for transactions that are being
 * committed.
 */
export function offsetsOfGroups(
  cluster: Cluster,
  groups: readonly string[],
  deadline: Deadline,
): Promise<readonly GroupOffsets[]> {
  const all = groups.map((group) => ({ group, partitions: undefined }))
  return listOffsetsOfGroups(cluster, all, deadline, false)
}

export async function listOffsetsOfGroups(
  cluster: Cluster,
  groups: readonly GroupToList[],
  deadline: Deadline,
  requireStable: boolean,
): Promise<readonly GroupOffsets[]> {
  const outcomes = await cluster.fanOut.run<GroupToList, readonly GroupOffset[]>({
    items: groups,
    to: ({ group: key }) => ({ coordinator: 'group', key }),
    what: 'listing offsets of groups',
    deadline,
    maxItems: GROUPS_IN_A_REQUEST,
    retry: retryUnlessUnknown,
    ask: (items, recipient) => fetchOffsets(items, recipient, requireStable),
  })
  return outcomes.map(({ item: { group }, result, error }) =>
    error === undefined ? { group, offsets: result } : { group, offsets: [], error },
  )
}

type Fetched = Outcome<GroupToList, readonly GroupOffset[]>

async function fetchOffsets(
  groups: readonly GroupToList[],
  recipient: Recipient,
  requireStable: boolean,
): Promise<readonly Fetched[]> {
  let version = 0
  const ask = (some: readonly GroupToList[]) =>
    recipient.request(
      offsetFetch,
      (negotiated) => {
        version = negotiated
        return {
          ...(negotiated >= MANY_GROUPS
            ? { groups: some.map((one) => ({ groupId: one.group, topics: topicsOf(one) })) }
            : { groupId: some[0]!.group, topics: topicsBefore(negotiated, some[0]!) }),
          ...(negotiated >= WITH_REQUIRE_STABLE ? { requireStable } : {}),
        }
      },
      // Requests by topic id would leave out the offsets of deleted topics, and need a broker that
      // returns ids.
      { maxVersion: LAST_WITH_NAMES },
    )
  const response = await ask(groups)
  if (version >= MANY_GROUPS) {
    const found = new Map(response.groups.map((one) => [one.groupId, one]))
    return groups.flatMap((item) => {
      const answer = found.get(item.group)
      return answer === undefined ? [] : [groupOutcome(item, answer, recipient)]
    })
  }
  const [first, ...others] = groups
  const outcomes = [groupOutcome(first!, response, recipient)]
  await eachOf(others, REQUESTS_AT_ONCE, async (item) => {
    try {
      outcomes.push(groupOutcome(item, await ask([item]), recipient))
    } catch (error) {
      // Of this group only.
      if (!(error instanceof KafkaError)) throw error
      outcomes.push({ item, error })
    }
  })
  return outcomes
}

function topicsOf({ partitions }: GroupToList) {
  if (partitions === undefined) return null
  return [...byTopic(partitions)].map(([name, ofTopic]) => ({
    name,
    partitionIndexes: ofTopic.map(({ partition }) => partition),
  }))
}

function topicsBefore(version: number, group: GroupToList) {
  if (version < ALL_PARTITIONS && group.partitions === undefined) {
    throw new UnsupportedVersionError(
      `listing all offsets of group '${group.group}' requires Kafka 0.10.2 or newer: pass the partitions`,
    )
  }
  return topicsOf(group)
}

function groupOutcome(
  item: GroupToList,
  { errorCode, topics }: Pick<OffsetFetchResponse, 'errorCode' | 'topics'>,
  recipient: Recipient,
): Fetched {
  const { group, partitions: wanted } = item
  const what = `listing offsets of group '${group}'`
  const offsets: GroupOffset[] = []
  for (const { name: topic, partitions } of topics) {
    for (const found of partitions) {
      const where = { topic, partition: found.partitionIndex }
      const failed = itemError(found.errorCode, what, recipient.name, null, where)
      if (failed === undefined && found.committedOffset < 0n) {
        if (wanted !== undefined) offsets.push(where)
        continue
      }
      const { result, error } = outcomeFrom(where, failed, () => committedOffset(where, found))
      offsets.push(error === undefined ? result : { ...where, error })
    }
  }
  return outcomeOf(item, itemError(errorCode, what, recipient.name), inOrder(offsets))
}

/** Fields are added without spreads: a group may have thousands of partitions. */
function committedOffset(
  { topic, partition }: TopicPartition,
  found: OffsetFetchResponse['topics'][number]['partitions'][number],
): GroupOffset {
  const where = { topic, partition }
  const committed: { -readonly [Key in keyof GroupOffset]: GroupOffset[Key] } = where
  const what = () => `the committed offset of ${nameOf(where)}`
  committed.offset = exactNumber(found.committedOffset, what, where)
  if (found.committedLeaderEpoch >= 0) committed.leaderEpoch = found.committedLeaderEpoch
  const { metadata } = found
  if (metadata !== null && metadata !== '') committed.metadata = metadata
  return committed
}
