import { ErrorCode } from '../../protocol/errors.ts'
import { backoffMs, type BackoffOptions } from '../async/backoff.ts'
import { Timer } from '../async/timer.ts'
import { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { reportRetry } from '../cluster/retry.ts'
import {
  BrokerError,
  isRetriable,
  deniesTopic,
  LeaderNotFoundError,
  ProduceFailureError,
  suggestsNewMetadata,
  UnknownTopicError,
  type KafkaError,
} from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import { Accumulator } from './accumulator.ts'
import type { Batch } from './batch.ts'
import type { Failures } from './failures.ts'
import type { ProducerSettings } from './options.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { PartitionAnswer } from './produce-request.ts'
import { fetchProducerId } from './producer-id.ts'
import { Sink, type SinkOwner } from './sink.ts'
import { takeApart } from './split.ts'
import { mayBeInLog, verdictOn } from './verdict.ts'

/** How a batch ended: where it is in the log, or why it is not known to be there. */
export type Ending =
  | { readonly baseOffset: number; readonly appendTime: number | undefined }
  | { readonly error: Error }

const UNKNOWN_OFFSET: Ending = { baseOffset: -1, appendTime: undefined }

/**
 * Brings batches to the brokers: finds the leader of each partition that has something to send, and decides
 * what becomes of each batch. A batch is in one of these states:
 *
 *   filling → ready (full, lingered or flushed) → in flight → acknowledged
 *                          ↑                          ↓
 *                          └── waiting (backoff) ←── failed, retriable
 *                                                     ↓
 *                                              failed for good
 *
 * What it costs follows from the batches, not from the partitions that there are: a partition with something
 * to send is in one list, its leader's sink's or the one here, and whatever has to happen at a time is first
 * in a queue in the order of time.
 */
export class Sender implements SinkOwner {
  readonly settings: ProducerSettings
  readonly accumulator: Accumulator
  readonly #cluster: Cluster
  readonly #backoff: BackoffOptions
  /** Told of every batch that is settled. */
  readonly #onSettled: (batch: Batch, ending: Ending) => void
  /** Called when partitions are looked at that have become ready. */
  readonly #onTurn: () => void
  readonly #sinks = new Map<Broker, Sink>()
  #listed: PartitionQueue[] = []
  #turn: NodeJS.Immediate | undefined
  /** Batches that wait for company, oldest first. */
  #lingering: Batch[] = []
  #lingerTimer: NodeJS.Timeout | undefined
  #expiryTimer: Timer | undefined
  readonly #waits = new Set<NodeJS.Timeout>()
  #isStopped = false

  constructor(
    cluster: Cluster,
    settings: ProducerSettings,
    failures: Failures,
    onSettled: (batch: Batch, ending: Ending) => void,
    onTurn: () => void,
  ) {
    this.#cluster = cluster
    this.settings = settings
    const { initialMs, maxMs } = cluster.options.backoff
    const firstMs = settings.retryBackoffMs ?? initialMs
    this.#backoff = { initialMs: firstMs, maxMs: Math.max(firstMs, maxMs) }
    this.#onSettled = onSettled
    this.#onTurn = onTurn
    this.accumulator = new Accumulator(settings, failures, {
      ready: (queue) => this.list(queue),
      began: (batch) => this.#linger(batch),
      enough: () => this.flush(),
    })
  }

  get requestTimeoutMs(): number {
    return Math.max(this.#cluster.options.requestTimeoutMs, this.settings.ackTimeoutMs)
  }

  /** Looks at a partition at the end of this turn of the event loop. */
  list(queue: PartitionQueue): void {
    if (queue.isListed || queue.isBlocked || queue.batches.length === 0) return
    queue.isListed = true
    this.#listed.push(queue)
    this.wake()
  }

  /** Makes sure that there is a turn soon. */
  wake(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined
      this.#onTurn()
      this.#route()
    })
  }

  /** Lets everything go that lingers. */
  flush(): void {
    if (this.#lingering.length === 0) return
    const lingering = this.#lingering
    this.#lingering = []
    clearTimeout(this.#lingerTimer)
    this.#lingerTimer = undefined
    for (const batch of lingering) this.#release(batch)
  }

  /** Gives up all that is there. */
  stop(why: string): void {
    this.#isStopped = true
    clearImmediate(this.#turn)
    clearTimeout(this.#lingerTimer)
    this.#expiryTimer?.cancel()
    for (const wait of this.#waits) clearTimeout(wait)
    for (const sink of this.#sinks.values()) sink.stop()
    for (const batch of this.accumulator.unsettled) this.#settle(batch, this.#givenUp(batch, why))
  }

  // What sinks ask and tell.

  topicIdOf(topic: string): string | undefined {
    return this.#cluster.known(topic)?.topicId
  }

  isLedBy({ topic, partition }: PartitionQueue, broker: Broker): boolean {
    return this.#cluster.leaderOf(topic, partition) === broker
  }

  isSendable(queue: PartitionQueue): boolean {
    this.#expire()
    if (queue.isBlocked) return false
    if (!queue.makeNewStart()) {
      void this.#renewProducerId(queue)
      return false
    }
    const head = queue.next
    return head !== undefined && this.#isReady(head)
  }

  answered(batch: Batch, answer: PartitionAnswer | undefined, broker: Broker): void {
    const { queue } = batch
    const verdict = verdictOn(batch, answer, broker.name)
    if (mayBeInLog(answer)) batch.outcomeUnknown = true
    switch (verdict.kind) {
      case 'delivered':
        for (const before of queue.acknowledge(batch)) this.#settle(before, UNKNOWN_OFFSET)
        this.#settle(batch, verdict)
        break
      case 'again':
        this.#tryAgain(batch, verdict.error)
        break
      case 'lost thread':
        this.#findThread(batch, verdict.error)
        break
      case 'split':
        this.#divide(batch, verdict.error)
        break
      case 'partly refused':
        this.refused(batch, verdict.errors)
        break
      case 'failed':
        queue.drop(batch, batch.outcomeUnknown)
        this.#settle(batch, { error: verdict.error })
        break
    }
    this.list(queue)
  }

  acknowledgedBySocket(batch: Batch): void {
    batch.queue.acknowledge(batch)
    this.#settle(batch, UNKNOWN_OFFSET)
    this.list(batch.queue)
  }

  failed(batch: Batch, error: Error, isWritten: boolean): void {
    const { queue } = batch
    batch.outcomeUnknown ||= isWritten
    if (isRetriable(error)) {
      this.#tryAgain(batch, error)
    } else {
      queue.drop(batch, batch.outcomeUnknown)
      this.#settle(batch, { error })
    }
    this.list(queue)
  }

  unreachable(queue: PartitionQueue, error: Error): void {
    for (const batch of queue.batches) batch.lastError = error
    if (isRetriable(error)) this.#backOff(queue, error)
    else this.#failAll(queue, error)
  }

  refused(batch: Batch, errors: ReadonlyMap<number, KafkaError>): void {
    const { queue } = batch
    if (batch.isSettled || errors.size === batch.count) {
      queue.drop(batch, false)
      this.#settle(batch, { error: [...errors.values()][0]! })
    } else {
      // A part for each that is refused, so that each has its own error; the others are the first.
      const numbers = new Map([...errors.keys()].map((index, at) => [index, at + 1]))
      const parts = takeApart(batch, (index) => numbers.get(index) ?? 0, this.accumulator)
      queue.drop(batch, false)
      queue.putBack(batch, [parts[0]!])
      const inOrder = [...errors.values()]
      parts.slice(1).forEach((part, at) => this.#settle(part, { error: inOrder[at]! }))
    }
    this.list(queue)
  }

  // Where batches go.

  /** Hands partitions to the sinks of their leaders. */
  #route(): void {
    const listed = this.#listed
    this.#listed = []
    const sinks = new Set<Sink>()
    for (const queue of listed) {
      const leader = this.#cluster.leaderOf(queue.topic, queue.partition)
      if (leader === undefined) {
        queue.isListed = false
        const { topic, partition } = queue
        const reason = `${topic}-${partition} has no leader`
        const error = new LeaderNotFoundError(reason, { topic, partition })
        for (const batch of queue.batches) batch.lastError = error
        this.#backOff(queue, error)
        continue
      }
      let sink = this.#sinks.get(leader)
      if (sink === undefined) this.#sinks.set(leader, (sink = new Sink(leader, this)))
      sink.add(queue)
      sinks.add(sink)
    }
    for (const sink of sinks) sink.pump()
    this.#watchExpiry()
  }

  #isReady(batch: Batch): boolean {
    return !batch.isOpen || batch.isDue || this.settings.lingerMs === 0
  }

  #linger(batch: Batch): void {
    this.#lingering.push(batch)
    this.#watchLinger()
    // Somebody has to notice when its time is over, although it is in no list.
    this.#watchExpiry()
  }

  #watchLinger(): void {
    if (this.#lingerTimer !== undefined || this.#lingering.length === 0) return
    const waitMs = this.#lingering[0]!.createdAt + this.settings.lingerMs - performance.now()
    this.#lingerTimer = setTimeout(
      () => {
        this.#lingerTimer = undefined
        this.#endLingering()
      },
      Math.max(0, waitMs),
    )
  }

  #endLingering(): void {
    const until = performance.now() - this.settings.lingerMs
    let count = 0
    // Timers may come a little early, and what is nearly over is over.
    while (count < this.#lingering.length && this.#lingering[count]!.createdAt <= until + 1) {
      this.#release(this.#lingering[count]!)
      count++
    }
    this.#lingering.splice(0, count)
    this.#watchLinger()
  }

  #release(batch: Batch): void {
    if (batch.isSettled || batch.isDue) return
    batch.isDue = true
    // What comes later is not part of it: a flush would otherwise never end.
    if (batch.isOpen) this.accumulator.lingeringMessages -= batch.count
    batch.close()
    this.list(batch.queue)
  }

  // What becomes of batches that fail.

  /** The broker cannot put a batch behind what it knows of this producer. */
  #findThread(batch: Batch, error: BrokerError): void {
    const { queue } = batch
    const wasProbed = queue.isProbed(batch)
    // Behind one that failed it is only a consequence of that.
    const isFirst = !queue.isBehindAnother(batch)
    this.#tryAgain(batch, error)
    const isGivenUp = !queue.batches.includes(batch)
    if (isGivenUp || (!wasProbed && !isFirst)) return
    const isOutOfOrder = error.errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    if (isOutOfOrder && queue.probe(batch, wasProbed)) return
    queue.requestNewStart()
    this.#cluster.options.logger.warn(`${error.message}; what is not acknowledged is numbered anew`)
  }

  #tryAgain(batch: Batch, error: Error): void {
    const { queue, attempts, outcomeUnknown } = batch
    batch.lastError = error
    if (batch.isSettled) {
      queue.drop(batch, outcomeUnknown)
    } else if (attempts > this.settings.maxRetries) {
      queue.drop(batch, outcomeUnknown)
      const after = `after ${attempts} attempts (maxRetries ${this.settings.maxRetries})`
      this.#settle(batch, { error: this.#failure(batch, after, '') })
    } else {
      queue.putBack(batch)
    }
    this.#backOff(queue, error)
  }

  #divide(batch: Batch, error: Error): void {
    const { queue } = batch
    batch.lastError = error
    if (batch.isSettled) {
      queue.drop(batch, false)
      return
    }
    const middle = batch.count >>> 1
    const parts = takeApart(batch, (index) => (index < middle ? 0 : 1), this.accumulator)
    queue.putBack(batch, parts)
    // The next ones shall fit at once.
    queue.maxBatchBytes = Math.min(
      queue.maxBatchBytes,
      Math.max(parts[0]!.sizeBytes, parts[1]!.sizeBytes),
    )
  }

  /** A wait that grows with each failure; refreshes metadata if that may be the cause. */
  #backOff(queue: PartitionQueue, error: Error): void {
    const { topic, partition } = queue
    // A topic that the brokers do not know may be new to them: messages wait for it until their time is over.
    // If the refresh fails there is nothing to send to, and the next look finds that.
    if (suggestsNewMetadata(error)) this.#cluster.refresh(topic, true).catch(() => undefined)
    queue.lastError = error
    if (queue.isBackingOff || this.#isStopped) return
    const waitMs = backoffMs(queue.failures++, this.#backoff)
    const what = `producing to ${topic}-${partition}`
    reportRetry(this.#cluster.options.logger, { what, attempt: queue.failures, waitMs, error })
    queue.isBackingOff = true
    const wait = setTimeout(() => {
      this.#waits.delete(wait)
      queue.isBackingOff = false
      this.list(queue)
    }, waitMs)
    this.#waits.add(wait)
  }

  #failAll(queue: PartitionQueue, error: Error): void {
    for (const batch of [...queue.batches]) {
      queue.drop(batch, batch.outcomeUnknown)
      this.#settle(batch, { error })
    }
  }

  /** The epochs of a partition's producer id are used up. */
  async #renewProducerId(queue: PartitionQueue): Promise<void> {
    queue.isBackingOff = true
    try {
      const deadline = new Deadline(this.#cluster.options.operationTimeoutMs)
      const producer = await fetchProducerId(this.#cluster, deadline, true)
      queue.isBackingOff = false
      if (producer !== undefined) queue.startWith(producer)
    } catch (error) {
      queue.isBackingOff = false
      this.#backOff(queue, error as Error)
    }
    this.list(queue)
  }

  /**
   * Settles batches whose time is over, also one that is on its way: its answer may come too late, but the
   * next batch of its partition still waits for it.
   */
  #expire(): void {
    const { unsettled } = this.accumulator
    const { deliveryTimeoutMs } = this.settings
    const until = performance.now() - deliveryTimeoutMs
    for (;;) {
      const batch = unsettled.first
      if (batch === undefined || batch.createdAt > until) return
      const isInFlight = batch.request !== undefined
      const isUnanswered = batch.request?.isWritten === true
      const within = `within ${deliveryTimeoutMs} ms (deliveryTimeoutMs) and ${timesOf(batch)}`
      const why = isUnanswered ? ', the last still unanswered' : ''
      const error = this.#failure(batch, within, why)
      if (!isInFlight) batch.queue.drop(batch, batch.outcomeUnknown)
      this.#settle(batch, { error })
    }
  }

  #watchExpiry(): void {
    const { first } = this.accumulator.unsettled
    if (this.#expiryTimer !== undefined || first === undefined) return
    const waitMs = first.createdAt + this.settings.deliveryTimeoutMs - performance.now()
    this.#expiryTimer = new Timer(Math.max(0, waitMs), () => {
      this.#expiryTimer = undefined
      this.#expire()
      this.#watchExpiry()
    })
    // Requests and waits keep the process alive where there is something to wait for.
    this.#expiryTimer.unref()
  }

  #givenUp(batch: Batch, why: string): Ending {
    return { error: this.#failure(batch, `${why} and ${timesOf(batch)}`, '') }
  }

  #failure(batch: Batch, after: string, why: string): KafkaError {
    const { queue, lastError = queue.lastError } = batch
    const { topic, partition } = queue
    const outcomeUnknown = batch.outcomeUnknown || batch.request?.isWritten === true
    const last = lastError === undefined ? '' : `; the last error: ${lastError.message}`
    const context = { topic, partition, cause: lastError }
    if (!outcomeUnknown && this.#isMissing(queue, lastError)) {
      const reason = `${topic}-${partition} did not appear ${after}${last}`
      return new UnknownTopicError(reason, context)
    }
    const unknown = outcomeUnknown ? '; whether it is in the log is not known' : ''
    return new ProduceFailureError(
      `no acknowledgement from ${topic}-${partition} ${after}${why}${last}${unknown}`,
      outcomeUnknown,
      context,
    )
  }

  /** Whether what is known last says that there is no such partition, rather than that it cannot be reached. */
  #isMissing({ topic, partition }: PartitionQueue, lastError: Error | undefined): boolean {
    if (deniesTopic(lastError)) return true
    if (!(lastError instanceof LeaderNotFoundError)) return false
    const known = this.#cluster.known(topic)
    return known === undefined || !known.partitions.some((one) => one.partition === partition)
  }

  #settle(batch: Batch, outcome: Ending): void {
    if (batch.isSettled) return
    const { fate, queue } = batch
    const ending = 'error' in outcome ? { error: knownOutcome(batch, outcome.error) } : outcome
    if (batch.isOpen) this.accumulator.lingeringMessages -= batch.count
    batch.close()
    if ('error' in ending) fate.fail(ending.error, batch.deliveries)
    else fate.deliver(queue.topic, queue.partition, ending.baseOffset, ending.appendTime)
    this.#onSettled(batch, ending)
    const isAnswered = this.settings.requiredAcks !== 0 && batch.attempts === 1
    this.accumulator.release(batch, isAnswered && !('error' in ending))
  }
}

/** The error of a batch that failed for good: one that may be in the log says so, whatever failed last. */
function knownOutcome({ outcomeUnknown, queue }: Batch, error: Error): Error {
  if (!outcomeUnknown || error instanceof ProduceFailureError) return error
  const { topic, partition } = queue
  return new ProduceFailureError(
    `${error.message}; an earlier attempt was not answered: whether it is in the log is not known`,
    true,
    { topic, partition, cause: error },
  )
}

function timesOf({ attempts }: Batch): string {
  return `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
}
