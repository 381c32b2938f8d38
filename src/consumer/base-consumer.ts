import type { Iteration } from '../async/iteration.ts'
import { Restarts, type OpenRegister } from '../async/restarts.ts'
import type { Readable } from 'node:stream'
import type { CallOptions } from '../call-options.ts'
import type { GroupMetadata } from '../cluster/group-metadata.ts'
import type { AssignedConsumer } from './assigned-consumer.ts'
import type { ConsumeOptions, ReadOptions } from './delivery/read-options.ts'
import type { ConsumerAssignment } from './consumer-assignment.ts'
import type { ConsumedMessage } from './consumed-message.ts'
import type { ConsumerBatch } from './delivery/consumer-batch.ts'
import type { MessageHandler } from './delivery/handler.ts'
import type { BatchHandler } from './delivery/run-by-batch.ts'
import type { BatchRunOptions, RunOptions } from './delivery/run.ts'

/** The methods of every consumer: reading and closing. */
export abstract class BaseConsumer<
  Value = Buffer | null,
  Key = Buffer | null,
  Assigned extends ConsumerAssignment<Value, Key> = ConsumerAssignment<Value, Key>,
>
  implements AsyncDisposable, AsyncIterable<ConsumedMessage<Value, Key>>
{
  readonly #restarts: Restarts<Assigned>

  /**
   * `assign` creates the assignment of one session, from a start to the next stop. It gets the previous session's
   * assignment.
   */
  protected constructor(
    assign: (before: Assigned | undefined) => Assigned,
    register: OpenRegister,
  ) {
    this.#restarts = new Restarts(assign, register)
  }

  protected get assigned(): Assigned {
    return this.#restarts.current
  }

  protected get core(): AssignedConsumer<Value, Key> {
    return this.#restarts.current.core
  }

  /**
   * Returns the next message. Returns undefined when none arrives in time (`timeoutMs`, or the consumer's
   * `consumerTimeoutMs`), with `block: false` when none is available, and at the end for a consumer with `stopAtEnd`.
   * Throws the error that ended a partition (CorruptBatchError, DeserializationError, BrokerError, …): once while
   * others continue, each time if none does. Also throws ClosedError, and ConsumerBusyError while another reader is
   * active.
   */
  consume(options?: ConsumeOptions): Promise<ConsumedMessage<Value, Key> | undefined> {
    return this.core.reader.consume(options)
  }

  /** Returns the messages like `for await (const message of consumer)`, with an AbortSignal to end it. */
  messages(options?: ReadOptions): Iteration<ConsumedMessage<Value, Key>> {
    return this.core.reader.messages(options)
  }

  /** `break` loses no message that was not delivered. */
  [Symbol.asyncIterator](): Iteration<ConsumedMessage<Value, Key>> {
    return this.core.reader.messages()
  }

  /** Returns the messages in batches as they were fetched, each of one partition. The fastest way to read. */
  batches(options?: ReadOptions): Iteration<ConsumerBatch<Value, Key>> {
    return this.core.reader.batches(options)
  }

  /**
   * Calls the handler for each message: in order within a partition, and for several partitions at the same time if
   * `concurrency` allows it. Resolves at the end of a consumer with `stopAtEnd`, when the consumer is closed, and
   * when `stopSignal` is aborted. Throws what the handler throws: the failed message is then the next one of its
   * partition, and not committed.
   */
  run(handler: MessageHandler<Value, Key>, options?: RunOptions): Promise<void> {
    return this.core.reader.run(handler, options)
  }

  /**
   * Like `run`, but for whole batches, as `batches()` returns them: in order within a partition, and for several
   * partitions at the same time if `concurrency` allows it. Throws what the handler throws: the failed batch is then
   * the next one of its partition, and not committed, unless the handler called `commit` or `seek` itself.
   */
  runBatches(handler: BatchHandler<Value, Key>, options?: BatchRunOptions): Promise<void> {
    return this.core.reader.runBatches(handler, options)
  }

  /**
   * Returns the messages as a Readable, which reads nothing ahead. Destroying it ends the reading, not the consumer.
   */
  stream(options?: ReadOptions): Readable {
    return this.core.reader.stream(options)
  }

  /**
   * Stops delivering, waits for what the application is processing, commits with `autoCommitEnable`, and stops
   * fetching. It does not wait for the loop or handler that calls it. Later calls throw ClosedError, including
   * `start()`. Throws OffsetCommitError; the consumer is closed nevertheless. Safe to call again.
   */
  close(call?: CallOptions): Promise<void> {
    return this.#restarts.close(this.assigned.close(call))
  }

  /**
   * Returns the identity of this consumer for the coordinator of its group (Java's `groupMetadata()`), for
   * transactions that commit its offsets. A member has it from its first assignment on, and a new one after each
   * rebalance: call it again for each transaction. Throws InvalidArgumentError without a `consumerGroup`.
   */
  groupMetadata(): GroupMetadata {
    return this.assigned.groupMetadata()
  }

  /**
   * Closes the consumer like `close`, but `start()` opens it again. It then starts at the committed offsets of its
   * group; without a group, at its positions. Until then other calls throw ClosedError.
   */
  stop(call?: CallOptions): Promise<void> {
    return this.#restarts.stop(this.assigned.close(call))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  protected startSession(call: CallOptions): Promise<void> {
    const again = this.#restarts.again()
    return again === undefined
      ? this.assigned.start(call)
      : again.then(() => this.assigned.start(call))
  }
}
