import type { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import type { Deferred } from '../async/deferred.ts'
import { Batch, type RecordMetadata } from './batch.ts'

/** Batches for one partition, in the order in which they must reach it. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly batches: Batch[] = []
  /**
   * The batch that was sent (and left `batches`) and not yet answered. One at a time: without idempotence a retry of the first
   * of two would put them into the log in the wrong order.
   */
  inFlight: Batch | undefined
  /** Not to be sent before this time: the wait after a failure. */
  notBefore = 0

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }
}

/** Collects records into batches, a queue a partition, and counts their bytes. */
export class Accumulator {
  readonly #maxBatchBytes: number
  readonly #queues = new Map<string, PartitionQueue>()
  queuedBytes = 0
  queuedRecords = 0

  constructor(maxBatchBytes: number) {
    this.#maxBatchBytes = maxBatchBytes
  }

  get queues(): Iterable<PartitionQueue> {
    return this.#queues.values()
  }

  append(
    topic: string,
    partition: number,
    record: OutgoingRecord,
    settler: Deferred<RecordMetadata>,
  ): void {
    const queue = this.#queue(topic, partition)
    let batch = queue.batches.at(-1)
    // A batch that was tried keeps its records: a retry must be the same batch.
    const takesMore =
      batch?.attempts === 0 && batch.sizeBytes + record.sizeBytes <= this.#maxBatchBytes
    if (batch === undefined || !takesMore) {
      batch = new Batch(topic, partition, performance.now())
      queue.batches.push(batch)
    }
    batch.add(record, settler)
    this.queuedBytes += record.sizeBytes
    this.queuedRecords++
  }

  /** Called for each batch that was settled, one way or the other. */
  release(batch: Batch): void {
    for (const record of batch.records) this.queuedBytes -= record.sizeBytes
    this.queuedRecords -= batch.records.length
  }

  #queue(topic: string, partition: number): PartitionQueue {
    const key = `${topic}/${partition}`
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = new PartitionQueue(topic, partition)
      this.#queues.set(key, queue)
    }
    return queue
  }
}
