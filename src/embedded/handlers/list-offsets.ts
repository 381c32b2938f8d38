import { listOffsets } from '../../../protocol/apis/list-offsets.ts'
import type { Partition } from '../cluster/partition.ts'
import {
  firstAtOrAfter,
  segmentOffsets,
  withMaxTimestamp,
  type OffsetAtTime,
} from '../log/by-time.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { checkLeaderEpoch, ledPartitionOf, topicOf } from '../api/context.ts'
import { handler } from '../api/handler.ts'

/** Timestamps with a special meaning, and the version of ListOffsets that added each. */
const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6
const SINCE: ReadonlyMap<number, number> = new Map([
  [LATEST, 0],
  [EARLIEST, 0],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])

const READ_COMMITTED = 1

export const listOffsetsHandler = handler(listOffsets, {
  injectsErrors: true,
  handle: (request, context) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: withoutRepeats(partitions).map(({ wanted, isRepeated }) => {
        const { partitionIndex, currentLeaderEpoch, maxNumOffsets } = wanted
        const timestamp = Number(wanted.timestamp)
        const outcome = outcomeOf(() => {
          if (isRepeated) throw new Refused('INVALID_REQUEST')
          const topic = topicOf(context, { name }, 'describe')
          const partition = ledPartitionOf(context, topic, partitionIndex)
          checkLeaderEpoch(partition, currentLeaderEpoch)
          if (context.version === 0) {
            const offsets = segmentOffsets(partition.log, timestamp, maxNumOffsets)
            return { oldStyleOffsets: offsets.map(BigInt) }
          }
          const found = offsetAt(partition, timestamp, context.version, request.isolationLevel)
          return {
            timestamp: BigInt(found?.timestamp ?? -1),
            offset: BigInt(found?.offset ?? -1),
            ...(context.version >= 4 ? { leaderEpoch: found?.leaderEpoch ?? -1 } : {}),
          }
        })
        return outcome.refused === undefined
          ? { partitionIndex, errorCode: 0, ...outcome.value }
          : { partitionIndex, errorCode: outcome.refused.errorCode }
      }),
    })),
  }),
  refuse: (errorCode, { topics }) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
})

function offsetAt(
  { log, leaderEpoch, lastStableOffset }: Partition,
  timestamp: number,
  version: number,
  isolationLevel: number,
): OffsetAtTime | undefined {
  if (timestamp < 0 && version < (SINCE.get(timestamp) ?? Infinity)) {
    throw new Refused('UNSUPPORTED_VERSION')
  }
  switch (timestamp) {
    case LATEST:
      return {
        offset: isolationLevel === READ_COMMITTED ? lastStableOffset : log.endOffset,
        timestamp: -1,
        leaderEpoch,
      }
    case EARLIEST:
    case EARLIEST_LOCAL: {
      const first = log.entries().next()
      return {
        offset: log.startOffset,
        timestamp: -1,
        leaderEpoch: first.done === true ? leaderEpoch : first.value.leaderEpoch,
      }
    }
    case MAX_TIMESTAMP:
      return withMaxTimestamp(log)
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return undefined
    default:
      return firstAtOrAfter(log, timestamp)
  }
}

/** A partition that occurs twice in the request gets one response, with an error. */
function withoutRepeats<T extends { readonly partitionIndex: number }>(partitions: readonly T[]) {
  const byIndex = new Map<number, { readonly wanted: T; readonly isRepeated: boolean }>()
  for (const wanted of partitions) {
    const { partitionIndex } = wanted
    byIndex.set(partitionIndex, { wanted, isRepeated: byIndex.has(partitionIndex) })
  }
  return [...byIndex.values()]
}
