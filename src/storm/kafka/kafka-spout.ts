import {
  DEAD_LETTER_HEADERS,
  KafkaClient,
  MaxPollIntervalError,
  type BalancedConsumer,
  type ConsumedMessage,
  type ConsumerOptions,
  type GroupOptions,
  type KafkaClientOptions,
  type Producer,
  type SimpleConsumer,
  type TopicPartition,
} from '../../index.ts'
import { stackOf } from '../component/component.ts'
import { numberOf } from '../component/log.ts'
import { stream, type Outputs } from '../component/outputs.ts'
import { Spout } from '../component/spout.ts'
import { StormError } from '../errors.ts'
import type { StormConf, TupleId } from '../multilang/messages.ts'
import { PartitionInFlight, type InFlight } from './in-flight.ts'

/** The options of a KafkaSpout. */
export interface KafkaSpoutOptions {
  /** The options of the client: `{ hosts: 'kafka:9092' }`. */
  readonly client: KafkaClientOptions
  /** The topic to read from. */
  readonly topic: string
  /** The group for which offsets are committed. */
  readonly consumerGroup: string
  /**
   * How the spout's tasks divide the partitions: as members of a Kafka group (`group`), which
   * includes partitions that are added later, or each by its position among the tasks (`task`).
   * Default: group.
   */
  readonly assignment?: 'group' | 'task'
  /** Further options of the consumer, such as `autoOffsetReset`. */
  readonly consumer?: Omit<ConsumerOptions, 'consumerGroup' | 'autoCommitEnable' | 'stopAtEnd'>
  /**
   * Options of the membership. Default: `{ assignors: ['cooperative-sticky'] }`, with which a task
   * keeps the partitions that do not move.
   */
  readonly group?: GroupOptions
  /**
   * The maximum number of messages that a task has in the topology. Default:
   * `topology.max.spout.pending`; if that is not set, 1,000.
   */
  readonly maxPending?: number
  /** The maximum number of tuples that one `nextTuple` emits. Default: 100. */
  readonly tuplesPerNext?: number
  /** How often offsets are committed. Default: 1,000. */
  readonly commitIntervalMs?: number
  /**
   * How often a message may fail and be emitted again, before it is sent to the dead letter topic.
   * Default: 3 with a `deadLetterTopic`; without one it is emitted again without limit.
   */
  readonly maxFails?: number
  /**
   * The first delay before a failed message is emitted again; it doubles each time, up to 100 times
   * the first. Default: 100.
   */
  readonly retryBackoffMs?: number
  /**
   * The topic for messages that failed too often. With `maxFails` but without this topic they are
   * dropped, with an error in the log.
   */
  readonly deadLetterTopic?: string
  /** How long `nextTuple` waits for messages if there are none. Default: 10. */
  readonly idleWaitMs?: number
  /** How often the lag is reported. Default: 30,000. */
  readonly lagIntervalMs?: number
  /**
   * The name of a metric that the workers have registered: `reportMetric` reports the lag to it.
   * Default: the lag is logged.
   */
  readonly lagMetric?: string
}

const DEFAULT_MAX_PENDING = 1_000
const LONGEST_BACKOFF = 100

const OUTPUTS = {
  default: stream<{
    key: string | null
    value: string | null
    partition: number
    offset: number
    timestamp: number
  }>('key', 'value', 'partition', 'offset', 'timestamp'),
}

/**
 * Emits the messages of a Kafka topic, each at least once. Commits follow the acks: the committed
 * offset is the lowest offset of a partition that is not acked. After a restart the spout continues
 * there. Failed messages are emitted again.
 */
export class KafkaSpout<Out extends Outputs = typeof OUTPUTS> extends Spout<Out> {
  /** One stream, with a tuple for each message. */
  static readonly outputs: Outputs = OUTPUTS
  readonly #given: KafkaSpoutOptions | ((conf: StormConf) => KafkaSpoutOptions)
  #options: KafkaSpoutOptions | undefined
  #client: KafkaClient | undefined
  #consumer: SimpleConsumer | BalancedConsumer | undefined
  #deadLetters: Producer | undefined
  #reading: Promise<void> = Promise.resolve()
  #readError: { readonly error: unknown } | undefined
  #isClosed = false
  readonly #partitions = new Map<number, PartitionInFlight>()
  /** Messages that are fetched and not emitted yet. */
  #buffer: ConsumedMessage[] = []
  #nextInBuffer = 0
  readonly #retries: {
    readonly at: number
    readonly partition: number
    readonly offset: number
  }[] = []
  /** Resolve when the buffer has a message, and when it is empty. */
  #onFilled: (() => void) | undefined
  #onEmptied: (() => void) | undefined
  #committing: Promise<void> = Promise.resolve()

  /** `options`, or a function that creates them from Storm's configuration. */
  constructor(options: KafkaSpoutOptions | ((conf: StormConf) => KafkaSpoutOptions)) {
    super()
    this.#given = options
  }

  /** Messages that are in the topology, or wait to be emitted again. */
  get pending(): number {
    let sum = 0
    for (const { size } of this.#partitions.values()) sum += size
    return sum
  }

  /**
   * The number of messages in the task's partitions that are not acked yet, as of the last fetch.
   */
  get lag(): number {
    const behind = (this.#consumer?.lag ?? []).reduce((sum, { lag }) => sum + lag, 0)
    return behind + this.#buffer.length - this.#nextInBuffer + this.pending
  }

  /**
   * Creates the values for a message, in the order of `outputs`. Override it together with
   * `outputs`.
   */
  valuesOf(message: ConsumedMessage): readonly unknown[] {
    const { key, value, partition, offset, timestamp } = message
    return [key?.toString() ?? null, value?.toString() ?? null, partition, offset, timestamp]
  }

  /**
   * Connects to Kafka, and starts reading the partitions of this task. Throws the errors of
   * `KafkaClient` and its consumers.
   */
  override async initialize(conf: StormConf): Promise<void> {
    const options = typeof this.#given === 'function' ? this.#given(conf) : this.#given
    this.#options = options
    const client = new KafkaClient(options.client)
    this.#client = client
    if (options.deadLetterTopic !== undefined) {
      this.#deadLetters = await client.topic(options.deadLetterTopic).getProducer()
    }
    const consumer = await this.#open(client, options)
    this.#consumer = consumer
    if (consumer !== undefined) this.#reading = this.#read(consumer)
    this.#every(options.commitIntervalMs ?? 1_000, () => this.#commit())
    this.#every(options.lagIntervalMs ?? 30_000, () => this.#reportLag())
  }

  /** Emits the next messages as tuples, or waits briefly if there are none. */
  override async nextTuple(): Promise<void> {
    const { tuplesPerNext = 100, idleWaitMs = 10 } = this.options
    let emitted = this.#emitRetries(tuplesPerNext)
    const room = Math.min(tuplesPerNext - emitted, this.#maxPending - this.pending)
    for (let count = 0; count < room; count++) {
      const message = this.#take()
      if (message === undefined) break
      this.#partition(message.partition).add(message)
      this.#emitMessage(message)
      emitted += 1
    }
    if (emitted > 0) return
    if (this.#readError !== undefined) throw this.#readError.error
    if (room > 0) await this.#filled(idleWaitMs)
  }

  /**
   * Marks the message as processed: its offset is committed after all earlier ones are processed.
   */
  override ack(id: TupleId): void {
    const { partition, offset } = placeOf(id)
    this.#partitions.get(partition)?.settle(offset)
  }

  /**
   * Emits the message again after a delay, or sends it to the `deadLetterTopic` if it has failed
   * more than `maxFails` times.
   */
  override async fail(id: TupleId): Promise<void> {
    const { partition, offset } = placeOf(id)
    const failed = this.#partitions.get(partition)?.get(offset)
    // The message belongs to a partition that another task owns now.
    if (failed === undefined) return
    failed.fails += 1
    const { deadLetterTopic, retryBackoffMs = 100 } = this.options
    const { maxFails = deadLetterTopic === undefined ? Infinity : 3 } = this.options
    if (failed.fails > maxFails && (await this.#giveUp(failed))) {
      this.#partitions.get(partition)?.settle(offset)
      return
    }
    const waitMs = retryBackoffMs * Math.min(2 ** (failed.fails - 1), LONGEST_BACKOFF)
    this.#retries.push({ at: this.host.clock.now() + waitMs, partition, offset })
  }

  /** Commits the processed offsets. */
  override async deactivate(): Promise<void> {
    await this.#commit()
  }

  /** Commits the processed offsets, and closes the client. */
  override async close(): Promise<void> {
    this.#isClosed = true
    this.#onEmptied?.()
    await this.#commit()
    await this.#consumer?.close()
    await this.#reading
    await this.#client?.close()
  }

  protected get options(): KafkaSpoutOptions {
    if (this.#options !== undefined) return this.#options
    throw new StormError('NOT_RUNNING', 'the spout is not initialized')
  }

  get #maxPending(): number {
    const { maxPending } = this.options
    return (
      maxPending ?? numberOf(this.stormConf, 'topology.max.spout.pending') ?? DEFAULT_MAX_PENDING
    )
  }

  async #open(
    client: KafkaClient,
    options: KafkaSpoutOptions,
  ): Promise<SimpleConsumer | BalancedConsumer | undefined> {
    const topic = client.topic(options.topic)
    const { consumerGroup } = options
    const common = { ...options.consumer, consumerGroup, autoCommitEnable: false }
    if (options.assignment !== 'task') {
      return topic.getBalancedConsumer({
        ...common,
        assignors: ['cooperative-sticky'],
        ...options.group,
        managed: true,
        onPartitionsRevoked: async (partitions) => {
          await this.#commit()
          this.#forget(partitions)
        },
        onPartitionsLost: (partitions) => this.#forget(partitions),
      })
    }
    const tasks = this.taskIds
    const own = tasks.indexOf(this.taskId ?? -1)
    const partitions = (await topic.partitions())
      .map(({ partition }) => partition)
      .filter((partition) => partition % tasks.length === own)
    return partitions.length === 0 ? undefined : topic.getSimpleConsumer({ ...common, partitions })
  }

  /** Reads ahead: the next batch is fetched when the previous one is used up. */
  async #read(consumer: SimpleConsumer | BalancedConsumer): Promise<void> {
    const isClosed = (): boolean => this.#isClosed
    while (!isClosed()) {
      try {
        await this.#readBatches(consumer)
      } catch (error) {
        if (isClosed()) return
        // A topology that is deactivated or blocked takes no messages, which is not a reason to end
        // the process.
        if (error instanceof MaxPollIntervalError) this.logger.warn(error.message)
        else {
          this.#readError = { error }
          this.#onFilled?.()
          return
        }
      }
    }
  }

  async #readBatches(consumer: SimpleConsumer | BalancedConsumer): Promise<void> {
    for await (const batch of consumer.batches()) {
      if (this.#isClosed) return
      const messages = [...batch.messages]
      this.#buffer = messages
      this.#nextInBuffer = 0
      this.#onFilled?.()
      await new Promise<void>((resolve) => {
        this.#onEmptied = resolve
        // The partition is revoked: no more of its messages are emitted.
        const drop = (): void => {
          if (this.#buffer === messages) this.#dropBuffer()
        }
        batch.signal.addEventListener('abort', drop, { once: true })
        if (batch.signal.aborted) drop()
      })
    }
  }

  #take(): ConsumedMessage | undefined {
    const message = this.#buffer[this.#nextInBuffer]
    if (message === undefined) return undefined
    this.#nextInBuffer += 1
    if (this.#nextInBuffer === this.#buffer.length) this.#dropBuffer()
    return message
  }

  #dropBuffer(): void {
    this.#buffer = []
    this.#nextInBuffer = 0
    this.#onEmptied?.()
    this.#onEmptied = undefined
  }

  /** Resolves when a message was fetched, or after this time. */
  #filled(waitMs: number): Promise<void> {
    if (this.#buffer.length > 0) return Promise.resolve()
    return new Promise((resolve) => {
      const withdraw = this.host.clock.after(waitMs, resolve)
      this.#onFilled = () => {
        withdraw()
        resolve()
      }
    })
  }

  #partition(partition: number): PartitionInFlight {
    let found = this.#partitions.get(partition)
    if (found === undefined) {
      found = new PartitionInFlight()
      this.#partitions.set(partition, found)
    }
    return found
  }

  #emitMessage(message: ConsumedMessage): void {
    const id = `${message.partition}-${message.offset}`
    // The values of a subclass must match its declared outputs: emit checks that.
    this.emit(this.valuesOf(message), { id })
  }

  /** Returns how many messages were due. */
  #emitRetries(most: number): number {
    const now = this.host.clock.now()
    let emitted = 0
    for (let index = 0; index < this.#retries.length && emitted < most;) {
      const { at, partition, offset } = this.#retries[index]!
      if (at > now) {
        index += 1
        continue
      }
      this.#retries.splice(index, 1)
      const failed = this.#partitions.get(partition)?.get(offset)
      if (failed === undefined) continue
      this.#emitMessage(failed.message)
      emitted += 1
    }
    return emitted
  }

  /** Returns whether the message is finished: otherwise it is emitted again. */
  async #giveUp({ message, fails }: InFlight): Promise<boolean> {
    const { topic, partition, offset, key, value, headers } = message
    const place = `${topic}-${partition} at ${offset}`
    if (this.#deadLetters === undefined) {
      this.logger.error(`Dropping the message ${place}: it has failed ${fails} times`)
      return true
    }
    try {
      await this.#deadLetters.produce(value, {
        key,
        headers: [
          ...headers.map((header) => [header.key, header.value] as const),
          [DEAD_LETTER_HEADERS.topic, topic],
          [DEAD_LETTER_HEADERS.partition, String(partition)],
          [DEAD_LETTER_HEADERS.offset, String(offset)],
          [DEAD_LETTER_HEADERS.attempts, String(fails)],
        ],
      })
      return true
    } catch (error) {
      this.logger.error(
        `Could not send the message ${place} to the dead-letter topic: ${stackOf(error)}`,
      )
      return false
    }
  }

  #forget(partitions: readonly TopicPartition[]): void {
    const taken = new Set(partitions.map(({ partition }) => partition))
    for (const partition of taken) this.#partitions.delete(partition)
    const [first] = this.#buffer
    if (first !== undefined && taken.has(first.partition)) this.#dropBuffer()
  }

  /** Makes one commit at a time. A failed commit is repeated with the next one. */
  #commit(): Promise<void> {
    this.#committing = this.#committing.then(() => this.#commitNow())
    return this.#committing
  }

  async #commitNow(): Promise<void> {
    const offsets = new Map<number, number>()
    for (const [partition, { toCommit }] of this.#partitions) {
      if (toCommit !== undefined) offsets.set(partition, toCommit)
    }
    if (offsets.size === 0 || this.#consumer === undefined) return
    try {
      await this.#consumer.commitOffsets(offsets)
    } catch (error) {
      this.logger.warn(`Could not commit: ${stackOf(error)}`)
      return
    }
    for (const [partition, offset] of offsets) this.#partitions.get(partition)?.wasCommitted(offset)
  }

  #reportLag(): void {
    const { lagMetric, topic } = this.options
    if (lagMetric === undefined) this.logger.info(`${this.lag} messages behind in ${topic}`)
    else this.reportMetric(lagMetric, this.lag)
  }

  #every(intervalMs: number, run: () => void | Promise<void>): void {
    this.host.clock.after(intervalMs, () => {
      if (this.#isClosed) return
      void run()
      this.#every(intervalMs, run)
    })
  }
}

function placeOf(id: TupleId): { readonly partition: number; readonly offset: number } {
  const [partition, offset] = String(id).split('-')
  return { partition: Number(partition), offset: Number(offset) }
}
