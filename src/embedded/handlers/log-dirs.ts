/** Log directories: each broker presents one, even if it keeps its logs in memory. */
import { alterReplicaLogDirs } from '../../../protocol/apis/alter-replica-log-dirs.ts'
import { describeLogDirs } from '../../../protocol/apis/describe-log-dirs.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { forCluster } from './for-cluster.ts'
import type { Partition } from '../cluster/partition.ts'

/** Kafka's default of `log.dir`. */
const LOG_DIR = '/tmp/kafka-logs'
const WITH_ERROR = 3

/** A partition that the broker has a replica of. */
function hosted(topic: string, index: number, { cluster, broker }: RequestContext) {
  const partition = cluster.topics.partition(topic, index)
  return partition?.replicas.includes(broker.id) === true ? partition : undefined
}

export const describeLogDirsHandler = handler(
  describeLogDirs,
  forCluster('describe', {
    handle: ({ topics }, context) => {
      const asked =
        topics ??
        context.cluster.topics.all.map(({ name, partitions }) => ({
          topic: name,
          partitions: partitions.map(({ index }) => index),
        }))
      const found = asked.map(({ topic, partitions }) => ({
        name: topic,
        partitions: partitions.flatMap((index) => {
          const partition = hosted(topic, index, context)
          return partition === undefined ? [] : [replica(partition)]
        }),
      }))
      return {
        throttleTimeMs: 0,
        results: [
          {
            errorCode: 0,
            logDir: LOG_DIR,
            topics: found.filter(({ partitions }) => partitions.length > 0),
          },
        ],
      }
    },
    refuse: (errorCode, _, { version }) =>
      version < WITH_ERROR
        ? { throttleTimeMs: 0, results: [] }
        : { throttleTimeMs: 0, errorCode, results: [] },
  }),
)

function replica({ index, log }: Partition) {
  return {
    partitionIndex: index,
    partitionSize: BigInt(log.sizeBytes),
    offsetLag: 0n,
    isFutureKey: false,
  }
}

export const alterReplicaLogDirsHandler = handler(
  alterReplicaLogDirs,
  forCluster('alter', {
    handle: ({ dirs }, context) => ({
      throttleTimeMs: 0,
      results: dirs.flatMap(({ path, topics }) =>
        topics.map(({ name, partitions }) => ({
          topicName: name,
          partitions: partitions.map((partitionIndex) => ({
            partitionIndex,
            errorCode: moveError(path, hosted(name, partitionIndex, context)),
          })),
        })),
      ),
    }),
    refuse: (errorCode, { dirs }) => ({
      throttleTimeMs: 0,
      results: dirs.flatMap(({ topics }) =>
        topics.map(({ name, partitions }) => ({
          topicName: name,
          partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode })),
        })),
      ),
    }),
  }),
)

/** The error for a move to the directory; none for a replica that is already there. */
function moveError(path: string, partition: Partition | undefined): number {
  if (path !== LOG_DIR) return ErrorCode.LOG_DIR_NOT_FOUND
  return partition === undefined ? ErrorCode.REPLICA_NOT_AVAILABLE : 0
}
