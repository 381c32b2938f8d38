import type { ProducerIdentity } from '../recovery/producer-id.ts'
import type { ProduceAttempt, QueuedBatch, Sequence } from './queued-batch.ts'

/** Sequences continue with 0 after 2^31 − 1. */
const SEQUENCES = 2 ** 31
const NO_BATCHES: readonly never[] = []

/**
 * The batches for one partition, in the order in which they must be written to its log. As a state machine:
 *
 *   steady     With sequence numbers (idempotence), several batches may be in flight: the broker accepts them only in
 *              order. Until the first batch of a producer id is acknowledged, only one is in flight: a broker that
 *              does not know the producer id accepts any sequence number as its first, so that the second of two
 *              batches could be written before the first.
 *              Without sequence numbers, only one batch is in flight at any time.
 *   rewinding  A batch was not acknowledged. The batches behind it fail, too. When all have returned to the queue,
 *              they are sent again in order, one at a time. When one is acknowledged, the state is steady again.
 *   probing    The broker reports the first batch as out of order, although it may be in the log. A broker that was
 *              restarted remembers only the last batch of each producer (checked with 1.1, 2.8 and 4.4), and none of
 *              those before it. So the last of the batches that may be in the log is sent next, then the one before
 *              it, down to the second. A batch that the broker accepts, or recognizes as a duplicate, shows that all
 *              batches before it are in the log: the broker accepts batches only in order. If the broker accepts
 *              none, the batches are renumbered.
 *
 * The queue keeps the order and the numbers. The producer's RecoveryPolicy decides what follows from a gap in the
 * numbers, or from a rejected number.
 */
export class PartitionQueue<Batch extends QueuedBatch> {
  private openBatch: Batch | undefined
  private listed = false
  /** The maximum size of a batch of this partition: smaller than the setting after the broker has rejected one. */
  maxBatchBytes: number
  readonly topic: string
  readonly partition: number
  /** Batches that are not in flight: the first is the next to be sent, the last may be open. */
  readonly batches: Batch[] = []
  /** Batches in flight, in the order in which they were sent. */
  readonly inFlight: Batch[] = []
  /**
   * The broker of the batches in flight. No batch goes to another broker before they are answered, because it could be
   * written first.
   */
  sentTo: object | undefined
  /** The epoch of the leader that the last batch was sent to; −1 where it is not known. */
  sentToEpoch = -1
  /** Whether it waits after a failure. */
  isBackingOff = false
  /** Whether another thread is compressing the first batch. */
  isSealing = false
  /** Failures of the same leader since the last acknowledgement, for the backoff. */
  failures = 0
  /** The epoch of that leader; −1 where it is not known. */
  failedEpoch = -1
  /** The reason for the current or last wait: why a batch that was never sent is delayed. */
  lastError: Error | undefined
  /** The size of the last batch: a good estimate for the next. */
  usualBytes = 0
  readonly #isUnordered: boolean
  #identity: ProducerIdentity | undefined
  #nextSequence = 0
  /** Whether the broker knows this producer id, with this epoch or an earlier one. */
  #isKnown = false
  #isRewinding = false
  #hasGap = false
  #probed: Batch | undefined

  /** `isUnordered`: requests without a response need not wait for each other. */
  constructor(topic: string, partition: number, maxBatchBytes: number, isUnordered: boolean) {
    this.topic = topic
    this.partition = partition
    this.maxBatchBytes = maxBatchBytes
    this.#isUnordered = isUnordered
  }

  /** Whether nothing can be sent before a batch in flight is answered. */
  get isBlocked(): boolean {
    if (this.isBackingOff || this.isSealing) return true
    return this.inFlight.length > 0 && !this.#mayPipeline
  }

  /** The batch to send next: the first, unless another is probed. */
  get next(): Batch | undefined {
    return this.#probed ?? this.batches[0]
  }

  /** The producer id and epoch that its batches are numbered for; undefined before `startWith`. */
  get identity(): ProducerIdentity | undefined {
    return this.#identity
  }

  /** Whether a numbered batch failed that is not in the log: brokers reject the numbers after it. */
  get hasGap(): boolean {
    return this.#hasGap
  }

  /**
   * Whether its batches may get new numbers: nothing is in flight, and the first one cannot be in the log. With another
   * number it could be written twice.
   */
  get mayRenumber(): boolean {
    const head = this.batches[0]
    return this.inFlight.length === 0 && (head?.sequence === undefined || !head.outcomeUnknown)
  }

  /** The open batch: the last. */
  get open(): Batch | undefined {
    return this.openBatch
  }

  /** Whether it is in the list of queues with something to send, or in that of a sink. */
  get isListed(): boolean {
    return this.listed
  }

  /** Marks it as listed. Returns false if it is in a list already, or has nothing that can be sent now. */
  enlist(): boolean {
    if (this.listed || this.isBlocked || this.batches.length === 0) return false
    this.listed = true
    return true
  }

  /** Marks it as removed from its list. */
  delist(): void {
    this.listed = false
  }

  /** Adds a batch, which becomes the open one. */
  add(batch: Batch): void {
    this.batches.push(batch)
    this.openBatch = batch
  }

  /** Closes the batch for more records. */
  close(batch: Batch): void {
    if (this.openBatch === batch) this.openBatch = undefined
  }

  get #mayPipeline(): boolean {
    if (this.#isUnordered) return true
    if (this.#identity === undefined || !this.#isKnown) return false
    return !this.#isRewinding && !this.#hasGap
  }

  /**
   * Numbers its batches for another producer id or epoch from now on, including those that were sent before. A broker
   * that knows an earlier epoch accepts only 0 as the first sequence of the next one, so that no batch can be written
   * before the first.
   */
  startWith(identity: ProducerIdentity): void {
    const isNextEpoch = identity.producerId === this.#identity?.producerId
    this.#isKnown = this.#isKnown && isNextEpoch && !this.#hasGap && !this.#isRewinding
    this.#identity = identity
    this.#nextSequence = 0
    this.#hasGap = false
    this.#probed = undefined
    for (const batch of this.batches) batch.sequence = undefined
  }

  /** Takes the next batch for a request to the broker of a sink, the leader of this epoch. */
  take(request: ProduceAttempt, sink: object, leaderEpoch: number): Batch {
    // A sink takes only from queues that have a next batch.
    const batch = this.next!
    if (batch === this.batches[0]) this.batches.shift()
    else this.batches.splice(this.batches.indexOf(batch), 1)
    this.sentTo = sink
    this.sentToEpoch = leaderEpoch
    this.close(batch)
    batch.attempts++
    batch.request = request
    this.inFlight.push(batch)
    return batch
  }

  /** The sequence number of a batch that is sent for the first time. */
  number(batch: Batch): void {
    if (batch.sequence !== undefined || this.#identity === undefined) return
    batch.sequence = this.#takeSequence(this.#identity, batch.count)
    batch.wire = undefined
  }

  /** Removes a batch that is in the log. Returns the earlier batches that must therefore be in the log, too. */
  acknowledge(batch: Batch): readonly Batch[] {
    this.#land(batch)
    this.failures = 0
    this.lastError = undefined
    this.#isKnown = true
    let before: readonly Batch[] = NO_BATCHES
    if (this.#probed === batch) {
      const next = this.batches.findIndex(({ serial }) => serial > batch.serial)
      before = this.batches.splice(0, next < 0 ? this.batches.length : next)
      this.#probed = undefined
    }
    this.#isRewinding = this.batches.some(({ attempts }) => attempts > 0)
    return before
  }

  /**
   * Called when the broker reports this batch, which is back in the queue, as out of order. Returns whether another one
   * is probed; false if none is left, and the batches of the queue are not in the log.
   */
  probe(batch: Batch, wasProbed: boolean): boolean {
    const end = wasProbed ? this.batches.indexOf(batch) : this.#mayBeInLog()
    this.#probed = end > 1 ? this.batches[end - 1] : undefined
    return this.#probed !== undefined
  }

  isProbed(batch: Batch): boolean {
    return this.#probed === batch
  }

  /** Sends a batch again; `parts` replace it if it is divided. The batches behind it must wait for it. */
  putBack(batch: Batch, parts: readonly Batch[] = [batch]): void {
    this.#land(batch)
    this.#isRewinding = true
    // Another broker may answer the next time, so it gets the first batch again.
    this.#probed = undefined
    if (batch.sequence !== undefined && parts[0] !== batch) this.#hasGap = true
    const at = this.batches.findIndex((other) => other.serial > batch.serial)
    this.batches.splice(at < 0 ? this.batches.length : at, 0, ...parts)
  }

  /** Removes a failed batch. If its sequence is not in the log, the broker would reject the batches behind it. */
  drop(batch: Batch, mayBeInLog: boolean): void {
    this.#land(batch)
    const at = this.batches.indexOf(batch)
    if (at >= 0) this.batches.splice(at, 1)
    if (this.#probed === batch) this.#probed = undefined
    if (batch.sequence !== undefined && !mayBeInLog) this.#hasGap = true
  }

  /** Whether an earlier batch is neither acknowledged nor failed. */
  isBehindAnother(batch: Batch): boolean {
    const isEarlier = (other: Batch) => other.serial < batch.serial && other.attempts > 0
    return this.inFlight.some(isEarlier) || this.batches.some(isEarlier)
  }

  /** Numbers the batches again. Called when the first one needs another number, and none of them is in the log. */
  renumber(): void {
    const [first] = this.batches
    if (first !== undefined) first.sequence = undefined
    this.#probed = undefined
    this.#hasGap = true
  }

  /** The number of batches at the front that have a number and may be in the log. */
  #mayBeInLog(): number {
    const end = this.batches.findIndex((one) => one.sequence === undefined || !one.outcomeUnknown)
    return end < 0 ? this.batches.length : end
  }

  #takeSequence(identity: ProducerIdentity, count: number): Sequence {
    const baseSequence = this.#nextSequence
    this.#nextSequence = (baseSequence + count) % SEQUENCES
    return { ...identity, baseSequence }
  }

  #land(batch: Batch): void {
    const at = this.inFlight.indexOf(batch)
    if (at >= 0) this.inFlight.splice(at, 1)
    batch.request = undefined
  }
}
