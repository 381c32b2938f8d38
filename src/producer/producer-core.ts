/**
 * The core of a producer, for one topic or for many.
 *
 * Hot path: `produce` runs once for each message. Do not add a promise, an options object, a call of the clock (60 ns),
 * a lookup in the cluster's metadata, or an await. `npm run bench -- produce` measures it.
 */
import { MAX_RECORD_OVERHEAD_BYTES } from '../../protocol/records/batch-writer.ts'
import {
  asciiHeadersBytes,
  bytesOf,
  headerFields,
  headersBytes,
  headersOf,
  type HeaderFields,
} from '../../protocol/records/outgoing-record.ts'
import type { Deadline } from '../async/deadline.ts'
import { Lifecycle } from '../async/lifecycle.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { ClosedError, InvalidArgumentError, KafkaError, MessageTooLargeError } from '../errors.ts'
import { endProduce, produceTracing, type ProduceTrace } from '../observe/tracing.ts'
import { shown } from '../options.ts'
import { Accumulator } from './accumulator/accumulator.ts'
import type { Batch } from './accumulator/batch.ts'
import { DeliveryPromise, BatchResult } from './results/delivery-promise.ts'
import { UnhandledFailures } from './results/unhandled-failures.ts'
import { detectCapabilities, type BrokerCapabilities } from './intake/broker-capabilities.ts'
import type { MessageGroup } from './results/message-group.ts'
import type { ProducerSettings } from './options.ts'
import type { MakeRecoveryPolicy } from './recovery/recovery-policy.ts'
import { ReportQueue } from './results/reports.ts'
import { Settlement } from './results/settlement.ts'
import { ReadyQueues } from './accumulator/ready-queues.ts'
import { Capacity } from './intake/capacity.ts'
import { ProducerSource } from './producer-source.ts'
import { Sender } from './sender/sender.ts'
import { checkData, copyOf, type Data } from './intake/serialize.ts'
import { TopicLookups } from './intake/topic-lookups.ts'
import { TopicState } from './intake/topic-state.ts'
import { startProduce, traceLast } from './results/traces.ts'
import { checkWait, within, type WaitOptions } from '../async/waiting.ts'
import { asError } from '../observe/thrown.ts'

/** Timestamps from here on are not exact in a batch. The year is 144,683. */
const TIMESTAMP_END = 2 ** 52
const READY = Promise.resolve()

export class ProducerCore {
  readonly settings: ProducerSettings
  readonly failures: UnhandledFailures
  /** Reports that wait to be read, if the application reads reports. */
  readonly reports: ReportQueue | undefined
  readonly #cluster: Cluster
  readonly #lifecycle = new Lifecycle('producer')
  readonly #accumulator: Accumulator
  readonly #sender: Sender
  readonly #settlement: Settlement
  readonly #capacity: Capacity
  readonly #topics = new Map<string, TopicState>()
  readonly #lookups: TopicLookups
  readonly #source: ProducerSource
  readonly #hasReports: boolean
  #capabilities: BrokerCapabilities | undefined
  /** Milliseconds since 1970, read once a turn of the event loop. */
  #now = 0
  #turn = 0
  #isTurnBegun = false
  /** The headers that were counted last, and their size as `asciiHeadersBytes` counts it. */
  #headers: HeaderFields | undefined
  #headerBytes = 0
  /** Whether the tracing channels have subscribers, checked once a turn. */
  #isTraced = false

  constructor(cluster: Cluster, settings: ProducerSettings, makePolicy?: MakeRecoveryPolicy) {
    const { logger, metrics } = cluster.options
    this.#cluster = cluster
    this.settings = settings
    this.#hasReports = settings.deliveryReports !== false
    this.failures = new UnhandledFailures(this.#hasReports ? undefined : logger)
    if (settings.deliveryReports === true) {
      this.reports = new ReportQueue(() => this.#capacity.makeRoom())
    }
    const ready = new ReadyQueues(() => this.#endTurn())
    const accumulator = new Accumulator(settings, this.failures, ready)
    this.#accumulator = accumulator
    this.#lookups = new TopicLookups(cluster, settings.deliveryTimeoutMs)
    const { reports } = this
    this.#capacity = new Capacity(settings, accumulator, this.#lookups, reports, this.#lifecycle)
    this.#settlement = new Settlement(
      settings,
      accumulator,
      this.#capacity,
      reports,
      logger,
      metrics,
    )
    this.#sender = new Sender(cluster, settings, accumulator, this.#settlement, makePolicy)
    this.#source = new ProducerSource(settings, this.#capacity, accumulator.incomplete)
  }

  /** The number of messages that are neither acknowledged nor failed. */
  get queuedMessages(): number {
    return this.#capacity.queuedMessages
  }

  get queuedBytes(): number {
    return this.#capacity.queuedBytes
  }

  get deliveredMessages(): number {
    return this.#settlement.deliveredMessages
  }

  get failedMessages(): number {
    return this.#settlement.failedMessages
  }

  /** Whether `ready` resolves at once. */
  get hasRoom(): boolean {
    return this.#capacity.hasRoom
  }

  /**
   * Looks up the topic, if there is one, and gets a producer id if needed. Calls at the same time share one start.
   * Rejects with ClosedError if the producer is closed, or is closed meanwhile.
   */
  start(topic: string | undefined, deadline: Deadline): Promise<void> {
    return this.#lifecycle.start(
      async () => {
        const [capabilities] = await Promise.all([
          topic === undefined ? undefined : this.#lookUp(topic, deadline),
          this.#sender.policy.start(deadline),
        ])
        return capabilities
      },
      (capabilities) => {
        this.#capabilities = capabilities
        this.#cluster.options.metrics.add(this.#source)
      },
    )
  }

  async #lookUp(topic: string, deadline: Deadline): Promise<BrokerCapabilities | undefined> {
    // Connects meanwhile if the leader is known, as after a consumer of the topic.
    detectCapabilities(this.#cluster, topic, deadline).catch(() => undefined)
    await this.#cluster.topic(topic, { create: true, deadline })
    const capabilities = await detectCapabilities(this.#cluster, topic, deadline)
    capabilities?.check(this.settings)
    return capabilities
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
    headers: HeaderFields | undefined,
    timestamp: number | undefined,
    partition: number | undefined,
  ): DeliveryPromise {
    try {
      if (!this.#lifecycle.isOpen) throw this.#notOpen()
      if (!this.#isTurnBegun) this.#beginTurn()
      if (this.#isTraced) {
        return this.#produceTraced(undefined, topic, value, key, headers, timestamp, partition)
      }
      topic.refresh(this.#turn)
      if (topic.partitionCount === 0) {
        return this.#enqueueUntilKnown(undefined, topic, value, key, headers, timestamp, partition)
      }
      const batch = this.#append(undefined, topic, value, key, headers, timestamp, partition)
      return new DeliveryPromise(batch.result, batch.writer.count - 1, timestamp ?? this.#now)
    } catch (error) {
      return this.refuse(topic.name, value, key, asError(error))
    }
  }

  /** A message of a group needs no promise, and its topic is known. */
  #produceTraced(
    group: MessageGroup | undefined,
    topic: TopicState,
    value: Data,
    key: Data,
    headers: HeaderFields | undefined,
    timestamp: number | undefined,
    partition: number | undefined,
  ): DeliveryPromise {
    const trace = this.#traceOf(topic, value, key, headers, partition)
    return startProduce(trace, () => {
      const fields = headerFields(trace.headers)
      topic.refresh(this.#turn)
      if (topic.partitionCount === 0) {
        return this.#enqueueUntilKnown(trace, topic, value, key, fields, timestamp, partition)
      }
      const batch = this.#append(group, topic, value, key, fields, timestamp, partition)
      traceLast(batch, trace)
      return new DeliveryPromise(batch.result, batch.writer.count - 1, timestamp ?? this.#now)
    })
  }

  #traceOf(
    { name: topic }: TopicState,
    value: Data,
    key: Data,
    headers: HeaderFields | undefined,
    partition: number | undefined,
  ): ProduceTrace {
    const { clientId, clusterId } = this.#cluster.options.metrics
    return { clientId, clusterId, topic, partition, key, value, headers: headersOf(headers ?? []) }
  }

  /** Queues a message of a group for a topic that was looked up. Throws if the message is invalid. */
  produceInto(
    group: MessageGroup,
    topic: TopicState,
    value: Data,
    key: Data,
    headers: HeaderFields | undefined,
    timestamp: number | undefined,
    partition: number | undefined,
  ): void {
    if (!this.#lifecycle.isOpen) throw this.#notOpen()
    if (!this.#isTurnBegun) this.#beginTurn()
    topic.refresh(this.#turn)
    if (this.#isTraced) {
      this.#produceTraced(group, topic, value, key, headers, timestamp, partition)
    } else {
      this.#append(group, topic, value, key, headers, timestamp, partition)
    }
    group.add()
  }

  /** Fails a message before it is queued. */
  refuse(topic: string, value: Data, key: Data, error: Error): DeliveryPromise {
    const result = new BatchResult(this.failures)
    result.fail(error, 1)
    this.countRefused(topic, value, key, error)
    return new DeliveryPromise(result, 0, 0)
  }

  countRefused(topic: string, value: Data, key: Data, error: Error): void {
    this.#settlement.refused(topic, value, key, error)
  }

  /** Calls back when the topic is known, or with the error that prevents that. */
  whenKnown(topic: TopicState, resume: (error: Error | undefined) => void): void {
    if (!this.#lifecycle.isOpen) {
      resume(this.#notOpen())
      return
    }
    if (!this.#isTurnBegun) this.#beginTurn()
    topic.refresh(this.#turn)
    if (topic.partitionCount > 0) resume(undefined)
    else this.#lookups.enqueue(topic, { messages: 0, bytes: 0, resume })
  }

  /** Rejects with ClosedError, RequestTimeoutError, or the signal's reason. */
  ready(wait?: WaitOptions): Promise<void> {
    if (this.#lifecycle.isOpen && wait === undefined && this.hasRoom) return READY
    return this.#whenReady(wait ?? {})
  }

  async flush(wait: WaitOptions = {}): Promise<void> {
    checkWait(wait)
    const late = () => this.#capacity.late('flush()', wait.timeoutMs)
    await within(wait, this.#drained(), late)
    this.failures.throwFirst()
  }

  /** Makes all lingering batches ready to be sent. */
  flushLingering(): void {
    this.#accumulator.flush()
  }

  /**
   * Fails every message that is not in flight with this error, immediately. Batches in flight are not sent again: they
   * are delivered, or fail with this error. Resolves when no request is in flight. The producer then accepts messages
   * again.
   */
  async abort(error: Error): Promise<void> {
    this.#lookups.fail(error)
    await this.#sender.abort(error)
  }

  close(wait: WaitOptions = {}): Promise<void> {
    return this.#lifecycle.close(() => this.#close(wait))
  }

  // The steps of a message. V8 combines them into one function while they are small (920 bytes of bytecode in total), so
  // rare cases have functions of their own, here and in the classes that are called. With them inside, a message took 8 %
  // more CPU time.

  #append(
    group: MessageGroup | undefined,
    topic: TopicState,
    value: Data,
    key: Data,
    headers: HeaderFields | undefined,
    timestamp: number | undefined,
    partition: number | undefined,
  ): Batch {
    const valueBytes = value === null ? -1 : bytesOf(checkData(value, 'a value'))
    const keyBytes = key === null ? -1 : bytesOf(checkData(key, 'a key'))
    const headerBytes = headers === undefined ? 0 : this.#checkedBytes(headers)
    if (timestamp !== undefined) this.#checkTimestamp(timestamp)
    // Nulls count as -1: the sum is slightly less than the maximum size of the record.
    const sizeBytes = MAX_RECORD_OVERHEAD_BYTES + keyBytes + valueBytes + headerBytes
    // Headers that are not ASCII are up to three times as large as they were counted.
    if (sizeBytes + 2 * headerBytes >= this.settings.maxRequestSize) {
      const neededBytes = headers === undefined ? 0 : headersBytes(headers)
      this.#checkSize(topic.name, keyBytes, valueBytes, neededBytes)
    }
    this.#capacity.throwIfFull()
    const queue = topic.choose(key, sizeBytes, partition)
    const time = timestamp ?? this.#now
    const batch = this.#accumulator.append(
      queue,
      key,
      keyBytes,
      value,
      valueBytes,
      time,
      headers,
      headerBytes,
    )
    batch.join(group)
    this.#capacity.count(sizeBytes)
    if (this.#hasReports) batch.keep({ key, value, timestamp: time })
    return batch
  }

  #checkedBytes(headers: HeaderFields): number {
    if (headers.length > 0) this.#capabilities?.checkHeaders()
    if (headers !== this.#headers) {
      this.#headers = headers
      this.#headerBytes = asciiHeadersBytes(headers)
    }
    return this.#headerBytes
  }

  /** Keeps a copy of a message until its topic is known, because the caller may reuse its buffers immediately. */
  #enqueueUntilKnown(
    trace: ProduceTrace | undefined,
    topic: TopicState,
    value: Data,
    key: Data,
    headers: HeaderFields | undefined,
    givenTimestamp: number | undefined,
    partition: number | undefined,
  ): DeliveryPromise {
    const timestamp = givenTimestamp ?? this.#now
    const keyBytes = bytesOf(checkData(key, 'a key'))
    const valueBytes = bytesOf(checkData(value, 'a value'))
    const headerBytes = headers === undefined ? 0 : headersBytes(headers)
    this.#checkTimestamp(timestamp)
    this.#checkSize(topic.name, keyBytes, valueBytes, headerBytes)
    const bytes = MAX_RECORD_OVERHEAD_BYTES + keyBytes + valueBytes + headerBytes
    this.#capacity.throwIfFull()
    const result = new BatchResult(this.failures)
    const [keptValue, keptKey] = [copyOf(value), copyOf(key)]
    const kept = headers?.map(copyOf)
    const resume = (error: Error | undefined) => {
      try {
        if (error !== undefined) throw error
        topic.refresh(++this.#turn)
        const batch = this.#append(undefined, topic, keptValue, keptKey, kept, timestamp, partition)
        result.move([{ result: batch.result, index: batch.writer.count - 1 }])
        if (trace !== undefined) traceLast(batch, trace)
      } catch (problem) {
        result.fail(asError(problem), 1)
        if (trace !== undefined) {
          trace.error = problem
          endProduce(trace)
        }
        this.countRefused(topic.name, keptValue, keptKey, asError(problem))
        this.#capacity.makeRoom()
      }
    }
    this.#capacity.count(bytes)
    this.#lookups.enqueue(topic, { messages: 1, bytes, resume })
    return new DeliveryPromise(result, 0, timestamp)
  }

  #checkTimestamp(timestamp: number): void {
    if (!Number.isSafeInteger(timestamp) || timestamp < 0 || timestamp >= TIMESTAMP_END) {
      throw new InvalidArgumentError(
        `timestamp must be a valid Date or whole milliseconds since 1970, not ${shown(timestamp)}`,
      )
    }
    this.#capabilities?.checkTimestamps()
  }

  #checkSize(topic: string, keyBytes: number, valueBytes: number, headerBytes: number): void {
    const dataBytes = Math.max(0, keyBytes) + Math.max(0, valueBytes) + headerBytes
    const bytes = MAX_RECORD_OVERHEAD_BYTES + dataBytes
    const { maxRequestSize } = this.settings
    if (bytes <= maxRequestSize) return
    const reason = `a message of ${bytes} bytes is larger than maxRequestSize, ${maxRequestSize}`
    throw new MessageTooLargeError(reason, { topic })
  }

  #notOpen(): KafkaError {
    if (this.#lifecycle.isClosed) return new ClosedError('producer')
    return new KafkaError('NOT_STARTED', 'the producer is not started: call start() first', false)
  }

  // Turns of the event loop, and waits.

  #beginTurn(): void {
    this.#isTurnBegun = true
    this.#isTraced = produceTracing.hasSubscribers
    this.#turn++
    this.#now = Date.now()
    this.#accumulator.ready.wake()
  }

  #endTurn(): void {
    this.#isTurnBegun = false
    this.#capacity.endTurn()
    this.#sender.run()
  }

  async #whenReady(wait: WaitOptions): Promise<void> {
    await this.#capacity.whenRoom(wait)
    if (!this.#lifecycle.isOpen) throw this.#notOpen()
  }

  /** Resolves when all messages that are queued now are settled. */
  async #drained(): Promise<void> {
    await this.#lookups.settled()
    this.#accumulator.flush()
    await this.#accumulator.incomplete.settled()
  }

  async #close(wait: WaitOptions): Promise<void> {
    const { pendingTimeoutMs } = this.settings
    const timeoutMs = wait.timeoutMs ?? (pendingTimeoutMs < 0 ? undefined : pendingTimeoutMs)
    const bounded = { ...wait, ...(timeoutMs === undefined ? {} : { timeoutMs }) }
    this.#capacity.makeRoom()
    try {
      const late = () => this.#capacity.late('close()', timeoutMs)
      await within(bounded, this.#drained(), late)
    } catch {
      // The remaining messages fail below, and the error is thrown.
    }
    this.#lookups.stop(new ClosedError('producer'))
    this.#sender.stop(`before close() ended`)
    this.#isTurnBegun = false
    this.#capacity.endTurn()
    this.reports?.end()
    this.#cluster.options.metrics.remove(this.#source)
    this.failures.throwFirst()
  }
}
