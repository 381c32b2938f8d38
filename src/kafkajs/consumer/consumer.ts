import type {
  BalancedTopicsConsumer,
  GroupMetadata,
  KafkaClient,
  TopicPartition,
} from '../../index.ts'
import { Session } from '../connection/session.ts'
import { TopicMetadata } from '../connection/topic-metadata.ts'
import { Emitter } from '../emitter.ts'
import { errorFrom } from '../error-from.ts'
import {
  isRebalancing,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
} from '../errors.ts'
import { CONSUMER_EVENTS } from '../events.ts'
import { withNumbers } from '../numbers.ts'
import { Bail, retrying, retrySettings, RETRY_DEFAULTS } from '../retry.ts'
import { textOf } from '../text.ts'
import { byTopic } from '../topic-offsets.ts'
import type { KafkaConfig, Logger, Offsets } from '../types/common.ts'
import type { Consumer, ConsumerConfig, ConsumerRunConfig } from '../types/consumer.ts'
import type { ConsumerEventMap } from '../types/events.ts'
import { checkedCommits, checkedSeek, checkedSubscription, checkTopics } from './checks.ts'
import { clusterView } from './cluster-view.ts'
import { describe } from './group.ts'
import { GroupEvents } from './group-events.ts'
import { nameOf } from './offsets.ts'
import { memberOptions } from './member-options.ts'
import { Pauses } from './pauses.ts'
import { ConsumerRun, type ConsumerSeeks } from './run.ts'
import { assignorFrom, PartitionAssigners } from './assigners.ts'

const DEFAULT_METADATA_MAX_AGE_MS = 300_000

/** The options that are numbers. */
const NUMBERS = [
  'metadataMaxAge',
  'sessionTimeout',
  'rebalanceTimeout',
  'heartbeatInterval',
  'maxBytesPerPartition',
  'minBytes',
  'maxWaitTimeInMs',
] as const

const RUN_NUMBERS = [
  'autoCommitInterval',
  'autoCommitThreshold',
  'partitionsConsumedConcurrently',
] as const

/** The part of a running consumer that the transactions of the same `Kafka` use. */
export interface RunningConsumer {
  readonly groupId: string
  /** Its identity in the group. */
  readonly member: GroupMetadata
  /** Whether it had this partition, and has it no longer. */
  hasLost(topic: string, partition: number): boolean
  /** Reports that a transaction has committed these offsets. */
  committed(offsets: Offsets['topics']): void
}

export function createConsumer(
  kafka: KafkaConfig,
  given: ConsumerConfig,
  root: Logger,
  running: Set<RunningConsumer>,
): Consumer {
  checkTimes(given)
  const config = withNumbers(given, NUMBERS)
  const { groupId, sessionTimeout = 30_000, heartbeatInterval = 3_000 } = config
  const { partitionAssigners } = config
  if (partitionAssigners !== undefined && config.partitionAssignment !== undefined) {
    throw new KafkaJSNonRetriableError(
      'give only one of partitionAssignment and partitionAssigners',
    )
  }
  const logger = root.namespace('Consumer')
  const givenRetry = { ...kafka.retry, ...(config.retry ?? { retries: RETRY_DEFAULTS.retries }) }
  const retry = retrySettings(givenRetry)
  const emitter = new Emitter<ConsumerEventMap>('consumer', CONSUMER_EVENTS, logger)
  const { metadataMaxAge = DEFAULT_METADATA_MAX_AGE_MS } = config
  /** The topics, and whether each is read from the beginning. */
  const subscribed = new Map<string, boolean>()
  /** As in kafkajs, a restart drops the pauses and seeks that were made before it. */
  let pauses = new Pauses()
  let seeks: ConsumerSeeks = new Map()
  let events: GroupEvents | undefined
  const session = new Session({
    config: kafka,
    logger: root,
    retry,
    metadataMaxAge,
    watch: (client) => {
      const watching = new GroupEvents({
        client,
        groupId,
        emitter,
        logger,
        subscribed: () => [...subscribed.keys()],
      })
      events = watching
      return () => watching.stop()
    },
  })
  const topics = new TopicMetadata(
    session,
    retry,
    config.allowAutoTopicCreation ?? true,
    metadataMaxAge,
  )
  const cluster = clusterView(session, topics)
  const assignors = (partitionAssigners ?? [PartitionAssigners.roundRobin]).map((create) =>
    assignorFrom(create({ cluster, groupId, logger }), topics, () => [...subscribed.keys()]),
  )
  let run: ConsumerRun | undefined
  /**
   * Set by `start`, until the consumer stops. Each start has its own object, so that the code of an earlier start
   * detects that it has ended.
   */
  let started: object | undefined
  let restartTimer: NodeJS.Timeout | undefined
  let stopping: Promise<void> | undefined
  let inTransactions: RunningConsumer | undefined

  const connect = async (): Promise<void> => {
    await session.connect()
    emitter.emit(CONSUMER_EVENTS.CONNECT)
  }

  const stopNow = async (): Promise<void> => {
    clearTimeout(restartTimer)
    if (started !== undefined) {
      started = undefined
      if (inTransactions !== undefined) running.delete(inTransactions)
      await run?.stop()
      run = undefined
      emitter.emit(CONSUMER_EVENTS.STOP)
    }
    logger.info('Stopped', { groupId })
  }

  const stop = (): Promise<void> => {
    stopping ??= stopNow().finally(() => {
      stopping = undefined
    })
    return stopping
  }

  const disconnect = async (): Promise<void> => {
    await session.disconnect(async () => {
      await stop()
      logger.debug('consumer has stopped, disconnecting', { groupId })
    })
    emitter.emit(CONSUMER_EVENTS.DISCONNECT)
  }

  /** Opens a member of the group, which has not joined yet, and the run that reads its partitions. */
  const openRun = async (
    client: KafkaClient,
    runConfig: ConsumerRunConfig,
  ): Promise<[BalancedTopicsConsumer, ConsumerRun]> => {
    const names = [...subscribed.keys()]
    await topics.load(names)
    const hooks = {
      onPartitionsAssigned: async (partitions: readonly TopicPartition[]) => {
        try {
          await retrying(retry, () => beginFromOtherEnd(client, member, partitions))
        } catch (error) {
          // Otherwise the partitions would be read from the wrong end, and messages would be lost.
          opened.failed(errorFrom(error))
          throw error
        }
        await opened.assigned(partitions)
      },
      onPartitionsRevoked: (partitions: readonly TopicPartition[]) => opened.revoked(partitions),
      onPartitionsLost: (partitions: readonly TopicPartition[]) => opened.revoked(partitions),
    }
    const member: BalancedTopicsConsumer = await client.getBalancedConsumer({
      ...memberOptions(config, { sessionTimeout, heartbeatInterval }, assignors),
      ...hooks,
      // The subscription is empty if it was a pattern that matched no topic.
      topics: names.length === 0 ? NOTHING : names,
      autoOffsetReset: defaultReset(),
      autoStart: false,
    })
    const opened = new ConsumerRun({
      client,
      consumer: member,
      config: runConfig,
      retry,
      emitter,
      logger: root.namespace('Runner'),
      pauses,
      seeks,
      onCrash: (error) => void onCrash(error, runConfig),
    })
    return [member, opened]
  }

  const defaultReset = (): 'earliest' | 'latest' =>
    [...subscribed.values()].some((fromBeginning) => !fromBeginning) ? 'latest' : 'earliest'

  /**
   * Moves new partitions to the beginning if their topic has `fromBeginning` and others do not: a member of samsa has
   * one `autoOffsetReset` for all topics.
   */
  const beginFromOtherEnd = async (
    client: KafkaClient,
    member: BalancedTopicsConsumer,
    partitions: readonly TopicPartition[],
  ): Promise<void> => {
    if (defaultReset() === 'earliest') return
    const early = partitions.filter(({ topic }) => subscribed.get(topic) === true)
    if (early.length === 0) return
    const committed = await member.fetchOffsets()
    const isCommitted = (one: TopicPartition) =>
      committed.some(({ topic, partition }) => topic === one.topic && partition === one.partition)
    const fresh = early.filter((one) => !isCommitted(one))
    if (fresh.length === 0) return
    const listed = await client.admin.listOffsets(fresh, 'earliest')
    const failed = listed.find(({ error }) => error !== undefined)
    if (failed?.error !== undefined) throw errorFrom(failed.error)
    for (const { topic, partition, offset } of listed) {
      if (offset !== undefined) member.seek({ topic, partition }, offset)
    }
  }

  const start = async (runConfig: ConsumerRunConfig): Promise<void> => {
    logger.info('Starting', { groupId })
    clearTimeout(restartTimer)
    const own = {}
    started = own
    const isWanted = (): boolean => started === own
    pauses = new Pauses()
    seeks = new Map()
    try {
      await connect()
      const client = await session.client()
      await events?.learnBrokers()
      if (!isWanted()) return
      const [member, opened] = await openRun(client, runConfig)
      if (!isWanted()) {
        await opened.stop()
        return
      }
      // From here on `stop` closes the member.
      run = opened
      await member.start()
      if (!isWanted()) return
      inTransactions = runningConsumer(opened)
      running.add(inTransactions)
      opened.start()
    } catch (thrown) {
      // After `stop`, an error is expected, because `stop` closes a member that is joining.
      if (isWanted()) await onCrash(errorFrom(thrown), runConfig)
    }
  }

  const onCrash = async (error: Error, runConfig: ConsumerRunConfig): Promise<void> => {
    const exceeded = error instanceof KafkaJSNumberOfRetriesExceeded ? error : undefined
    const { retryCount } = exceeded ?? {}
    logger.error(`Crash: ${error.name}: ${error.message}`, {
      groupId,
      retryCount,
      stack: error.stack,
    })
    await disconnect().catch((reason: unknown) => {
      logger.error(`Caught error when disconnecting the consumer: ${textOf(reason)}`, { groupId })
    })
    const restart = (exceeded !== undefined || isRootRetriable(error)) && (await mayRestart(error))
    emitter.emit(CONSUMER_EVENTS.CRASH, { error, groupId, restart })
    if (!restart) return
    const retryTime = exceeded?.retryTime ?? retry.initialRetryTime
    logger.error(`Restarting the consumer in ${retryTime}ms`, { retryCount, retryTime, groupId })
    // A listener of CRASH may have called `run`.
    if (started !== undefined) return
    restartTimer = setTimeout(() => void start(runConfig), retryTime)
  }

  const mayRestart = async (error: Error): Promise<boolean> => {
    const { restartOnFailure } = givenRetry
    if (restartOnFailure === undefined) return true
    try {
      return await restartOnFailure(error)
    } catch (reason) {
      logger.error(
        'Caught error when invoking user-provided "restartOnFailure" callback. Defaulting to restarting.',
        { error: textOf(reason), cause: error.message, groupId },
      )
      return true
    }
  }

  const runningConsumer = (of: ConsumerRun): RunningConsumer => ({
    groupId,
    get member() {
      return of.member
    },
    hasLost: (topic, partition) => of.hasLost(topic, partition),
    committed: (offsets) => of.offsets.committed(offsets),
  })

  const current = (): ConsumerRun | undefined => {
    if (started !== undefined) return run
    throw new KafkaJSNonRetriableError(
      'Consumer group was not initialized, consumer#run must be called first',
    )
  }

  return {
    connect,
    disconnect,
    stop,
    subscribe: async (subscription) => {
      if (started !== undefined) {
        throw new KafkaJSNonRetriableError('Cannot subscribe to topic while consumer is running')
      }
      const given = checkedSubscription(subscription)
      const patterns = given.filter((one) => one instanceof RegExp)
      const existing = patterns.length === 0 ? [] : (await topics.describe('all')).topics
      const names = given.flatMap((one) =>
        typeof one === 'string'
          ? one
          : existing.flatMap(({ name }) => (name !== null && one.test(name) ? name : [])),
      )
      for (const name of names) subscribed.set(name, subscription.fromBeginning ?? false)
      await topics.load(names)
    },
    run: async (runConfig = {}) => {
      // The member that is leaving would keep its partitions from the new one. Without a wait, `seek` may follow at once.
      if (stopping !== undefined) await stopping
      if (started !== undefined) {
        logger.warn('consumer#run was called, but the consumer is already running', { groupId })
        return
      }
      await start(withNumbers(runConfig, RUN_NUMBERS))
    },
    commitOffsets: async (topicPartitions = []) => {
      const offsets = checkedCommits(topicPartitions)
      const committing = current()
      if (committing?.isRunning !== true) return
      await retrying(retry, async () => {
        try {
          await committing.commitOffsets(offsets)
        } catch (error) {
          if (!committing.isRunning) return
          if (error instanceof KafkaJSNotImplemented) throw new Bail(error)
          throw error
        }
      })
    },
    seek: (entry) => {
      const seek = checkedSeek(entry)
      const seeking = current()
      seeks.set(nameOf(seek.topic, seek.partition), seek)
      seeking?.sought(seek)
    },
    describeGroup: async () => {
      const client = await session.client()
      return retrying(retry, () => describe(client, groupId))
    },
    pause: (given = []) => {
      checkTopics('pause', given)
      const pausing = current()
      pauses.pause(given)
      pausing?.pausesChanged()
    },
    paused: () => {
      const assignment = run?.assignment ?? []
      const found = assignment.filter(({ topic, partition }) => pauses.has(topic, partition))
      return [...byTopic(found)].map(([topic, ofTopic]) => ({
        topic,
        partitions: ofTopic.map(({ partition }) => partition),
      }))
    },
    resume: (given = []) => {
      checkTopics('resume', given)
      const resuming = current()
      pauses.resume(given)
      resuming?.pausesChanged()
    },
    on: emitter.on,
    events: CONSUMER_EVENTS,
    logger: () => logger,
  }
}

function checkTimes({
  groupId,
  sessionTimeout = 30_000,
  heartbeatInterval = 3_000,
}: ConsumerConfig): void {
  if (!groupId) {
    throw new KafkaJSNonRetriableError('Consumer groupId must be a non-empty string.')
  }
  // kafkajs compares what it was given, so that two texts are compared as text.
  if (heartbeatInterval >= sessionTimeout) {
    throw new KafkaJSNonRetriableError(
      `Consumer heartbeatInterval (${heartbeatInterval}) must be lower than sessionTimeout (${sessionTimeout}). It is recommended to set heartbeatInterval to approximately a third of the sessionTimeout.`,
    )
  }
}

/** A pattern that no topic matches. */
const NOTHING = /(?!)/

function isRootRetriable(error: Error): boolean {
  let root: Error = error
  while (root.cause instanceof Error) root = root.cause
  return isRebalancing(root) || ('retriable' in root && root.retriable === true)
}
