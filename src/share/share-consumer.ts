import { bounded } from '../async/bounded.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Iteration } from '../async/iteration.ts'
import { Lifecycle } from '../async/lifecycle.ts'
import { TookTooLongError } from '../async/limited.ts'
import type { OpenRegister } from '../async/restarts.ts'
import { within } from '../async/waiting.ts'
import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { checkTopicName } from '../cluster/topic-name.ts'
import { converterOf } from '../consumer/consumed-message.ts'
import {
  checkConsume,
  checkRead,
  type ConsumeOptions,
  type ReadOptions,
} from '../consumer/delivery/read-options.ts'
import { ReadIterator } from '../consumer/delivery/read-iterator.ts'
import type { Reading } from '../consumer/delivery/reading.ts'
import { currentWork, doWork, FirstResult, workOf, type Work } from '../consumer/delivery/work.ts'
import { nextOf } from '../consumer/message-feed.ts'
import { PROCESSING_SHARE } from '../consumer/processing.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { ClosedError, ConsumerBusyError } from '../errors.ts'
import { textOfThrown } from '../observe/thrown.ts'
import { readOptions } from '../option-table.ts'
import { aFunction, checkValue } from '../options.ts'
import type { ShareMembership } from './membership.ts'
import {
  SHARE_CONSUMER_OPTIONS,
  SHARE_RUN_OPTIONS,
  type ShareConsumerOptions,
  type ShareRunOptions,
} from './options.ts'
import { PollTimes } from './poll-times.ts'
import { AcknowledgementResults, type AcknowledgementResult } from './acknowledgement-results.ts'
import { Renewals } from './renewals.ts'
import { ShareBatch } from './share-batch.ts'
import { ShareConsumerSource } from './share-consumer-source.ts'
import { ShareFeed } from './share-feed.ts'
import type { Demand, ShareFetcher } from './share-fetcher.ts'
import type { ShareMessage } from './share-message.ts'
import { ShareRun, type ShareMessageHandler } from './share-run.ts'

/** Most of the code of share groups: `open-share.ts` loads it with the first consumer. */
export interface ShareCode {
  readonly ShareMembership: typeof ShareMembership
  readonly ShareFetcher: typeof ShareFetcher
}

/**
 * A member of a share group (KIP-932, Kafka 4.2 or newer): a queue. Each message is acquired by one member at a time, for
 * as long as its lock lasts, and delivered again until a member accepts or rejects it. `client.getShareConsumer()`
 * creates it.
 */
export class ShareConsumer<Value = Buffer | null, Key = Buffer | null>
  implements AsyncDisposable, AsyncIterable<ShareMessage<Value, Key>>
{
  readonly #cluster: Cluster
  readonly #register: OpenRegister
  readonly #lifecycle = new Lifecycle('share consumer')
  readonly #membership: ShareMembership
  readonly #fetcher: ShareFetcher
  readonly #feed: ShareFeed<Value, Key>
  readonly #outcomes: AcknowledgementResults
  readonly #renewals: Renewals
  readonly #source: ShareConsumerSource
  readonly #maxRecords: number
  readonly #acquireMode: ShareConsumerOptions['acquireMode']
  readonly #consumerTimeoutMs: number | undefined
  readonly #group: string
  readonly #closing = new AbortController()
  #reader: string | undefined
  #consumeCalls = 0
  #run: ShareRun<Value, Key> | undefined
  #running: Promise<void> = Promise.resolve()

  /** @internal `client.getShareConsumer` creates it. Throws InvalidArgumentError. */
  constructor(
    cluster: Cluster,
    options: ShareConsumerOptions<Value, Key>,
    register: OpenRegister,
    code: ShareCode,
  ) {
    const settings = readOptions<ShareConsumerOptions<Value, Key>, typeof SHARE_CONSUMER_OPTIONS>(
      'getShareConsumer',
      options,
      SHARE_CONSUMER_OPTIONS,
    )
    const topics = [...new Set(settings.topics)].sort()
    for (const topic of topics) checkTopicName(topic)
    const { shareGroup: group, consumerTimeoutMs } = settings
    const { logger } = cluster.options
    const metrics = cluster.options.metrics.group(group)
    // The group's counters exist from now on, also if nothing is read.
    for (const topic of topics) metrics.share.topics.of(topic)
    const polls = new PollTimes(metrics.share)
    this.#cluster = cluster
    this.#register = register
    this.#group = group
    this.#maxRecords = settings.maxRecords
    this.#acquireMode = settings.acquireMode
    this.#consumerTimeoutMs = consumerTimeoutMs < 0 ? undefined : consumerTimeoutMs
    this.#outcomes = new AcknowledgementResults(logger, metrics.share)
    this.#feed = new ShareFeed<Value, Key>({
      convert: converterOf({
        deserializer: options.deserializer,
        keyDeserializer: options.keyDeserializer,
        onDeserializationError: options.onDeserializationError,
      }),
      isImplicit: settings.acknowledgementMode === 'implicit',
      onWaiting: () => {
        if (this.#feed.buffered === 0 && this.#busyForMs() === 0) polls.began()
        this.#fetcher.pump()
        this.#membership.requested()
      },
      onWaited: () => polls.ended(),
    })
    const fail = (error: Error) => this.#feed.fail(error)
    this.#membership = new code.ShareMembership(
      cluster,
      {
        group,
        topics,
        rack: settings.clientRack,
        maxPollIntervalMs: settings.maxPollIntervalMs,
        busyForMs: () => this.#busyForMs(),
      },
      {
        onLeft: (error) => {
          this.#fetcher.unassign()
          this.#feed.report(error)
        },
        onAssigned: (partitions) => this.#fetcher.assign(partitions),
        onProblem: (error) => this.#feed.report(error),
        onFailed: fail,
      },
    )
    const { memberId } = this.#membership
    this.#fetcher = new code.ShareFetcher(
      cluster,
      { ...settings, topics, group, memberId, metrics },
      this.#outcomes,
      {
        demand: () => this.#demand(),
        onRecords: (records, lockMs) => {
          this.#renewals.acquired(lockMs)
          this.#feed.add(records)
        },
        onProblem: (error) => this.#feed.report(error),
        onFailed: fail,
      },
    )
    this.#source = new ShareConsumerSource({
      group,
      counted: metrics,
      assignment: () => this.assignment,
      failure: () => this.#feed.failure,
      hasLeft: () => this.#membership.hasLeft,
      lastPollAt: () => polls.lastBeganAt,
      lastHeartbeatAt: () => this.#membership.lastHeartbeatAt,
    })
    this.#renewals = new Renewals({
      openRecords: () => this.#fetcher.openRecords,
      lastRequestedAt: () => this.#feed.lastRequestedAt,
    })
  }

  /** The share group. */
  get group(): string {
    return this.#group
  }

  /** The member id, by which the group's coordinator identifies this member. */
  get memberId(): string {
    return this.#membership.memberId
  }

  /** The partitions that the coordinator has assigned. Several members may have the same partition. */
  get assignment(): readonly TopicPartition[] {
    return this.#fetcher.assignment
  }

  /** @internal Joins the group; `client.getShareConsumer` calls it. */
  start(call: CallOptions = {}): Promise<void> {
    const deadline = this.#deadline(call)
    return this.#lifecycle.start(
      () => {
        this.#fetcher.learnTopics()
        return this.#membership.join(deadline)
      },
      () => {
        this.#cluster.options.metrics.add(this.#source)
        this.#feed.opened()
        this.#membership.start()
        this.#register.onOpened()
      },
    )
  }

  [Symbol.asyncIterator](): Iteration<ShareMessage<Value, Key>> {
    return this.messages()
  }

  /**
   * Returns the messages for `for await`. With `acknowledgementMode: 'implicit'` requesting the next message accepts
   * the previous one. If the loop ends while it processes a message, by `break` or an error, the message is released.
   */
  messages(options: ReadOptions = {}): Iteration<ShareMessage<Value, Key>> {
    return this.#iterator('an iterator', () => this.#feed.take(), options)
  }

  /** Returns the messages in batches: those of one partition that were acquired together, up to `maxRecords`. */
  batches(options: ReadOptions = {}): Iteration<ShareBatch<Value, Key>> {
    const take = () => {
      const [first, ...others] = this.#feed.takeBatch(this.#maxRecords)
      if (first === undefined) return undefined
      return new ShareBatch<Value, Key>([first.message, ...others.map(({ message }) => message)])
    }
    return this.#iterator('batches()', take, options)
  }

  /**
   * Returns the next message; undefined if none arrives in time. With `block: false` it returns only a message that has
   * already arrived. If there is none, it fetches, and a later call returns the message that arrives; the lock of that
   * message runs from its arrival on. Throws ConsumerBusyError, ClosedError.
   */
  async consume(options: ConsumeOptions = {}): Promise<ShareMessage<Value, Key> | undefined> {
    checkConsume(options)
    if (this.#reader !== undefined) throw busy(this.#reader)
    this.#consumeCalls++
    try {
      const message = this.#feed.take()
      if (message !== undefined) return message
      if (options.block === false) {
        this.#feed.ignoreTurn()
        const later = this.#feed.take()
        if (later === undefined) this.#feed.requestLater()
        return later
      }
      const { timeoutMs = this.#consumerTimeoutMs, signal } = options
      return await nextOf(this.#feed, () => this.#feed.take(), timeoutMs, signal)
    } finally {
      this.#consumeCalls--
    }
  }

  /**
   * Calls the handler for each message, up to `concurrency` at the same time and in no order: accepts the message
   * when the handler has resolved, releases it when it throws, and rejects it after `maxDeliveries`. While a handler
   * runs, the lock of its message is renewed. A handler that fails does not end the run.
   *
   * Resolves when the consumer is closed and when `stopSignal` is aborted. Throws InvalidArgumentError,
   * ConsumerBusyError, BrokerError and the reason of `signal`.
   */
  async run(
    handler: ShareMessageHandler<Value, Key>,
    options: ShareRunOptions<Value, Key> = {},
  ): Promise<void> {
    checkValue('the handler of run', handler, aFunction)
    const settings = readOptions<ShareRunOptions<Value, Key>, typeof SHARE_RUN_OPTIONS>(
      'run',
      options,
      SHARE_RUN_OPTIONS,
    )
    const reading = this.#begin('run()', 'handler')
    const { logger, metrics } = this.#cluster.options
    const ofGroup = metrics.consumer(this.#group)
    const { signal: closing } = this.#closing
    const run = new ShareRun(this.#feed, handler, settings, logger, ofGroup, closing)
    this.#run = run
    const running = reading.work(() => run.start())
    this.#running = running.catch(() => undefined)
    try {
      await running
    } finally {
      this.#run = undefined
      reading.end()
    }
  }

  /**
   * Sends the waiting acknowledgements, and resolves with the results of all acknowledgements since the last call, by
   * partition: acknowledgements that came too late, or were lost with a connection, are in `failed`. Throws
   * ClosedError, RequestTimeoutError.
   */
  async flush(call: CallOptions = {}): Promise<readonly AcknowledgementResult[]> {
    const { timeoutMs } = this.#deadline(call)
    this.#lifecycle.throwIfClosed()
    const late = () =>
      `acknowledging in share group '${this.#group}' took longer than ${timeoutMs} ms`
    await within({ ...call, timeoutMs }, this.#fetcher.flush(), late)
    return this.#outcomes.take()
  }

  /**
   * Waits, for three quarters of the time, for the handlers of `run` and for the loop that processes a message, but
   * not for the loop that calls it; releases messages that are not acknowledged, sends all acknowledgements, and
   * leaves the group. Call `flush` before it to learn the results of acknowledgements. Safe to call again.
   */
  close(call: CallOptions = {}): Promise<void> {
    const deadline = this.#deadline(call)
    const caller = currentWork(this)?.kind
    return this.#lifecycle.close(() => this.#close(deadline, caller))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(deadline: Deadline, caller: Work['kind'] | undefined): Promise<void> {
    this.#fetcher.stopFetching()
    this.#feed.fail(new ClosedError('share consumer'))
    this.#closing.abort(new ClosedError('share consumer'))
    try {
      await this.#finished(deadline, caller)
      this.#renewals.stop()
      this.#feed.giveBack()
      for (const record of this.#fetcher.openRecords) record.owner.acknowledge(record, 'release')
      await bounded(deadline.remainingMs * PROCESSING_SHARE, deadline.signal, () =>
        this.#fetcher.closeSessions(),
      ).catch((error: unknown) => this.#log(error))
    } finally {
      this.#renewals.stop()
      this.#fetcher.stop()
      await this.#membership.leave(deadline).catch((error: unknown) => this.#log(error))
      this.#cluster.options.metrics.remove(this.#source)
      this.#register.onClosed()
    }
  }

  /** Waits for the application, but not for the code that calls `close()`, and not longer than the time allows. */
  async #finished(deadline: Deadline, caller: Work['kind'] | undefined): Promise<void> {
    const finished = Promise.all([
      caller === 'handler' ? undefined : this.#running,
      caller === 'loop' ? undefined : this.#loopFinished(),
    ])
    await bounded(deadline.remainingMs * PROCESSING_SHARE, deadline.signal, () => finished).catch(
      (error: unknown) => {
        if (!(error instanceof TookTooLongError)) this.#log(error)
      },
    )
  }

  async #loopFinished(): Promise<void> {
    if (this.#reader === undefined) return
    await this.#feed.processed()
  }

  #demand(): Demand {
    const run = this.#run
    if (run !== undefined) {
      const isExact = this.#acquireMode !== 'batch_optimized'
      return { records: run.room(this.#maxRecords), isExact }
    }
    const { buffered, isWaitedFor } = this.#feed
    const isRequested = this.#feed.takeRequest()
    const isWanted = (isWaitedFor || isRequested) && buffered === 0
    const isExact = this.#acquireMode === 'record_limit'
    return { records: isWanted ? this.#maxRecords : 0, isExact }
  }

  /** How long the application has requested no message; 0 while it waits for one. */
  #busyForMs(): number {
    const isRequesting = this.#run?.isRequesting ?? this.#feed.isWaitedFor
    return isRequesting ? 0 : performance.now() - this.#feed.lastRequestedAt
  }

  #iterator<T>(name: string, take: () => T | undefined, options: ReadOptions): Iteration<T> {
    checkRead(options)
    const source = {
      take,
      settle: () => this.#feed.settle(),
      next: (signal: AbortSignal | undefined) =>
        nextOf(this.#feed, take, this.#consumerTimeoutMs, signal),
      begin: () => this.#begin(name, 'loop'),
    }
    return new ReadIterator(source, options.signal)
  }

  #begin(reader: string, kind: 'loop' | 'handler'): Reading {
    if (this.#reader !== undefined) throw busy(this.#reader)
    if (this.#consumeCalls > 0) throw busy('consume()')
    this.#reader = reader
    const work = workOf(this, kind)
    const release = () => {
      if (this.#reader === reader) this.#reader = undefined
    }
    return {
      isWorkKnown: true,
      first: (value) => new FirstResult(value, work, () => undefined),
      work: (call) => doWork(work, call),
      release,
      end: () => {
        release()
        work.isOver = true
        this.#feed.giveBack()
      },
    }
  }

  #deadline(call: CallOptions): Deadline {
    return deadlineOf(call, this.#cluster.options.operationTimeoutMs)
  }

  #log(error: unknown): void {
    this.#cluster.options.logger.warn(
      `closing a member of share group '${this.#group}' failed: ${textOfThrown(error)}`,
    )
  }
}

function busy(reader: string): ConsumerBusyError {
  return new ConsumerBusyError(
    `${reader} already reads the share consumer: end it first (a loop with break, an iterator with return())`,
  )
}
