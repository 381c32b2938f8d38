/**
 * The transactions of one producer: its producer id and epoch, the partitions and groups of the open transaction, and
 * the consequences of errors. `states.ts` defines which event may happen when, `reactions.ts` what an error means.
 */
import { Deadline } from '../../async/deadline.ts'
import type { GroupMetadata } from '../../cluster/group-metadata.ts'
import { ClosedError, KafkaError } from '../../errors.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'
import type { ProducerIdentity } from '../recovery/producer-id.ts'
import type { NumberRecovery, PolicyContext, RecoveryPolicy } from '../recovery/recovery-policy.ts'
import { AddedPartitions } from './added-partitions.ts'
import { TransactionCoordinator, type TransactionOffset } from './coordinator.ts'
import { ProducerFencedError, TransactionError } from './errors.ts'
import { MarkerWait } from './marker-wait.ts'
import { transactionReactionTo, type TransactionRequest } from './reactions.ts'
import { next, type Generation, type TransactionEvent, type TransactionState } from './states.ts'

/** The parts of the producer that its manager requires. */
export interface Outbox {
  /** Resolves when all produced messages are acknowledged or have failed. */
  flush(deadline: Deadline | undefined): Promise<void>
  /** Fails everything that is not in flight with the error. Resolves when nothing is in flight any more. */
  discard(error: Error): Promise<void>
  /** Makes the next flush not throw unhandled failures of messages. */
  forgetFailures(): void
  /** The number of messages that have failed since the producer was opened, including refused ones. */
  readonly failedMessages: number
}

/** The first version of Produce that adds partitions to a transaction. */
const PRODUCE_1 = 11

/**
 * How long a producer waits, after the end of a transaction, until its markers are written. In generation 2 the broker
 * holds back the first Produce of the next one until they are written, and looks only every 20 ms
 * (add.partitions.to.txn.retry.backoff.ms). Measured, one broker, transactions of 100 messages that follow each other
 * at once: 18 to 46 % of them waited for this, and took 6 to 14 ms on average; with `MarkerWait` none waited, and they
 * took 1.0 to 1.6 ms.
 */
const MARKERS_MS = 20

/** The states that an abort ends. */
const OPEN: readonly TransactionState[] = ['in transaction', 'abortable', 'unknown outcome']

export class TransactionManager implements RecoveryPolicy {
  readonly transactionalId: string
  readonly #timeoutMs: number
  readonly #context: PolicyContext
  readonly #coordinator: TransactionCoordinator
  readonly #added: AddedPartitions
  readonly #markers: MarkerWait
  #attached: Outbox | undefined
  #state: TransactionState = 'uninitialized'
  #generation: Generation = 1
  #identity: ProducerIdentity | undefined
  /** The reason why the state is `abortable` or `fatal`. */
  #error: Error | undefined
  #isBusy = false
  /** The groups whose offsets were added, in generation 1. */
  readonly #groups = new Set<string>()
  /** A part of the open transaction was sent to the coordinator or, in generation 2, to any broker. */
  #isOpen = false
  /** EndTxn was sent to commit, and may have taken effect. */
  #mayBeCommitted = false
  /** An EndTxn of this transaction was sent and not answered. */
  #isUnanswered = false
  #failedBefore = 0
  /** When the last transaction with messages or offsets ended, by the clock of `performance.now()`. */
  #endedAt = -Infinity
  /** The requests of the open transaction. */
  readonly #pending = new Set<Promise<unknown>>()
  #discarding: Promise<void> | undefined

  constructor(context: PolicyContext, transactionalId: string, timeoutMs: number) {
    this.#context = context
    this.transactionalId = transactionalId
    this.#timeoutMs = timeoutMs
    this.#coordinator = new TransactionCoordinator(context.cluster, transactionalId)
    this.#added = new AddedPartitions(
      (queues) => this.#track(this.#addPartitions(queues)),
      (queue) => context.resume(queue),
    )
    this.#markers = new MarkerWait((queue) => context.resume(queue))
  }

  /** Called once, before any other method. */
  attach(outbox: Outbox): void {
    this.#attached = outbox
  }

  /** The outbox, which `attach` has set. */
  get #outbox(): Outbox {
    return this.#attached!
  }

  /** The identity, which is known before a transaction can begin. */
  get #initialized(): ProducerIdentity {
    return this.#identity!
  }

  get hasTransaction(): boolean {
    return OPEN.includes(this.#state)
  }

  get maxProduceVersion(): number {
    return this.#generation === 1 ? PRODUCE_1 : Infinity
  }

  /** Throws the reason if no message can be produced. */
  throwUnlessOpen(): void {
    if (this.#state !== 'in transaction') throw this.#refusal('produce')
  }

  /** Throws ProducerFencedError, BrokerError, UnsupportedVersionError, RequestTimeoutError. */
  async start(deadline: Deadline): Promise<void> {
    this.#generation = await this.#coordinator.generation(deadline)
    await this.#initialize(deadline)
  }

  /**
   * Throws TransactionError if a transaction is open, and the errors of `start` if it needs a producer id or epoch.
   */
  async begin(deadline: Deadline): Promise<void> {
    if (this.#isBusy) throw this.#refusal('begin')
    this.#isBusy = true
    try {
      // Aborts what the last end left open: otherwise the next commit would make it visible.
      if (this.#state === 'unknown outcome') await this.#abort(deadline)
      if (this.#state === 'uninitialized') await this.#initialize(deadline)
      if (this.#state !== 'ready') throw this.#refusal('begin')
      this.#generation = await this.#coordinator.generation(deadline)
      this.#move('begin')
      await this.#awaitMarkers()
      this.#failedBefore = this.#outbox.failedMessages
    } finally {
      this.#isBusy = false
    }
  }

  /** Throws TransactionError, ProducerFencedError, and the error that ends the producer. */
  async commit(flushDeadline: Deadline | undefined, endDeadline: () => Deadline): Promise<void> {
    const isRepeated = this.#state === 'unknown outcome' && this.#mayBeCommitted
    if (this.#state !== 'in transaction' && !isRepeated) throw this.#refusal('commit')
    this.#move('commit')
    if (!isRepeated) {
      await this.#flushed(flushDeadline)
      this.#throwIfFailed()
      if (!this.#isOpen) {
        this.#ended('ended')
        return
      }
    }
    this.#mayBeCommitted = true
    await this.#end('commit', endDeadline())
  }

  /**
   * Throws ProducerFencedError and the error that ends the producer; TransactionError if the transaction was
   * committed before.
   */
  async abort(deadline: Deadline): Promise<void> {
    if (!OPEN.includes(this.#state)) throw this.#refusal('abort')
    const wasCommitted = await this.#abort(deadline)
    if (wasCommitted) {
      const reason = 'the transaction was committed before the coordinator received the abort'
      throw new TransactionError('TRANSACTION_COMMITTED', reason)
    }
  }

  /** Adds offsets of a group to the transaction, which commits them. */
  async sendOffsets(
    offsets: readonly TransactionOffset[],
    group: GroupMetadata,
    deadline: Deadline,
  ): Promise<void> {
    if (this.#state !== 'in transaction') throw this.#refusal('send offsets')
    if (offsets.length === 0) return
    await this.#track(this.#sendOffsets(offsets, group, deadline))
  }

  /** No request is made after this. */
  close(): void {
    if (this.#state !== 'closed') this.#move('close')
  }

  // The recovery policy of the producer

  maySend(queue: PartitionQueue<Batch>): boolean {
    if (!this.#isUnderWay) return false
    if (this.#generation === 1 && !this.#added.has(queue)) return false
    if (this.#markers.holds(queue)) return false
    this.#isOpen = true
    if (queue.identity !== this.#identity) queue.startWith(this.#initialized)
    return true
  }

  /**
   * Within a transaction batches get no new numbers: the batches before the gap would stay in the transaction, those
   * in the gap would be missing, and a commit would make the rest visible (librdkafka#3575).
   */
  onNumberRefused(queue: PartitionQueue<Batch>, batch: Batch): NumberRecovery {
    return queue.isBehindAnother(batch) ? 'retry' : 'fail'
  }

  onFailed(_batch: Batch, error: Error): void {
    this.#failed('Produce', error)
  }

  /** Whether a transaction has begun and its end is not sent. */
  get #isUnderWay(): boolean {
    return this.#state === 'in transaction' || this.#state === 'committing'
  }

  // The steps

  /** While the application produces the first messages. */
  async #awaitMarkers(): Promise<void> {
    const leftMs = this.#endedAt + MARKERS_MS - performance.now()
    if (this.#generation === 1 || leftMs <= 0) return
    const deadline = new Deadline(this.#context.cluster.options.operationTimeoutMs)
    this.#markers.begin(this.#coordinator.markersWritten(leftMs, deadline))
    // The request is written before the application continues.
    await new Promise<void>((resolve) => process.nextTick(resolve))
  }

  async #initialize(deadline: Deadline): Promise<void> {
    this.#move('initialize')
    try {
      const identity = await this.#coordinator.init(this.#timeoutMs, this.#identity, deadline)
      this.#identity = { ...identity, transactional: true }
      this.#move('initialized')
    } catch (error) {
      throw this.#failed('InitProducerId', error)
    }
  }

  async #addPartitions(queues: readonly PartitionQueue<Batch>[]): Promise<boolean> {
    this.#isOpen = true
    try {
      const { operationTimeoutMs } = this.#context.cluster.options
      const deadline = new Deadline(operationTimeoutMs)
      await this.#coordinator.addPartitions(this.#initialized, queues, deadline)
      return true
    } catch (error) {
      this.#failed('AddPartitionsToTxn', error)
      return false
    }
  }

  async #sendOffsets(
    offsets: readonly TransactionOffset[],
    group: GroupMetadata,
    deadline: Deadline,
  ): Promise<void> {
    await this.#markers.over
    if (!this.#isUnderWay) {
      throw this.#error ?? this.#refusal('send offsets')
    }
    let request: TransactionRequest = 'AddOffsetsToTxn'
    this.#isOpen = true
    try {
      const identity = this.#initialized
      if (this.#generation === 1 && !this.#groups.has(group.groupId)) {
        await this.#coordinator.addOffsets(identity, group.groupId, deadline)
        this.#groups.add(group.groupId)
      }
      request = 'TxnOffsetCommit'
      const generation = this.#generation
      await this.#coordinator.commitOffsets(identity, group, offsets, generation, deadline)
    } catch (error) {
      throw this.#failed(request, error)
    }
  }

  /** Waits for all messages and requests of the transaction. */
  async #flushed(deadline: Deadline | undefined): Promise<void> {
    await Promise.allSettled(this.#pending)
    try {
      await this.#outbox.flush(deadline)
    } catch (error) {
      this.#failed('Produce', error)
    }
    await Promise.allSettled(this.#pending)
  }

  #throwIfFailed(): void {
    if (this.#state === 'committing' && this.#outbox.failedMessages > this.#failedBefore) {
      const reason = 'a message of the transaction was rejected, or its delivery failed'
      this.#failed('Produce', new TransactionError('TRANSACTION_FAILED', reason))
    }
    if (this.#state !== 'committing') throw this.#refusal('commit')
  }

  /** Returns true if the transaction turned out to be committed. */
  async #abort(deadline: Deadline): Promise<boolean> {
    this.#move('abort')
    const aborted = new TransactionError('TRANSACTION_ABORTED', 'the transaction was aborted')
    await this.#discard(this.#error ?? aborted)
    // A request that arrives after EndTxn would open the next transaction.
    await Promise.allSettled(this.#pending)
    if (!this.#isOpen) {
      this.#ended('ended')
      return false
    }
    return this.#end('abort', deadline)
  }

  /** Returns true if the transaction was committed before it could be aborted. */
  async #end(outcome: 'commit' | 'abort', deadline: Deadline): Promise<boolean> {
    const generation = this.#generation
    const isRepeated = this.#isUnanswered
    const attempt = { isUnanswered: false }
    try {
      const identity = await this.#coordinator.end(
        this.#initialized,
        outcome,
        generation,
        deadline,
        () => (attempt.isUnanswered = this.#isUnanswered = true),
      )
      if (identity !== undefined) this.#identity = { ...identity, transactional: true }
      // A request without a response may still arrive: with the same epoch it would end the next transaction.
      const isLate = attempt.isUnanswered || isRepeated
      const isSpent = identity === undefined && (generation === 2 || outcome === 'abort' || isLate)
      this.#ended(isSpent ? 'ended, epoch spent' : 'ended')
    } catch (error) {
      const isAbort = outcome === 'abort'
      if (transactionReactionTo('EndTxn', error, generation, isAbort) === 'ended') {
        const wasCommitted = this.#mayBeCommitted
        this.#ended('ended, epoch spent')
        await this.#renew(deadline)
        return wasCommitted
      }
      const failure = this.#failed('EndTxn', error, isAbort)
      const isUnknown =
        this.#state === 'unknown outcome' || (attempt.isUnanswered && outcome === 'commit')
      throw isUnknown ? unknownOutcome(outcome, failure) : failure
    }
    if (outcome === 'abort') await this.#renew(deadline)
    return false
  }

  /**
   * A new epoch keeps late requests of the last transaction out of the next one. If it cannot be obtained, `begin`
   * tries again.
   */
  async #renew(deadline: Deadline): Promise<void> {
    if (this.#state !== 'uninitialized') return
    try {
      await this.#initialize(deadline)
    } catch (error) {
      // The transaction has ended. The producer's next call throws a fatal error.
      const { logger } = this.#context.cluster.options
      logger.warn(`a transaction has ended, but requesting the next epoch failed: ${String(error)}`)
    }
  }

  /** Fails unsent messages. Resolves when nothing is in flight. */
  #discard(error: Error): Promise<void> {
    const outbox = this.#outbox
    // Deferred, because the caller may be settling a batch at this moment.
    this.#discarding ??= Promise.resolve()
      .then(() => outbox.discard(error))
      .finally(() => outbox.forgetFailures())
    return this.#discarding
  }

  #ended(event: 'ended' | 'ended, epoch spent'): void {
    this.#move(event)
    this.#added.clear()
    this.#groups.clear()
    if (this.#isOpen) this.#endedAt = performance.now()
    this.#isOpen = false
    this.#mayBeCommitted = false
    this.#isUnanswered = false
    this.#error = undefined
    this.#discarding = undefined
  }

  // The consequences of errors

  /** Changes the state as the error requires, and returns the error to throw. */
  #failed(request: TransactionRequest, problem: unknown, isAbort = false): Error {
    const error = problem instanceof Error ? problem : new Error(String(problem))
    if (this.#state === 'fatal' || this.#state === 'closed') return this.#error ?? error
    const reaction = transactionReactionTo(request, error, this.#generation, isAbort)
    switch (reaction) {
      case 'fenced':
        this.#error = new ProducerFencedError(this.transactionalId, asKafkaError(error))
        this.#move('fatal error')
        break
      case 'fatal':
        this.#error = error
        this.#move('fatal error')
        break
      case 'unanswered':
        this.#move('unanswered')
        return error
      case 'ended':
      case 'abortable':
        this.#move('abortable error')
        if (this.#state !== 'abortable') return error
        // The first error is the cause of the others.
        this.#error ??= failedTransaction(error)
        break
    }
    // Messages that can no longer be sent fail now: a commit would wait for them until its deadline.
    const reason = this.#error
    if (request !== 'InitProducerId') void this.#discard(reason)
    return reaction === 'abortable' ? error : reason
  }

  #refusal(what: string): Error {
    switch (this.#state) {
      case 'fatal':
        // This state and 'abortable' have the error that led to them.
        return this.#error!
      case 'closed':
        return new ClosedError('producer')
      case 'abortable':
        // As above.
        if (what !== 'begin') return this.#error!
        return inProgress('the transaction has failed: abort it first', this.#error)
      case 'in transaction':
      case 'committing':
      case 'aborting':
        return inProgress(`cannot ${what} while a transaction is open or ending`)
      default:
        return what === 'begin'
          ? inProgress('another call of begin() is in progress')
          : new TransactionError('NO_TRANSACTION', `cannot ${what} without a transaction`)
    }
  }

  #move(event: TransactionEvent): void {
    const state = next(this.#state, event, this.#generation)
    if (state === undefined) {
      throw new Error(
        `the event '${event}' is not valid in state '${this.#state}' of a transactional producer`,
      )
    }
    this.#state = state
  }

  async #track<T>(running: Promise<T>): Promise<T> {
    this.#pending.add(running)
    try {
      return await running
    } finally {
      this.#pending.delete(running)
    }
  }
}

function asKafkaError(error: Error): KafkaError {
  return error instanceof KafkaError
    ? error
    : new KafkaError('PRODUCER_FENCED', error.message, false)
}

function inProgress(why: string, cause?: Error): TransactionError {
  const reason = `the producer has a transaction: ${why}`
  return new TransactionError('TRANSACTION_IN_PROGRESS', reason, cause)
}

function failedTransaction(cause: Error): TransactionError {
  if (cause instanceof TransactionError) return cause
  const reason = `the transaction has failed and can only be aborted: ${cause.message}`
  return new TransactionError('TRANSACTION_FAILED', reason, cause)
}

function unknownOutcome(outcome: string, cause: Error): TransactionError {
  const reason = `the ${outcome} of the transaction may have taken effect: ${cause.message}`
  return new TransactionError('TRANSACTION_OUTCOME_UNKNOWN', reason, cause)
}
