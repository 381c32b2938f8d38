/**
 * What a producer does, for one topic or for many.
 *
 * Hot path: `produce` runs once a message. Don't add: a promise, an object of options, a look at the clock
 * (60 ns) or at the cluster's metadata, an await. Measured by benchmarks/produce.ts.
 */
import { MAX_RECORD_OVERHEAD_BYTES } from '../../protocol/records/batch-writer.ts'
import {
  bytesOf,
  headersBytes,
  type OutgoingHeader,
} from '../../protocol/records/outgoing-record.ts'
import type { Deadline } from '../async/deadline.ts'
import { deferred, type Deferred } from '../async/deferred.ts'
import type { Cluster } from '../cluster/cluster.ts'
import {
  ClosedError,
  InvalidArgumentError,
  KafkaError,
  MessageTooLargeError,
  ProducerQueueFullError,
} from '../errors.ts'
import { shown } from '../options.ts'
import { textOfThrown } from '../observe/thrown.ts'
import { deliveryChannel, type DeliveryEvent } from '../observe/channels.ts'
import type { Accumulator } from './accumulator.ts'
import type { Batch } from './batch.ts'
import { Delivery, Fate } from './delivery.ts'
import { Failures } from './failures.ts'
import { learnLimits, type BrokerLimits } from './limits.ts'
import type { MessageGroup } from './message-group.ts'
import type { ProducerSettings } from './options.ts'
import { fetchProducerId } from './producer-id.ts'
import { ReportQueue, type DeliveryReport } from './reports.ts'
import { messagesOf } from './seal.ts'
import { Sender, type Ending } from './sender.ts'
import { checkData, copyOf, type Data } from './serialize.ts'
import { TopicLookUps } from './topic-look-ups.ts'
import { TopicState } from './topic-state.ts'
import { checkWait, within, type WaitOptions } from './waiting.ts'

/**
 * new → starting → open → closing → closed. Messages are taken while it is open; closing sends what is queued.
 * A start that fails goes back to new; closing ends a start.
 */
type State = 'new' | 'starting' | 'open' | 'closing' | 'closed'

/** So much is taken in one turn of the event loop before `ready` lets it go round: 1 to 2 ms. */
const TURN_BYTES = 1024 * 1024
/** Timestamps from here on are not exact in a batch. The year is 144,683. */
const TIMESTAMP_END = 2 ** 52
const READY = Promise.resolve()

export class ProducerCore {
  readonly settings: ProducerSettings
  readonly failures: Failures
  /** Reports that wait to be read, where they are wanted so. */
  readonly reports: ReportQueue | undefined
  deliveredMessages = 0
  failedMessages = 0
  readonly #cluster: Cluster
  readonly #sender: Sender
  readonly #accumulator: Accumulator
  readonly #topics = new Map<string, TopicState>()
  readonly #lookUps: TopicLookUps
  readonly #hasReports: boolean
  #limits: BrokerLimits | undefined
  #state: State = 'new'
  #starting: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** Milliseconds since 1970, read once a turn of the event loop. */
  #now = 0
  #turn = 0
  #isTurnBegun = false
  #turnBytes = 0
  #turnOver: Deferred<void> | undefined
  #room: Deferred<void> | undefined

  constructor(cluster: Cluster, settings: ProducerSettings) {
    this.#cluster = cluster
    this.settings = settings
    this.#hasReports = settings.deliveryReports !== false
    this.failures = new Failures(this.#hasReports ? undefined : cluster.options.logger)
    this.#lookUps = new TopicLookUps(cluster, settings.deliveryTimeoutMs)
    this.#sender = new Sender(
      cluster,
      settings,
      this.failures,
      (batch, ending) => this.#onSettled(batch, ending),
      () => this.#endTurn(),
    )
    this.#accumulator = this.#sender.accumulator
    if (settings.deliveryReports === true) this.reports = new ReportQueue(() => this.#makeRoom())
  }

  /** Messages that were produced and are neither acknowledged nor failed. */
  get queuedMessages(): number {
    return this.#accumulator.queuedMessages + this.#lookUps.heldMessages
  }

  get queuedBytes(): number {
    return this.#accumulator.queuedBytes + this.#lookUps.heldBytes
  }

  /** Whether `ready` resolves at once. */
  get hasRoom(): boolean {
    return this.#turnBytes < TURN_BYTES && !this.#isFull(1)
  }

  /**
   * Looks the topic up, if there is one, and gets a producer id where that is wanted. Calls at the same time
   * share one start. Throws ClosedError where the producer is closed, also meanwhile.
   */
  start(topic: string | undefined, deadline: Deadline): Promise<void> {
    this.#starting ??= this.#start(topic, deadline).finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #start(topic: string | undefined, deadline: Deadline): Promise<void> {
    if (this.#state === 'open') return
    if (this.#state !== 'new') throw new ClosedError('producer')
    this.#state = 'starting'
    try {
      const limits = topic === undefined ? undefined : await this.#lookAt(topic, deadline)
      const { idempotent } = this.settings
      const producer =
        idempotent === false
          ? undefined
          : await fetchProducerId(this.#cluster, deadline, idempotent === true)
      this.#throwIfNotStarting()
      this.#limits = limits
      this.#accumulator.producer = producer
      this.#state = 'open'
    } catch (error) {
      this.#throwIfNotStarting()
      this.#state = 'new'
      throw error
    }
  }

  async #lookAt(topic: string, deadline: Deadline): Promise<BrokerLimits | undefined> {
    await this.#cluster.topic(topic, { create: true, deadline })
    const limits = await learnLimits(this.#cluster, topic, deadline)
    limits?.check(this.settings)
    return limits
  }

  #throwIfNotStarting(): void {
    if (this.#state !== 'starting') throw new ClosedError('producer')
  }

  topic(name: string): TopicState {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = new TopicState(name, this.#cluster, this.#accumulator, this.settings)
      this.#topics.set(name, topic)
    }
    return topic
  }

  produce(
    topic: TopicState,
    value: Data,
    key: Data,
    headers: readonly OutgoingHeader[] | undefined,
    timestamp: number | undefined,
    partition: number | undefined,
  ): Delivery {
    try {
      if (this.#state !== 'open') throw this.#notOpen()
      if (!this.#isTurnBegun) this.#beginTurn()
      topic.refresh(this.#turn)
      if (topic.partitionCount === 0) {
        return this.#hold(topic, value, key, headers, timestamp ?? this.#now, partition)
      }
      const batch = this.#append(undefined, topic, value, key, headers, timestamp, partition)
      return new Delivery(batch.fate, batch.writer.count - 1, timestamp ?? this.#now)
    } catch (error) {
      return this.refuse(topic.name, value, key, error as Error)
    }
  }

  /** Queues a message of a group, to a topic that was looked up. Throws what is wrong with it. */
  produceInto(
    group: MessageGroup,
    topic: TopicState,
    value: Data,
    key: Data,
    headers: readonly OutgoingHeader[] | undefined,
    timestamp: number | undefined,
    partition: number | undefined,
  ): void {
    if (this.#state !== 'open') throw this.#notOpen()
    if (!this.#isTurnBegun) this.#beginTurn()
    topic.refresh(this.#turn)
    this.#append(group, topic, value, key, headers, timestamp, partition)
    group.add()
  }

  /** A message fails before it is queued. */
  refuse(topic: string, value: Data, key: Data, error: Error): Delivery {
    const fate = new Fate(this.failures)
    fate.fail(error, 1)
    this.countRefused(topic, value, key, error)
    return new Delivery(fate, 0, 0)
  }

  countRefused(topic: string, value: Data, key: Data, error: Error): void {
    this.failedMessages++
    if (!this.#hasReports) return
    const timestamp = Date.now()
    this.#report({ topic, partition: -1, offset: -1, timestamp, key, value, error })
  }

  /** Calls back once the topic is known, or with the error that says why it is not. */
  whenKnown(topic: TopicState, go: (error: Error | undefined) => void): void {
    if (this.#state !== 'open') {
      go(this.#notOpen())
      return
    }
    if (!this.#isTurnBegun) this.#beginTurn()
    topic.refresh(this.#turn)
    if (topic.partitionCount > 0) go(undefined)
    else this.#lookUps.hold(topic, { messages: 0, bytes: 0, go })
  }

  /** Rejects with ClosedError, RequestTimeoutError, or the signal's reason. */
  ready(wait?: WaitOptions): Promise<void> {
    if (this.#state === 'open' && wait === undefined && this.hasRoom) return READY
    return this.#whenReady(wait ?? {})
  }

  async flush(wait: WaitOptions = {}): Promise<void> {
    checkWait(wait)
    await within(wait, this.#drained(), () => this.#late('flush()', wait.timeoutMs))
    this.failures.throwFirst()
  }

  /** Lets everything go that lingers. */
  letGo(): void {
    this.#sender.flush()
  }

  close(wait: WaitOptions = {}): Promise<void> {
    this.#closing ??= this.#close(wait)
    return this.#closing
  }

  // What a message goes through.

  #append(
    group: MessageGroup | undefined,
    topic: TopicState,
    value: Data,
    key: Data,
    headers: readonly OutgoingHeader[] | undefined,
    timestamp: number | undefined,
    partition: number | undefined,
  ): Batch {
    const valueBytes = value === null ? -1 : bytesOf(checkData(value, 'a value'))
    const keyBytes = key === null ? -1 : bytesOf(checkData(key, 'a key'))
    const headerBytes = headers === undefined ? 0 : headersBytes(headers)
    if (headers !== undefined && headers.length > 0) this.#limits?.checkHeaders()
    if (timestamp !== undefined) this.#checkTimestamp(timestamp)
    // Nulls count as -1: the sum is a little less than the most that it can take.
    const sizeBytes = MAX_RECORD_OVERHEAD_BYTES + keyBytes + valueBytes + headerBytes
    if (sizeBytes >= this.settings.maxRequestSize) {
      this.#checkSize(topic.name, keyBytes, valueBytes, headerBytes)
    }
    if (this.#isFull(this.settings.blockOnQueueFull ? 2 : 1)) throw this.#full()
    const queue = topic.choose(key, sizeBytes, partition)
    const time = timestamp ?? this.#now
    // prettier-ignore
    const batch = this.#accumulator.append(queue, key, keyBytes, value, valueBytes, time, headers, headerBytes)
    batch.join(group)
    this.#turnBytes += sizeBytes
    if (this.#hasReports) (batch.messages ??= []).push({ key, value, timestamp: time })
    return batch
  }

  /** Keeps a copy of a message until its topic is known: the caller may use its buffers again at once. */
  #hold(
    topic: TopicState,
    value: Data,
    key: Data,
    headers: readonly OutgoingHeader[] | undefined,
    timestamp: number,
    partition: number | undefined,
  ): Delivery {
    const keyBytes = bytesOf(checkData(key, 'a key'))
    const valueBytes = bytesOf(checkData(value, 'a value'))
    const headerBytes = headers === undefined ? 0 : headersBytes(headers)
    this.#checkTimestamp(timestamp)
    this.#checkSize(topic.name, keyBytes, valueBytes, headerBytes)
    const bytes = MAX_RECORD_OVERHEAD_BYTES + keyBytes + valueBytes + headerBytes
    if (this.#isFull(this.settings.blockOnQueueFull ? 2 : 1)) throw this.#full()
    const fate = new Fate(this.failures)
    const [keptValue, keptKey] = [copyOf(value), copyOf(key)]
    const kept = headers?.map((header) => ({ key: header.key, value: copyOf(header.value) }))
    const go = (error: Error | undefined) => {
      try {
        if (error !== undefined) throw error
        topic.refresh(++this.#turn)
        const batch = this.#append(undefined, topic, keptValue, keptKey, kept, timestamp, partition)
        fate.move([{ fate: batch.fate, index: batch.writer.count - 1 }])
      } catch (problem) {
        fate.fail(problem as Error, 1)
        this.countRefused(topic.name, keptValue, keptKey, problem as Error)
      }
    }
    this.#turnBytes += bytes
    this.#lookUps.hold(topic, { messages: 1, bytes, go })
    return new Delivery(fate, 0, timestamp)
  }

  #checkTimestamp(timestamp: number): void {
    if (!Number.isSafeInteger(timestamp) || timestamp < 0 || timestamp >= TIMESTAMP_END) {
      throw new InvalidArgumentError(
        `timestamp must be whole milliseconds since 1970, not ${shown(timestamp)}`,
      )
    }
    this.#limits?.checkTimestamps()
  }

  #checkSize(topic: string, keyBytes: number, valueBytes: number, headerBytes: number): void {
    const dataBytes = Math.max(0, keyBytes) + Math.max(0, valueBytes) + headerBytes
    const bytes = MAX_RECORD_OVERHEAD_BYTES + dataBytes
    const { maxRequestSize } = this.settings
    if (bytes <= maxRequestSize) return
    const reason = `a message of ${bytes} bytes is over maxRequestSize, ${maxRequestSize}`
    throw new MessageTooLargeError(reason, { topic })
  }

  #isFull(times: number): boolean {
    const { maxQueuedBytes, maxQueuedMessages } = this.settings
    const unread = this.reports === undefined ? 0 : this.reports.size
    return (
      this.queuedBytes >= times * maxQueuedBytes ||
      this.queuedMessages + unread >= times * maxQueuedMessages
    )
  }

  #full(): ProducerQueueFullError {
    const { blockOnQueueFull, maxQueuedBytes, maxQueuedMessages } = this.settings
    const limit = `${blockOnQueueFull ? 'twice ' : ''}maxQueuedMessages ${maxQueuedMessages} or maxQueuedBytes ${maxQueuedBytes}`
    const unread = this.reports === undefined ? '' : ` and ${this.reports.size} reports unread`
    return new ProducerQueueFullError(
      `${this.queuedMessages} messages of ${this.queuedBytes} bytes are queued${unread}, which is ${limit}: await ready() before producing more`,
    )
  }

  #notOpen(): KafkaError {
    if (this.#state !== 'new' && this.#state !== 'starting') return new ClosedError('producer')
    return new KafkaError('NOT_STARTED', 'the producer is not started: call start() first', false)
  }

  // Turns of the event loop, and waiting.

  #beginTurn(): void {
    this.#isTurnBegun = true
    this.#turn++
    this.#now = Date.now()
    this.#sender.wake()
  }

  #endTurn(): void {
    this.#isTurnBegun = false
    this.#turnBytes = 0
    this.#turnOver?.resolve()
    this.#turnOver = undefined
  }

  #makeRoom(): void {
    if (this.#room === undefined || (this.#isFull(1) && this.#state === 'open')) return
    this.#room.resolve()
    this.#room = undefined
  }

  async #whenReady(wait: WaitOptions): Promise<void> {
    checkWait(wait)
    wait.signal?.throwIfAborted()
    while (this.#state === 'open' && !this.hasRoom) {
      const isFull = this.#isFull(1)
      // Nothing lingers while somebody waits for room.
      if (isFull) this.#sender.flush()
      const over = isFull ? (this.#room ??= deferred()) : (this.#turnOver ??= deferred())
      await within(wait, over.promise, () => this.#late('ready()', wait.timeoutMs))
    }
    if (this.#state !== 'open') throw this.#notOpen()
  }

  /** Resolves when all that is there now is settled. */
  async #drained(): Promise<void> {
    await this.#lookUps.settled()
    this.#sender.flush()
    await this.#accumulator.unsettled.settled()
  }

  async #close(wait: WaitOptions): Promise<void> {
    const { pendingTimeoutMs } = this.settings
    const timeoutMs = wait.timeoutMs ?? (pendingTimeoutMs < 0 ? undefined : pendingTimeoutMs)
    const bounded = { ...wait, ...(timeoutMs === undefined ? {} : { timeoutMs }) }
    this.#state = 'closing'
    this.#makeRoom()
    try {
      await within(bounded, this.#drained(), () => this.#late('close()', timeoutMs))
    } catch {
      // What is left is given up below, and thrown.
    }
    this.#state = 'closed'
    this.#lookUps.stop(new ClosedError('producer'))
    this.#sender.stop(`before close() ended`)
    this.#endTurn()
    this.reports?.end()
    this.failures.throwFirst()
  }

  #late(what: string, timeoutMs: number | undefined): string {
    return `${what} took longer than ${timeoutMs} ms: ${this.queuedMessages} messages are not acknowledged yet`
  }

  // What becomes of batches.

  #onSettled(batch: Batch, ending: Ending): void {
    const { count } = batch
    if ('error' in ending) this.failedMessages += count
    else this.deliveredMessages += count
    if (batch.hasGroups) this.#tellGroups(batch, ending)
    if (this.#hasReports) this.#reportBatch(batch, ending)
    if (deliveryChannel.hasSubscribers) publish(batch, ending)
    // Its bytes are still counted now.
    if (this.#room !== undefined) queueMicrotask(() => this.#makeRoom())
  }

  #tellGroups(batch: Batch, ending: Ending): void {
    const { topic, partition } = batch.queue
    const messages = 'error' in ending ? messagesOf(batch) : []
    for (const { group, start, count } of batch.runs()) {
      if (group === undefined) continue
      if ('error' in ending) group.fail(messages.slice(start, start + count), ending.error)
      else {
        const baseOffset = ending.baseOffset < 0 ? -1 : ending.baseOffset + start
        group.deliver({ topic, partition, baseOffset, count })
      }
    }
  }

  #reportBatch({ queue, messages = [] }: Batch, ending: Ending): void {
    const { topic, partition } = queue
    messages.forEach(({ key, value, timestamp }, index) => {
      if ('error' in ending) {
        const { error } = ending
        this.#report({ topic, partition, offset: -1, timestamp, key, value, error })
        return
      }
      const offset = ending.baseOffset < 0 ? -1 : ending.baseOffset + index
      const time = ending.appendTime ?? timestamp
      this.#report({ topic, partition, offset, timestamp: time, key, value, error: undefined })
    })
  }

  #report(report: DeliveryReport): void {
    const { deliveryReports } = this.settings
    if (typeof deliveryReports !== 'function') {
      this.reports?.push(report)
      return
    }
    const onFailed = (error: unknown) =>
      this.#cluster.options.logger.error(
        `the deliveryReports function failed: ${textOfThrown(error)}`,
      )
    try {
      const reported = deliveryReports(report)
      if (reported instanceof Promise) reported.catch(onFailed)
    } catch (error) {
      onFailed(error)
    }
  }
}

function publish({ queue, count, createdAt, attempts }: Batch, ending: Ending): void {
  const event: DeliveryEvent = {
    topic: queue.topic,
    partition: queue.partition,
    messages: count,
    durationMs: performance.now() - createdAt,
    attempts,
    error: 'error' in ending ? ending.error : undefined,
  }
  deliveryChannel.publish(event)
}
