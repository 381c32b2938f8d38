import { produce } from '../../protocol/apis/produce.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { backoffMs } from '../async/backoff.ts'
import { addTo } from '../cluster/add-to.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { reportRetry } from '../cluster/retry.ts'
import {
  BrokerError,
  isRetriable,
  LeaderNotFoundError,
  MessageTooLargeError,
  ProduceFailureError,
  SocketDisconnectedError,
  RequestTimeoutError,
  suggestsNewMetadata,
} from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import type { Accumulator, PartitionQueue } from './accumulator.ts'
import type { Batch } from './batch.ts'
import type { ProducerSettings } from './options.ts'
import { maxProduceVersion, outcomeOf, produceRequest } from './produce-request.ts'

/**
 * Sends what the accumulator holds: whenever something may have become ready, all ready batches of a broker
 * go out in one request. A batch is in one of these states:
 *
 *   filling → ready (full, lingered or flushed) → in flight → acknowledged
 *                          ↑                          ↓
 *                          └── waiting (backoff) ←── failed, retriable
 *                                                     ↓
 *                                              failed for good
 */
export class Sender {
  readonly #cluster: Cluster
  readonly #accumulator: Accumulator
  readonly #settings: ProducerSettings
  /** Told of every batch that is settled. */
  readonly #onSettled: (batch: Batch, error: Error | undefined) => void
  /** Sends partly filled batches at once: while somebody waits for a flush. */
  isFlushing = false
  #immediate: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  constructor(
    cluster: Cluster,
    accumulator: Accumulator,
    settings: ProducerSettings,
    onSettled: (batch: Batch, error: Error | undefined) => void,
  ) {
    this.#cluster = cluster
    this.#accumulator = accumulator
    this.#settings = settings
    this.#onSettled = onSettled
  }

  /** Looks for ready batches at the end of this turn of the event loop. */
  wake(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined
      this.#drain()
    })
  }

  /** Fails all that is queued or in flight. */
  stop(error: Error): void {
    clearImmediate(this.#immediate)
    clearTimeout(this.#timer)
    for (const queue of this.#accumulator.queues) {
      const batches = [...queue.batches, ...(queue.inFlight === undefined ? [] : [queue.inFlight])]
      queue.batches.length = 0
      for (const batch of batches) this.#settle(batch, error)
    }
  }

  #drain(): void {
    const now = performance.now()
    const byLeader = new Map<Broker, PartitionQueue[]>()
    let nextLook = Infinity
    for (const queue of this.#accumulator.queues) {
      this.#expire(queue, now)
      nextLook = Math.min(nextLook, this.#expiresAt(queue))
      const head = queue.batches[0]
      if (head === undefined || queue.inFlight !== undefined) continue
      const readyAt = Math.max(queue.notBefore, this.#lingersUntil(queue, head))
      if (readyAt > now) {
        nextLook = Math.min(nextLook, readyAt)
        continue
      }
      const leader = this.#cluster.leaderOf(queue.topic, queue.partition)
      if (leader === undefined) {
        this.#retryLater(queue, head, this.#noLeader(queue))
        nextLook = Math.min(nextLook, queue.notBefore)
        continue
      }
      addTo(byLeader, leader, queue)
    }
    for (const [leader, queues] of byLeader) void this.#send(leader, queues)
    this.#lookAgainAt(nextLook)
  }

  #lingersUntil(queue: PartitionQueue, head: Batch): number {
    const isFull = queue.batches.length > 1
    return isFull || this.isFlushing || head.attempts > 0
      ? 0
      : head.createdAt + this.#settings.lingerMs
  }

  /**
   * Settles batches whose time is over, also one that is on its way: its answer may come too late, but the
   * next batch still waits for it.
   */
  #expire(queue: PartitionQueue, now: number): void {
    const isOver = (batch: Batch) => now >= batch.createdAt + this.#settings.deliveryTimeoutMs
    const { inFlight, batches } = queue
    if (inFlight !== undefined && isOver(inFlight))
      this.#settle(inFlight, this.#expired(inFlight, true))
    while (batches[0] !== undefined && isOver(batches[0])) {
      const head = batches.shift()!
      this.#settle(head, this.#expired(head, false))
    }
  }

  #expiresAt({ inFlight, batches }: PartitionQueue): number {
    const oldest = inFlight === undefined || inFlight.isSettled ? batches[0] : inFlight
    return oldest === undefined ? Infinity : oldest.createdAt + this.#settings.deliveryTimeoutMs
  }

  async #send(leader: Broker, queues: readonly PartitionQueue[]): Promise<void> {
    const batches: Batch[] = []
    for (const queue of queues) {
      const batch = queue.batches.shift()!
      batch.attempts++
      queue.inFlight = batch
      batches.push(batch)
    }
    const topicIdOf = (topic: string) => this.#cluster.known(topic)?.topicId
    const options = {
      purpose: 'produce',
      maxVersion: maxProduceVersion(batches, topicIdOf),
      timeoutMs: Math.max(this.#cluster.options.requestTimeoutMs, this.#settings.ackTimeoutMs),
    } as const
    const body = (version: number, versions: { address: string }) =>
      produceRequest(batches, this.#settings, topicIdOf, version, versions)
    try {
      if (this.#settings.requiredAcks === 0) {
        await leader.send(produce, body, options)
        for (const queue of queues) this.#acknowledge(queue, -1, undefined)
      } else {
        const response = await leader.request(produce, body, options)
        for (const queue of queues) {
          const batch = queue.inFlight!
          this.#handle(queue, outcomeOf(response, batch, topicIdOf), leader)
        }
      }
    } catch (error) {
      for (const queue of queues) this.#fail(queue, error as Error)
    }
    this.wake()
  }

  #handle(queue: PartitionQueue, outcome: ReturnType<typeof outcomeOf>, leader: Broker): void {
    const { topic, partition } = queue
    const batch = queue.inFlight!
    if (batch.isSettled) {
      queue.inFlight = undefined
      return
    }
    const errorCode = outcome?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (outcome !== undefined && errorCode === ErrorCode.NONE) {
      this.#acknowledge(queue, outcome.baseOffset, outcome.appendTime)
      return
    }
    const context = { topic, partition, broker: leader.name }
    if (errorCode === ErrorCode.MESSAGE_TOO_LARGE && batch.records.length > 1) {
      queue.inFlight = undefined
      queue.batches.unshift(...batch.split())
      return
    }
    if (errorCode === ErrorCode.MESSAGE_TOO_LARGE) {
      const reason = `${leader.name} takes no message of ${batch.sizeBytes} bytes in ${topic}-${partition} (max.message.bytes)`
      this.#fail(queue, new MessageTooLargeError(reason, context))
      return
    }
    const what = `producing to ${topic}-${partition}`
    this.#fail(queue, new BrokerError(errorCode, what, context, outcome?.errorMessage))
  }

  #acknowledge(queue: PartitionQueue, baseOffset: number, appendTime: number | undefined): void {
    const batch = queue.inFlight!
    queue.inFlight = undefined
    if (batch.isSettled) return
    batch.succeed(baseOffset, appendTime)
    this.#onSettled(batch, undefined)
  }

  /** A batch that was sent did not arrive, or not for sure. */
  #fail(queue: PartitionQueue, error: Error): void {
    const batch = queue.inFlight!
    queue.inFlight = undefined
    if (batch.isSettled) {
      this.#refreshAfter(error, queue.topic)
      return
    }
    if (!isRetriable(error)) {
      this.#settle(batch, error)
      return
    }
    batch.outcomeUnknown ||=
      error instanceof SocketDisconnectedError || error instanceof RequestTimeoutError
    queue.batches.unshift(batch)
    this.#retryLater(queue, batch, error)
  }

  #retryLater(queue: PartitionQueue, batch: Batch, error: Error): void {
    batch.lastError = error
    const { backoff, logger } = this.#cluster.options
    const { attempts } = batch
    const waitMs = backoffMs(Math.max(0, attempts - 1), backoff)
    queue.notBefore = performance.now() + waitMs
    const what = `producing to ${queue.topic}-${queue.partition}`
    reportRetry(logger, { what, attempt: attempts, waitMs, error })
    this.#refreshAfter(error, queue.topic)
  }

  #refreshAfter(error: Error, topic: string): void {
    if (!suggestsNewMetadata(error)) return
    // If it fails there is nothing to send to, and the next look finds that.
    this.#cluster.refresh(topic, true).catch(() => undefined)
  }

  #noLeader({ topic, partition }: PartitionQueue): LeaderNotFoundError {
    return new LeaderNotFoundError(`${topic}-${partition} has no leader`, { topic, partition })
  }

  #expired(batch: Batch, isInFlight: boolean): ProduceFailureError {
    const { topic, partition, lastError, attempts } = batch
    const outcomeUnknown = isInFlight || batch.outcomeUnknown
    const tries = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
    const after = `within ${this.#settings.deliveryTimeoutMs} ms (deliveryTimeoutMs) and ${tries}`
    const last = lastError === undefined ? '' : `; the last error: ${lastError.message}`
    const why = isInFlight ? `, the last still unanswered${last}` : last
    const unknown = outcomeUnknown ? '; whether it is in the log is not known' : ''
    return new ProduceFailureError(
      `no acknowledgement from ${topic}-${partition} ${after}${why}${unknown}`,
      outcomeUnknown,
      { topic, partition, cause: lastError },
    )
  }

  #settle(batch: Batch, error: Error): void {
    if (batch.isSettled) return
    batch.fail(error)
    this.#onSettled(batch, error)
  }

  #lookAgainAt(time: number): void {
    // One that comes too early does no harm: it is not set anew for every batch.
    if (this.#timer !== undefined && time !== Infinity && this.#timerAt <= time) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#timerAt = time
    if (time === Infinity) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#drain()
      },
      Math.max(0, time - performance.now()),
    )
  }
}
