import type { Writable } from 'node:stream'
import type { Deadline } from '../async/deadline.ts'
import type { OpenRegister } from '../async/restarts.ts'
import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { asError } from '../observe/thrown.ts'
import { BaseProducer, NO_OPTIONS, type ForwardingOptions } from './base-producer.ts'
import type { OutgoingMessage, KeyOrOptions } from './intake/outgoing-message.ts'
import type { RecordMetadata } from './results/delivery-promise.ts'
import type { ProduceManyResult } from './results/message-group.ts'
import { producerSettings, warnOfOptions, type ProducerOptions } from './options.ts'
import type { Data } from './intake/serialize.ts'
import type { TopicState } from './intake/topic-state.ts'
import { TopicStates } from './intake/topic-states.ts'

/** A message with its topic. */
export interface TopicMessage<Value = Data, Key = Data> extends OutgoingMessage<Value, Key> {
  /** The topic to send the message to. */
  readonly topic: string
}

/**
 * Sends messages to any number of topics, in batches. Created by `client.getProducer()`. The first message for a topic
 * waits until the topic is looked up; in all other respects it works like a topic's `Producer`.
 */
export class MultiTopicProducer<Value = Data, Key = Data> extends BaseProducer<Value, Key> {
  readonly #operationTimeoutMs: number
  #topics = new TopicStates((name) => this.core.topic(name))

  private constructor(
    cluster: Cluster,
    options: ProducerOptions<Value, Key>,
    register: OpenRegister,
  ) {
    super(cluster, producerSettings(options), register)
    warnOfOptions(options, cluster.options.logger)
    this.#operationTimeoutMs = cluster.options.operationTimeoutMs
  }

  /** Throws InvalidArgumentError, NoBrokersAvailableError, UnsupportedVersionError, BrokerError. */
  static async open<Value, Key>(
    cluster: Cluster,
    options: ProducerOptions<Value, Key>,
    deadline: Deadline,
    register: OpenRegister,
  ): Promise<MultiTopicProducer<Value, Key>> {
    const producer = new MultiTopicProducer(cluster, options, register)
    if (options.autoStart !== false) await producer.#start(deadline)
    return producer
  }

  /**
   * Starts the producer. Only needed after `autoStart: false`, and after `stop()`. Throws the same errors as opening.
   */
  async start(call: CallOptions = {}): Promise<void> {
    return this.#start(deadlineOf(call, this.#operationTimeoutMs))
  }

  #start(deadline: Deadline): Promise<void> {
    return this.startFor(undefined, deadline, () => {
      this.#topics = new TopicStates((name) => this.core.topic(name))
    })
  }

  /** Like `Producer.produce`. Rejects with UnknownTopicError if the topic does not exist. */
  produce(
    topic: string,
    value: Value,
    options: KeyOrOptions<Key> = NO_OPTIONS,
  ): Promise<RecordMetadata> {
    let state: TopicState
    try {
      state = this.#topics.of(topic)
    } catch (error) {
      return this.core.refuse('', null, null, asError(error))
    }
    return this.produceTo(state, value, options)
  }

  /** Like `Producer.produceMany`. */
  produceMany(
    messages: Iterable<TopicMessage<Value, Key>> | AsyncIterable<TopicMessage<Value, Key>>,
    options: ForwardingOptions = NO_OPTIONS,
  ): Promise<ProduceManyResult> {
    return this.produceAll(messages, (message) => this.#topics.ofMessage(message), options)
  }

  /** Returns a stream that produces the TopicMessage objects that are written to it. */
  writable(options: ForwardingOptions = NO_OPTIONS): Writable {
    return this.writableFor((message) => this.#topics.ofMessage(message), options)
  }
}
