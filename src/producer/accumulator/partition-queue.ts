import type { ProducerIdentity } from '../recovery/producer-id.ts'
import type { ProduceAttempt, QueuedBatch, Sequence } from './queued-batch.ts'

/** Sequences go round from 2^31 − 1 to 0. */
const SEQUENCES = 2 ** 31
const NO_BATCHES: readonly never[] = []

/**
 * The batches for one partition, in the order in which they must get into its log. As a state machine:
 *
 *   steady     With a sequence (idempotence), several batches may be in flight: the broker takes them only in
 *              order. Before the first is acknowledged only one: a broker that does not know the producer
 *              takes any sequence as its first, so that the second of two could get in before the first.
 *              Without a sequence, only one ever.
 *   rewinding  One was not acknowledged. Those behind it fail, too; when all have come back they go out again
 *              in their order, one at a time, until one is acknowledged: steady again.
 *   probing    The broker calls the first out of order, although it may be in the log. A broker that was
 *              restarted remembers only the last batch of each producer (checked with 1.1, 2.8 and 4.4), and
 *              knows none of those before it. So the last of those that may be in the log goes next, then the
 *              one before it, down to the second. The one that the broker takes, or knows, shows that all
 *              before it are in the log: it takes them only in order. When it takes none, they are renumbered.
 *
 * The queue keeps order and numbers. What follows from a gap in the numbers, or from a refused number, is for the
 * producer's RecoveryPolicy to decide.
 */
export class PartitionQueue<Batch extends QueuedBatch> {
  private openBatch: Batch | undefined
  private listed = false
  /** Batches may be no larger here: smaller than the setting once the broker has refused one. */
  maxBatchBytes: number
  readonly topic: string
  readonly partition: number
  /** Not in flight: the first is the next to go, the last may be open. */
  readonly batches: Batch[] = []
  /** In the order in which they were sent. */
  readonly inFlight: Batch[] = []
  /** Where those in flight went. Nothing goes elsewhere before they are back: it could get there first. */
  sentTo: object | undefined
  /** Waits after a failure. */
  isBackingOff = false
  /** The first batch is being compressed by another thread. */
  isSealing = false
  /** Failures since the last acknowledgement, for the backoff. */
  failures = 0
  /** Why it waits or waited last: what keeps a batch from being sent that was never tried. */
  lastError: Error | undefined
  /** What the last batch took: a good guess for the next. */
  usualBytes = 0
  readonly #isUnordered: boolean
  #identity: ProducerIdentity | undefined
  #nextSequence = 0
  /** Whether the broker knows this producer id and epoch. */
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

  /** Whether nothing can be sent before something comes back. */
  get isBlocked(): boolean {
    if (this.isBackingOff || this.isSealing) return true
    return this.inFlight.length > 0 && !this.#mayPipeline
  }

  /** The batch to go next: the first, unless another is probed. */
  get next(): Batch | undefined {
    return this.#probed ?? this.batches[0]
  }

  /** The producer id and epoch that its batches are numbered for; undefined before `startWith`. */
  get identity(): ProducerIdentity | undefined {
    return this.#identity
  }

  /** Whether a numbered batch was given up that is not in the log: brokers refuse the numbers after it. */
  get hasGap(): boolean {
    return this.#hasGap
  }

  /**
   * Whether its batches may get new numbers: nothing is in flight, and the first may not be in the log. Under another
   * number it could get there twice.
   */
  get mayRenumber(): boolean {
    const head = this.batches[0]
    return this.inFlight.length === 0 && (head?.sequence === undefined || !head.outcomeUnknown)
  }

  /** The batch that takes records: the last. */
  get open(): Batch | undefined {
    return this.openBatch
  }

  /** Whether it is in the list of queues with something to send, or in that of a sink. */
  get isListed(): boolean {
    return this.listed
  }

  /** Marks it as listed. Returns false where it is in a list, or has nothing that can be sent now. */
  enlist(): boolean {
    if (this.listed || this.isBlocked || this.batches.length === 0) return false
    this.listed = true
    return true
  }

  /** It has left the list. */
  delist(): void {
    this.listed = false
  }

  /** Adds a batch that takes records from now on. */
  add(batch: Batch): void {
    this.batches.push(batch)
    this.openBatch = batch
  }

  /** The batch takes no more records. */
  close(batch: Batch): void {
    if (this.openBatch === batch) this.openBatch = undefined
  }

  get #mayPipeline(): boolean {
    if (this.#isUnordered) return true
    if (this.#identity === undefined || !this.#isKnown) return false
    return !this.#isRewinding && !this.#hasGap
  }

  /** Numbers its batches for another producer id or epoch from now on, those that were tried again. */
  startWith(identity: ProducerIdentity): void {
    this.#identity = identity
    this.#nextSequence = 0
    this.#isKnown = false
    this.#hasGap = false
    this.#probed = undefined
    for (const batch of this.batches) batch.sequence = undefined
  }

  /** Takes the next batch to be sent in a request, to the broker of a sink. */
  take(request: ProduceAttempt, sink: object): Batch {
    const batch = this.next!
    if (batch === this.batches[0]) this.batches.shift()
    else this.batches.splice(this.batches.indexOf(batch), 1)
    this.sentTo = sink
    this.close(batch)
    batch.attempts++
    batch.request = request
    this.inFlight.push(batch)
    return batch
  }

  /** Where a batch that is about to go for the first time stands in the sequence. */
  number(batch: Batch): void {
    if (batch.sequence !== undefined || this.#identity === undefined) return
    batch.sequence = this.#takeSequence(this.#identity, batch.count)
    batch.wire = undefined
  }

  /** A batch got into the log. Returns those before it that are there, too, as is known by it. */
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
   * The broker says that this batch, which has been put back, is out of order. Returns whether another is to be
   * probed; false where none is left, and what is in the queue is not in the log.
   */
  probe(batch: Batch, wasProbed: boolean): boolean {
    const end = wasProbed ? this.batches.indexOf(batch) : this.#mayBeInLog()
    this.#probed = end > 1 ? this.batches[end - 1] : undefined
    return this.#probed !== undefined
  }

  isProbed(batch: Batch): boolean {
    return this.#probed === batch
  }

  /** A batch goes again; `parts` where others take its place. Those behind it must wait for it. */
  putBack(batch: Batch, parts: readonly Batch[] = [batch]): void {
    this.#land(batch)
    this.#isRewinding = true
    // Another broker may answer the next time: it is asked for the first again.
    this.#probed = undefined
    if (batch.sequence !== undefined && parts[0] !== batch) this.#hasGap = true
    const at = this.batches.findIndex((other) => other.serial > batch.serial)
    this.batches.splice(at < 0 ? this.batches.length : at, 0, ...parts)
  }

  /** A batch is given up. Without its sequence in the log those behind it would not be taken. */
  drop(batch: Batch, mayBeInLog: boolean): void {
    this.#land(batch)
    const at = this.batches.indexOf(batch)
    if (at >= 0) this.batches.splice(at, 1)
    if (this.#probed === batch) this.#probed = undefined
    if (batch.sequence !== undefined && !mayBeInLog) this.#hasGap = true
  }

  /** Whether one that came before is neither acknowledged nor given up. */
  isBehindAnother(batch: Batch): boolean {
    const isEarlier = (other: Batch) => other.serial < batch.serial && other.attempts > 0
    return this.inFlight.some(isEarlier) || this.batches.some(isEarlier)
  }

  /** The first batch needs another number, and none of them is in the log. */
  renumber(): void {
    const [first] = this.batches
    if (first !== undefined) first.sequence = undefined
    this.#probed = undefined
    this.#hasGap = true
  }

  /** How many of the first batches have a number and may be in the log. */
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
