import { offsetForLeaderEpoch } from '../../../protocol/apis/offset-for-leader-epoch.ts'
import { endOfEpoch } from '../log/by-time.ts'
import { outcomeOf } from '../refused.ts'
import { checkLeaderEpoch, ledPartitionOf, topicOf } from '../api/context.ts'
import { handler } from '../api/handler.ts'

export const offsetForLeaderEpochHandler = handler(offsetForLeaderEpoch, {
  injectsErrors: true,
  handle: (request, context) => ({
    topics: request.topics.map(({ topic: name, partitions }) => ({
      topic: name,
      partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        const outcome = outcomeOf(() => {
          const partition = ledPartitionOf(context, topicOf(context, { name }, 'describe'), index)
          checkLeaderEpoch(partition, currentLeaderEpoch)
          return endOfEpoch(partition.log, leaderEpoch, partition.leaderEpoch)
        })
        return outcome.refused === undefined
          ? {
              errorCode: 0,
              partition: index,
              leaderEpoch: outcome.value?.epoch ?? -1,
              endOffset: BigInt(outcome.value?.endOffset ?? -1),
            }
          : { errorCode: outcome.refused.errorCode, partition: index, endOffset: -1n }
      }),
    })),
  }),
  refuse: (errorCode, { topics }) => ({
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ errorCode, partition, endOffset: -1n })),
    })),
  }),
})
