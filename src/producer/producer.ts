import { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import { deferred, type Deferred } from '../async/deferred.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import {
  ClosedError,
  InvalidArgumentError,
  MessageTooLargeError,
  ProducerQueueFullError,
} from '../errors.ts'
import { Accumulator } from './accumulator.ts'
import type { RecordMetadata } from './batch.ts'
import { producerSettings, type ProducerOptions, type ProducerSettings } from './options.ts'
import { Sender } from './sender.ts'
import { checkData, headersFrom, type Data, type HeadersInit } from './serialize.ts'

export interface ProduceOptions {
  /** Messages with the same key go to the same partition. Default: null, no key. */
  readonly key?: Data
  /** Needs Kafka 0.11 or newer. */
  readonly headers?: HeadersInit
  /** Milliseconds since 1970. Default: now. Brokers before 0.10 don't keep it. */
  readonly timestamp?: number
  /** By hand, past the partitioner. */
  readonly partition?: number
}

/**
 * Sends messages to one topic, in batches. Made by `topic.getProducer()`.
 *
 * `produce` need not be awaited message by message: a failure that nobody awaited is thrown by the next
 * `flush` or `close`, and never ends the process as an unhandled rejection.
 */
export class Producer implements AsyncDisposable {
  readonly topic: string
  readonly #cluster: Cluster
  readonly #settings: ProducerSettings
  readonly #accumulator: Accumulator
  readonly #sender: Sender
  readonly #onClosed: () => void
  #firstFailure: Error | undefined
  #failures = 0
  #isClosed = false
  /** Whoever waits for room, and for everything to be settled. */
  #room: Deferred<void> | undefined
  #drained: Deferred<void> | undefined

  private constructor(
    cluster: Cluster,
    topic: string,
    settings: ProducerSettings,
    onClosed: () => void,
  ) {
    this.#onClosed = onClosed
    this.topic = topic
    this.#cluster = cluster
    this.#settings = settings
    this.#accumulator = new Accumulator(settings.maxRequestSize)
    this.#sender = new Sender(cluster, this.#accumulator, settings, (batch, error) => {
      this.#accumulator.release(batch)
      if (error !== undefined) {
        this.#firstFailure ??= error
        this.#failures += batch.records.length
      }
      this.#settled()
    })
  }

  /** Looks the topic up first. Throws what `Cluster.topic` throws, and InvalidArgumentError. */
  static async open(
    cluster: Cluster,
    topic: string,
    options: ProducerOptions,
    deadline: Deadline,
    onClosed: () => void,
  ): Promise<Producer> {
    const producer = new Producer(cluster, topic, producerSettings(options), onClosed)
    await cluster.topic(topic, { create: true, deadline })
    return producer
  }

  /** Messages that were produced and not yet acknowledged or failed. */
  get queuedMessages(): number {
    return this.#accumulator.queuedRecords
  }

  /** Messages that could not be delivered since the producer was opened. */
  get failedMessages(): number {
    return this.#failures
  }

  /**
   * Queues a message; resolves when it is acknowledged as `requiredAcks` says.
   * Rejects with InvalidArgumentError, MessageTooLargeError, ProducerQueueFullError, ClosedError at once, and with
   * BrokerError or ProduceFailureError when it could not be delivered by `deliveryTimeoutMs`.
   */
  produce(value: Data, options: ProduceOptions = {}): Promise<RecordMetadata> {
    const settler = deferred<RecordMetadata>()
    // Failures are kept for flush(): see the class.
    settler.promise.catch(() => undefined)
    try {
      this.#queue(value, options, settler)
    } catch (error) {
      this.#firstFailure ??= error as Error
      this.#failures++
      settler.reject(error)
    }
    return settler.promise
  }

  /** Resolves when there is room: at once, or when enough of what is queued has been acknowledged. */
  async ready(): Promise<void> {
    while (!this.#isClosed && this.#accumulator.queuedBytes >= this.#settings.maxQueuedBytes) {
      this.#room ??= deferred()
      await this.#room.promise
    }
    if (this.#isClosed) throw new ClosedError('producer')
  }

  /**
   * Resolves when all that was produced has been acknowledged. Throws the first failure since the last
   * flush, of messages that were awaited too.
   */
  async flush(): Promise<void> {
    if (this.#accumulator.queuedRecords > 0) {
      this.#sender.isFlushing = true
      this.#sender.wake()
      this.#drained ??= deferred()
      await this.#drained.promise
    }
    const failure = this.#firstFailure
    this.#firstFailure = undefined
    if (failure !== undefined) throw failure
  }

  /** Sends what is queued, then closes. Throws as `flush` does. Safe to call again. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    try {
      await this.flush()
    } finally {
      this.#isClosed = true
      this.#sender.stop(new ClosedError('producer'))
      this.#room?.resolve()
      this.#onClosed()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #queue(value: Data, options: ProduceOptions, settler: Deferred<RecordMetadata>): void {
    if (this.#isClosed) throw new ClosedError('producer')
    const { key = null, headers, timestamp = Date.now() } = options
    if (!Number.isSafeInteger(timestamp)) {
      throw new InvalidArgumentError(`timestamp must be whole milliseconds, not ${timestamp}`)
    }
    const record = new OutgoingRecord(
      checkData(key, 'a key'),
      checkData(value, 'a value'),
      timestamp,
      headers === undefined ? undefined : headersFrom(headers),
    )
    const partition = this.#partitionOf(record.key, options.partition)
    if (record.sizeBytes > this.#settings.maxRequestSize) {
      const reason = `a message of ${record.sizeBytes} bytes is over maxRequestSize, ${this.#settings.maxRequestSize}`
      throw new MessageTooLargeError(reason, { topic: this.topic, partition })
    }
    const queued = this.#accumulator.queuedBytes
    if (queued >= 2 * this.#settings.maxQueuedBytes) {
      throw new ProducerQueueFullError(
        `${queued} bytes are queued, twice maxQueuedBytes: await ready() before producing more`,
      )
    }
    this.#accumulator.append(this.topic, partition, record, settler)
    this.#sender.wake()
  }

  #partitionOf(key: OutgoingRecord['key'], given: number | undefined): number {
    const partitions = this.#cluster.known(this.topic)?.partitions ?? []
    const partition = given ?? this.#settings.partitioner(key, partitions.length)
    if (Number.isInteger(partition) && partition >= 0 && partition < partitions.length) {
      return partition
    }
    const chosen = given === undefined ? 'the partitioner chose' : 'there is no'
    throw new InvalidArgumentError(
      `topic '${this.topic}' has the partitions 0 to ${partitions.length - 1}, ${chosen} ${partition}`,
      { topic: this.topic },
    )
  }

  #settled(): void {
    if (this.#accumulator.queuedBytes < this.#settings.maxQueuedBytes) {
      this.#room?.resolve()
      this.#room = undefined
    }
    if (this.#accumulator.queuedRecords === 0) {
      this.#sender.isFlushing = false
      this.#drained?.resolve()
      this.#drained = undefined
    }
  }
}
