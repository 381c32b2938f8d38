import type { OpenRegister } from '../async/restarts.ts'
import type { CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { SingleTopicConsumer, type ResetTo } from '../consumer/single-topic-consumer.ts'
import type { OptionTable } from '../option-table.ts'
import { aFunction } from '../options.ts'
import type { TransactionalProducer } from '../producer/transactions/transactional-producer.ts'
import type { BalancedMember, MakeMember } from './balanced-member.ts'
import type { GroupOptions } from './classic/settings.ts'
import type { ConsumerGroupOptions } from './consumer/settings.ts'
import type { BalancedReadingOptions, RebalanceOptions } from './options.ts'
import type { GroupProtocolChoice } from './protocols.ts'
import type { RebalanceHooks } from './member-reader.ts'
import { NamedTopics } from './subscription.ts'
import { transact, type TransactionHandler, type TransactOptions } from './transact.ts'
import type { ZooKeeperOptions } from './zookeeper/options.ts'

/** The options that choose what coordinates the group. */
export type CoordinatedBy = Pick<GroupProtocolChoice, 'groupProtocol'> &
  (
    | (ZooKeeperOptions & {
        /** `true` is pykafka's name for `groupProtocol: 'classic'`. Default: false. */
        readonly managed?: false
      })
    | (GroupOptions & { readonly managed: true })
    | (GroupOptions & { readonly groupProtocol: 'classic'; readonly managed?: true })
    | (ConsumerGroupOptions & { readonly groupProtocol: 'consumer'; readonly managed?: true })
    | (GroupOptions &
        ConsumerGroupOptions & { readonly groupProtocol: 'auto'; readonly managed?: true })
  )

interface TopicOptions<Value, Key> extends RebalanceOptions<BalancedConsumer<Value, Key>> {
  /**
   * pykafka's `(consumer, oldOffsets, newOffsets)`, called when partitions were assigned, before their first message. It
   * gets the offset of the last message of each partition that was delivered before, and the positions after; a `Map` by
   * partition that it returns has the positions to read from instead, and to commit.
   */
  readonly postRebalanceCallback?: (
    consumer: BalancedConsumer<Value, Key>,
    oldOffsets: ReadonlyMap<number, number>,
    newOffsets: ReadonlyMap<number, number>,
  ) => PositionsByPartition | undefined | Promise<PositionsByPartition | undefined>
}
type PositionsByPartition = ReadonlyMap<number, ResetTo>

/** The options of a member. `groupProtocol` decides whether ZooKeeper or Kafka coordinates the group. */
export type BalancedConsumerOptions<
  Value = Buffer | null,
  Key = Buffer | null,
> = BalancedReadingOptions<Value, Key> & TopicOptions<Value, Key> & CoordinatedBy

/** The checks and defaults of the options that only balanced consumers of one topic have. */
export const TOPIC_OPTIONS = {
  postRebalanceCallback: { check: aFunction },
} as const satisfies OptionTable<
  Omit<TopicOptions<unknown, unknown>, keyof RebalanceOptions<never>>
>

/**
 * A member of a group that divides a topic's partitions among its members, so that each partition is read by one of
 * them. `topic.getBalancedConsumer()` creates it.
 *
 * Positions move when messages are delivered: a message that was only fetched does not count as read.
 */
export class BalancedConsumer<
  Value = Buffer | null,
  Key = Buffer | null,
> extends SingleTopicConsumer<Value, Key, BalancedMember<Value, Key>> {
  readonly #options: BalancedConsumerOptions<Value, Key>
  #offsetsBefore: ReadonlyMap<number, number> = new Map()

  /** Throws InvalidArgumentError. */
  constructor(
    cluster: Cluster,
    topic: string,
    options: BalancedConsumerOptions<Value, Key>,
    register: OpenRegister,
    makeMember: MakeMember<Value, Key>,
  ) {
    const hooks: RebalanceHooks = {
      assigned: (partitions) => this.#assigned(partitions),
      revoked: (partitions) => this.#revoked(partitions),
      lost: (partitions) => options.onPartitionsLost?.(partitions, this),
    }
    const { onClosed } = register
    const join = (before?: BalancedMember<Value, Key>) => {
      const subscription = new NamedTopics(cluster, [topic])
      return makeMember({ cluster, subscription, options, hooks, onClosed }, before)
    }
    super(join, topic, register)
    this.#options = options
  }

  /**
   * Joins the group. Resolves with the first assignment: the member owns these partitions and reads them; there may
   * be none if there are more members than partitions. `getBalancedConsumer` does this, unless `autoStart` is false.
   * Throws UnknownTopicError, ZooKeeperError, PartitionOwnedError, BrokerError, NoBrokersAvailableError,
   * RequestTimeoutError; unless the failure is permanent, the member keeps trying. After `stop()` it joins as a new
   * member; after `close()` it throws ClosedError.
   */
  async start(call: CallOptions = {}): Promise<readonly TopicPartition[]> {
    await this.startSession(call)
    return this.assignment
  }

  /** The partitions that the member owns and reads. */
  get assignment(): readonly TopicPartition[] {
    return this.assigned.assignment
  }

  /** The numbers of these partitions, in order. */
  override get partitions(): readonly number[] {
    return this.assignment.map(({ partition }) => partition).sort((a, b) => a - b)
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

  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    this.#offsetsBefore = this.heldOffsets
    await this.#options.onPartitionsRevoked?.(partitions, this)
  }

  async #assigned(partitions: readonly TopicPartition[]): Promise<void> {
    const { onPartitionsAssigned, postRebalanceCallback } = this.#options
    await onPartitionsAssigned?.(partitions, this)
    if (postRebalanceCallback === undefined) return
    const before = new Map([...this.#offsetsBefore, ...this.heldOffsets])
    this.#offsetsBefore = new Map()
    const positions = await postRebalanceCallback(this, before, this.positions)
    if (positions !== undefined && positions.size > 0) await this.resetOffsets(positions)
  }
}
