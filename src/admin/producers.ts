/** The producers that partitions know, and the open transactions in partitions (KIP-664). */
import { describeProducers } from '../../protocol/apis/describe-producers.ts'
import type { DescribeProducersResponse } from '../../protocol/apis/describe-producers.ts'
import { writeTxnMarkers } from '../../protocol/apis/write-txn-markers.ts'
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { byTopic, nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import { anInteger } from '../options.ts'
import { begin, type AdminContext } from './context.ts'
import {
  exactNumber,
  itemError,
  outcomeFrom,
  outcomeOf,
  retryUnlessUnknown,
  type Item,
} from './items.ts'
import {
  TOPIC_PARTITION,
  checkPartitions,
  partitionsByName,
  partitionsFound,
} from './partitions.ts'

/** A producer that has written to a partition, as `describeProducers` returns it. */
export interface ProducerState {
  /** The id that the cluster gave the producer (KIP-98). */
  readonly producerId: number
  /** The epoch of the producer: the broker fences older ones. */
  readonly producerEpoch: number
  /**
   * The sequence number of its last batch; undefined if it has only written markers or the broker
   * has forgotten it.
   */
  readonly lastSequence?: number
  /** The time of its last batch, in milliseconds since 1970. */
  readonly lastTimestamp: number
  /**
   * The epoch of the transaction coordinator that wrote its last marker; undefined if there is
   * none.
   */
  readonly coordinatorEpoch?: number
  /** The first offset of the transaction that is open in the partition; undefined if none is. */
  readonly currentTransactionStartOffset?: number
}

/** The result of `describeProducers` for one partition. */
export interface PartitionProducers extends TopicPartition, Item {
  /** Sorted by producer id; undefined if there is an error. */
  readonly producers?: readonly ProducerState[]
}

/** The options of `describeProducers`. */
export interface DescribeProducersOptions extends CallOptions {
  /** The node id of the replica to ask. Default: the leader of each partition. */
  readonly broker?: number
}

/** The checks and defaults of `DescribeProducersOptions`. */
export const DESCRIBE_PRODUCERS_OPTIONS = {
  ...CALL_OPTIONS,
  broker: { check: anInteger(0), defaultText: 'the leader of each partition' },
} as const satisfies OptionTable<DescribeProducersOptions>

/** An open transaction in a partition, as `findHangingTransactions` returns it. */
export interface OpenTransaction extends TopicPartition {
  /** The id of the producer that writes the transaction. */
  readonly producerId: number
  /** The epoch of that producer. */
  readonly producerEpoch: number
  /** As `describeProducers` returns it. Default: 0. */
  readonly coordinatorEpoch?: number
}

/** The checks and defaults of `OpenTransaction`. */
export const OPEN_TRANSACTION = {
  ...TOPIC_PARTITION,
  producerId: { check: anInteger(0), required: true },
  producerEpoch: { check: anInteger(0, 32_767), required: true },
  coordinatorEpoch: { check: anInteger(0), default: 0 },
} as const satisfies OptionTable<OpenTransaction>

export function producerOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /** Returns the producers that partitions know, by topic and partition (Kafka 2.8 or newer). */
    async describeProducers(
      partitions: readonly TopicPartition[],
      options: DescribeProducersOptions = {},
    ): Promise<readonly PartitionProducers[]> {
      const operation = 'describeProducers'
      const { deadline, broker } = begin(context, operation, options, DESCRIBE_PRODUCERS_OPTIONS)
      checkPartitions(operation, partitions)
      return producersOf(cluster, partitions, deadline, broker)
    },

    /**
     * Aborts a transaction in one partition without its coordinator, by writing the marker at the
     * leader (Kafka 0.11 or newer; needs the right to alter the cluster). Only for a transaction
     * that `findHangingTransactions` found: the coordinator continues a transaction that it knows.
     * Throws INVALID_PRODUCER_EPOCH if another producer has replaced this one,
     * TRANSACTION_COORDINATOR_FENCED for an old coordinator epoch.
     */
    async abortTransaction(transaction: OpenTransaction, options: CallOptions = {}): Promise<void> {
      const operation = 'abortTransaction'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      checkOpenTransaction(operation, transaction)
      const { topic, partition, producerId, producerEpoch, coordinatorEpoch = 0 } = transaction
      const item = { topic, partition }
      const what = `aborting the transaction of producer ${producerId} in ${nameOf(item)}`
      const [outcome] = await cluster.fanOut.run<TopicPartition, undefined>({
        items: [item],
        to: () => ({ leader: item }),
        what,
        deadline,
        retry: retryUnlessUnknown,
        ask: async (_, recipient) => {
          const { markers } = await recipient.request(writeTxnMarkers, {
            markers: [
              {
                producerId: BigInt(producerId),
                producerEpoch,
                transactionResult: false,
                topics: [{ name: topic, partitionIndexes: [partition] }],
                coordinatorEpoch,
              },
            ],
          })
          return markers.flatMap(({ topics }) =>
            topics.flatMap(({ partitions }) =>
              partitions.map(({ errorCode }) =>
                outcomeOf(item, itemError(errorCode, what, recipient.name, null, item), undefined),
              ),
            ),
          )
        },
      })
      if (outcome!.error !== undefined) throw outcome!.error
    },
  }
}

export async function producersOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  deadline: Deadline,
  broker?: number,
): Promise<readonly PartitionProducers[]> {
  const outcomes = await cluster.fanOut.run<
    TopicPartition,
    { readonly producers: readonly ProducerState[] }
  >({
    items: partitions,
    to: ({ topic, partition }) =>
      broker === undefined ? { leader: { topic, partition } } : { broker },
    what: 'describing producers',
    deadline,
    retry: (error) =>
      retryUnlessUnknown(error) &&
      (broker === undefined || error.code !== 'NOT_LEADER_OR_FOLLOWER'),
    ask: async (items, recipient) => {
      const { topics } = await recipient.request(describeProducers, {
        topics: [...byTopic(items)].map(([name, ofTopic]) => ({
          name,
          partitionIndexes: ofTopic.map(({ partition }) => partition),
        })),
      })
      const found = partitionsByName(topics)
      return items.flatMap((item) => {
        const answer = found.get(item)
        if (answer === undefined) return []
        const { topic, partition } = item
        const what = `describing the producers of ${nameOf(item)}`
        const where = { topic, partition }
        const { errorCode, errorMessage, activeProducers } = answer
        const error = itemError(errorCode, what, recipient.name, errorMessage, where)
        return [
          outcomeFrom(item, error, () => ({
            producers: activeProducers
              .map((producer) => producerState(producer, nameOf(item)))
              .sort((a, b) => a.producerId - b.producerId),
          })),
        ]
      })
    },
  })
  return partitionsFound(outcomes)
}

type ActiveProducer =
  DescribeProducersResponse['topics'][number]['partitions'][number]['activeProducers'][number]

function producerState(found: ActiveProducer, where: string): ProducerState {
  const exact = (value: bigint, what: string) =>
    exactNumber(value, `the ${what} of a producer of ${where}`)
  const { producerEpoch, lastSequence, coordinatorEpoch, currentTxnStartOffset } = found
  return {
    producerId: exact(found.producerId, 'id'),
    producerEpoch,
    ...(lastSequence < 0 ? {} : { lastSequence }),
    lastTimestamp: exact(found.lastTimestamp, 'last timestamp'),
    ...(coordinatorEpoch < 0 ? {} : { coordinatorEpoch }),
    ...(currentTxnStartOffset < 0n
      ? {}
      : { currentTransactionStartOffset: exact(currentTxnStartOffset, 'transaction start') }),
  }
}

function checkOpenTransaction(operation: string, transaction: OpenTransaction): void {
  checkPartitions(operation, [transaction])
  // The other fields of a HangingTransaction are only informative.
  const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = transaction
  const named = { topic, partition, producerId, producerEpoch, coordinatorEpoch }
  checkTable(`the transaction of ${operation}`, named, OPEN_TRANSACTION)
}
