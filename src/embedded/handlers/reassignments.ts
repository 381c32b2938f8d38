import { alterPartitionReassignments } from '../../../protocol/apis/alter-partition-reassignments.ts'
import { electLeaders } from '../../../protocol/apis/elect-leaders.ts'
import { listPartitionReassignments } from '../../../protocol/apis/list-partition-reassignments.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import type { Partition } from '../cluster/partition.ts'
import { cancelMove, electLeader, reassign } from '../cluster/reassign.ts'
import { forCluster } from './for-cluster.ts'
import { outcomeOf, Refused } from '../refused.ts'

const WITH_FACTOR_CHECK = 1
const UNCLEAN = 1

export const alterPartitionReassignmentsHandler = handler(
  alterPartitionReassignments,
  forCluster('alter', {
    handle: (request, context) => {
      const { cluster, version } = context
      const allow = version < WITH_FACTOR_CHECK || request.allowReplicationFactorChange
      const responses = request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, replicas }) => {
          const { refused } = outcomeOf(() => {
            const partition = knownPartition(name, partitionIndex, context)
            if (replicas === null) cancelMove(partition)
            else reassign(partition, replicas, cluster.brokers, allow)
          })
          return {
            partitionIndex,
            errorCode: refused?.errorCode ?? 0,
            errorMessage: refused?.detail ?? null,
          }
        }),
      }))
      cluster.topics.onChange()
      return {
        throttleTimeMs: 0,
        ...(version < WITH_FACTOR_CHECK ? {} : { allowReplicationFactorChange: allow }),
        errorCode: 0,
        errorMessage: null,
        responses,
      }
    },
    refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, responses: [] }),
  }),
)

/** Throws UNKNOWN_TOPIC_OR_PARTITION with the controller's message. */
function knownPartition(name: string, index: number, { cluster }: RequestContext): Partition {
  const topic = cluster.topics.byName(name)
  const refused = (detail: string) => new Refused('UNKNOWN_TOPIC_OR_PARTITION', detail)
  if (topic === undefined) throw refused(`Unable to find a topic named ${name}.`)
  const partition = topic.partitions[index]
  if (partition === undefined) throw refused(`Unable to find partition ${name}:${index}.`)
  return partition
}

export const listPartitionReassignmentsHandler = handler(
  listPartitionReassignments,
  forCluster('describe', {
    handle: ({ topics }, { cluster }) => {
      const asked =
        topics ??
        cluster.topics.all.map(({ name, partitions }) => ({
          name,
          partitionIndexes: partitions.map(({ index }) => index),
        }))
      const moving = asked.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.flatMap((index) => {
          const partition = cluster.topics.partition(name, index)
          const { move, replicas = [] } = partition ?? {}
          if (move === undefined) return []
          return {
            partitionIndex: index,
            replicas,
            addingReplicas: move.target.filter((id) => !move.before.includes(id)),
            removingReplicas: move.before.filter((id) => !move.target.includes(id)),
          }
        }),
      }))
      return {
        throttleTimeMs: 0,
        errorCode: 0,
        errorMessage: null,
        topics: moving.filter(({ partitions }) => partitions.length > 0),
      }
    },
    refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, topics: [] }),
  }),
)

export const electLeadersHandler = handler(
  electLeaders,
  forCluster('alter', {
    handle: ({ topicPartitions, electionType }, { cluster, version }) => {
      const asked =
        topicPartitions ??
        cluster.topics.all.map(({ name, partitions }) => ({
          topic: name,
          partitions: partitions.map(({ index }) => index),
        }))
      const results = asked.map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.flatMap((partitionId) => {
          const { refused } = outcomeOf(() => {
            const partition = electable(topic, partitionId, cluster)
            electLeader(partition, electionType === UNCLEAN, cluster.brokers)
          })
          const errorCode = refused?.errorCode ?? 0
          // If the request names no partitions, those that need no election are left out of the
          // response.
          if (topicPartitions === null && errorCode === ErrorCode.ELECTION_NOT_NEEDED) return []
          return { partitionId, errorCode, errorMessage: refused?.detail ?? null }
        }),
      }))
      cluster.topics.onChange()
      return {
        throttleTimeMs: 0,
        ...(version < 1 ? {} : { errorCode: 0 }),
        replicaElectionResults: results,
      }
    },
    refuse: (errorCode, { topicPartitions }, { version }) => ({
      throttleTimeMs: 0,
      ...(version < 1 ? {} : { errorCode }),
      replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map((partitionId) => ({
          partitionId,
          errorCode,
          errorMessage: null,
        })),
      })),
    }),
  }),
)

function electable(topic: string, index: number, { topics }: RequestContext['cluster']): Partition {
  if (topics.byName(topic) === undefined) {
    throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', `No such topic as ${topic}`)
  }
  const partition = topics.partition(topic, index)
  if (partition !== undefined) return partition
  throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', `No such partition as ${topic}-${index}`)
}
