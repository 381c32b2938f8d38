import type { OutgoingHeader } from '../../../protocol/records/outgoing-record.ts'
import { Batch } from './batch.ts'
import { BufferPool } from './buffer-pool.ts'
import { Linger } from './linger.ts'
import type { UnhandledFailures } from '../results/unhandled-failures.ts'
import { PartitionQueue } from './partition-queue.ts'
import type { ProducerSettings } from '../options.ts'
import type { Data } from '../intake/serialize.ts'
import type { ReadyQueues } from './ready-queues.ts'
import { IncompleteBatches } from './incomplete-batches.ts'

/**
 * Collects records into batches, a queue for each partition, and counts them. It puts partitions on the list of
 * `ready` queues when they have something to send; the sender takes them from there.
 */
export class Accumulator {
  readonly ready: ReadyQueues
  readonly incomplete = new IncompleteBatches()
  readonly linger: Linger
  readonly failures: UnhandledFailures
  readonly #settings: ProducerSettings
  readonly #pool: BufferPool
  readonly #queues = new Map<string, (PartitionQueue<Batch> | undefined)[]>()
  readonly #lingers: boolean
  #nextSerial = 0
  #queuedBytes = 0
  #queuedMessages = 0

  constructor(settings: ProducerSettings, failures: UnhandledFailures, ready: ReadyQueues) {
    this.#settings = settings
    this.ready = ready
    this.linger = new Linger(settings.lingerMs, settings.minQueuedMessages)
    this.#lingers = this.linger.isOn
    // Sizes are powers of two: up to twice the bytes of a full queue are in use at times.
    this.#pool = new BufferPool(2 * settings.maxQueuedBytes)
    this.failures = failures
  }

  /** The bytes that messages which are not settled take in their batches. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get queuedMessages(): number {
    return this.#queuedMessages
  }

  queue(topic: string, partition: number): PartitionQueue<Batch> {
    let ofTopic = this.#queues.get(topic)
    if (ofTopic === undefined) this.#queues.set(topic, (ofTopic = []))
    return (ofTopic[partition] ??= this.#newQueue(topic, partition))
  }

  /** Puts a record into the open batch of its partition, or opens another; returns the batch. */
  append(
    queue: PartitionQueue<Batch>,
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
        queue.close(batch)
        if (this.#lingers) {
          this.linger.end(batch)
          this.ready.add(queue)
        }
        batch = undefined
        before = 0
      }
    }
    if (batch === undefined) {
      batch = this.newBatch(queue)
      batch.result.baseTimestamp = timestamp
      // A record that is larger than that goes alone.
      // prettier-ignore
      batch.writer.append(key, keyBytes, value, valueBytes, timestamp, headers, headersBytes, Infinity)
      queue.add(batch)
      this.incomplete.add(batch)
      if (this.#lingers) this.linger.begin(batch)
    }
    this.#queuedBytes += batch.writer.sizeBytes - before
    this.#queuedMessages++
    if (!batch.isDue) {
      if (this.linger.count()) this.flush()
    } else if (!queue.isListed) {
      this.ready.add(queue)
    }
    return batch
  }

  /** Ends the wait of all batches that linger. */
  flush(): void {
    for (const { queue } of this.linger.endUntil(Infinity)) this.ready.add(queue)
  }

  /** Ends the wait of batches that have lingered for `lingerMs`. */
  endLinger(): void {
    for (const { queue } of this.linger.endDue()) this.ready.add(queue)
  }

  /** An empty batch; in the place of another where one is given. */
  newBatch(
    queue: PartitionQueue<Batch>,
    place?: Pick<Batch, 'createdAt' | 'serial' | 'span'>,
  ): Batch {
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
    batch.queue.close(batch)
    this.linger.end(batch)
    this.incomplete.delete(batch)
    this.#queuedBytes -= batch.sizeBytes
    this.#queuedMessages -= batch.count
    batch.queue.usualBytes = batch.sizeBytes
    if (isUnused) batch.writer.release()
  }

  /** Puts batches into the place of one that is cut up. */
  replace(batch: Batch, parts: readonly Batch[]): void {
    this.incomplete.replace(batch, parts)
    this.#queuedBytes -= batch.sizeBytes
    this.#queuedMessages -= batch.count
    for (const part of parts) {
      this.#queuedBytes += part.sizeBytes
      this.#queuedMessages += part.count
    }
  }

  #newQueue(topic: string, partition: number): PartitionQueue<Batch> {
    const { batchBytes, requiredAcks } = this.#settings
    return new PartitionQueue<Batch>(topic, partition, batchBytes, requiredAcks === 0)
  }
}
