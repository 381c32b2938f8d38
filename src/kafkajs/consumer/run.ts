import { setTimeout as delay } from 'node:timers/promises'
import {
  MaxPollIntervalError,
  type BalancedTopicsConsumer,
  type ConsumerBatch,
  type GroupMetadata,
  type KafkaClient,
  type TopicPartition,
} from '../../index.ts'
import { ErrorCode } from '../../../protocol/index.ts'
import type { Emitter } from '../emitter.ts'
import { errorFrom, protocolErrorOf } from '../error-from.ts'
import { isRebalancing, KafkaJSNotImplemented } from '../errors.ts'
import { CONSUMER_EVENTS } from '../events.ts'
import type { RetrySettings } from '../retry.ts'
import { textOf } from '../text.ts'
import { byTopic, partitionOffsets } from '../topic-offsets.ts'
import type { Logger, TopicOffsets } from '../types/common.ts'
import type { ConsumerRunConfig } from '../types/consumer.ts'
import type { ConsumerEventMap } from '../types/events.ts'
import { KafkaBatch } from './batch.ts'
import { EARLIEST, LATEST, type CheckedCommit } from './checks.ts'
import { Failures } from './failures.ts'
import { commit } from './group.ts'
import { handleBatch, handleMessages, type HandlerHost } from './handlers.ts'
import { nameOf, ResolvedOffsets } from './offsets.ts'
import type { Pauses } from './pauses.ts'

/** The name of the failures that no handler has caused. */
const READING = ''

/** The seeks of the application that have not been applied yet, by `nameOf`. */
export type ConsumerSeeks = Map<string, TopicPartition & { readonly offset: number }>

export interface RunParts {
  readonly client: KafkaClient
  readonly consumer: BalancedTopicsConsumer
  readonly config: ConsumerRunConfig
  readonly retry: RetrySettings
  readonly emitter: Emitter<ConsumerEventMap>
  readonly logger: Logger
  readonly pauses: Pauses
  readonly seeks: ConsumerSeeks
  /** Called once, with the error that has ended the run. */
  readonly onCrash: (error: Error) => void
}

/** Reads, calls the handler and commits: one `run()` of a consumer, or one restart after a crash. */
export class ConsumerRun implements HandlerHost {
  readonly offsets = new ResolvedOffsets()
  readonly #parts: RunParts
  readonly #stopping = new AbortController()
  /** The partitions whose handlers are running, by `nameOf`. */
  readonly #busy = new Set<string>()
  readonly #failures: Failures
  readonly #lost = new Set<string>()
  #reading: Promise<void> = Promise.resolve()
  /** Read for each message: reading `signal.aborted` takes longer. */
  #isRunning = true

  constructor(parts: RunParts) {
    this.#parts = parts
    this.#failures = new Failures(parts.retry)
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  get commitsBetween(): boolean {
    const { autoCommitInterval, autoCommitThreshold } = this.#parts.config
    return (autoCommitInterval ?? autoCommitThreshold ?? undefined) !== undefined
  }

  get resolvesBatches(): boolean {
    return this.#parts.config.eachBatchAutoResolve ?? true
  }

  get member(): GroupMetadata {
    return this.#parts.consumer.groupMetadata()
  }

  get assignment(): readonly TopicPartition[] {
    return this.#parts.consumer.assignment
  }

  /** Starts reading. Called when the member has its first assignment. */
  start(): void {
    this.#reading = this.#read()
  }

  /** Waits for the running handlers, then leaves the group. */
  async stop(): Promise<void> {
    this.#end()
    await this.#reading
    try {
      await this.#parts.consumer.close()
    } catch (error) {
      this.#parts.logger.debug(`Leaving the group failed: ${textOf(error)}`)
    }
  }

  #end(): void {
    this.#isRunning = false
    this.#stopping.abort()
  }

  // Partitions

  /** Called with new partitions of this member before they are read. */
  async assigned(partitions: readonly TopicPartition[]): Promise<void> {
    const { consumer } = this.#parts
    for (const one of partitions) {
      this.#lost.delete(nameOf(one.topic, one.partition))
      this.offsets.begin(one.topic, one.partition, consumer.position(one))
      if (this.isPaused(one.topic, one.partition)) consumer.pause([one])
    }
    // Reading starts when this resolves or rejects, so a failed seek must not prevent the seeks of other partitions.
    for (const one of partitions) await this.#applySeek(one).catch(this.#seekFailed(one))
  }

  /** Ends the run: the offsets at which new partitions begin could not be found. */
  failed(error: Error): void {
    if (this.isRunning) this.#crash(error)
  }

  revoked(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const name = nameOf(topic, partition)
      this.#lost.add(name)
      this.offsets.forget(topic, partition)
      this.#failures.forget(name)
    }
  }

  /** Whether another member may have the partition now: this member had it, and has it no longer. */
  hasLost(topic: string, partition: number): boolean {
    return this.#lost.has(nameOf(topic, partition))
  }

  isPaused(topic: string, partition: number): boolean {
    return this.#parts.pauses.has(topic, partition)
  }

  /** Pauses a partition, and returns the function that resumes it. */
  pausePartition(topic: string, partition: number): () => void {
    const { pauses } = this.#parts
    const partitions = [{ topic, partitions: [partition] }]
    pauses.pause(partitions)
    this.pausesChanged()
    return () => {
      pauses.resume(partitions)
      this.pausesChanged()
    }
  }

  pausesChanged(): void {
    const { consumer } = this.#parts
    const isPaused = (one: TopicPartition) => this.isPaused(one.topic, one.partition)
    consumer.pause(consumer.assignment.filter(isPaused))
    consumer.resume(consumer.assignment.filter((one) => !isPaused(one)))
  }

  hasSeek(topic: string, partition: number): boolean {
    const { seeks } = this.#parts
    return seeks.size > 0 && seeks.has(nameOf(topic, partition))
  }

  /** Applies a seek now, unless the handler of the partition is running: then it is applied when that has finished. */
  sought(one: TopicPartition): void {
    if (this.#busy.has(nameOf(one.topic, one.partition))) return
    void this.#applySeek(one).catch(this.#seekFailed(one))
  }

  #seekFailed(one: TopicPartition): (error: unknown) => void {
    return (error) => this.#parts.logger.error(`Seeking failed: ${textOf(error)}`, { ...one })
  }

  async #applySeek({ topic, partition }: TopicPartition): Promise<void> {
    const { client, consumer, seeks } = this.#parts
    const name = nameOf(topic, partition)
    const seek = seeks.get(name)
    if (seek === undefined || !this.#isAssigned(topic, partition)) return
    const offset = seek.offset >= 0 ? seek.offset : await endOffset(client, seek)
    if (!this.#isAssigned(topic, partition)) return
    if (seeks.get(name) === seek) seeks.delete(name)
    consumer.seek({ topic, partition }, offset)
    this.offsets.begin(topic, partition, offset)
    if (this.#autoCommits) await this.#commit([{ topic, partition, offset, metadata: null }])
  }

  #isAssigned(topic: string, partition: number): boolean {
    return this.assignment.some((one) => one.topic === topic && one.partition === partition)
  }

  // Commits

  async heartbeat(batch: ConsumerBatch): Promise<void> {
    // Aborted if the partition is about to be revoked.
    if (!batch.signal.aborted) return
    await this.autoCommit()
    throw protocolErrorOf(ErrorCode.REBALANCE_IN_PROGRESS)
  }

  get #autoCommits(): boolean {
    return this.#parts.config.autoCommit ?? true
  }

  async autoCommit(): Promise<void> {
    if (this.#autoCommits) await this.commitTopics(this.offsets.uncommitted())
  }

  async autoCommitIfNecessary(): Promise<void> {
    if (this.#autoCommits) await this.commitIfNecessary()
  }

  async commitIfNecessary(): Promise<void> {
    const { autoCommitInterval, autoCommitThreshold } = this.#parts.config
    const isTime =
      typeof autoCommitInterval === 'number' && this.offsets.sinceLastCommitMs >= autoCommitInterval
    const isEnough =
      typeof autoCommitThreshold === 'number' &&
      this.offsets.uncommittedCount >= autoCommitThreshold
    if (isTime || isEnough) await this.commitTopics(this.offsets.uncommitted())
  }

  async commitTopics(topics: readonly TopicOffsets[]): Promise<void> {
    const offsets = partitionOffsets(topics).map((one) => ({ ...one, metadata: null }))
    await this.commitOffsets(offsets, topics)
  }

  /** Commits, and emits COMMIT_OFFSETS, which has the offsets as they were given. Throws the errors of kafkajs. */
  async commitOffsets(
    offsets: readonly CheckedCommit[],
    given: readonly TopicOffsets[] = topicOffsets(offsets),
  ): Promise<void> {
    if (offsets.length === 0) {
      this.offsets.nothingToCommit()
      return
    }
    await this.#commit(offsets)
    const { groupId, memberId, generationId } = this.member
    const topics = [...given]
    this.offsets.committed(topics)
    this.#parts.emitter.emit(CONSUMER_EVENTS.COMMIT_OFFSETS, {
      groupId,
      memberId,
      groupGenerationId: generationId,
      topics,
    })
  }

  async #commit(offsets: readonly CheckedCommit[]): Promise<void> {
    try {
      const { client, consumer } = this.#parts
      await consumer.reportCommit(offsets, () => commit(client, this.member, offsets))
    } catch (error) {
      throw errorFrom(error)
    }
  }

  // Reading

  async #read(): Promise<void> {
    const { consumer, config, logger } = this.#parts
    const { partitionsConsumedConcurrently: concurrency = 1 } = config
    const stopSignal = this.#stopping.signal
    // `eachMessage` is called by `handleEach`.
    const traceBy = config.eachMessage === undefined ? 'batch' : 'message'
    const options = { concurrency, stopSignal, traceBy } as const
    while (this.isRunning) {
      try {
        await consumer.runBatches((batch) => this.#handle(batch), options)
        return
      } catch (thrown) {
        if (!this.isRunning) return
        // `runBatches` throws the first error, which hides those of handlers that have failed after it.
        if (!this.#failures.areUntreated) this.#readingFailed(thrown)
        const failure = this.#failures.takeWorst()
        if (failure === undefined) continue
        const { error, final, retryCount, retryTime } = failure
        if (final !== undefined) {
          this.#crash(error instanceof KafkaJSNotImplemented ? error : final)
          return
        }
        logger.debug('Error while consuming, trying again...', {
          error: error.message,
          retryCount,
          retryTime,
        })
        await delay(retryTime, undefined, { signal: stopSignal }).catch(() => undefined)
      }
    }
  }

  #readingFailed(thrown: unknown): void {
    const error = errorFrom(thrown)
    if (thrown instanceof MaxPollIntervalError || isRebalancing(error)) return
    this.#failures.add(READING, error)
  }

  #crash(error: Error): void {
    this.#end()
    this.#parts.onCrash(error)
  }

  async #handle(consumed: ConsumerBatch): Promise<void> {
    const { topic, partition } = consumed
    const name = nameOf(topic, partition)
    this.#busy.add(name)
    try {
      await this.#process(consumed)
      this.#failures.forget(name)
      this.#failures.forget(READING)
    } catch (thrown) {
      const error = errorFrom(thrown)
      if (!isRebalancing(error)) this.#failures.add(name, error)
      throw thrown
    } finally {
      this.#busy.delete(name)
      await this.#reposition(consumed)
    }
  }

  async #process(consumed: ConsumerBatch): Promise<void> {
    const { config, emitter, logger } = this.#parts
    if (!this.isRunning) return
    const startedAt = Date.now()
    const batch = new KafkaBatch(consumed)
    const hasListener =
      emitter.has(CONSUMER_EVENTS.START_BATCH_PROCESS) ||
      emitter.has(CONSUMER_EVENTS.END_BATCH_PROCESS)
    const payload = hasListener ? batchEvent(consumed, batch) : undefined
    if (payload !== undefined) emitter.emit(CONSUMER_EVENTS.START_BATCH_PROCESS, payload)
    if (config.eachMessage) await handleMessages(this, consumed, config.eachMessage, logger)
    else if (config.eachBatch) await handleBatch(this, consumed, batch, config.eachBatch, logger)
    if (payload !== undefined) {
      const duration = Date.now() - startedAt
      emitter.emit(CONSUMER_EVENTS.END_BATCH_PROCESS, { ...payload, duration })
    }
    await this.autoCommit()
    await this.heartbeat(consumed)
  }

  /** Continues after the last processed message, or at the offset that the application has sought. */
  async #reposition({ topic, partition, firstOffset, nextOffset }: ConsumerBatch): Promise<void> {
    if (!this.#isAssigned(topic, partition) || !this.isRunning) return
    if (this.hasSeek(topic, partition)) {
      await this.#applySeek({ topic, partition })
      return
    }
    const { consumer } = this.#parts
    const next = this.offsets.next(topic, partition) ?? firstOffset
    if (next !== nextOffset || consumer.position({ topic, partition }) !== next) {
      consumer.seek({ topic, partition }, next)
    }
  }
}

function batchEvent(consumed: ConsumerBatch, batch: KafkaBatch) {
  return {
    topic: batch.topic,
    partition: batch.partition,
    highWatermark: batch.highWatermark,
    offsetLag: batch.offsetLag(),
    offsetLagLow: batch.offsetLagLow(),
    batchSize: consumed.length,
    firstOffset: String(consumed.firstOffset),
    lastOffset: batch.lastOffset(),
  }
}

/** The offsets in the form of `uncommittedOffsets()`, with their metadata if they have any. */
function topicOffsets(offsets: readonly CheckedCommit[]): TopicOffsets[] {
  return [...byTopic(offsets)].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition, offset, metadata }) => ({
      partition,
      offset: String(offset),
      ...(metadata === null ? {} : { metadata }),
    })),
  }))
}

async function endOffset(
  client: KafkaClient,
  { topic, partition, offset }: TopicPartition & { readonly offset: number },
): Promise<number> {
  const at = offset === EARLIEST ? 'earliest' : 'latest'
  const [listed] = await client.admin.listOffsets([{ topic, partition }], at)
  if (listed?.error !== undefined) throw errorFrom(listed.error)
  return listed?.offset ?? LATEST
}
