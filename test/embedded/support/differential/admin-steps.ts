/** What tools of administrators ask: moves, elections, log directories, features, producers. */
import * as apis from '../../../../protocol/apis/index.ts'
import { ask, step, type Side, type Step } from './step.ts'

const moved = (replicas: readonly number[] | null, partitionIndex = 0, name = 'a') => ({
  timeoutMs: 5_000,
  topics: [{ name, partitions: [{ partitionIndex, replicas }] }],
})

const election = (topic: string, partition: number, electionType = 0) => ({
  electionType,
  topicPartitions: [{ topic, partitions: [partition] }],
  timeoutMs: 5_000,
})

const update = (feature: string, maxVersionLevel: number, upgradeType = 1) => ({
  timeoutMs: 5_000,
  featureUpdates: [{ feature, maxVersionLevel, upgradeType }],
  validateOnly: true,
})

/** The log directories without what belongs to the machine: where they are, and how large the disk is. */
const logDirs = (what: string, topics: { topic: string; partitions: number[] }[]): Step => ({
  name: `the log directories with ${what} (DescribeLogDirs v4)`,
  async ask(side: Side) {
    const { results, ...rest } = await ask(side, apis.describeLogDirs, 4, { topics })
    return {
      ...rest,
      results: results.map(({ errorCode, topics: found }) => ({
        errorCode,
        topics: found.map(({ name, partitions }) => ({
          name,
          // A real broker counts the bytes of preallocated files at times.
          partitions: partitions.map(({ partitionIndex, offsetLag, isFutureKey }) => ({
            partitionIndex,
            offsetLag,
            isFutureKey,
          })),
        })),
      })),
    }
  },
})

/** The members of the quorum; its log, its epochs and its addresses are each cluster's own. */
const quorum = (topicName: string, partitionIndex: number): Step => ({
  name: `the quorum of ${topicName}-${partitionIndex} (DescribeQuorum v2)`,
  async ask(side: Side) {
    const { errorCode, topics, nodes } = await ask(side, apis.describeQuorum, 2, {
      topics: [{ topicName, partitions: [{ partitionIndex }] }],
    })
    return {
      errorCode,
      topics: topics.map(({ topicName: name, partitions }) => ({
        name,
        partitions: partitions.map((one) => ({
          partitionIndex: one.partitionIndex,
          errorCode: one.errorCode,
          leaderId: one.leaderId,
          voters: one.currentVoters.map(({ replicaId }) => replicaId),
          observers: one.observers.map(({ replicaId }) => replicaId),
        })),
      })),
      nodes: nodes.map(({ nodeId }) => nodeId),
    }
  },
})

/** Of the topics of users: the real cluster has internal ones besides. */
const electionsOfAll: Step = {
  name: 'elections of all (ElectLeaders v2)',
  async ask(side: Side) {
    const body = { electionType: 0, topicPartitions: null, timeoutMs: 5_000 }
    const { replicaElectionResults, ...rest } = await ask(side, apis.electLeaders, 2, body)
    return {
      ...rest,
      replicaElectionResults: replicaElectionResults.filter(({ topic }) => !topic.startsWith('__')),
    }
  },
}

export const ADMIN_STEPS: readonly Step[] = [
  step('a move to the same replicas', apis.alterPartitionReassignments, 1, moved([1])),
  step('a move to an unknown broker', apis.alterPartitionReassignments, 1, moved([1, 9])),
  step('a move to a broker twice', apis.alterPartitionReassignments, 1, moved([1, 1])),
  step('a move to no broker', apis.alterPartitionReassignments, 1, moved([])),
  step('a move of no partition', apis.alterPartitionReassignments, 1, moved([1], 99)),
  step('a move of no topic', apis.alterPartitionReassignments, 0, moved([1], 0, 'nobody')),
  step('a cancelled move', apis.alterPartitionReassignments, 1, moved(null)),
  step('moves', apis.listPartitionReassignments, 0, { timeoutMs: 5_000, topics: null }),
  step('moves of a partition', apis.listPartitionReassignments, 0, {
    timeoutMs: 5_000,
    topics: [{ name: 'a', partitionIndexes: [0, 99] }],
  }),
  step('an election of the leader', apis.electLeaders, 2, election('a', 0)),
  step('an unclean election', apis.electLeaders, 2, election('a', 0, 1)),
  step('an election of no topic', apis.electLeaders, 2, election('nobody', 0)),
  step('an election of no partition', apis.electLeaders, 1, election('a', 99)),
  electionsOfAll,
  logDirs('a partition', [{ topic: 'a', partitions: [0] }]),
  logDirs('a missing topic', [{ topic: 'nobody', partitions: [0] }]),
  step('a move to no directory', apis.alterReplicaLogDirs, 2, {
    dirs: [{ path: '/nowhere', topics: [{ name: 'a', partitions: [0] }] }],
  }),
  step('a feature that is there', apis.updateFeatures, 2, update('transaction.version', 2)),
  step('a feature that is there', apis.updateFeatures, 1, update('transaction.version', 2)),
  step('a feature that falls', apis.updateFeatures, 2, update('transaction.version', 1)),
  step('a feature that falls safely', apis.updateFeatures, 1, update('transaction.version', 1, 2)),
  quorum('__cluster_metadata', 0),
  step('producers of no topic', apis.describeProducers, 0, {
    topics: [{ name: 'nobody', partitionIndexes: [0] }],
  }),
  step('producers of no partition', apis.describeProducers, 0, {
    topics: [{ name: 'a', partitionIndexes: [99] }],
  }),
  step('a marker for no topic', apis.writeTxnMarkers, 1, {
    markers: [
      {
        producerId: 4711n,
        producerEpoch: 0,
        transactionResult: false,
        coordinatorEpoch: 0,
        topics: [{ name: 'nobody', partitionIndexes: [0] }],
      },
    ],
  }),
]
