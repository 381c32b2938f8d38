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
 * Sends messages to one topic, in batches. Made by `topic.getProducer()`.
 *
 * `produce` need not be awaited message by message: a failure that is not handled is thrown by the next
 * `flush` or `close`, and never ends the process as an unhandled rejection.
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

  /** Looks the topic up first. Throws what `Cluster.topic` throws, and InvalidArgumentError. */
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
   * Looks the topic up and gets ready: only needed after `autoStart: false`, and after `stop()`. Throws UnknownTopicError,
   * UnsupportedVersionError for what the brokers are too old for, NoBrokersAvailableError, BrokerError.
   */
  async start(call: CallOptions = {}): Promise<void> {
    return this.#start(deadlineOf(call, this.#operationTimeoutMs))
  }

  #start(deadline: Deadline): Promise<void> {
    return this.startFor(this.topic, deadline, (core) => (this.#state = core.topic(this.topic)))
  }

  /**
   * Queues a message, with options or with a key alone; resolves when it is acknowledged as `requiredAcks` says. The
   * promise is made when it is looked at. It rejects with InvalidArgumentError, MessageTooLargeError, UnsupportedVersionError,
   * UnknownTopicError, ProducerQueueFullError or ClosedError where the message can't be queued; with
   * BrokerError or ProduceFailureError when it was not acknowledged by `deliveryTimeoutMs`.
   * `outcomeUnknown` of the latter tells whether it may be in the log all the same.
   */
  produce(value: Value, options: KeyOrOptions<Key> = NO_OPTIONS): Promise<RecordMetadata> {
    return this.produceTo(this.#state, value, options)
  }

  /**
   * The same for a key and a value that are what is to be sent: the `serializer` does not see them. For messages that
   * were consumed, and are sent on as they are.
   */
  produceSerialized(value: Data, options: KeyOrOptions = NO_OPTIONS): Promise<RecordMetadata> {
    return this.produceDataTo(this.#state, value, options)
  }

  /**
   * Queues messages as there is room, without a promise each: resolves when all are acknowledged, with where
   * they are. Rejects with ProduceManyError, which has those that failed; the others are in the log.
   */
  produceMany(
    messages: MessageSource<Value, Key>,
    options: ForwardingOptions = NO_OPTIONS,
  ): Promise<ProduceManyResult> {
    return this.produceAll(messages, () => this.#state, options)
  }

  /** A stream that produces what is written to it: `pipeline(source, producer.writable())`. */
  writable(options: ForwardingOptions = NO_OPTIONS): Writable {
    return this.writableFor(() => this.#state, options)
  }
}
