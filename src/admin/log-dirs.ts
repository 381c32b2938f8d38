/** Log directories of brokers, and the replicas in them (KIP-113, Kafka 1.0 or newer). */
import { alterReplicaLogDirs } from '../../protocol/apis/alter-replica-log-dirs.ts'
import {
  describeLogDirs,
  type DescribeLogDirsResponse,
} from '../../protocol/apis/describe-log-dirs.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { appendTo } from '../cluster/append-to.ts'
import {
  byTopic,
  nameOf,
  numbersByTopic,
  type TopicPartition,
} from '../consumer/topic-partition.ts'
import { InvalidArgumentError, KafkaError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import { anArrayOf, anInteger, anObject, aString, checkValue, shown } from '../options.ts'
import { CHANGE_OPTIONS, begin, type AdminContext, type ChangeOptions } from './context.ts'
import {
  checkArray,
  compareText,
  exactNumber,
  type Item,
  itemError,
  outcomeOf,
  retryUnlessUnknown,
  settled,
} from './items.ts'
import { TOPIC_PARTITION, checkPartitions, inOrder } from './partitions.ts'

/** A replica of a partition: the copy that one broker has. */
export interface PartitionReplica extends TopicPartition {
  /** The node id of the broker that has the replica. */
  readonly broker: number
}

/** The checks of `PartitionReplica`. */
export const PARTITION_REPLICA = {
  ...TOPIC_PARTITION,
  broker: { check: anInteger(0), required: true },
} as const satisfies OptionTable<PartitionReplica>

/** A replica in a log directory. */
export interface LogDirReplica extends TopicPartition {
  /** The size of the replica's log on the disk. */
  readonly sizeBytes: number
  /**
   * How many messages the replica is behind the high watermark; for a future replica, how many it is behind the
   * current replica.
   */
  readonly offsetLag: number
  /**
   * Whether this is a future replica: a copy that the broker creates in another of its directories,
   * and then switches to.
   */
  readonly isFuture: boolean
}

/** A log directory of a broker, as `describeLogDirs` returns it. */
export interface LogDirDescription extends Item {
  /** The path of the directory on the broker. */
  readonly logDir: string
  /** The size of the volume that the directory is on; undefined before Kafka 3.3. */
  readonly totalBytes?: number
  /** The free space of that volume; undefined before Kafka 3.3. */
  readonly usableBytes?: number
  /** Whether the directory accepts no new replicas (Kafka 4.3 or newer). */
  readonly isCordoned?: boolean
  /** The replicas in the directory, sorted by topic and partition. */
  readonly replicas: readonly LogDirReplica[]
}

/** The result of `describeLogDirs` for one broker. */
export interface BrokerLogDirs extends Item {
  /** The node id of the broker. */
  readonly broker: number
  /** Sorted by name; empty if there is an error. */
  readonly logDirs: readonly LogDirDescription[]
}

/** The options of `describeLogDirs`. */
export interface DescribeLogDirsOptions extends CallOptions {
  /** Only replicas of these partitions. Default: all. */
  readonly partitions?: readonly TopicPartition[]
}

/** The checks and defaults of `DescribeLogDirsOptions`. */
export const DESCRIBE_LOG_DIRS_OPTIONS = {
  ...CALL_OPTIONS,
  partitions: { check: anArrayOf(anObject), defaultText: 'all' },
} as const satisfies OptionTable<DescribeLogDirsOptions>

/** The result of `describeReplicaLogDirs` for one replica. */
export interface ReplicaLogDir extends PartitionReplica, Item {
  /** Undefined if the broker has no such replica. */
  readonly logDir?: string
  /** The size of the replica's log on the disk; undefined if the broker does not have it. */
  readonly sizeBytes?: number
  /** How many messages the replica is behind the high watermark. */
  readonly offsetLag?: number
  /** The directory that the replica is being moved to. */
  readonly futureLogDir?: string
  /** How many messages the copy in the new directory is behind the current one, while the replica moves. */
  readonly futureOffsetLag?: number
}

/** A replica that `alterReplicaLogDirs` is to move, and its new directory. */
export interface ReplicaMove extends PartitionReplica {
  /** The absolute path of a log directory of the broker. */
  readonly logDir: string
}

/** The checks of `ReplicaMove`. */
export const REPLICA_MOVE = {
  ...PARTITION_REPLICA,
  logDir: { check: aString, required: true },
} as const satisfies OptionTable<ReplicaMove>

/** The result of `alterReplicaLogDirs` for one replica. */
export interface ReplicaResult extends PartitionReplica, Item {}

/** Responses before this version have no error code. */
const WITH_ERROR = 3
const WITH_CORDONED = 5

export function logDirOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the log directories of these brokers, or of all running brokers, sorted by node id. A
     * broker that does not respond or refuses has an `error`, and so does a directory that has
     * failed.
     */
    async describeLogDirs(
      brokers?: readonly number[],
      options: DescribeLogDirsOptions = {},
    ): Promise<readonly BrokerLogDirs[]> {
      const operation = 'describeLogDirs'
      const settings = begin(context, operation, options, DESCRIBE_LOG_DIRS_OPTIONS)
      const { deadline, partitions = null } = settings
      if (brokers !== undefined) checkBrokers(operation, brokers)
      if (partitions !== null) checkPartitions(operation, partitions)
      if (brokers === undefined) await cluster.router.refreshBrokers(deadline)
      const asked = brokers ?? [...cluster.brokers.keys()]
      return logDirsOf(
        cluster,
        asked.map((broker) => ({ broker, partitions })),
        deadline,
      )
    },

    /** Returns the log directory of each replica, in the given order. */
    async describeReplicaLogDirs(
      replicas: readonly PartitionReplica[],
      options: CallOptions = {},
    ): Promise<readonly ReplicaLogDir[]> {
      const operation = 'describeReplicaLogDirs'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      checkReplicas(operation, replicas)
      const byBroker = new Map<number, PartitionReplica[]>()
      for (const replica of replicas) appendTo(byBroker, replica.broker, replica)
      const asked = [...byBroker].map(([broker, partitions]) => ({ broker, partitions }))
      const described = await logDirsOf(cluster, asked, deadline)
      const found = new Map(described.map((one) => [one.broker, one]))
      return replicas.map((replica) => replicaLogDir(replica, found.get(replica.broker)!))
    },

    /**
     * Moves replicas to other log directories of their brokers; resolves when the brokers have
     * started the moves, which `describeLogDirs` returns as replicas with `isFuture`. Throws
     * ItemsFailedError.
     */
    async alterReplicaLogDirs(
      moves: readonly ReplicaMove[],
      options: ChangeOptions = {},
    ): Promise<readonly ReplicaResult[]> {
      const operation = 'alterReplicaLogDirs'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkReplicas(operation, moves)
      for (const move of moves) checkTable(`${nameOf(move)} of ${operation}`, move, REPLICA_MOVE)
      const outcomes = await cluster.fanOut.run<ReplicaMove, undefined>({
        items: moves,
        to: ({ broker }) => ({ broker }),
        what: 'moving replicas',
        deadline,
        retry: retryUnlessUnknown,
        ask: moveReplicas,
      })
      const results = outcomes.map(({ item: { topic, partition, broker }, error }) => ({
        topic,
        partition,
        broker,
        ...(error === undefined ? {} : { error }),
      }))
      return settled(operation, results, settle)
    },
  }
}

interface AskedBroker {
  readonly broker: number
  /** Null for all. */
  readonly partitions: readonly TopicPartition[] | null
}

async function logDirsOf(
  cluster: Cluster,
  brokers: readonly AskedBroker[],
  deadline: Deadline,
): Promise<readonly BrokerLogDirs[]> {
  const outcomes = await cluster.fanOut.run<AskedBroker, readonly LogDirDescription[]>({
    items: brokers,
    to: ({ broker }) => ({ broker }),
    what: 'describing log directories',
    deadline,
    ask: async ([item], recipient) => {
      const { partitions } = item!
      let version = 0
      const { errorCode, results } = await recipient.request(describeLogDirs, (negotiated) => {
        version = negotiated
        return { topics: partitions === null ? null : numbersByTopic(partitions) }
      })
      const what = `describing the log directories of broker ${item!.broker}`
      // A broker has at least one directory, so an empty list without an error code means that it
      // refuses the request (KIP-784).
      const isRefused = version < WITH_ERROR && results.length === 0
      const code = isRefused ? ErrorCode.CLUSTER_AUTHORIZATION_FAILED : errorCode
      const error = itemError(code, what, recipient.name)
      const described = results
        .map((result) => logDirDescription(result, recipient, version))
        .sort((a, b) => compareText(a.logDir, b.logDir))
      return [outcomeOf(item!, error, described)]
    },
  })
  return outcomes
    .map(({ item: { broker }, result, error }) =>
      error === undefined ? { broker, logDirs: result } : { broker, logDirs: [], error },
    )
    .sort((a, b) => a.broker - b.broker)
}

function logDirDescription(
  { logDir, errorCode, topics, ...found }: DescribeLogDirsResponse['results'][number],
  { name: broker }: Recipient,
  version: number,
): LogDirDescription {
  const error = itemError(errorCode, `describing the log directory ${logDir}`, broker)
  const exact = (value: bigint, what: string) =>
    exactNumber(value, `the ${what} of ${logDir}`, { broker })
  try {
    const replicas = topics.flatMap(({ name: topic, partitions }) =>
      partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
        topic,
        partition: partitionIndex,
        sizeBytes: exact(partitionSize, `size of ${topic}-${partitionIndex}`),
        offsetLag: exact(offsetLag, `lag of ${topic}-${partitionIndex}`),
        isFuture: isFutureKey,
      })),
    )
    return {
      logDir,
      ...(found.totalBytes < 0n ? {} : { totalBytes: exact(found.totalBytes, 'size') }),
      ...(found.usableBytes < 0n ? {} : { usableBytes: exact(found.usableBytes, 'free space') }),
      ...(version < WITH_CORDONED ? {} : { isCordoned: found.isCordoned }),
      replicas: inOrder(replicas),
      ...(error === undefined ? {} : { error }),
    }
  } catch (problem) {
    if (problem instanceof KafkaError) return { logDir, replicas: [], error: problem }
    throw problem
  }
}

function replicaLogDir(
  { topic, partition, broker }: PartitionReplica,
  { logDirs, error }: BrokerLogDirs,
): ReplicaLogDir {
  const replica = { topic, partition, broker }
  if (error !== undefined) return { ...replica, error }
  let found: ReplicaLogDir = replica
  for (const { logDir, replicas } of logDirs) {
    const here = replicas.find((one) => one.topic === topic && one.partition === partition)
    if (here === undefined) continue
    const { sizeBytes, offsetLag } = here
    found = here.isFuture
      ? { ...found, futureLogDir: logDir, futureOffsetLag: offsetLag }
      : { ...found, logDir, sizeBytes, offsetLag }
  }
  // The replica may be in a directory that could not be read.
  const failed = logDirs.find((one) => one.error !== undefined)?.error
  return found.logDir === undefined && failed !== undefined ? { ...replica, error: failed } : found
}

async function moveReplicas(items: readonly ReplicaMove[], recipient: Recipient) {
  const byDir = new Map<string, ReplicaMove[]>()
  for (const move of items) appendTo(byDir, move.logDir, move)
  const { results } = await recipient.request(alterReplicaLogDirs, {
    dirs: [...byDir].map(([path, ofDir]) => ({
      path,
      topics: [...byTopic(ofDir)].map(([name, ofTopic]) => ({
        name,
        partitions: ofTopic.map(({ partition }) => partition),
      })),
    })),
  })
  const found = new Map(
    results.flatMap(({ topicName: topic, partitions }) =>
      partitions.map((one) => [nameOf({ topic, partition: one.partitionIndex }), one.errorCode]),
    ),
  )
  return items.flatMap((item) => {
    const errorCode = found.get(nameOf(item))
    if (errorCode === undefined) return []
    const { topic, partition, logDir } = item
    const what = `moving ${nameOf(item)} to ${logDir}`
    const error = itemError(errorCode, what, recipient.name, null, { topic, partition })
    return [outcomeOf(item, error, undefined)]
  })
}

function checkBrokers(operation: string, brokers: readonly number[]): void {
  checkValue(`${operation}: each broker`, brokers, anArrayOf(anInteger(0)))
  if (new Set(brokers).size < brokers.length) {
    throw new InvalidArgumentError(`${operation}: a broker is given twice`)
  }
}

function checkReplicas(operation: string, replicas: readonly PartitionReplica[]): void {
  checkArray(operation, 'replicas', replicas)
  const seen = new Set<string>()
  // Callers without types may pass any elements.
  const all: readonly (Partial<PartitionReplica> | null)[] = replicas
  for (const given of all) {
    const { topic, partition, broker } = given ?? {}
    const problem =
      PARTITION_REPLICA.topic.check(topic) ??
      PARTITION_REPLICA.partition.check(partition) ??
      PARTITION_REPLICA.broker.check(broker)
    if (problem !== undefined) {
      throw new InvalidArgumentError(
        `${operation}: a replica must be { topic, partition, broker }, not ${shown(given)}`,
      )
    }
    const name = `${topic}-${partition} on broker ${broker}`
    if (seen.has(name)) throw new InvalidArgumentError(`${operation}: ${name} is given twice`)
    seen.add(name)
  }
}
