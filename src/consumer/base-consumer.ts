import type { Iteration } from '../async/iteration.ts'
import { Restarts, type OpenRegister } from '../async/restarts.ts'
import type { Readable } from 'node:stream'
import type { CallOptions } from '../call-options.ts'
import type { GroupMetadata } from '../cluster/group-metadata.ts'
import type { AssignedConsumer } from './assigned-consumer.ts'
import type { ConsumeOptions, ReadOptions } from './delivery/message-reader.ts'
import type { ConsumerAssignment } from './consumer-assignment.ts'
import type { ConsumedMessage } from './consumed-message.ts'
import type { ConsumerBatch } from './delivery/consumer-batch.ts'
import type { MessageHandler } from './delivery/handler.ts'
import type { BatchHandler } from './delivery/run-by-batch.ts'
import type { BatchRunOptions, RunOptions } from './delivery/run.ts'

/** The methods of every kind of consumer: reading, and closing. */
export abstract class BaseConsumer<
  Value = Buffer | null,
  Key = Buffer | null,
  Assigned extends ConsumerAssignment<Value, Key> = ConsumerAssignment<Value, Key>,
>
  implements AsyncDisposable, AsyncIterable<ConsumedMessage<Value, Key>>
{
  readonly #restarts: Restarts<Assigned>

  /** `assign` makes what one session has, from one start to the next stop, and may look at the session before. */
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
   * The next message; undefined when none came in time (`timeoutMs`, or the consumer's `consumerTimeoutMs`), with
   * `block: false` when none is available, and at the end for a consumer with `stopAtEnd`.
   * Throws what ended a partition (CorruptBatchError, DeserializationError, BrokerError, …), once while others go
   * on, each time where none does; ClosedError; ConsumerBusyError while it is read otherwise.
   */
  consume(options?: ConsumeOptions): Promise<ConsumedMessage<Value, Key> | undefined> {
    return this.core.consume(options)
  }

  /** Its messages, as `for await (const message of consumer)`, with an AbortSignal to end it. */
  messages(options?: ReadOptions): Iteration<ConsumedMessage<Value, Key>> {
    return this.core.messages(options)
  }

  /** `break` loses no message that was not given out. */
  [Symbol.asyncIterator](): Iteration<ConsumedMessage<Value, Key>> {
    return this.core.messages()
  }

  /** Its messages as they were fetched: several of one partition at a time. The fastest way to read. */
  batches(options?: ReadOptions): Iteration<ConsumerBatch<Value, Key>> {
    return this.core.batches(options)
  }

  /**
   * Calls the handler for each message: in order within a partition, for several partitions at the same time
   * where `concurrency` allows. Resolves at the end of a consumer with `stopAtEnd`, when the consumer is closed, and
   * when `stopSignal` is aborted. Throws what the handler throws: the message that it was called for is then the next
   * of its partition, and not committed.
   */
  run(handler: MessageHandler<Value, Key>, options?: RunOptions): Promise<void> {
    return this.core.run(handler, options)
  }

  /**
   * The same for whole batches, as `batches()` has them: in order within a partition, for several partitions at the same
   * time where `concurrency` allows. Throws what the handler throws: the batch that it was called for is then the next of
   * its partition, and not committed, unless the handler committed or sought itself.
   */
  runBatches(handler: BatchHandler<Value, Key>, options?: BatchRunOptions): Promise<void> {
    return this.core.runBatches(handler, options)
  }

  /** Its messages as a Readable, which reads nothing ahead. Destroying it ends the reading, not the consumer. */
  stream(options?: ReadOptions): Readable {
    return this.core.stream(options)
  }

  /**
   * Delivers nothing more, waits for what the application is processing, commits with `autoCommitEnable`, and stops
   * fetching. It does not wait for the loop or handler that calls it. Later calls throw ClosedError, `start()` too.
   * Throws OffsetCommitError, closed all the same. Safe to call again.
   */
  close(call?: CallOptions): Promise<void> {
    return this.#restarts.close(this.assigned.close(call))
  }

  /**
   * What identifies this consumer to the coordinator of its group (Java's `groupMetadata()`), for transactions that commit
   * its offsets. A member has it from its first assignment on, and a new one after each rebalance: ask for it each time.
   * Throws InvalidArgumentError without a `consumerGroup`.
   */
  groupMetadata(): GroupMetadata {
    return this.assigned.groupMetadata()
  }

  /**
   * As `close`, but `start()` opens the consumer again. It then begins at the offsets that its group has committed;
   * without a group, at its positions. Until then other calls throw ClosedError.
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
