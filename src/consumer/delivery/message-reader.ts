import type { Reading } from './reading.ts'
import type { Iteration } from '../../async/iteration.ts'
import type { Readable } from 'node:stream'
import type { CallOptions } from '../../call-options.ts'
import { ConsumerBusyError, InvalidArgumentError } from '../../errors.ts'
import { readOptions } from '../../option-table.ts'
import { aFunction, checkValue } from '../../options.ts'
import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { Inbox, Peeked } from '../inbox.ts'
import { nextOf } from '../message-feed.ts'
import type { Chunk, PartitionState } from '../partition-state.ts'
import type { TopicPartitionOffset } from '../topic-partition.ts'
import { ConsumerBatch } from './consumer-batch.ts'
import { Gatherer, type TakenBatch } from './gatherer.ts'
import type { BatchReporting } from './handle-batch.ts'
import { MessageStream } from './message-stream.ts'
import { handleEach } from './handle-each.ts'
import type { MessageHandler } from './handler.ts'
import { ReadIterator } from './read-iterator.ts'
import { checkConsume, checkRead, type ConsumeOptions, type ReadOptions } from './read-options.ts'
import { runByBatch, type BatchHandler } from './run-by-batch.ts'
import { RunByKey } from './run-by-key.ts'
import { runByPartition } from './run-by-partition.ts'
import {
  BATCH_RUN_OPTIONS,
  Run,
  RUN_OPTIONS,
  type BatchRunOptions,
  type RunOptions,
} from './run.ts'
import { currentWork, doWork, FirstResult, workOf, type Work } from './work.ts'

export interface MessageReaderDependencies<Value, Key> {
  readonly inbox: Inbox<Value, Key>
  /** How long to wait for a message; undefined: without limit. */
  readonly consumerTimeoutMs: number | undefined
  /** The memory of a message is reused after the next one is requested. */
  readonly reuseMemory: boolean
  /** Returns the end of a partition that consumers can see. */
  readonly endOf: (state: PartitionState) => number
  /** Moves a partition back to an offset. */
  readonly rewind: (state: PartitionState, offset: number) => void
  readonly commit: (offset: TopicPartitionOffset, call?: CallOptions) => Promise<void>
  /** Whether the reader tracks which code calls it: see work.ts. */
  readonly isWorkKnown: boolean
  readonly metrics: ConsumerMetrics
  /** Called when `run` begins. */
  readonly onRun: () => void
}

/**
 * The ways in which an application reads. Only one of them reads at a time, because each message goes to one reader.
 */
export class MessageReader<Value, Key> {
  readonly #parts: MessageReaderDependencies<Value, Key>
  readonly #inbox: Inbox<Value, Key>
  /** The current reader: `for await`, `batches()` and so on. Several callers may call consume(). */
  #reader: string | undefined
  #consumeCalls = 0
  /** The body of the loop that is processing the last message or batch. */
  #loop: Work | undefined

  constructor(parts: MessageReaderDependencies<Value, Key>) {
    this.#parts = parts
    this.#inbox = parts.inbox
  }

  async consume(options: ConsumeOptions = {}): Promise<ConsumedMessage<Value, Key> | undefined> {
    checkConsume(options)
    if (this.#reader !== undefined) throw busy(this.#reader)
    this.#consumeCalls++
    try {
      const message = this.#inbox.take()
      if (message !== undefined) return message
      if (options.block === false) {
        this.#inbox.ignoreTurn()
        return this.#inbox.take()
      }
      const { timeoutMs = this.#parts.consumerTimeoutMs, signal } = options
      return await nextOf(this.#inbox, () => this.#inbox.take(), timeoutMs, signal)
    } finally {
      this.#consumeCalls--
    }
  }

  messages(options: ReadOptions = {}): Iteration<ConsumedMessage<Value, Key>> {
    const take = () => this.#inbox.take()
    return this.#iterator('an iterator', take, options)
  }

  batches(options: ReadOptions = {}): Iteration<ConsumerBatch<Value, Key>> {
    const take = () => {
      const taken = this.#takeBatch((offset, call) => this.#parts.commit(offset, call))
      if (taken !== undefined) this.#inbox.markDelivered(taken.chunk)
      return taken?.batch
    }
    return this.#iterator('batches()', take, options)
  }

  /** Calls `work` with batches that it finishes together. */
  async gather(
    work: (batches: Gatherer<Value, Key>) => Promise<void>,
    options: ReadOptions,
  ): Promise<void> {
    const { signal } = checked(options)
    const refuse = () => {
      const reason = 'the transaction commits the offsets of its batches'
      return Promise.reject(new InvalidArgumentError(reason))
    }
    const take = () => this.#takeBatch(refuse)
    const { consumerTimeoutMs, metrics } = this.#parts
    const gatherer = new Gatherer(this.#inbox, take, consumerTimeoutMs, signal, metrics)
    const reading = this.#begin('transact()', 'handler')
    try {
      await reading.work(() => work(gatherer))
    } finally {
      gatherer.finish()
      reading.end()
    }
  }

  async run(handler: MessageHandler<Value, Key>, options: RunOptions = {}): Promise<void> {
    checkValue('the handler of run', handler, aFunction)
    const settings = readOptions('run', options, RUN_OPTIONS)
    const { orderBy } = settings
    // A message that waits behind another of its key would be overwritten.
    if (orderBy === 'key') this.#refuseReuse("run() with orderBy: 'key'")
    const reading = this.#begin('run()', 'handler')
    this.#parts.onRun()
    try {
      const run = new Run(this.#inbox, settings, this.#parts.metrics)
      await reading.work(() =>
        orderBy === 'partition'
          ? runByPartition(run, handler)
          : new RunByKey(run, handler, this.#parts.rewind).start(),
      )
    } finally {
      reading.end()
    }
  }

  async runBatches(
    handler: BatchHandler<Value, Key>,
    options: BatchRunOptions = {},
  ): Promise<void> {
    checkValue('the handler of runBatches', handler, aFunction)
    const settings = readOptions('runBatches', options, BATCH_RUN_OPTIONS)
    const reading = this.#begin('runBatches()', 'handler')
    this.#parts.onRun()
    try {
      const run = new Run(this.#inbox, settings, this.#parts.metrics)
      const { commit } = this.#parts
      await reading.work(() =>
        runByBatch(
          run,
          handler,
          (chunk, messages, reporting) => this.#batchOf(chunk, messages, commit, reporting),
          settings.traceBy === 'batch',
        ),
      )
    } finally {
      reading.end()
    }
  }

  stream(options: ReadOptions = {}): Readable {
    const { signal } = checked(options)
    // The reader of a stream may keep messages in a buffer of its own.
    this.#refuseReuse('stream()')
    const peek = () => this.#inbox.peek()
    const source = {
      peek,
      give: (peeked: Peeked<Value, Key>) => this.#inbox.give(peeked),
      arrival: async (ending: AbortSignal) =>
        (await nextOf(this.#inbox, peek, this.#parts.consumerTimeoutMs, ending)) !== undefined,
      reading: this.#begin('stream()'),
    }
    return new MessageStream(source, signal)
  }

  /**
   * The kind of application code that the caller is a part of, if that code is processing messages of this consumer.
   */
  get caller(): Work['kind'] | undefined {
    return currentWork(this)?.kind
  }

  /** True while the body of a tracked loop may be running; false after `break` and between calls of consume(). */
  get isInLoop(): boolean {
    return this.#loop !== undefined
  }

  /**
   * Calls a hook of the application. Within it the message that a loop body is processing does not count as
   * processed.
   */
  callHook<T>(hook: () => T): T {
    return this.#parts.isWorkKnown ? doWork(workOf(this, 'hook'), hook) : hook()
  }

  #iterator<T>(name: string, take: () => T | undefined, options: ReadOptions): Iteration<T> {
    const source = {
      take,
      settle: () => this.#inbox.settle(),
      next: (signal: AbortSignal | undefined) =>
        nextOf(this.#inbox, take, this.#parts.consumerTimeoutMs, signal),
      begin: () => this.#begin(name),
    }
    return new ReadIterator(source, checked(options).signal)
  }

  #takeBatch(
    commit: MessageReaderDependencies<Value, Key>['commit'],
  ): TakenBatch<Value, Key> | undefined {
    for (;;) {
      const chunk = this.#inbox.takeChunk()
      if (chunk === undefined) return undefined
      const { state } = chunk
      chunk.start = state.position
      const messages = this.#inbox.convertedRest(chunk)
      if (messages.length === 0) continue
      chunk.isWhole = true
      const reporting: BatchReporting = { isByMessage: false }
      return { batch: this.#batchOf(chunk, messages, commit, reporting), chunk, reporting }
    }
  }

  #batchOf(
    chunk: Chunk,
    messages: readonly ConsumedMessage<Value, Key>[],
    commit: MessageReaderDependencies<Value, Key>['commit'],
    reporting: BatchReporting,
  ): ConsumerBatch<Value, Key> {
    const { state } = chunk
    const { topic, partition, position: nextOffset } = state
    const highWatermark = this.#parts.endOf(state)
    return new ConsumerBatch({ topic, partition, nextOffset, highWatermark }, messages, {
      commit: (offset, call) => commit({ topic, partition, offset }, call),
      signal: () => {
        chunk.isInterruptible = true
        return state.signal
      },
      handleEach: (handler, shouldContinue) => {
        reporting.isByMessage = true
        return handleEach(state, messages, handler, shouldContinue, this.#parts.metrics)
      },
    })
  }

  #refuseReuse(way: string): void {
    if (!this.#parts.reuseMemory) return
    throw new InvalidArgumentError(`${way} keeps messages for longer than reuseMemory allows`)
  }

  #begin(reader: string, kind: 'loop' | 'handler' = 'loop'): Reading {
    if (this.#reader !== undefined) throw busy(this.#reader)
    if (this.#consumeCalls > 0) throw busy('consume()')
    this.#reader = reader
    const release = () => {
      if (this.#reader === reader) this.#reader = undefined
    }
    if (!this.#parts.isWorkKnown) {
      const first = <T>(value: T) => ({ done: false, value }) as const
      return { isWorkKnown: false, first, work: (call) => call(), release, end: release }
    }
    const work = workOf(this, kind)
    const onSeen = () => {
      if (kind === 'loop') this.#loop = work
    }
    return {
      isWorkKnown: true,
      first: (value) => new FirstResult(value, work, onSeen),
      work: (call) => {
        onSeen()
        return doWork(work, call)
      },
      release,
      end: () => {
        release()
        work.isOver = true
        if (this.#loop === work) this.#loop = undefined
      },
    }
  }
}

function checked(options: ReadOptions): ReadOptions {
  checkRead(options)
  return options
}

function busy(reader: string): ConsumerBusyError {
  return new ConsumerBusyError(
    `${reader} already reads the consumer: end it first (a loop with break, an iterator with return())`,
  )
}
