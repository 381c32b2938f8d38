/** The state of idempotent producers in a partition (KIP-98): ProducerStateManager in Kafka. */
import { Refused } from '../refused.ts'

interface WrittenBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly timestamp: number
}

interface ProducerEntry {
  epoch: number
  /** The highest timestamp of the last batch, which its producer may have chosen, or that of a marker. */
  lastTimestamp: number
  /** The epoch of the coordinator that wrote the last marker; −1 without one. */
  coordinatorEpoch: number
  /** The newest last. */
  readonly batches: WrittenBatch[]
}

/** A producer that the partition knows, as DescribeProducers returns it. */
export interface KnownProducer {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** −1 if the partition has no batch of its epoch. */
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
}

export interface SequencedBatch {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly count: number
}

/** Brokers detect duplicates among this many batches, so that clients have at most 5 requests in flight. */
const BATCHES_KEPT = 5
const SEQUENCES = 2 ** 31
/** The epoch of the coordinator of embedded clusters, which never moves. */
const MARKER_COORDINATOR_EPOCH = 0

export class ProducerStates {
  readonly #entries = new Map<bigint, ProducerEntry>()

  /**
   * Returns the position of an identical batch in the log, or undefined for a batch to append.
   * Throws Refused for an invalid sequence number or epoch. `beginsAtZero`: the sequence number of
   * the first batch of an unknown producer must be 0.
   */
  check(batch: SequencedBatch, beginsAtZero: boolean): WrittenBatch | undefined {
    if (batch.producerId < 0n) return undefined
    const entry = this.#entries.get(batch.producerId)
    if (entry === undefined) {
      // Since KIP-360, a producer that the broker has forgotten continues with its current sequence
      // number.
      if (!beginsAtZero || batch.baseSequence === 0) return undefined
      throw new Refused(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Invalid sequence number for producer ${batch.producerId}: ${batch.baseSequence} (incoming seq. number). Expected sequence 0 for transactions v2 idempotent producer with no existing state.`,
      )
    }
    if (batch.producerEpoch === entry.epoch) {
      const lastSequence = lastSequenceOf(batch)
      const duplicate = entry.batches.find(
        (known) =>
          known.firstSequence === batch.baseSequence && known.lastSequence === lastSequence,
      )
      if (duplicate !== undefined) return duplicate
    }
    if (batch.producerEpoch < entry.epoch) {
      throw new Refused(
        'INVALID_PRODUCER_EPOCH',
        `Epoch of producer ${batch.producerId} is ${batch.producerEpoch}, which is smaller than the last seen epoch ${entry.epoch}`,
      )
    }
    const expected = batch.producerEpoch > entry.epoch ? 0 : this.#nextSequence(entry)
    if (batch.baseSequence !== expected) {
      throw new Refused(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Out of order sequence number for producer ${batch.producerId}: ${batch.baseSequence} (incoming seq. number), ${expected - 1} (current end sequence number)`,
      )
    }
    return undefined
  }

  /** Updates the state for an appended batch. */
  appended(batch: SequencedBatch, baseOffset: number, timestamp: number): void {
    if (batch.producerId < 0n) return
    let entry = this.#entries.get(batch.producerId)
    if (entry?.epoch !== batch.producerEpoch) {
      const coordinatorEpoch = entry?.coordinatorEpoch ?? -1
      entry = {
        epoch: batch.producerEpoch,
        batches: [],
        lastTimestamp: timestamp,
        coordinatorEpoch,
      }
      this.#entries.set(batch.producerId, entry)
    }
    entry.lastTimestamp = timestamp
    entry.batches.push({
      firstSequence: batch.baseSequence,
      lastSequence: lastSequenceOf(batch),
      baseOffset,
      timestamp,
    })
    if (entry.batches.length > BATCHES_KEPT) entry.batches.shift()
  }

  /** Updates the state for a marker: a later epoch begins with sequence number 0. */
  ended(producerId: bigint, epoch: number, timestamp: number): void {
    const known = this.#entries.get(producerId)
    if (known === undefined) return
    known.lastTimestamp = timestamp
    known.coordinatorEpoch = MARKER_COORDINATOR_EPOCH
    if (known.epoch >= epoch) return
    known.epoch = epoch
    known.batches.length = 0
  }

  get all(): readonly KnownProducer[] {
    return [...this.#entries].map(([producerId, entry]) => ({
      producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.batches[entry.batches.length - 1]?.lastSequence ?? -1,
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
    }))
  }

  epochOf(producerId: bigint): number | undefined {
    return this.#entries.get(producerId)?.epoch
  }

  /**
   * Removes all but each producer's last batch, as a restart of a broker does: the snapshot that it
   * writes when it stops contains no more (observed with 1.1, 2.8 and 4.4).
   */
  keepLast(): void {
    for (const { batches } of this.#entries.values())
      batches.splice(0, Math.max(0, batches.length - 1))
  }

  /** Removes producers without an open transaction whose last batch or marker is not after `beforeMs`. */
  expire(beforeMs: number, isOpen: (producerId: bigint) => boolean): void {
    for (const [producerId, { lastTimestamp }] of this.#entries) {
      if (lastTimestamp <= beforeMs && !isOpen(producerId)) this.#entries.delete(producerId)
    }
  }

  clear(): void {
    this.#entries.clear()
  }

  #nextSequence({ batches }: ProducerEntry): number {
    const last = batches[batches.length - 1]
    return last === undefined ? 0 : (last.lastSequence + 1) % SEQUENCES
  }
}

/** Sequence numbers wrap around from 2^31 − 1 to 0. */
function lastSequenceOf({ baseSequence, count }: SequencedBatch): number {
  return (baseSequence + count - 1) % SEQUENCES
}
