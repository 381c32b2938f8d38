import type {
  KeyOrOptions,
  MessageOrValue,
  MessageSource,
  OutgoingMessage,
  ProduceOptions,
} from './intake/outgoing-message.ts'
import type { Iteration } from '../async/iteration.ts'
import type { Writable } from 'node:stream'
import type { Deadline } from '../async/deadline.ts'
import { Restarts, type OpenRegister } from '../async/restarts.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { atOnce } from '../async/at-once.ts'
import { InvalidArgumentError } from '../errors.ts'
import { rememberProducer } from '../observe/dead-letter.ts'
import { asError, textOfThrown } from '../observe/thrown.ts'
import { readOptions, type OptionTable } from '../option-table.ts'
import { aBoolean } from '../options.ts'
import type { RecordMetadata } from './results/delivery-promise.ts'
import {
  GroupDeliveryPromise,
  MessageGroup,
  type ProduceManyResult,
} from './results/message-group.ts'
import { messageWritable } from './intake/message-writable.ts'
import type { ProducerSettings, Serializer } from './options.ts'
import { ProducerCore } from './producer-core.ts'
import type { MakeRecoveryPolicy } from './recovery/recovery-policy.ts'
import type { DeliveryReport } from './results/reports.ts'
import { checkProduceOptions, optionsOf } from './intake/message-fields.ts'
import { HeaderReader } from './intake/header-reader.ts'
import type { Data } from './intake/serialize.ts'
import type { TopicState } from './intake/topic-state.ts'
import { checkWait, type WaitOptions } from '../async/waiting.ts'

/** The options of a message that has none. */
export const NO_OPTIONS = {}

/** The options of `produceMany` and `writable`. */
export interface ForwardingOptions {
  /**
   * Whether a consumed message goes to the partition number that it was read from; otherwise the partition is chosen as
   * for any message. Default: false.
   */
  readonly keepPartitions?: boolean
}

/** The checks and defaults of `ForwardingOptions`. */
export const FORWARDING_OPTIONS = {
  keepPartitions: { check: aBoolean, default: false },
} as const satisfies OptionTable<ForwardingOptions>

/** Returns the topic of a message. Throws if it has none. */
export type TopicOf<Value, Key> = (message: MessageOrValue<Value, Key>) => TopicState

/** The common part of producers for one topic and for many. */
export abstract class BaseProducer<Value, Key> implements AsyncDisposable {
  /** The current core: one from each start to the next stop. */
  protected core: ProducerCore
  readonly #restarts: Restarts<ProducerCore>
  readonly #serializer: Serializer<unknown, unknown> | undefined
  readonly #register: OpenRegister
  readonly #headers = new HeaderReader()

  /** `makePolicy` replaces the recovery of a producer without transactions. */
  protected constructor(
    cluster: Cluster,
    settings: ProducerSettings,
    register: OpenRegister,
    makePolicy?: MakeRecoveryPolicy,
  ) {
    const make = () => new ProducerCore(cluster, settings, makePolicy)
    this.#restarts = new Restarts(make, register)
    this.core = this.#restarts.current
    // The compiler checks the types where `produce` is called.
    this.#serializer = settings.serializer as Serializer<unknown, unknown> | undefined
    this.#register = register
    rememberProducer(this, cluster.options.metrics)
  }

  /** The number of messages that are neither acknowledged nor failed. */
  get queuedMessages(): number {
    return this.core.queuedMessages
  }

  /** The size of these messages in bytes. */
  get queuedBytes(): number {
    return this.core.queuedBytes
  }

  /** Messages that were acknowledged since the producer was opened. */
  get deliveredMessages(): number {
    return this.core.deliveredMessages
  }

  /** The number of messages that failed since the producer was opened, including rejected ones. */
  get failedMessages(): number {
    return this.core.failedMessages
  }

  /** Whether there is room for more messages; `ready()` waits for it. */
  get hasRoom(): boolean {
    return this.core.hasRoom
  }

  /**
   * Resolves when there is room: less is queued than maxQueuedMessages and maxQueuedBytes, and the event loop gets a
   * turn after every MiB, in transactions after every 256 KiB. Rejects with ClosedError, RequestTimeoutError after
   * `timeoutMs`, and the signal's reason.
   */
  ready(wait?: WaitOptions): Promise<void> {
    return this.core.ready(wait)
  }

  /**
   * Resolves when all messages that were produced before the call are acknowledged. Throws the first failure that was
   * not handled: of messages whose promise was neither awaited nor given a `then` or `catch`. Throws
   * RequestTimeoutError after `timeoutMs`.
   */
  flush(wait?: WaitOptions): Promise<void> {
    return this.core.flush(wait)
  }

  /**
   * Sends the queued messages, then closes. Messages that are not acknowledged after `timeoutMs` (default:
   * `pendingTimeoutMs`) fail. Throws as `flush` does, including these failures. Safe to call again.
   */
  async close(wait: WaitOptions = {}): Promise<void> {
    // Before anything is closed: a call with invalid options leaves the producer open.
    checkWait(wait)
    return this.#restarts.close(this.#close(wait))
  }

  /**
   * Like `close`, but `start()` opens the producer again, with counts from 0. Until then `produce` rejects with
   * ClosedError.
   */
  async stop(wait: WaitOptions = {}): Promise<void> {
    checkWait(wait)
    return this.#restarts.stop(this.#close(wait))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Yields a report of each message, in the order in which the outcomes became known, until the producer is closed.
   * Needs `deliveryReports: true`. The application must read it: unread reports count as queued messages.
   */
  deliveryReports(): Iteration<DeliveryReport> {
    const { reports } = this.core
    if (reports !== undefined) return reports
    throw new InvalidArgumentError('the producer was opened without deliveryReports: true')
  }

  /** Opens the producer, unless `autoStart` is false. `onRestart` gets the core that replaces a stopped one. */
  protected startFor(
    topic: string | undefined,
    deadline: Deadline,
    onRestart: (core: ProducerCore) => void = () => undefined,
  ): Promise<void> {
    const again = this.#restarts.again()
    if (again === undefined) return this.core.start(topic, deadline)
    return again.then((isNew) => {
      if (isNew) {
        this.core = this.#restarts.current
        onRestart(this.core)
      }
      return this.core.start(topic, deadline)
    })
  }

  async #close(wait: WaitOptions): Promise<void> {
    try {
      await this.core.close(wait)
    } finally {
      this.#register.onClosed()
    }
  }

  protected produceTo(
    topic: TopicState,
    value: Value,
    options: KeyOrOptions<Key>,
    positionalTimestamp?: number | Date,
  ): Promise<RecordMetadata> {
    if (options !== NO_OPTIONS || this.#serializer !== undefined) {
      return this.#produceWith(topic, value, options, positionalTimestamp)
    }
    const timestamp = millisecondsOf(positionalTimestamp)
    // The core checks the type for callers without TypeScript.
    return this.core.produce(topic, value as Data, null, undefined, timestamp, undefined)
  }

  #produceWith(
    topic: TopicState,
    value: Value,
    options: KeyOrOptions<Key>,
    positionalTimestamp: number | Date | undefined,
  ): Promise<RecordMetadata> {
    try {
      const given: ProduceOptions<Key> =
        options === NO_OPTIONS ? NO_OPTIONS : checkProduceOptions(options)
      const { key = null, headers, partition } = given
      const timestamp = millisecondsOf(positionalTimestamp ?? given.timestamp)
      const fields = headers === undefined ? undefined : this.#headers.read(headers)
      if (this.#serializer === undefined) {
        // The core checks the types for callers without TypeScript.
        return this.core.produce(topic, value as Data, key as Data, fields, timestamp, partition)
      }
      const [data, keyData] = this.#serialized(value, key)
      return this.core.produce(topic, data, keyData, fields, timestamp, partition)
    } catch (error) {
      return this.core.refuse(topic.name, null, null, asError(error))
    }
  }

  /** Without the serializer. */
  protected produceDataTo(
    topic: TopicState,
    value: Data,
    options: KeyOrOptions,
  ): Promise<RecordMetadata> {
    try {
      const given: ProduceOptions =
        options === NO_OPTIONS ? NO_OPTIONS : checkProduceOptions(options)
      const { key = null, headers, partition } = given
      const timestamp = millisecondsOf(given.timestamp)
      const fields = headers === undefined ? undefined : this.#headers.read(headers)
      return this.core.produce(topic, value, key, fields, timestamp, partition)
    } catch (error) {
      return this.core.refuse(topic.name, null, null, asError(error))
    }
  }

  /** `topicOf` returns the topic of a message, or throws. */
  protected produceAll(
    messages: MessageSource<Value, Key>,
    topicOf: TopicOf<Value, Key>,
    options: ForwardingOptions,
  ): Promise<ProduceManyResult> {
    const keepPartitions = keepsPartitions('produceMany', options)
    const group = new MessageGroup(this.core.failures)
    void this.#feed(group, messages, topicOf, keepPartitions)
    return new GroupDeliveryPromise(group)
  }

  protected writableFor(topicOf: TopicOf<Value, Key>, options: ForwardingOptions): Writable {
    const keepPartitions = keepsPartitions('writable', options)
    const group = new MessageGroup(this.core.failures)
    // Each message is checked when it is queued.
    return messageWritable(this.core, group, (message) =>
      this.#takeInto(group, message as MessageOrValue<Value, Key>, topicOf, keepPartitions),
    )
  }

  async #feed(
    group: MessageGroup,
    messages: MessageSource<Value, Key>,
    topicOf: TopicOf<Value, Key>,
    keepPartitions: boolean,
  ): Promise<void> {
    const { core } = this
    try {
      if (Symbol.asyncIterator in messages) {
        for await (const message of messages) {
          if (!core.hasRoom) await core.ready()
          const waiting = this.#takeInto(group, message, topicOf, keepPartitions)
          if (waiting !== undefined) await waiting
        }
      } else {
        for (const message of messages) {
          if (!core.hasRoom) await core.ready()
          const waiting = this.#takeInto(group, message, topicOf, keepPartitions)
          if (waiting !== undefined) await waiting
        }
      }
    } catch (error) {
      // The source failed, or the producer was closed: the messages before it are queued.
      group.refuse(undefined, asError(error))
    }
    group.complete()
  }

  /** Queues a message of a group, immediately if its topic is known. A failure belongs to the group. */
  #takeInto(
    group: MessageGroup,
    message: MessageOrValue<Value, Key>,
    topicOf: TopicOf<Value, Key>,
    keepPartitions: boolean,
  ): Promise<void> | undefined {
    try {
      const topic = topicOf(message)
      if (topic.partitionCount > 0) {
        this.#queueInto(group, topic, message, keepPartitions)
        return undefined
      }
      return this.#queueWhenKnown(group, topic, message, keepPartitions)
    } catch (error) {
      this.#refuseInto(group, '', message, asError(error))
      return undefined
    }
  }

  #queueWhenKnown(
    group: MessageGroup,
    topic: TopicState,
    message: MessageOrValue<Value, Key>,
    keepPartitions: boolean,
  ): Promise<void> {
    return new Promise((resolve) => {
      this.core.whenKnown(topic, (error) => {
        if (error === undefined) this.#queueInto(group, topic, message, keepPartitions)
        else this.#refuseInto(group, topic.name, message, error)
        resolve()
      })
    })
  }

  #queueInto(
    group: MessageGroup,
    topic: TopicState,
    message: MessageOrValue<Value, Key>,
    keepPartitions: boolean,
  ): void {
    try {
      if (typeof message !== 'string' && message !== null && !(message instanceof Uint8Array)) {
        this.#queueFields(group, topic, message, keepPartitions)
      } else if (this.#serializer === undefined) {
        this.core.produceInto(group, topic, message, null, undefined, undefined, undefined)
      } else {
        const [value, key] = this.#serialized(message, null)
        this.core.produceInto(group, topic, value, key, undefined, undefined, undefined)
      }
    } catch (error) {
      this.#refuseInto(group, topic.name, message, asError(error))
    }
  }

  #queueFields(
    group: MessageGroup,
    topic: TopicState,
    message: OutgoingMessage<Value, Key>,
    keepPartitions: boolean,
  ): void {
    const { value: given } = checkMessage(message)
    const options = optionsOf(message, topic.name, keepPartitions)
    const { headers, partition } = options
    const timestamp = millisecondsOf(options.timestamp)
    const fields = headers === undefined ? undefined : this.#headers.read(headers)
    if (this.#serializer === undefined) {
      // The core checks the types for callers without TypeScript.
      const key = (options.key ?? null) as Data
      // As above.
      this.core.produceInto(group, topic, given as Data, key, fields, timestamp, partition)
      return
    }
    const [value, key] = this.#serialized(given, options.key ?? null)
    this.core.produceInto(group, topic, value, key, fields, timestamp, partition)
  }

  #refuseInto(group: MessageGroup, topic: string, message: unknown, error: Error): void {
    group.refuse(message, error)
    this.core.countRefused(topic, null, null, error)
  }

  #serialized(value: unknown, key: unknown): readonly [value: Data, key: Data] {
    // The core checks the types for callers without TypeScript.
    if (this.#serializer === undefined) return [value as Data, key as Data]
    let serialized: readonly [value: Data, key: Data]
    try {
      serialized = atOnce(this.#serializer(value, key), 'the serializer')
    } catch (error) {
      const reason = `the serializer failed: ${textOfThrown(error)}`
      throw new InvalidArgumentError(reason, { cause: error })
    }
    if (Array.isArray(serialized)) return serialized
    throw new InvalidArgumentError('the serializer must return [value, key]')
  }
}

/** Invalid Dates are NaN, which the core rejects. */
function millisecondsOf(timestamp: number | Date | undefined): number | undefined {
  return timestamp instanceof Date ? timestamp.getTime() : timestamp
}

function keepsPartitions(what: string, options: ForwardingOptions): boolean {
  return readOptions<ForwardingOptions, typeof FORWARDING_OPTIONS>(
    what,
    options,
    FORWARDING_OPTIONS,
  ).keepPartitions
}

function checkMessage<M>(message: M): M {
  if (typeof message === 'object') return message
  throw new InvalidArgumentError(
    `a message must be a string, bytes, null or an object with a value, not a ${typeof message}`,
  )
}
