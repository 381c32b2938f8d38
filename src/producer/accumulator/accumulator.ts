import type { HeaderFields } from '../../../protocol/records/outgoing-record.ts'
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
 * Collects records into batches, in a queue for each partition, and counts them. It puts partitions with something to
 * send on the list of `ready` queues; the sender takes them from there.
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
    // Sizes are powers of two, so that up to twice the bytes of a full queue may be in use.
    this.#pool = new BufferPool(2 * settings.maxQueuedBytes)
    this.failures = failures
  }

  /** The bytes of messages that are not settled, in their batches. */
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

  /** Appends a record to the open batch of its partition, or to a new one. Returns the batch. */
  append(
    queue: PartitionQueue<Batch>,
    key: Data,
    keyBytes: number,
    value: Data,
    valueBytes: number,
    timestamp: number,
    headers: HeaderFields | undefined,
    headersBytes: number,
  ): Batch {
    const maxBytes = queue.maxBatchBytes
    let batch = queue.open
    let before = 0
    if (batch !== undefined) before = batch.writer.sizeBytes
    if (
      batch?.writer.append(
        key,
        keyBytes,
        value,
        valueBytes,
        timestamp,
        headers,
        headersBytes,
        maxBytes,
      ) !== true
    ) {
      before = 0
      batch = this.#appendToNew(
        queue,
        key,
        keyBytes,
        value,
        valueBytes,
        timestamp,
        headers,
        headersBytes,
      )
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

  /** Closes the open batch of a queue, if it has one, and appends a record to a new one. */
  #appendToNew(
    queue: PartitionQueue<Batch>,
    key: Data,
    keyBytes: number,
    value: Data,
    valueBytes: number,
    timestamp: number,
    headers: HeaderFields | undefined,
    headersBytes: number,
  ): Batch {
    const { open } = queue
    if (open !== undefined) {
      queue.close(open)
      if (this.#lingers) {
        this.linger.end(open)
        this.ready.add(queue)
      }
    }
    const batch = this.newBatch(queue)
    const { result, writer } = batch
    result.baseTimestamp = timestamp
    // A record that is larger has a batch of its own.
    writer.append(key, keyBytes, value, valueBytes, timestamp, headers, headersBytes, Infinity)
    queue.add(batch)
    this.incomplete.add(batch)
    if (this.#lingers) this.linger.begin(batch)
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

  /** Returns an empty batch, which replaces another one if one is given. */
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
   * Called for a batch that is settled. `isUnused`: no request refers to its memory any more, because the only request
   * that contained it was answered.
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

  /** Replaces a batch by the batches that it is divided into. */
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
