/** Moves of partitions to other replicas (KIP-455, Kafka 2.4 or newer). */
import { alterPartitionReassignments } from '../../protocol/apis/alter-partition-reassignments.ts'
import {
  listPartitionReassignments,
  type ListPartitionReassignmentsResponse,
} from '../../protocol/apis/list-partition-reassignments.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { byTopic, nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { InvalidArgumentError, requiresKafka } from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { aBoolean, anArrayOf, anInteger, either, oneOf } from '../options.ts'
import {
  CHANGE_OPTIONS,
  begin,
  brokerTimeoutMs,
  type AdminContext,
  type ChangeOptions,
} from './context.ts'
import { itemError, outcomeOf, retryElsewhere, settled } from './items.ts'
import {
  TOPIC_PARTITION,
  checkPartitions,
  inOrder,
  partitionResults,
  partitionsByName,
  type PartitionResult,
} from './partitions.ts'

/** A partition that `alterPartitionReassignments` is to move, and its new replicas. */
export interface NewReassignment extends TopicPartition {
  /**
   * The new replicas of the partition, by node id, the preferred leader first. Null cancels a move.
   */
  readonly replicas: readonly number[] | null
}

/** The checks of `NewReassignment`. */
export const NEW_REASSIGNMENT = {
  ...TOPIC_PARTITION,
  replicas: { check: either(anArrayOf(anInteger(0)), oneOf(null)), required: true },
} as const satisfies OptionTable<NewReassignment>

/** The options of `alterPartitionReassignments`. */
export interface AlterReassignmentsOptions extends ChangeOptions {
  /**
   * With false, a move that would change the number of replicas fails with INVALID_REPLICATION_FACTOR (Kafka 4.1
   * or newer). Default: true.
   */
  readonly allowReplicationFactorChange?: boolean
}

/** The checks and defaults of `AlterReassignmentsOptions`. */
export const ALTER_REASSIGNMENTS_OPTIONS = {
  ...CHANGE_OPTIONS,
  allowReplicationFactorChange: { check: aBoolean, default: true },
} as const satisfies OptionTable<AlterReassignmentsOptions>

/** A move that is in progress. */
export interface PartitionReassignment extends TopicPartition {
  /** The current replicas, including those that are being added and removed. */
  readonly replicas: readonly number[]
  /** The node ids of the brokers that are still copying the partition. */
  readonly addingReplicas: readonly number[]
  /** The node ids of the brokers whose replicas the move removes. */
  readonly removingReplicas: readonly number[]
}

const WITH_FACTOR_CHECK = 1

export function reassignmentOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Starts moves of partitions to other replicas, or cancels them; resolves when the controller
     * has accepted them, not when the replicas are in sync: `listPartitionReassignments` returns
     * those in progress. Cancelling succeeds if no move is in progress. Throws ItemsFailedError.
     */
    async alterPartitionReassignments(
      reassignments: readonly NewReassignment[],
      options: AlterReassignmentsOptions = {},
    ): Promise<readonly PartitionResult[]> {
      const operation = 'alterPartitionReassignments'
      const settings = begin(context, operation, options, ALTER_REASSIGNMENTS_OPTIONS)
      const { deadline, allowReplicationFactorChange, settle } = settings
      checkReassignments(operation, reassignments)
      const results = await reassign(cluster, reassignments, deadline, allowReplicationFactorChange)
      return settled(operation, results, settle)
    },

    /** Returns the moves in progress, of these partitions or of all, by topic and partition. */
    async listPartitionReassignments(
      partitions?: readonly TopicPartition[],
      options: CallOptions = {},
    ): Promise<readonly PartitionReassignment[]> {
      const operation = 'listPartitionReassignments'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      if (partitions !== undefined) checkPartitions(operation, partitions)
      return reassignmentsOf(cluster, partitions, deadline)
    },
  }
}

export async function reassign(
  cluster: Cluster,
  reassignments: readonly NewReassignment[],
  deadline: Deadline,
  allowReplicationFactorChange = true,
): Promise<readonly PartitionResult[]> {
  const outcomes = await cluster.fanOut.run<NewReassignment, undefined>({
    items: reassignments,
    to: () => 'controller',
    what: 'moving partitions',
    deadline,
    retry: retryElsewhere,
    ask: async (items, recipient) => {
      const { errorCode, errorMessage, responses } = await recipient.request(
        alterPartitionReassignments,
        (version) => {
          if (version < WITH_FACTOR_CHECK && !allowReplicationFactorChange) {
            throw requiresKafka('moving partitions: allowReplicationFactorChange', '4.1', {
              broker: recipient.name,
            })
          }
          return {
            timeoutMs: brokerTimeoutMs(cluster, deadline),
            ...(version < WITH_FACTOR_CHECK ? {} : { allowReplicationFactorChange }),
            topics: [...byTopic(items)].map(([name, ofTopic]) => ({
              name,
              partitions: ofTopic.map(({ partition, replicas }) => ({
                partitionIndex: partition,
                replicas,
              })),
            })),
          }
        },
      )
      const failed = itemError(errorCode, 'moving partitions', recipient.name, errorMessage)
      if (failed !== undefined) return items.map((item) => ({ item, error: failed }))
      const found = partitionsByName(responses)
      return items.flatMap((item) => {
        const answer = found.get(item)
        if (answer === undefined) return []
        // The move that is to be cancelled is already complete.
        const isDone =
          item.replicas === null && answer.errorCode === ErrorCode.NO_REASSIGNMENT_IN_PROGRESS
        const { topic, partition } = item
        const what = `${item.replicas === null ? 'cancelling the move of' : 'moving'} ${nameOf(item)}`
        const error = isDone
          ? undefined
          : itemError(answer.errorCode, what, recipient.name, answer.errorMessage, {
              topic,
              partition,
            })
        return [outcomeOf(item, error, undefined)]
      })
    },
  })
  return partitionResults(outcomes)
}

export async function reassignmentsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[] | undefined,
  deadline: Deadline,
): Promise<readonly PartitionReassignment[]> {
  const { topics } = await cluster.router.call(
    listPartitionReassignments,
    {
      timeoutMs: brokerTimeoutMs(cluster, deadline),
      topics:
        partitions === undefined
          ? null
          : [...byTopic(partitions)].map(([name, ofTopic]) => ({
              name,
              partitionIndexes: ofTopic.map(({ partition }) => partition),
            })),
    },
    { to: 'controller', what: 'listing the moves of partitions', deadline },
  )
  return inOrder(topics.flatMap(reassignmentsOfTopic))
}

function reassignmentsOfTopic({
  name: topic,
  partitions,
}: ListPartitionReassignmentsResponse['topics'][number]): readonly PartitionReassignment[] {
  return partitions.map(
    ({ partitionIndex: partition, replicas, addingReplicas, removingReplicas }) => ({
      topic,
      partition,
      replicas,
      addingReplicas,
      removingReplicas,
    }),
  )
}

export function checkReassignments(
  operation: string,
  reassignments: readonly NewReassignment[],
): void {
  checkPartitions(operation, reassignments, NEW_REASSIGNMENT)
  for (const { replicas, ...one } of reassignments) {
    if (replicas === null) continue
    if (replicas.length === 0) {
      throw new InvalidArgumentError(`${operation}: ${nameOf(one)} must have at least one replica`)
    }
    if (new Set(replicas).size < replicas.length) {
      throw new InvalidArgumentError(`${operation}: a replica of ${nameOf(one)} is given twice`)
    }
  }
}
