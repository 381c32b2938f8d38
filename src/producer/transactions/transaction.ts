import type { CallOptions } from '../../call-options.ts'
import type { GroupMetadata } from '../../cluster/group-metadata.ts'
import { KafkaError } from '../../errors.ts'
import type { MessageOrValue } from '../intake/outgoing-message.ts'
import type { TopicMessage } from '../multi-topic-producer.ts'
import type { RecordMetadata } from '../results/delivery-promise.ts'
import type { ProduceManyResult } from '../results/message-group.ts'
import type { Data } from '../intake/serialize.ts'
import type { TransactionOffset } from './coordinator.ts'
import { TransactionError } from './errors.ts'

/** A consumer whose offsets a transaction can commit: any consumer of samsa that has a group. */
export interface OffsetSource {
  /** The offset of the next message of each partition. */
  readonly positions: readonly TransactionOffset[]
  /** Returns the member's identity in its group, which goes with the offsets (KIP-447). */
  groupMetadata(): GroupMetadata
}

/** Offsets to commit with a transaction, and the member of the group that has read up to them. */
export interface OffsetsOfGroup {
  /** The offset of the next message to read, for each partition. */
  readonly offsets: readonly TransactionOffset[]
  /** `consumer.groupMetadata()`: with it, the brokers refuse the offsets of a member that has lost its partitions. */
  readonly group: GroupMetadata
}

/** The parts of its producer that a transaction requires. */
export interface TransactionHost<Value, Key> {
  produce(topic: string, message: MessageOrValue<Value, Key>): Promise<RecordMetadata>
  refuse(error: Error): Promise<RecordMetadata>
  produceMany(
    messages: Iterable<TopicMessage<Value, Key>> | AsyncIterable<TopicMessage<Value, Key>>,
  ): Promise<ProduceManyResult>
  sendOffsets(source: OffsetSource | OffsetsOfGroup, call: CallOptions): Promise<void>
  commit(call: CallOptions): Promise<void>
  abort(call: CallOptions): Promise<void>
  /** Called if the abort of a transaction that was left without a commit has failed. */
  notAborted(error: unknown): void
}

/**
 * A transaction. The messages that are produced through it and the offsets that are sent through it become visible to
 * `read_committed` consumers together, or not at all. `producer.begin()` creates it. Leaving the block of
 * `await using` without a commit aborts it.
 *
 * ```ts
 * await using tx = await producer.begin()
 * tx.produce('invoices', { key: 'a', value: 'paid' })
 * await tx.commit()
 * ```
 */
export class Transaction<Value = Data, Key = Data> implements AsyncDisposable {
  readonly #host: TransactionHost<Value, Key>
  #end: 'committing' | 'committed' | 'aborting' | 'aborted' | undefined

  /** `producer.begin()` calls it. */
  constructor(host: TransactionHost<Value, Key>) {
    this.#host = host
  }

  /** True if the transaction was neither committed nor aborted yet. */
  get isOpen(): boolean {
    return this.#end === undefined
  }

  /**
   * Produces a message: text, bytes or null, or an object with a value and optional key, headers, timestamp or
   * partition. The promise need not be awaited: `commit()` waits for all messages, and fails if one has failed. Await
   * `producer.ready()` now and then if you produce many messages in one turn of the event loop.
   */
  produce(topic: string, message: MessageOrValue<Value, Key>): Promise<RecordMetadata> {
    if (this.#end !== undefined) return this.#host.refuse(this.#ended('produce'))
    return this.#host.produce(topic, message)
  }

  /** Produces many messages, each with its topic, as fast as the producer accepts them. */
  produceMany(
    messages: Iterable<TopicMessage<Value, Key>> | AsyncIterable<TopicMessage<Value, Key>>,
  ): Promise<ProduceManyResult> {
    if (this.#end !== undefined) return Promise.reject(this.#ended('produce'))
    return this.#host.produceMany(messages)
  }

  /**
   * Commits the positions of a consumer, or the given offsets of a group, with the transaction. The positions are
   * those after the messages that the consumer has delivered: call it after processing these messages. Throws
   * BrokerError, after which the transaction can only be aborted; its code is ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID,
   * FENCED_INSTANCE_ID or STALE_MEMBER_EPOCH if the group has assigned the partitions to another member.
   */
  async sendOffsets(source: OffsetSource | OffsetsOfGroup, call: CallOptions = {}): Promise<void> {
    if (this.#end !== undefined) throw this.#ended('send offsets')
    await this.#host.sendOffsets(source, call)
  }

  /**
   * Sends the queued messages and commits. Throws TransactionError with TRANSACTION_FAILED if a message or offset has
   * failed: then abort. With TRANSACTION_OUTCOME_UNKNOWN the coordinator did not answer in time: you may call
   * `commit()` again; otherwise the producer resolves the outcome before its next transaction. Throws
   * ProducerFencedError.
   */
  async commit(call: CallOptions = {}): Promise<void> {
    if (this.#end !== undefined) throw this.#ended('commit')
    this.#end = 'committing'
    try {
      await this.#host.commit(call)
      this.#end = 'committed'
    } catch (error) {
      this.#end = undefined
      throw error
    }
  }

  /**
   * Discards unsent messages, and hides the others from `read_committed` consumers. Throws ProducerFencedError, and
   * TransactionError if an earlier `commit()` of unknown outcome had taken effect.
   */
  async abort(call: CallOptions = {}): Promise<void> {
    if (this.#end !== undefined) throw this.#ended('abort')
    this.#end = 'aborting'
    try {
      await this.#host.abort(call)
      this.#end = 'aborted'
    } catch (error) {
      const isOver = error instanceof KafkaError && OVER.includes(error.code)
      this.#end = isOver ? 'aborted' : undefined
      throw error
    }
  }

  /**
   * Aborts the transaction unless it has ended. Never throws: a failed abort is logged, and resolved before the next
   * begin.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#end !== undefined) return
    try {
      await this.abort()
    } catch (error) {
      this.#host.notAborted(error)
      this.#end = 'aborted'
    }
  }

  #ended(what: string): TransactionError {
    const how = { committing: 'being committed', aborting: 'being aborted' }
    const is = this.#end === 'committing' || this.#end === 'aborting' ? how[this.#end] : this.#end
    return new TransactionError(
      'TRANSACTION_ENDED',
      `cannot ${what}: the transaction is ${is}; begin another with producer.begin()`,
    )
  }
}

/** The errors after which nothing is left to abort. */
const OVER: readonly string[] = ['TRANSACTION_COMMITTED', 'PRODUCER_FENCED', 'CLOSED']
