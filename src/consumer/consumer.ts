import type { Deadline } from '../async/deadline.ts'
import { NO_REGISTER, type OpenRegister } from '../async/restarts.ts'
import type { CallOptions } from '../call-options.ts'
import { allTopics } from '../cluster/all-topics.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicMetadata } from '../cluster/metadata.ts'
import { InvalidArgumentError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import { aBoolean, anArrayOf, anInteger, aTableOf } from '../options.ts'
import { FixedAssignment } from './fixed-assignment.ts'
import { MultiTopicConsumer } from './multi-topic-consumer.ts'
import { CONSUMER_OPTIONS, type ConsumerOptions } from './options.ts'
import { namesOrPattern, topicsFrom, type TopicsOption } from './topics-option.ts'

/** The options of `client.getConsumer()`. */
export interface TopicsConsumerOptions<
  Value = Buffer | null,
  Key = Buffer | null,
> extends ConsumerOptions<Value, Key> {
  /** Topics by name, or a pattern for all topics whose name it matches, also those that are created later. Required. */
  readonly topics: readonly string[] | RegExp
  /** The partitions to read of the topics that are named here. Default: all, also those that are added later. */
  readonly partitions?: Readonly<Record<string, readonly number[]>>
  /** Leaves Kafka's internal topics out of what a pattern matches. Refused with topics by name. Default: true. */
  readonly excludeInternalTopics?: boolean
  /** Starts the consumer when it is opened; with `false` `start()` does. Default: true. */
  readonly autoStart?: boolean
}

/** The checks and defaults of the options that only `getConsumer` has. */
export const TOPICS_CONSUMER_OPTIONS = {
  topics: { check: namesOrPattern, required: true },
  partitions: {
    check: aTableOf(anArrayOf(anInteger(0)), 'of topic'),
    defaultText: 'all, also those that are added later',
  },
  excludeInternalTopics: {
    check: aBoolean,
    default: true,
    noEffect: ({ topics }) =>
      topics instanceof RegExp ? undefined : 'with topics by name: it is for patterns',
  },
  autoStart: { check: aBoolean, default: true },
} as const satisfies OptionTable<Omit<TopicsConsumerOptions, keyof ConsumerOptions>>

/**
 * Reads several topics, with the committed offsets of a group or without a group. `client.getConsumer()` creates it.
 * To divide partitions among processes, use a balanced consumer.
 *
 * Positions move when messages are delivered: a message that was only fetched does not count as read.
 */
export class Consumer<Value = Buffer | null, Key = Buffer | null> extends MultiTopicConsumer<
  Value,
  Key,
  FixedAssignment<Value, Key>
> {
  /** Throws InvalidArgumentError. */
  constructor(
    cluster: Cluster,
    options: TopicsConsumerOptions<Value, Key>,
    register: OpenRegister = NO_REGISTER,
  ) {
    checkTable('getConsumer', options, { ...CONSUMER_OPTIONS, ...TOPICS_CONSUMER_OPTIONS })
    const topics = topicsFrom(options.topics)
    checkPartitions(topics, options.partitions)
    const find = async (deadline: Deadline) =>
      (await findTopics(cluster, topics, options, deadline)).flatMap(
        ({ name: topic, partitions }) => {
          const numbers =
            options.partitions?.[topic] ?? partitions.map(({ partition }) => partition)
          return numbers.map((partition) => ({ topic, partition }))
        },
      )
    const { onClosed } = register
    const parts = { cluster, options, find, isWatched: true, onClosed }
    super((before) => new FixedAssignment(parts, before), register)
  }

  /**
   * Finds the partitions and where to start in them. `getConsumer` does this, unless `autoStart` is false. A pattern
   * may match nothing yet. Throws UnknownTopicError, NoOffsetError, BrokerError, NoBrokersAvailableError; it may then
   * be called again. After `stop()` it opens the consumer again; after `close()` it throws ClosedError.
   */
  start(call: CallOptions = {}): Promise<void> {
    return this.startSession(call)
  }
}

async function findTopics(
  cluster: Cluster,
  topics: TopicsOption,
  { excludeInternalTopics = true }: Pick<TopicsConsumerOptions, 'excludeInternalTopics'>,
  deadline: Deadline,
): Promise<readonly TopicMetadata[]> {
  if (!(topics instanceof RegExp)) {
    return Promise.all(topics.map((name) => cluster.topic(name, { create: false, deadline })))
  }
  return (await allTopics(cluster, deadline)).filter(
    ({ name, isInternal }) => topics.test(name) && !(excludeInternalTopics && isInternal),
  )
}

function checkPartitions(
  topics: TopicsOption,
  partitions: Readonly<Record<string, readonly number[]>> = {},
): void {
  if (topics instanceof RegExp) return
  for (const topic of Object.keys(partitions)) {
    if (topics.includes(topic)) continue
    throw new InvalidArgumentError(`partitions of '${topic}' are given, which is not one of topics`)
  }
}
