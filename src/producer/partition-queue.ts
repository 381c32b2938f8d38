import type { Batch, ProduceAttempt, Sequence } from './batch.ts'
import type { ProducerId } from './producer-id.ts'

/** Sequences go round from 2^31 − 1 to 0. */
const SEQUENCES = 2 ** 31
const LAST_EPOCH = 0x7fff
const NO_BATCHES: readonly Batch[] = []

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
 *              before it are in the log: it takes them only in order. Where it takes none, a new start.
 *
 * When the broker finds a gap before the first of them, or it can't be sent at all, there is a new start: the
 * same producer id with the next epoch, and sequences from 0 (KIP-360). Epochs are a partition's own here:
 * brokers compare them with what they know of the same partition only.
 */
export class PartitionQueue {
  /** The batch that takes records: the last. */
  open: Batch | undefined
  /** In the list of those that may have something to send, or in that of a broker. */
  isListed = false
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
  #producer: ProducerId | undefined
  #nextSequence = 0
  /** Whether the broker knows this producer id and epoch. */
  #isKnown = false
  #isRewinding = false
  #needsNewStart = false
  #probed: Batch | undefined

  /** `isUnordered`: requests that nobody answers need not wait for each other. */
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

  /** Whether its batches are numbered from now on. */
  get producer(): ProducerId | undefined {
    return this.#producer
  }

  get #mayPipeline(): boolean {
    if (this.#isUnordered) return true
    if (this.#producer === undefined || !this.#isKnown) return false
    return !this.#isRewinding && !this.#needsNewStart
  }

  /** Numbers its batches for another producer id or epoch from now on, those that were tried anew. */
  startWith(producer: ProducerId): void {
    this.#producer = producer
    this.#nextSequence = 0
    this.#isKnown = false
    this.#needsNewStart = false
    this.#probed = undefined
    for (const batch of this.batches) batch.sequence = undefined
  }

  /** Takes the next batch to be sent in a request, to the broker of a sink. */
  take(request: ProduceAttempt, sink: object): Batch {
    const batch = this.next!
    if (batch === this.batches[0]) this.batches.shift()
    else this.batches.splice(this.batches.indexOf(batch), 1)
    this.sentTo = sink
    batch.close()
    batch.attempts++
    batch.request = request
    this.inFlight.push(batch)
    return batch
  }

  /** Where a batch that is about to go for the first time stands in the sequence. */
  number(batch: Batch): void {
    if (batch.sequence !== undefined || this.#producer === undefined) return
    batch.sequence = this.#takeSequence(this.#producer, batch.count)
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
    if (batch.sequence !== undefined && parts[0] !== batch) this.#needsNewStart = true
    const at = this.batches.findIndex((other) => other.serial > batch.serial)
    this.batches.splice(at < 0 ? this.batches.length : at, 0, ...parts)
  }

  /** A batch is given up. Without its sequence in the log those behind it would not be taken. */
  drop(batch: Batch, mayBeInLog: boolean): void {
    this.#land(batch)
    const at = this.batches.indexOf(batch)
    if (at >= 0) this.batches.splice(at, 1)
    if (this.#probed === batch) this.#probed = undefined
    if (batch.sequence !== undefined && !mayBeInLog) this.#needsNewStart = true
  }

  /** Whether one that came before is neither acknowledged nor given up. */
  isBehindAnother(batch: Batch): boolean {
    const isEarlier = (other: Batch) => other.serial < batch.serial && other.attempts > 0
    return this.inFlight.some(isEarlier) || this.batches.some(isEarlier)
  }

  /** The broker has lost the thread before the first batch, and none of them is in the log. */
  requestNewStart(): void {
    const [first] = this.batches
    if (first !== undefined) first.sequence = undefined
    this.#probed = undefined
    this.#needsNewStart = true
  }

  /**
   * To be called before something is taken: makes a new start that is needed, once nothing is in flight any
   * more. Not before a batch that may be in the log: under another number it could get there twice. False
   * where it takes another producer id, as the epochs of this one are used up.
   */
  makeNewStart(): boolean {
    const head = this.batches[0]
    const mustKeepNumber = head?.sequence !== undefined && head.outcomeUnknown
    const isDue = this.#needsNewStart && this.inFlight.length === 0 && !mustKeepNumber
    if (!isDue || this.#producer === undefined) return true
    const { producerId, producerEpoch } = this.#producer
    if (producerEpoch >= LAST_EPOCH) return false
    this.startWith({ producerId, producerEpoch: producerEpoch + 1 })
    return true
  }

  /** How many of the first batches have a number and may be in the log. */
  #mayBeInLog(): number {
    const end = this.batches.findIndex((one) => one.sequence === undefined || !one.outcomeUnknown)
    return end < 0 ? this.batches.length : end
  }

  #takeSequence(producer: ProducerId, count: number): Sequence {
    const baseSequence = this.#nextSequence
    this.#nextSequence = (baseSequence + count) % SEQUENCES
    return { ...producer, baseSequence }
  }

  #land(batch: Batch): void {
    const at = this.inFlight.indexOf(batch)
    if (at >= 0) this.inFlight.splice(at, 1)
    batch.request = undefined
  }
}
