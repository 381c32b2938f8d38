import type { Deadline } from '../async/deadline.ts'
import { NO_REGISTER, type OpenRegister } from '../async/restarts.ts'
import type { CallOptions } from '../call-options.ts'
import { allTopics } from '../cluster/all-topics.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicMetadata } from '../cluster/metadata.ts'
import { InvalidArgumentError } from '../errors.ts'
import { aBoolean, anArrayOf, anInteger, anObject, checkOptions, type Check } from '../options.ts'
import { FixedAssignment } from './fixed-assignment.ts'
import { MultiTopicConsumer } from './multi-topic-consumer.ts'
import { CONSUMER_CHECKS, type ConsumerOptions } from './options.ts'
import { namesOrPattern, topicsFrom, type TopicsOption } from './topics-option.ts'

export interface TopicsConsumerOptions<
  Value = Buffer | null,
  Key = Buffer | null,
> extends ConsumerOptions<Value, Key> {
  /** Topics by name, or all whose name the pattern matches: also those that come later. */
  readonly topics: readonly string[] | RegExp
  /** Only these partitions, by topic. Default: all, also those that come later. */
  readonly partitions?: Readonly<Record<string, readonly number[]>>
  /** Leave Kafka's own topics out of what a pattern matches. Default: true. */
  readonly excludeInternalTopics?: boolean
  /** Whether `getConsumer` also starts it; otherwise `start()` does. Default: true. */
  readonly autoStart?: boolean
}

const partitionsByTopic: Check = (value) => {
  const problem = anObject(value)
  if (problem !== undefined) return problem
  for (const [topic, partitions] of Object.entries(value as object)) {
    const wrong = anArrayOf(anInteger(0))(partitions)
    if (wrong !== undefined) return `${wrong} (of topic '${topic}')`
  }
  return undefined
}

/**
 * Reads several topics, with a group's committed offsets or without any. Made by `client.getConsumer()`. Who
 * shares partitions out among processes wants a balanced consumer.
 *
 * Positions move when messages are handed over: what was only fetched is not counted as read.
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
    checkOptions<TopicsConsumerOptions<Value, Key>>('getConsumer', options, {
      ...CONSUMER_CHECKS,
      topics: namesOrPattern,
      partitions: partitionsByTopic,
      excludeInternalTopics: aBoolean,
      autoStart: aBoolean,
    })
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
   * Finds the partitions and where to start in them; done by `getConsumer`, unless `autoStart` is false. A pattern
   * may match nothing yet. Throws UnknownTopicError, NoOffsetError, BrokerError, NoBrokersAvailableError: it may be
   * called again then. After `stop()` it opens the consumer again; after `close()` it throws ClosedError.
   */
  start(call: CallOptions = {}): Promise<void> {
    return this.startSession(call)
  }
}

async function findTopics(
  cluster: Cluster,
  topics: TopicsOption,
  { excludeInternalTopics = true }: { readonly excludeInternalTopics?: boolean },
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
