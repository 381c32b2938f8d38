import type { CallOptions } from '../../call-options.ts'
import { deadlineOf } from '../../call-options.ts'
import { Deadline } from '../../async/deadline.ts'
import type { OpenRegister } from '../../async/restarts.ts'
import type { WaitOptions } from '../../async/waiting.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { asError } from '../../observe/thrown.ts'
import { shown } from '../../options.ts'
import { BaseProducer, NO_OPTIONS } from '../base-producer.ts'
import type { MessageOrValue } from '../intake/outgoing-message.ts'
import type { Data } from '../intake/serialize.ts'
import type { TopicState } from '../intake/topic-state.ts'
import { TopicStates } from '../intake/topic-states.ts'
import type { PolicyContext } from '../recovery/recovery-policy.ts'
import { BatchResult, DeliveryPromise, type RecordMetadata } from '../results/delivery-promise.ts'
import { UnhandledFailures } from '../results/unhandled-failures.ts'
import type { TransactionOffset } from './coordinator.ts'
import { TransactionError } from './errors.ts'
import type { TransactionManager } from './manager.ts'
import {
  transactionalSettings,
  type TransactionalProducerOptions,
  type TransactionalSettings,
} from './options.ts'
import {
  Transaction,
  type OffsetsOfGroup,
  type OffsetSource,
  type TransactionHost,
} from './transaction.ts'

/**
 * Produces in transactions, one at a time: messages to any number of topics, and the offsets of groups, become
 * visible together or not at all. `client.getTransactionalProducer()` creates it (docs/transactions.md).
 */
export class TransactionalProducer<Value = Data, Key = Data> extends BaseProducer<Value, Key> {
  /** The name of the producer at the brokers (Kafka's `transactional.id`). */
  readonly transactionalId: string
  readonly #manager: TransactionManager
  readonly #cluster: Cluster
  readonly #topics = new TopicStates((name) => this.core.topic(name))
  readonly #host: TransactionHost<Value, Key>
  /** Reports messages of transactions that have ended, if the application does not handle their errors. */
  readonly #late: UnhandledFailures
  /** The commit or abort that is running. */
  #ending: Promise<void> = Promise.resolve()

  private constructor(
    cluster: Cluster,
    { transactionalId, producer }: TransactionalSettings,
    register: OpenRegister,
    makeManager: (context: PolicyContext) => TransactionManager,
  ) {
    let manager: TransactionManager | undefined
    super(cluster, producer, register, (context) => {
      manager = makeManager(context)
      return manager
    })
    if (manager === undefined) throw new Error('the producer has no recovery policy')
    this.#manager = manager
    this.#cluster = cluster
    this.#late = new UnhandledFailures(cluster.options.logger)
    this.transactionalId = transactionalId
    const { core } = this
    manager.attach({
      flush: (deadline) => {
        if (deadline === undefined) return core.flush()
        const { remainingMs: timeoutMs, signal } = deadline
        return core.flush({
          timeoutMs: Math.ceil(timeoutMs),
          ...(signal === undefined ? {} : { signal }),
        })
      },
      discard: (error) => core.abort(error),
      forgetFailures: () => core.failures.forget(),
      get failedMessages() {
        return core.failedMessages
      },
    })
    this.#host = this.#makeHost(manager)
  }

  /**
   * Throws InvalidArgumentError, UnsupportedVersionError before Kafka 0.11, BrokerError, NoBrokersAvailableError,
   * RequestTimeoutError.
   */
  static async open<Value, Key>(
    cluster: Cluster,
    options: TransactionalProducerOptions<Value, Key>,
    deadline: Deadline,
    register: OpenRegister,
  ): Promise<TransactionalProducer<Value, Key>> {
    const settings = transactionalSettings(options)
    const { transactionalId, transactionTimeoutMs } = settings
    // A program without transactions need not load this code at its start.
    const { TransactionManager } = await import('./manager.ts')
    const producer = new TransactionalProducer<Value, Key>(
      cluster,
      settings,
      register,
      (context) => new TransactionManager(context, transactionalId, transactionTimeoutMs),
    )
    await producer.startFor(undefined, deadline)
    return producer
  }

  /**
   * Begins a transaction. Throws TransactionError if one is open, ProducerFencedError, and the error that prevents
   * the producer from getting an epoch if it needs a new one.
   */
  async begin(call: CallOptions = {}): Promise<Transaction<Value, Key>> {
    await this.#manager.begin(this.#deadline(call))
    this.#topics.beginTransaction()
    return new Transaction(this.#host)
  }

  /**
   * Begins a transaction, commits it when the function returns, and aborts it when the function throws or the commit
   * fails. Resolves with the result of the function; rejects with its error, or with the error of the commit.
   */
  async transaction<Result>(
    run: (transaction: Transaction<Value, Key>) => Promise<Result> | Result,
    call: CallOptions = {},
  ): Promise<Result> {
    if (typeof run !== 'function') {
      throw new InvalidArgumentError(`transaction: run must be a function, not ${shown(run)}`)
    }
    await using transaction = await this.begin(call)
    const result = await run(transaction)
    if (transaction.isOpen) await transaction.commit(call)
    return result
  }

  /** Always rejects: messages of a transactional producer go through a transaction, `tx.produce(…)`. */
  produce(): Promise<never> {
    const reason =
      'a transactional producer produces only in transactions: use (await producer.begin()).produce(…)'
    return Promise.reject(new TransactionError('NO_TRANSACTION', reason))
  }

  /** Aborts the open transaction, then closes. Throws the error of the abort; the producer is closed nevertheless. */
  override async close(wait: WaitOptions = {}): Promise<void> {
    const deadline = deadlineOf(wait, this.#cluster.options.operationTimeoutMs)
    await this.#ending.catch(() => undefined)
    try {
      if (this.#manager.hasTransaction) await this.#manager.abort(deadline)
    } finally {
      this.#manager.close()
      await super.close(wait)
    }
  }

  /** Does the same as `close`: a transactional producer is not started again; the client opens a new one. */
  override stop(wait: WaitOptions = {}): Promise<void> {
    return this.close(wait)
  }

  #makeHost(manager: TransactionManager): TransactionHost<Value, Key> {
    const end = (running: Promise<void>) => (this.#ending = running)
    return {
      produce: (topic, message) => this.#produce(topic, message),
      refuse: (error) => this.#refuseLate(error),
      produceMany: async (messages) => {
        manager.throwUnlessOpen()
        return this.produceAll(messages, (message) => this.#topicOfMessage(message), NO_OPTIONS)
      },
      sendOffsets: (source, call) => {
        const { offsets, group } = checkSource(source)
        return manager.sendOffsets(offsets, group, this.#deadline(call))
      },
      commit: (call) => {
        const isBounded = call.timeoutMs !== undefined || call.signal !== undefined
        const deadline = this.#deadline(call)
        const later = () => (isBounded ? deadline : this.#deadline({}))
        return end(manager.commit(isBounded ? deadline : undefined, later))
      },
      abort: (call) => end(manager.abort(this.#deadline(call))),
      notAborted: (error) =>
        this.#cluster.options.logger.warn(`aborting a transaction failed: ${String(error)}`),
    }
  }

  #produce(topic: string, message: MessageOrValue<Value, Key>): Promise<RecordMetadata> {
    let state: TopicState
    try {
      this.#manager.throwUnlessOpen()
      state = this.#topics.of(topic)
    } catch (error) {
      return this.core.refuse('', null, null, asError(error))
    }
    if (typeof message === 'string' || message === null || message instanceof Uint8Array) {
      // A value without an object is text, bytes or null, as a serializer accepts it.
      return this.produceTo(state, message as Value, NO_OPTIONS)
    }
    if (typeof message !== 'object') {
      const reason = `a message must be a string, bytes, null or an object with a value, not ${shown(message)}`
      return this.core.refuse(topic, null, null, new InvalidArgumentError(reason))
    }
    const { value, ...options } = message
    return this.produceTo(state, value, options)
  }

  /**
   * Refuses a message of a transaction that has ended. It is not counted as a message of the open transaction, which
   * could not be committed then.
   */
  #refuseLate(error: Error): Promise<RecordMetadata> {
    const result = new BatchResult(this.#late)
    result.fail(error, 1)
    return new DeliveryPromise(result, 0, 0)
  }

  #topicOfMessage(message: unknown): TopicState {
    this.#manager.throwUnlessOpen()
    return this.#topics.ofMessage(message)
  }

  #deadline(call: CallOptions): Deadline {
    return deadlineOf(call, this.#cluster.options.operationTimeoutMs)
  }
}

function checkSource(source: OffsetSource | OffsetsOfGroup): OffsetsOfGroup {
  const given: unknown = source
  if (typeof given === 'object' && given !== null) {
    if ('groupMetadata' in source && typeof source.groupMetadata === 'function') {
      return { offsets: source.positions, group: source.groupMetadata() }
    }
    if ('offsets' in source && 'group' in source) {
      for (const offset of source.offsets) checkOffset(offset)
      if (typeof source.group.groupId === 'string' && source.group.groupId !== '') return source
    }
  }
  throw new InvalidArgumentError(
    'sendOffsets: the argument must be a consumer with a group, or { offsets, group } with consumer.groupMetadata() as the group',
  )
}

function checkOffset({ topic, partition, offset }: TransactionOffset): void {
  const isRight =
    typeof topic === 'string' &&
    Number.isSafeInteger(partition) &&
    partition >= 0 &&
    Number.isSafeInteger(offset) &&
    offset >= 0
  if (isRight) return
  throw new InvalidArgumentError(
    `sendOffsets: an offset must be { topic, partition, offset }, not ${shown(topic)}-${shown(partition)} at ${shown(offset)}`,
  )
}
