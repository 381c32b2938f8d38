import type { Partition } from '../cluster/partition.ts'
import { convertDown } from '../log/convert-down.ts'
import type { AbortedTransaction } from '../log/transactions.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { outcomeOf, Refused } from '../refused.ts'
import {
  checkLeader,
  checkLeaderEpoch,
  partitionOf,
  topicOf,
  type RequestContext,
} from '../api/context.ts'
import type { FetchedPartition, FetchPartition } from '../fetch/sessions.ts'

export interface PartitionRead extends FetchedPartition {
  /** Set if there is an error, to report the leader. */
  readonly partition: Partition | undefined
  readonly lastStableOffset: number
  /** For `read_committed`. */
  readonly aborted: readonly AbortedTransaction[]
}

export interface FetchRead {
  readonly partitions: readonly PartitionRead[]
  readonly bytes: number
  readonly hasError: boolean
}

/** The versions of Fetch that changed which bytes are returned. */
const WITH_MESSAGE_V1 = 2
const WITH_MAX_BYTES = 3
const WITH_BATCH_V2 = 4
const WITH_ZSTD = 10

/** Kafka's fetch.max.bytes of a broker. */
const BROKER_MAX_BYTES = 55 * 1024 * 1024
const LOG_OVERHEAD_BYTES = 12

const NOTHING = Buffer.alloc(0)

/** Reads partition by partition until the response is full. */
export function readPartitions(
  context: RequestContext,
  wanted: readonly FetchPartition[],
  requestMaxBytes: number,
  isReadCommitted: boolean,
): FetchRead {
  const maxBytes = Math.min(requestMaxBytes, BROKER_MAX_BYTES)
  let bytes = 0
  let hasError = false
  const partitions = wanted.map((one): PartitionRead => {
    const { value, refused } = errorFree(() => {
      const partition = fetchable(context, one)
      const { log } = partition
      const limitBytes = Math.min(one.maxBytes, maxBytes - bytes)
      const lastStableOffset = partition.lastStableOffset
      const toOffset = isReadCommitted ? lastStableOffset : log.endOffset
      const records = readRecords(context, partition, one, limitBytes, bytes === 0, toOffset)
      const aborted = isReadCommitted
        ? partition.state.transactions.abortedIn(one.fetchOffset, toOffset)
        : []
      return { log, lastStableOffset, records, aborted }
    })
    if (refused !== undefined) {
      hasError = true
      return {
        wanted: one,
        partition: knownPartition(context, one),
        errorCode: refused.errorCode,
        highWatermark: -1,
        lastStableOffset: -1,
        logStartOffset: -1,
        records: NOTHING,
        aborted: [],
      }
    }
    bytes += value.records.length
    return {
      wanted: one,
      partition: undefined,
      errorCode: 0,
      highWatermark: value.log.endOffset,
      lastStableOffset: value.lastStableOffset,
      logStartOffset: value.log.startOffset,
      records: value.records,
      aborted: value.aborted,
    }
  })
  return { partitions, bytes, hasError }
}

function errorFree<T>(run: () => T) {
  const outcome = outcomeOf(run)
  return outcome.refused === undefined
    ? { value: outcome.value, refused: undefined }
    : { value: undefined, refused: outcome.refused }
}

/** The partition, whether or not it can be fetched. */
export function knownPartition(
  { cluster: { topics } }: RequestContext,
  { topic, topicId, partition }: FetchPartition,
): Partition | undefined {
  const found = topicId === undefined ? topics.byName(topic) : topics.byId(topicId)
  return found?.partitions[partition]
}

/** The partition, if it can be fetched from this broker and offset. Throws Refused. */
export function fetchable(context: RequestContext, wanted: FetchPartition): Partition {
  const topic = topicOf(context, { name: wanted.topic, id: wanted.topicId }, 'read')
  const partition = partitionOf(context, topic, wanted.partition)
  checkLeaderEpoch(partition, wanted.currentLeaderEpoch)
  checkLeader(context, partition)
  partition.log.checkOffset(wanted.fetchOffset)
  if (context.version < WITH_ZSTD && topic.config.compression === 'zstd') {
    throw new Refused('UNSUPPORTED_COMPRESSION_TYPE')
  }
  return partition
}

/** `isFirst`: nothing has been read for this request yet, so that one batch is returned, whatever its size. */
function readRecords(
  { version }: RequestContext,
  { log }: Partition,
  { fetchOffset }: FetchPartition,
  limitBytes: number,
  isFirst: boolean,
  beforeOffset: number,
): Buffer {
  if (version < WITH_MAX_BYTES) {
    // Before KIP-74 the limit was hard: larger data is cut off, even if no whole batch remains.
    const magic = version < WITH_MESSAGE_V1 ? 0 : 1
    return convertDown(log.read(fetchOffset, limitBytes, true), magic, fetchOffset).subarray(
      0,
      Math.max(0, limitBytes),
    )
  }
  const records = wholeFirst(log, fetchOffset, limitBytes, isFirst, beforeOffset)
  return version < WITH_BATCH_V2 ? convertDown(records, 1, fetchOffset) : records
}

function wholeFirst(
  log: PartitionLog,
  offset: number,
  limitBytes: number,
  isFirst: boolean,
  beforeOffset: number,
) {
  const records = log.read(offset, limitBytes, isFirst, beforeOffset)
  const isCutInFirst =
    records.length < LOG_OVERHEAD_BYTES ||
    records.length < LOG_OVERHEAD_BYTES + records.readInt32BE(8)
  return isCutInFirst ? NOTHING : records
}
