import { deleteRecords as deleteRecordsApi } from '../../protocol/apis/delete-records.ts'
import {
  listOffsets as listOffsetsApi,
  type ListOffsetsResponse,
} from '../../protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { InvalidArgumentError, type KafkaError, requiresKafka } from '../errors.ts'
import { byTopic, nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import type { OptionTable } from '../option-table.ts'
import { anInteger, oneOf, shown } from '../options.ts'
import {
  CHANGE_OPTIONS,
  begin,
  brokerTimeoutMs,
  type AdminContext,
  type ChangeOptions,
} from './context.ts'
import {
  exactNumber,
  itemError,
  outcomeFrom,
  retryUnlessUnknown,
  settled,
  type Item,
} from './items.ts'
import {
  TOPIC_PARTITION,
  checkPartitions,
  inOrder,
  partitionsByName,
  partitionsFound,
} from './partitions.ts'

/**
 * A position in a partition: an end of the log, the first message at or after a time, the message
 * with the highest timestamp (Kafka 3.0), or an end of the local log or of tiered storage (3.4,
 * 3.9, 4.2).
 */
export type OffsetPosition =
  | 'earliest'
  | 'latest'
  | 'maxTimestamp'
  | 'earliestLocal'
  | 'latestTiered'
  | 'earliestPendingUpload'
  | Date
  | number

/** The result of `listOffsets` for one partition. */
export interface ListedOffset extends TopicPartition, Item {
  /** Undefined if the partition has no such message, or if there is an error. */
  readonly offset?: number
  /**
   * The timestamp of that message, in milliseconds since 1970, if the position is a time or
   * `maxTimestamp`.
   */
  readonly timestamp?: number
  /** The leader epoch of the message at the offset; undefined if it is not known. */
  readonly leaderEpoch?: number
}

/** The options of `listOffsets`. */
export interface ListOffsetsOptions extends CallOptions {
  /**
   * With `read_committed` the log ends at the first open transaction. Default: `read_uncommitted`
   * (as in Java).
   */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed'
}

/** The checks and defaults of `ListOffsetsOptions`. */
export const LIST_OFFSETS_OPTIONS = {
  ...CALL_OPTIONS,
  isolationLevel: {
    check: oneOf('read_uncommitted', 'read_committed'),
    default: 'read_uncommitted',
  },
} as const satisfies OptionTable<ListOffsetsOptions>

/** A partition whose first records `deleteRecords` is to delete. */
export interface RecordsToDelete extends TopicPartition {
  /** The first offset to keep; −1 deletes all records below the high watermark. */
  readonly beforeOffset: number
}

/** The checks of `RecordsToDelete`. */
export const RECORDS_TO_DELETE = {
  ...TOPIC_PARTITION,
  beforeOffset: { check: anInteger(-1), required: true },
} as const satisfies OptionTable<RecordsToDelete>

/** The result of `deleteRecords` for one partition. */
export interface DeletedRecords extends TopicPartition, Item {
  /** The first offset that exists afterwards. */
  readonly lowWatermark?: number
}

/**
 * Kafka's numbers for positions that are not times, each with the first version of ListOffsets that
 * supports it.
 */
const POSITIONS = {
  latest: { timestamp: -1n, since: 0, release: '0.8.2' },
  earliest: { timestamp: -2n, since: 0, release: '0.8.2' },
  maxTimestamp: { timestamp: -3n, since: 7, release: '3.0' },
  earliestLocal: { timestamp: -4n, since: 8, release: '3.4' },
  latestTiered: { timestamp: -5n, since: 9, release: '3.9' },
  earliestPendingUpload: { timestamp: -6n, since: 11, release: '4.2' },
} as const

const WITH_ISOLATION = 2
/**
 * From this version on, a broker finds the exact message for a time, and responds with one offset.
 */
const WITH_ONE_OFFSET = 1

export function recordOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the offset of a position in each partition, by topic and partition. A partition that
     * failed has an `error` and never an offset.
     */
    async listOffsets(
      partitions: readonly TopicPartition[],
      at: OffsetPosition,
      options: ListOffsetsOptions = {},
    ): Promise<readonly ListedOffset[]> {
      const operation = 'listOffsets'
      const { deadline, isolationLevel } = begin(context, operation, options, LIST_OFFSETS_OPTIONS)
      checkPartitions(operation, partitions)
      const isReadCommitted = isolationLevel === 'read_committed'
      return offsetsAt(cluster, partitions, at, deadline, isReadCommitted)
    },

    /**
     * Deletes all records before an offset of each partition. Throws ItemsFailedError, with
     * OFFSET_OUT_OF_RANGE for an offset above the high watermark.
     */
    async deleteRecords(
      records: readonly RecordsToDelete[],
      options: ChangeOptions = {},
    ): Promise<readonly DeletedRecords[]> {
      const operation = 'deleteRecords'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkPartitions(operation, records, RECORDS_TO_DELETE)
      const outcomes = await cluster.fanOut.run<RecordsToDelete, { lowWatermark: number }>({
        items: records,
        to: ({ topic, partition }) => ({ leader: { topic, partition } }),
        what: 'deleting records',
        deadline,
        retry: retryUnlessUnknown,
        ask: (items, recipient) => deleteAt(cluster, items, recipient, deadline),
      })
      const results: readonly DeletedRecords[] = partitionsFound(outcomes)
      return settled(operation, results, settle)
    },
  }
}

/**
 * Returns the offsets of a position, with one request to each leader; partitions that failed have
 * an error.
 */
export async function offsetsAt(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  at: OffsetPosition,
  deadline: Deadline,
  isReadCommitted: boolean,
): Promise<readonly ListedOffset[]> {
  const { timestamp, since, release } = positionOf(at)
  const outcomes = await cluster.fanOut.run<TopicPartition, ListedOffset>({
    items: partitions,
    to: ({ topic, partition }) => ({ leader: { topic, partition } }),
    what: 'listing offsets',
    deadline,
    retry: retryUnlessUnknown,
    ask: async (items, recipient) => {
      let version = 0
      const response = await recipient.request(listOffsetsApi, (negotiated) => {
        version = negotiated
        if (negotiated < since) {
          const position = typeof at === 'string' ? `'${at}'` : 'this position'
          throw requiresKafka(`listing offsets: ${position}`, release, { broker: recipient.name })
        }
        return {
          replicaId: -1,
          ...(isReadCommitted && negotiated >= WITH_ISOLATION ? { isolationLevel: 1 } : {}),
          topics: [...byTopic(items)].map(([name, ofTopic]) => ({
            name,
            partitions: ofTopic.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
          })),
          timeoutMs: brokerTimeoutMs(cluster, deadline),
        }
      })
      const found = partitionsByName(response.topics)
      return items.flatMap((item) => {
        const answer = found.get(item)
        if (answer === undefined) return []
        const error = partitionError(answer.errorCode, 'listing the offset of', item, recipient)
        return [outcomeFrom(item, error, () => listedOffset(item, answer, version))]
      })
    },
  })
  return inOrder(
    outcomes.map(({ item: { topic, partition }, result, error }) =>
      error === undefined ? result : { topic, partition, error },
    ),
  )
}

/** Fields are added without spreads: `lag` lists thousands of partitions. */
function listedOffset(
  { topic, partition }: TopicPartition,
  found: ListOffsetsResponse['topics'][number]['partitions'][number],
  version: number,
): ListedOffset {
  const where = { topic, partition }
  const inResponse = version < WITH_ONE_OFFSET ? (found.oldStyleOffsets[0] ?? -1n) : found.offset
  const offset = exactNumber(inResponse, () => `the offset of ${nameOf(where)}`, where)
  const timestamp = exactNumber(found.timestamp, () => `the timestamp of ${nameOf(where)}`, where)
  const listed: { -readonly [Key in keyof ListedOffset]: ListedOffset[Key] } = where
  if (offset >= 0) listed.offset = offset
  if (timestamp >= 0) listed.timestamp = timestamp
  if (found.leaderEpoch >= 0) listed.leaderEpoch = found.leaderEpoch
  return listed
}

async function deleteAt(
  cluster: Cluster,
  items: readonly RecordsToDelete[],
  recipient: Recipient,
  deadline: Deadline,
): Promise<readonly Outcome<RecordsToDelete, { lowWatermark: number }>[]> {
  const response = await recipient.request(deleteRecordsApi, {
    topics: [...byTopic(items)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition, beforeOffset }) => ({
        partitionIndex: partition,
        offset: BigInt(beforeOffset),
      })),
    })),
    timeoutMs: brokerTimeoutMs(cluster, deadline),
  })
  const found = partitionsByName(response.topics)
  return items.flatMap((item) => {
    const answer = found.get(item)
    if (answer === undefined) return []
    const error = partitionError(answer.errorCode, 'deleting records of', item, recipient)
    return [
      outcomeFrom(item, error, () => ({
        lowWatermark: exactNumber(
          answer.lowWatermark,
          `the low watermark of ${nameOf(item)}`,
          item,
        ),
      })),
    ]
  })
}

function positionOf(at: OffsetPosition): {
  readonly timestamp: bigint
  readonly since: number
  readonly release: string
} {
  if (typeof at === 'string' && Object.hasOwn(POSITIONS, at)) return POSITIONS[at]
  const time = at instanceof Date ? at.getTime() : at
  if (typeof time === 'number' && Number.isSafeInteger(time) && time >= 0) {
    return { timestamp: BigInt(time), since: 0, release: '0.8.2' }
  }
  const names = Object.keys(POSITIONS).join(', ')
  throw new InvalidArgumentError(
    `the position must be one of ${names}, a Date, or milliseconds since 1970, not ${shown(at)}`,
  )
}

function partitionError(
  errorCode: number,
  what: string,
  { topic, partition }: TopicPartition,
  { name }: Recipient,
): KafkaError | undefined {
  if (errorCode === ErrorCode.NONE) return undefined
  return itemError(errorCode, `${what} ${topic}-${partition}`, name, null, { topic, partition })
}
