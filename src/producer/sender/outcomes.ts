import type { Cluster } from '../../cluster/cluster.ts'
import { isRetriable, type BrokerError, type KafkaError } from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'
import type { Accumulator } from '../accumulator/accumulator.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'
import { splitBatch } from '../accumulator/split.ts'
import type { ProducerSettings } from '../options.ts'
import type { RecoveryPolicy } from '../recovery/recovery-policy.ts'
import type { Ending, Settlement } from '../results/settlement.ts'
import type { Backoffs } from './backoffs.ts'
import { deliveryFailure, knownOutcome, timesOf } from './delivery-failure.ts'
import type { PartitionResponse } from './produce-request.ts'
import { mayBeInLog, classifyResponse } from './verdict.ts'

const UNKNOWN_OFFSET: Ending = { baseOffset: -1, appendTime: undefined }

/** Decides whether a batch that was sent, or could not be sent, is settled, sent again, or divided. */
export class Outcomes {
  readonly #cluster: Cluster
  readonly #settings: ProducerSettings
  readonly #accumulator: Accumulator
  readonly #policy: RecoveryPolicy
  readonly #backoffs: Backoffs
  readonly #settlement: Settlement
  /** While the producer aborts: the error of all messages that are not acknowledged. */
  #abortedWith: Error | undefined

  constructor(
    cluster: Cluster,
    settings: ProducerSettings,
    accumulator: Accumulator,
    policy: RecoveryPolicy,
    backoffs: Backoffs,
    settlement: Settlement,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#accumulator = accumulator
    this.#policy = policy
    this.#backoffs = backoffs
    this.#settlement = settlement
  }

  answered(batch: Batch, response: PartitionResponse | undefined, broker: Broker): void {
    const { queue } = batch
    const verdict = classifyResponse(batch, response, broker.name)
    if (mayBeInLog(response)) batch.outcomeUnknown = true
    switch (verdict.kind) {
      case 'delivered':
        this.#acknowledged(batch, verdict)
        break
      case 'again':
        this.#tryAgain(batch, verdict.error)
        break
      case 'number refused':
        this.#numberRefused(batch, verdict.error)
        break
      case 'split':
        this.#divide(batch, verdict.error)
        break
      case 'partly refused':
        this.refused(batch, verdict.errors)
        break
      case 'failed':
        this.#fail(batch, verdict.error)
        break
    }
    this.#accumulator.ready.add(queue)
  }

  /** With requiredAcks 0 the batch is delivered when the request is written. */
  sent(batch: Batch): void {
    this.#acknowledged(batch, UNKNOWN_OFFSET)
    this.#accumulator.ready.add(batch.queue)
  }

  /**
   * Handles a request that failed without a response, or could not be sent. `isWritten`: the broker may have received
   * it.
   */
  failed(batch: Batch, error: Error, isWritten: boolean): void {
    batch.outcomeUnknown ||= isWritten
    if (isRetriable(error)) this.#tryAgain(batch, error)
    else this.#fail(batch, error)
    this.#accumulator.ready.add(batch.queue)
  }

  /** Called when the partition's broker is not known, or cannot be reached: nothing was sent. */
  unreachable(queue: PartitionQueue<Batch>, error: Error): void {
    for (const batch of queue.batches) batch.lastError = error
    if (isRetriable(error)) this.#backoffs.wait(queue, error)
    else for (const batch of [...queue.batches]) this.#fail(batch, error)
  }

  /** Handles the records that the broker rejected, by index. */
  refused(batch: Batch, errors: ReadonlyMap<number, KafkaError>): void {
    const { queue } = batch
    const [first] = errors.values()
    if (first !== undefined && (batch.isSettled || errors.size === batch.count)) {
      queue.drop(batch, false)
      this.#end(batch, first)
    } else {
      // Each rejected record becomes a part of its own with its own error; the first part has the others.
      const numbers = new Map([...errors.keys()].map((index, at) => [index, at + 1]))
      const parts = splitBatch(batch, (index) => numbers.get(index) ?? 0, this.#accumulator)
      queue.drop(batch, false)
      queue.putBack(batch, parts.slice(0, 1))
      const inOrder = [...errors.values()]
      parts.slice(1).forEach((part, at) => this.#end(part, inOrder[at]!))
    }
    this.#accumulator.ready.add(queue)
  }

  /**
   * Fails a batch whose `deliveryTimeoutMs` has passed, also while it is in flight, because its response may come too
   * late; the next batch of its partition still waits for that response.
   */
  expired(batch: Batch): void {
    const { deliveryTimeoutMs } = this.#settings
    const within = `within ${deliveryTimeoutMs} ms (deliveryTimeoutMs) and ${timesOf(batch)}`
    const why = batch.request?.isWritten === true ? ', the last without a response' : ''
    const error = deliveryFailure(this.#cluster, batch, within, why)
    if (batch.request === undefined) batch.queue.drop(batch, batch.outcomeUnknown)
    this.#end(batch, error)
  }

  /** Fails everything that is not settled. */
  giveUpAll(why: string): void {
    for (const batch of this.#accumulator.incomplete) {
      const error = deliveryFailure(this.#cluster, batch, `${why} and ${timesOf(batch)}`)
      this.#settlement.settle(batch, { error: knownOutcome(batch, error) })
    }
  }

  /** Fails everything that is not in flight. Until `endAbort`, batches that fail are not sent again. */
  beginAbort(error: Error): void {
    this.#abortedWith = error
    for (const batch of this.#accumulator.incomplete) {
      if (batch.request === undefined) this.#dropAborted(batch, error)
    }
  }

  endAbort(): void {
    this.#abortedWith = undefined
  }

  #acknowledged(batch: Batch, ending: Ending): void {
    const before = batch.queue.acknowledge(batch)
    for (const one of before) this.#settlement.settle(one, UNKNOWN_OFFSET)
    this.#settlement.settle(batch, ending)
  }

  #numberRefused(batch: Batch, error: BrokerError): void {
    const { queue } = batch
    const wasProbed = queue.isProbed(batch)
    const recovery = this.#policy.onNumberRefused(queue, batch, error)
    if (recovery === 'fail') {
      this.#fail(batch, error)
      return
    }
    this.#tryAgain(batch, error)
    const isGivenUp = !queue.batches.includes(batch)
    if (isGivenUp || recovery === 'retry') return
    if (recovery === 'probe' && queue.probe(batch, wasProbed)) return
    queue.renumber()
    const what = 'messages without acknowledgement get new sequence numbers'
    this.#cluster.options.logger.warn(`${error.message}; ${what}`)
  }

  #tryAgain(batch: Batch, error: Error): void {
    const { queue, attempts, outcomeUnknown } = batch
    const { maxRetries } = this.#settings
    batch.lastError = error
    if (this.#abortedWith !== undefined) {
      this.#dropAborted(batch, this.#abortedWith)
      return
    }
    if (batch.isSettled) {
      queue.drop(batch, outcomeUnknown)
    } else if (attempts > maxRetries) {
      // No longer in flight: a response came, so that a written request does not make the outcome unknown.
      queue.drop(batch, outcomeUnknown)
      const after = `after ${attempts} attempts (maxRetries ${maxRetries})`
      this.#end(batch, deliveryFailure(this.#cluster, batch, after))
    } else {
      queue.putBack(batch)
    }
    this.#backoffs.wait(queue, error, queue.sentToEpoch)
  }

  #divide(batch: Batch, error: Error): void {
    const { queue } = batch
    batch.lastError = error
    if (batch.isSettled) {
      queue.drop(batch, false)
      return
    }
    if (this.#abortedWith !== undefined) {
      this.#dropAborted(batch, this.#abortedWith)
      return
    }
    const middle = batch.count >>> 1
    const parts = splitBatch(batch, (index) => (index < middle ? 0 : 1), this.#accumulator)
    queue.putBack(batch, parts)
    // The next batches must fit at the first attempt.
    queue.maxBatchBytes = Math.min(
      queue.maxBatchBytes,
      Math.max(...parts.map(({ sizeBytes }) => sizeBytes)),
    )
  }

  #dropAborted(batch: Batch, error: Error): void {
    batch.queue.drop(batch, batch.outcomeUnknown)
    this.#settlement.settle(batch, { error: knownOutcome(batch, error) })
  }

  #fail(batch: Batch, error: Error): void {
    batch.queue.drop(batch, batch.outcomeUnknown)
    this.#end(batch, error)
  }

  #end(batch: Batch, error: Error): void {
    if (batch.isSettled) return
    const known = knownOutcome(batch, error)
    this.#settlement.settle(batch, { error: known })
    this.#policy.onFailed(batch, known)
  }
}
