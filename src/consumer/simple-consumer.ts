import type { Deadline } from '../async/deadline.ts'
import { NO_REGISTER, type OpenRegister } from '../async/restarts.ts'
import type { CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { InvalidArgumentError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import { aBoolean, anArrayOf, anInteger } from '../options.ts'
import { FixedAssignment } from './fixed-assignment.ts'
import { CONSUMER_OPTIONS, type ConsumerOptions } from './options.ts'
import { SingleTopicConsumer } from './single-topic-consumer.ts'

/** The options of `topic.getSimpleConsumer()`. */
export interface SimpleConsumerOptions<
  Value = Buffer | null,
  Key = Buffer | null,
> extends ConsumerOptions<Value, Key> {
  /** The partitions to read. Default: all, also those that are added later. */
  readonly partitions?: readonly number[]
  /** Starts the consumer when it is opened; with `false` `start()` does. Default: true. */
  readonly autoStart?: boolean
}

/** The checks and defaults of the options that only `getSimpleConsumer` has. */
export const SIMPLE_CONSUMER_OPTIONS = {
  partitions: {
    check: anArrayOf(anInteger(0)),
    defaultText: 'all, also those that are added later',
  },
  autoStart: { check: aBoolean, default: true },
} as const satisfies OptionTable<Omit<SimpleConsumerOptions, keyof ConsumerOptions>>

/**
 * Reads the partitions of a topic, with the committed offsets of a group or without a group.
 * `topic.getSimpleConsumer()` creates it. To divide partitions among processes, use a balanced consumer.
 *
 * Positions move when messages are delivered: a message that was only fetched does not count as read.
 */
export class SimpleConsumer<Value = Buffer | null, Key = Buffer | null> extends SingleTopicConsumer<
  Value,
  Key,
  FixedAssignment<Value, Key>
> {
  /** Throws InvalidArgumentError. */
  constructor(
    cluster: Cluster,
    topic: string,
    options: SimpleConsumerOptions<Value, Key>,
    register: OpenRegister = NO_REGISTER,
  ) {
    checkTable('getSimpleConsumer', options, { ...CONSUMER_OPTIONS, ...SIMPLE_CONSUMER_OPTIONS })
    const { partitions } = options
    if (partitions?.length === 0) throw new InvalidArgumentError('partitions: must not be empty')
    const find = async (deadline: Deadline) => {
      const numbers = partitions ?? (await partitionNumbers(cluster, topic, deadline))
      return numbers.map((partition) => ({ topic, partition }))
    }
    const isWatched = partitions === undefined
    const { onClosed } = register
    const parts = { cluster, options, find, isWatched, onClosed }
    super((before) => new FixedAssignment(parts, before), topic, register)
  }

  /**
   * Finds the topic's partitions and where to start in them. `getSimpleConsumer` does this, unless `autoStart` is
   * false. Throws UnknownTopicError, NoOffsetError, BrokerError, NoBrokersAvailableError; it may then be called
   * again. After `stop()` it opens the consumer again; after `close()` it throws ClosedError.
   */
  start(call: CallOptions = {}): Promise<void> {
    return this.startSession(call)
  }
}

async function partitionNumbers(
  cluster: Cluster,
  topic: string,
  deadline: Deadline,
): Promise<readonly number[]> {
  const { partitions } = await cluster.topic(topic, { create: false, deadline })
  return partitions.map(({ partition }) => partition)
}
