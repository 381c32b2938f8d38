import type { Writable } from 'node:stream'
import type { Deadline } from '../async/deadline.ts'
import type { OpenRegister } from '../async/restarts.ts'
import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { BaseProducer, NO_OPTIONS, type ForwardingOptions } from './base-producer.ts'
import type { MessageSource, KeyOrOptions } from './intake/outgoing-message.ts'
import type { RecordMetadata } from './results/delivery-promise.ts'
import type { ProduceManyResult } from './results/message-group.ts'
import { producerSettings, warnOfOptions, type ProducerOptions } from './options.ts'
import type { Data } from './intake/serialize.ts'
import type { TopicState } from './intake/topic-state.ts'

/**
 * Sends messages to one topic, in batches. Created by `topic.getProducer()`.
 *
 * The promises of `produce` need not be awaited one by one: the next `flush` or `close` throws a failure that was not
 * handled, which never ends the process as an unhandled rejection.
 */
export class Producer<Value = Data, Key = Data> extends BaseProducer<Value, Key> {
  /** The name of the topic. */
  readonly topic: string
  readonly #operationTimeoutMs: number
  #state: TopicState

  private constructor(
    cluster: Cluster,
    topic: string,
    options: ProducerOptions<Value, Key>,
    register: OpenRegister,
  ) {
    super(cluster, producerSettings(options), register)
    warnOfOptions(options, cluster.options.logger)
    this.topic = topic
    this.#operationTimeoutMs = cluster.options.operationTimeoutMs
    this.#state = this.core.topic(topic)
  }

  /** Looks up the topic first. Throws the errors of `Cluster.topic`, and InvalidArgumentError. */
  static async open<Value, Key>(
    cluster: Cluster,
    topic: string,
    options: ProducerOptions<Value, Key>,
    deadline: Deadline,
    register: OpenRegister,
  ): Promise<Producer<Value, Key>> {
    const producer = new Producer(cluster, topic, options, register)
    if (options.autoStart !== false) await producer.#start(deadline)
    return producer
  }

  /**
   * Looks up the topic and starts the producer. Only needed after `autoStart: false`, and after `stop()`. Throws
   * UnknownTopicError, UnsupportedVersionError if the brokers are too old for an option, NoBrokersAvailableError,
   * BrokerError.
   */
  async start(call: CallOptions = {}): Promise<void> {
    return this.#start(deadlineOf(call, this.#operationTimeoutMs))
  }

  #start(deadline: Deadline): Promise<void> {
    return this.startFor(this.topic, deadline, (core) => (this.#state = core.topic(this.topic)))
  }

  /**
   * Queues a message, with options, or with pykafka's positional key and timestamp. Resolves when the message is acknowledged as `requiredAcks`
   * requires. A real promise is created only when the result is used. Rejects with InvalidArgumentError,
   * MessageTooLargeError, UnsupportedVersionError, UnknownTopicError, ProducerQueueFullError or ClosedError if the
   * message cannot be queued; with BrokerError or ProduceFailureError if it is not acknowledged within
   * `deliveryTimeoutMs`. `outcomeUnknown` of ProduceFailureError tells whether the message may still be in the log.
   */
  produce(
    value: Value,
    options: KeyOrOptions<Key> = NO_OPTIONS,
    timestamp?: number | Date,
  ): Promise<RecordMetadata> {
    return this.produceTo(this.#state, value, options, timestamp)
  }

  /**
   * Like `produce`, for a key and a value that are already serialized: the `serializer` is not called. For consumed
   * messages that are sent on unchanged.
   */
  produceSerialized(value: Data, options: KeyOrOptions = NO_OPTIONS): Promise<RecordMetadata> {
    return this.produceDataTo(this.#state, value, options)
  }

  /**
   * Queues messages as there is room, without a promise for each. Resolves with their offsets when all are
   * acknowledged. Rejects with ProduceManyError, which lists the failed messages; the others are in the log.
   */
  produceMany(
    messages: MessageSource<Value, Key>,
    options: ForwardingOptions = NO_OPTIONS,
  ): Promise<ProduceManyResult> {
    return this.produceAll(messages, () => this.#state, options)
  }

  /** Returns a stream that produces what is written to it: `pipeline(source, producer.writable())`. */
  writable(options: ForwardingOptions = NO_OPTIONS): Writable {
    return this.writableFor(() => this.#state, options)
  }
}
