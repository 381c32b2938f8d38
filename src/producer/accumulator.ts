import type { OutgoingHeader } from '../../protocol/records/outgoing-record.ts'
import { Batch } from './batch.ts'
import { BufferPool } from './buffer-pool.ts'
import type { Failures } from './failures.ts'
import { PartitionQueue } from './partition-queue.ts'
import type { ProducerSettings } from './options.ts'
import type { ProducerId } from './producer-id.ts'
import type { Data } from './serialize.ts'
import { Unsettled } from './unsettled.ts'

/** What wants to be sent. */
export interface Signals {
  /** A partition has something to send at once. */
  ready(queue: PartitionQueue): void
  /** A batch begins, and may linger. */
  began(batch: Batch): void
  /** So much lingers that it need not wait for more. */
  enough(): void
}

/** Collects records into batches, a queue a partition, and counts them. */
export class Accumulator {
  readonly unsettled = new Unsettled()
  readonly failures: Failures
  readonly #settings: ProducerSettings
  readonly #signals: Signals
  readonly #pool: BufferPool
  readonly #queues = new Map<string, (PartitionQueue | undefined)[]>()
  readonly #lingers: boolean
  #nextSerial = 0
  /** Of messages that are not settled: the bytes that they take in their batches. */
  queuedBytes = 0
  queuedMessages = 0
  /** Messages in batches that linger. */
  lingeringMessages = 0
  /** New partitions number their batches for it. */
  producer: ProducerId | undefined

  constructor(settings: ProducerSettings, failures: Failures, signals: Signals) {
    this.#settings = settings
    this.#lingers = settings.lingerMs > 0
    // Sizes are powers of two: up to twice the bytes of a full queue are in use at times.
    this.#pool = new BufferPool(2 * settings.maxQueuedBytes)
    this.failures = failures
    this.#signals = signals
  }

  queue(topic: string, partition: number): PartitionQueue {
    let ofTopic = this.#queues.get(topic)
    if (ofTopic === undefined) this.#queues.set(topic, (ofTopic = []))
    return (ofTopic[partition] ??= this.#newQueue(topic, partition))
  }

  /** Puts a record into the open batch of its partition, or opens another; returns the batch. */
  append(
    queue: PartitionQueue,
    key: Data,
    keyBytes: number,
    value: Data,
    valueBytes: number,
    timestamp: number,
    headers: readonly OutgoingHeader[] | undefined,
    headersBytes: number,
  ): Batch {
    const maxBytes = queue.maxBatchBytes
    let batch = queue.open
    let before = 0
    if (batch !== undefined) {
      const { writer } = batch
      before = writer.sizeBytes
      // prettier-ignore
      if (!writer.append(key, keyBytes, value, valueBytes, timestamp, headers, headersBytes, maxBytes)) {
        queue.open = undefined
        if (this.#lingers) {
          this.lingeringMessages -= batch.count
          this.#signals.ready(queue)
        }
        batch = undefined
        before = 0
      }
    }
    if (batch === undefined) {
      batch = this.newBatch(queue)
      batch.fate.baseTimestamp = timestamp
      // A record that is larger than that goes alone.
      // prettier-ignore
      batch.writer.append(key, keyBytes, value, valueBytes, timestamp, headers, headersBytes, Infinity)
      queue.batches.push(batch)
      queue.open = batch
      this.unsettled.add(batch)
      if (this.#lingers) this.#signals.began(batch)
    }
    this.queuedBytes += batch.writer.sizeBytes - before
    this.queuedMessages++
    if (this.#lingers) {
      if (++this.lingeringMessages >= this.#settings.minQueuedMessages) this.#signals.enough()
    } else if (!queue.isListed && !queue.isBlocked) {
      this.#signals.ready(queue)
    }
    return batch
  }

  /** An empty batch; in the place of another where one is given. */
  newBatch(queue: PartitionQueue, place?: Pick<Batch, 'createdAt' | 'serial' | 'span'>): Batch {
    const { createdAt, ...rest } = place ?? {
      createdAt: performance.now(),
      serial: this.#nextSerial++,
      span: 1,
    }
    return new Batch(queue, createdAt, rest, queue.usualBytes, this.#pool, this.failures)
  }

  /**
   * Called for a batch that is settled. `isUnused`: nothing holds its memory any more, as the only request
   * that it was in has been answered.
   */
  release(batch: Batch, isUnused: boolean): void {
    this.unsettled.delete(batch)
    this.queuedBytes -= batch.sizeBytes
    this.queuedMessages -= batch.count
    batch.queue.usualBytes = batch.sizeBytes
    if (isUnused) batch.writer.release()
  }

  /** Puts batches into the place of one that is cut up. */
  replace(batch: Batch, parts: readonly Batch[]): void {
    this.unsettled.replace(batch, parts)
    this.queuedBytes -= batch.sizeBytes
    this.queuedMessages -= batch.count
    for (const part of parts) {
      this.queuedBytes += part.sizeBytes
      this.queuedMessages += part.count
    }
  }

  #newQueue(topic: string, partition: number): PartitionQueue {
    const { batchBytes, requiredAcks } = this.#settings
    const queue = new PartitionQueue(topic, partition, batchBytes, requiredAcks === 0)
    if (this.producer !== undefined) queue.startWith(this.producer)
    return queue
  }
}
