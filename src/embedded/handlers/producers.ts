/** The requests of tools about the producers of partitions and their transactions (KIP-664). */
import { describeProducers } from '../../../protocol/apis/describe-producers.ts'
import { writeTxnMarkers } from '../../../protocol/apis/write-txn-markers.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { ledPartitionOf, topicOf, type RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { endMarker } from '../log/marker.ts'
import { forCluster } from './for-cluster.ts'
import { outcomeOf, Refused } from '../refused.ts'

export const describeProducersHandler = handler(describeProducers, {
  injectsErrors: true,
  handle: ({ topics }, context) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        const isKnown = context.cluster.topics.byName(name) !== undefined
        const outcome = outcomeOf(() => activeProducers(name, partitionIndex, context))
        return outcome.refused === undefined
          ? { partitionIndex, errorCode: 0, errorMessage: null, activeProducers: outcome.value }
          : {
              partitionIndex,
              errorCode: outcome.refused.errorCode,
              errorMessage: isKnown ? null : 'This server does not host this topic-partition.',
              activeProducers: [],
            }
      }),
    })),
  }),
  refuse: (errorCode, { topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        errorCode,
        errorMessage: null,
        activeProducers: [],
      })),
    })),
  }),
})

function activeProducers(name: string, index: number, context: RequestContext) {
  const { state } = ledPartitionOf(context, topicOf(context, { name }, 'read'), index)
  return state.producers.all.map((producer) => ({
    producerId: producer.producerId,
    producerEpoch: producer.producerEpoch,
    lastSequence: producer.lastSequence,
    lastTimestamp: BigInt(producer.lastTimestamp),
    coordinatorEpoch: producer.coordinatorEpoch,
    currentTxnStartOffset: BigInt(state.transactions.startOf(producer.producerId) ?? -1),
  }))
}

/**
 * In a real cluster coordinators send this request to leaders; here only tools do. It does not
 * change the state of the coordinator.
 */
export const writeTxnMarkersHandler = handler(
  writeTxnMarkers,
  forCluster('alter', {
    handle: ({ markers }, context) => ({
      markers: markers.map(({ producerId, producerEpoch, transactionResult, topics }) => ({
        producerId,
        topics: topics.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partitionIndex) => {
            const { refused } = outcomeOf(() => {
              const topic = context.cluster.topics.byName(name)
              if (topic === undefined) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION')
              const partition = ledPartitionOf(context, topic, partitionIndex)
              const known = partition.state.producers.epochOf(producerId)
              if (known !== undefined && producerEpoch < known) {
                throw new Refused('INVALID_PRODUCER_EPOCH')
              }
              const nowMs = context.cluster.nowMs()
              const outcome = transactionResult ? 'commit' : 'abort'
              partition.appendRaw(endMarker({ producerId, producerEpoch }, outcome, nowMs), nowMs)
            })
            return { partitionIndex, errorCode: refused?.errorCode ?? ErrorCode.NONE }
          }),
        })),
      })),
    }),
    refuse: (errorCode, { markers }) => ({
      markers: markers.map(({ producerId, topics }) => ({
        producerId,
        topics: topics.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
        })),
      })),
    }),
  }),
)
