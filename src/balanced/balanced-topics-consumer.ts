import { NO_REGISTER, type OpenRegister } from '../async/restarts.ts'
import type { CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { namesOrPattern, topicsFrom, type TopicsOption } from '../consumer/topics-option.ts'
import { InvalidArgumentError } from '../errors.ts'
import { MultiTopicConsumer } from '../consumer/multi-topic-consumer.ts'
import { checkBalancedOptions, type CoordinatedBy } from './balanced-consumer.ts'
import type { TransactionalProducer } from '../producer/transactions/transactional-producer.ts'
import type { OptionTable } from '../option-table.ts'
import { BalancedMember } from './balanced-member.ts'
import type { BalancedReadingOptions, RebalanceOptions } from './options.ts'
import type { RebalanceHooks } from './reader.ts'
import { aServerPattern, isServerPattern, type ServerPattern } from './server-pattern.ts'
import {
  MatchingTopics,
  NamedTopics,
  ServerMatchedTopics,
  type Subscription,
} from './subscription.ts'
import { transact, type TransactionHandler, type TransactOptions } from './transact.ts'

/** A group that ZooKeeper coordinates, or with `managed: true` Kafka itself. */
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
 * A member of a group that shares the partitions of several topics out, so that each is read by one of them. Made by
 * `client.getBalancedConsumer()`.
 *
 * Positions move when messages are delivered: what was only fetched is not counted as read.
 */
export class BalancedTopicsConsumer<
  Value = Buffer | null,
  Key = Buffer | null,
> extends MultiTopicConsumer<Value, Key, BalancedMember<Value, Key>> {
  /** Throws InvalidArgumentError. */
  constructor(
    cluster: Cluster,
    options: BalancedTopicsConsumerOptions<Value, Key>,
    register: OpenRegister = NO_REGISTER,
  ) {
    checkBalancedOptions(options, BALANCED_TOPICS_OPTIONS)
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
      return new BalancedMember({ cluster, subscription, options, hooks, onClosed }, before)
    }
    super(join, register)
  }

  /**
   * Joins the group. Resolves with the first assignment: the partitions are owned and being read, which may be none
   * of them. A pattern may match nothing yet. Done by `getBalancedConsumer`, unless `autoStart` is false.
   * Throws UnknownTopicError, ZooKeeperError, PartitionOwnedError, BrokerError, NoBrokersAvailableError,
   * RequestTimeoutError; where that was not permanently, it goes on trying. After `stop()` it joins as a new member;
   * after `close()` it throws ClosedError.
   */
  async start(call: CallOptions = {}): Promise<readonly TopicPartition[]> {
    await this.startSession(call)
    return this.assignment
  }

  /** The partitions that it owns and reads. */
  override get assignment(): readonly TopicPartition[] {
    return this.assigned.assignment
  }

  /**
   * False while nothing is delivered or committed, because the connection to the group is lost, or was too slow:
   * others may own its partitions soon.
   */
  get isOwnershipCertain(): boolean {
    return this.assigned.isOwnershipCertain
  }

  /** What it is called in the group; with `managed: true` empty before it joined. */
  get memberId(): string {
    return this.assigned.memberId
  }

  /**
   * Reads, processes and writes in transactions (docs/transactions.md): the handler is called for batch after batch,
   * and produces through its transaction, which commits the group's offsets after the batches, too. When the handler
   * throws, the transaction is aborted, its partitions go back to what is committed, and `transact` throws the same.
   * When the group has moved a partition meanwhile, or the commit fails in a way that may pass, the batches come again,
   * here or at the next owner. Ends when the consumer is closed. Throws ProducerFencedError, and what the handler throws.
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
   * once. Throws what a hook or a commit threw, closed all the same. Safe to call again.
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
