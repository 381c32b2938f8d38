import { deleteRecords } from '../../../protocol/apis/delete-records.ts'
import { toSafeNumber } from '../../../protocol/records/safe-number.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { ledPartitionOf, topicOf } from '../api/context.ts'
import { handler } from '../api/handler.ts'

/** The offset that means the end of the log. */
const HIGH_WATERMARK = -1

export const deleteRecordsHandler = handler(deleteRecords, {
  injectsErrors: true,
  handle: (request, context) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => {
        const outcome = outcomeOf(() => {
          const topic = topicOf(context, { name }, 'delete')
          const { log } = ledPartitionOf(context, topic, partitionIndex)
          if (!topic.config.deletesRecords) throw new Refused('POLICY_VIOLATION')
          const wanted = toSafeNumber(offset, 'offset')
          const before = wanted === HIGH_WATERMARK ? log.endOffset : wanted
          if (before < 0 || before > log.endOffset) throw new Refused('OFFSET_OUT_OF_RANGE')
          log.deleteBefore(before)
          return log.startOffset
        })
        return outcome.refused === undefined
          ? { partitionIndex, lowWatermark: BigInt(outcome.value), errorCode: 0 }
          : { partitionIndex, lowWatermark: -1n, errorCode: outcome.refused.errorCode }
      }),
    })),
  }),
  refuse: (errorCode, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        lowWatermark: -1n,
        errorCode,
      })),
    })),
  }),
})
