import type { OpenRegister } from '../async/restarts.ts'
import type { CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { namesOrPattern, topicsFrom, type TopicsOption } from '../consumer/topics-option.ts'
import { InvalidArgumentError } from '../errors.ts'
import { MultiTopicConsumer } from '../consumer/multi-topic-consumer.ts'
import type { CoordinatedBy } from './balanced-consumer.ts'
import type { TransactionalProducer } from '../producer/transactions/transactional-producer.ts'
import type { OptionTable } from '../option-table.ts'
import type { BalancedMember, MakeMember } from './balanced-member.ts'
import type { BalancedReadingOptions, RebalanceOptions } from './options.ts'
import type { RebalanceHooks } from './member-reader.ts'
import { aServerPattern, isServerPattern, type ServerPattern } from './server-pattern.ts'
import {
  MatchingTopics,
  NamedTopics,
  ServerMatchedTopics,
  type Subscription,
} from './subscription.ts'
import { transact, type TransactionHandler, type TransactOptions } from './transact.ts'

/** The options of a member. `groupProtocol` decides whether ZooKeeper or Kafka coordinates the group. */
export type BalancedTopicsConsumerOptions<
  Value = Buffer | null,
  Key = Buffer | null,
> = BalancedReadingOptions<Value, Key> &
  RebalanceOptions<BalancedTopicsConsumer<Value, Key>> &
  CoordinatedBy &
  TopicsOptions

interface TopicsOptions {
  /**
   * Topics by name, or a pattern for all topics whose name it matches, except Kafka's internal ones, also those that are
   * created later: a RegExp, which the client matches; or with `groupProtocol: 'consumer'` `{ pattern: text }`, an
   * expression of RE2 that the broker matches against whole names. Required.
   */
  readonly topics: readonly string[] | RegExp | ServerPattern
}

/** The checks of the options that only balanced consumers of several topics have. */
export const BALANCED_TOPICS_OPTIONS = {
  topics: {
    check: (value) => (isServerPattern(value) ? aServerPattern(value) : namesOrPattern(value)),
    required: true,
  },
} as const satisfies OptionTable<TopicsOptions>

/**
 * A member of a group that divides the partitions of several topics among its members, so that each partition is read
 * by one of them. `client.getBalancedConsumer()` creates it.
 *
 * Positions move when messages are delivered: a message that was only fetched does not count as read.
 */
export class BalancedTopicsConsumer<
  Value = Buffer | null,
  Key = Buffer | null,
> extends MultiTopicConsumer<Value, Key, BalancedMember<Value, Key>> {
  /** Throws InvalidArgumentError. */
  constructor(
    cluster: Cluster,
    options: BalancedTopicsConsumerOptions<Value, Key>,
    register: OpenRegister,
    makeMember: MakeMember<Value, Key>,
  ) {
    const { topics: wanted, groupProtocol } = options
    if (isServerPattern(wanted) && groupProtocol !== 'consumer' && groupProtocol !== 'auto') {
      throw new InvalidArgumentError(
        "getBalancedConsumer: topics: { pattern } is matched by the brokers, which needs groupProtocol: 'consumer': use a RegExp, which the client matches",
      )
    }
    const topics = isServerPattern(wanted) ? wanted : topicsFrom(wanted)
    const hooks: RebalanceHooks = {
      assigned: (partitions) => options.onPartitionsAssigned?.(partitions, this),
      revoked: (partitions) => options.onPartitionsRevoked?.(partitions, this),
      lost: (partitions) => options.onPartitionsLost?.(partitions, this),
    }
    const { onClosed } = register
    const join = (before?: BalancedMember<Value, Key>) => {
      const subscription = subscriptionOf(cluster, topics)
      return makeMember({ cluster, subscription, options, hooks, onClosed }, before)
    }
    super(join, register)
  }

  /**
   * Joins the group. Resolves with the first assignment: the member owns these partitions and reads them; there may
   * be none. A pattern may match nothing yet. `getBalancedConsumer` does this, unless `autoStart` is false. Throws
   * UnknownTopicError, ZooKeeperError, PartitionOwnedError, BrokerError, NoBrokersAvailableError,
   * RequestTimeoutError; unless the failure is permanent, the member keeps trying. After `stop()` it joins as a new
   * member; after `close()` it throws ClosedError.
   */
  async start(call: CallOptions = {}): Promise<readonly TopicPartition[]> {
    await this.startSession(call)
    return this.assignment
  }

  /** The partitions that the member owns and reads. */
  override get assignment(): readonly TopicPartition[] {
    return this.assigned.assignment
  }

  /**
   * False while nothing is delivered or committed, because the connection to the group is lost or was too slow:
   * others may soon own its partitions.
   */
  get isOwnershipCertain(): boolean {
    return this.assigned.isOwnershipCertain
  }

  /** The id of the member in the group. With `groupProtocol: 'classic'` it is empty until the member has joined. */
  get memberId(): string {
    return this.assigned.memberId
  }

  /**
   * Reads, processes and writes in transactions (docs/transactions.md): calls the handler for one batch after
   * another. The handler produces through its transaction, which also commits the group's offsets after the batches.
   * If the handler throws, the transaction is aborted, its partitions return to the committed offsets, and `transact`
   * throws the same error. If the group has moved a partition in the meantime, or the commit fails with an error that
   * may pass, the batches are delivered again, here or to the next owner. Ends when the consumer is closed. Throws
   * ProducerFencedError, and what the handler throws.
   */
  transact(
    producer: TransactionalProducer,
    handler: TransactionHandler<Value, Key>,
    options: TransactOptions = {},
  ): Promise<void> {
    return transact(this.assigned, producer, handler, options)
  }

  /**
   * Stops, calls `onPartitionsRevoked`, commits with `autoCommitEnable`, and leaves: others get its partitions at
   * once. Throws the error of a hook or commit; the consumer is closed nevertheless. Safe to call again.
   */
  override close(call: CallOptions = {}): Promise<void> {
    return super.close(call)
  }
}

function subscriptionOf(cluster: Cluster, topics: TopicsOption | ServerPattern): Subscription {
  if (isServerPattern(topics)) return new ServerMatchedTopics(cluster, topics.pattern)
  return topics instanceof RegExp
    ? new MatchingTopics(cluster, topics)
    : new NamedTopics(cluster, topics)
}
