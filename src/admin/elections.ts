/** Elections of leaders (KIP-460, Kafka 2.2 or newer). */
import { electLeaders } from '../../protocol/apis/elect-leaders.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { nameOf, numbersByTopic, type TopicPartition } from '../consumer/topic-partition.ts'
import { requiresKafka } from '../errors.ts'
import { oneOf, checkValue } from '../options.ts'
import {
  CHANGE_OPTIONS,
  begin,
  brokerTimeoutMs,
  type AdminContext,
  type ChangeOptions,
} from './context.ts'
import { itemError, outcomeFrom, retryElsewhere, settled, type Item } from './items.ts'
import { checkPartitions, inOrder, partitionsFound } from './partitions.ts'

/**
 * `preferred`: the first replica becomes the leader if it is in sync. `unclean`: a replica that is
 * not in sync becomes the leader of a partition without one, and the records that this replica
 * lacks are lost (Kafka 2.4 or newer).
 */
export type ElectionType = 'preferred' | 'unclean'

/** The result of `electLeaders` for one partition. */
export interface ElectedLeader extends TopicPartition, Item {
  /** False if the partition already has such a leader. Undefined if there is an error. */
  readonly isElected?: boolean
}

const ELECTION_TYPES = { preferred: 0, unclean: 1 } as const

/** The first version that contains the type of election, and an error for the whole request. */
const WITH_TYPE = 1

export function electionOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Elects leaders of these partitions, or of all partitions with `null`; in the latter case the
     * result may leave out partitions that needed no election. Results are by topic and partition.
     * Throws ItemsFailedError, for example with PREFERRED_LEADER_NOT_AVAILABLE.
     */
    async electLeaders(
      type: ElectionType,
      partitions: readonly TopicPartition[] | null,
      options: ChangeOptions = {},
    ): Promise<readonly ElectedLeader[]> {
      const operation = 'electLeaders'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkValue(`${operation}: the type`, type, oneOf(...Object.keys(ELECTION_TYPES)))
      if (partitions !== null) checkPartitions(operation, partitions)
      const results =
        partitions === null
          ? await electAll(cluster, type, deadline)
          : await elect(cluster, type, partitions, deadline)
      return settled(operation, results, settle)
    },
  }
}

async function elect(
  cluster: Cluster,
  type: ElectionType,
  partitions: readonly TopicPartition[],
  deadline: Deadline,
): Promise<readonly ElectedLeader[]> {
  const outcomes = await cluster.fanOut.run<TopicPartition, { readonly isElected: boolean }>({
    items: partitions,
    to: () => 'controller',
    what: 'electing leaders',
    deadline,
    retry: retryElsewhere,
    ask: async (items, recipient) => {
      const found = await ask(cluster, type, items, recipient, deadline)
      const byName = new Map(found.map((outcome) => [nameOf(outcome.item), outcome]))
      return items.flatMap((item) => {
        const outcome = byName.get(nameOf(item))
        return outcome === undefined ? [] : [{ ...outcome, item }]
      })
    },
  })
  return partitionsFound(outcomes)
}

async function electAll(
  cluster: Cluster,
  type: ElectionType,
  deadline: Deadline,
): Promise<readonly ElectedLeader[]> {
  const [outcome] = await cluster.fanOut.run<null, readonly ElectedLeader[]>({
    items: [null],
    to: () => 'controller',
    what: 'electing leaders',
    deadline,
    retry: retryElsewhere,
    ask: async ([item], recipient) => {
      const found = await ask(cluster, type, null, recipient, deadline)
      return [{ item: item!, result: partitionsFound(found) }]
    },
  })
  if (outcome!.error !== undefined) throw outcome!.error
  return inOrder(outcome!.result)
}

async function ask(
  cluster: Cluster,
  type: ElectionType,
  partitions: readonly TopicPartition[] | null,
  recipient: Recipient,
  deadline: Deadline,
): Promise<readonly Outcome<TopicPartition, { readonly isElected: boolean }>[]> {
  const { errorCode, replicaElectionResults } = await recipient.request(electLeaders, (version) => {
    if (version < WITH_TYPE && type !== 'preferred') {
      throw requiresKafka('electing leaders: an unclean election', '2.4', {
        broker: recipient.name,
      })
    }
    return {
      ...(version < WITH_TYPE ? {} : { electionType: ELECTION_TYPES[type] }),
      topicPartitions: partitions === null ? null : numbersByTopic(partitions),
      timeoutMs: brokerTimeoutMs(cluster, deadline),
    }
  })
  const failed = itemError(errorCode, 'electing leaders', recipient.name)
  if (failed !== undefined) {
    if (partitions === null) throw failed
    return partitions.map((item) => ({ item, error: failed }))
  }
  return replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map((answer) => {
      const item = { topic, partition: answer.partitionId }
      const isNotNeeded = answer.errorCode === ErrorCode.ELECTION_NOT_NEEDED
      const what = `electing the leader of ${nameOf(item)}`
      const error = isNotNeeded
        ? undefined
        : itemError(answer.errorCode, what, recipient.name, answer.errorMessage, item)
      return outcomeFrom(item, error, () => ({ isElected: !isNotNeeded }))
    }),
  )
}
