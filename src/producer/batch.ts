import type { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import type { Deferred } from '../async/deferred.ts'

/** Where a message ended up. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** −1 with requiredAcks 0: nobody said. */
  readonly offset: number
  /** Milliseconds since 1970: the broker's where the topic says so, the producer's otherwise. */
  readonly timestamp: number
}

/** Records on their way to one partition together, and who waits for them. */
export class Batch {
  readonly topic: string
  readonly partition: number
  readonly records: OutgoingRecord[] = []
  readonly settlers: Deferred<RecordMetadata>[] = []
  sizeBytes = 0
  /** When the first record came, on performance.now()'s clock. */
  readonly createdAt: number
  /** How often it was tried. */
  attempts = 0
  lastError: Error | undefined
  /** Whether it may be in the log: an attempt ended without an answer, whatever came of later ones. */
  outcomeUnknown = false
  /** Whether its promises are settled: what is still heard of it then changes nothing. */
  isSettled = false

  constructor(topic: string, partition: number, createdAt: number) {
    this.topic = topic
    this.partition = partition
    this.createdAt = createdAt
  }

  add(record: OutgoingRecord, settler: Deferred<RecordMetadata>): void {
    this.records.push(record)
    this.settlers.push(settler)
    this.sizeBytes += record.sizeBytes
  }

  /** Two batches with half the records each, for a broker that finds this one too large. */
  split(): [Batch, Batch] {
    const middle = this.records.length >>> 1
    const halves: [Batch, Batch] = [this.#empty(), this.#empty()]
    this.records.forEach((record, index) => {
      halves[index < middle ? 0 : 1].add(record, this.settlers[index]!)
    })
    return halves
  }

  succeed(baseOffset: number, appendTime: number | undefined): void {
    this.isSettled = true
    const { topic, partition } = this
    this.settlers.forEach((settler, index) => {
      const offset = baseOffset < 0 ? -1 : baseOffset + index
      const timestamp = appendTime ?? this.records[index]!.timestamp
      settler.resolve({ topic, partition, offset, timestamp })
    })
  }

  fail(error: Error): void {
    this.isSettled = true
    for (const settler of this.settlers) settler.reject(error)
  }

  #empty(): Batch {
    const half = new Batch(this.topic, this.partition, this.createdAt)
    half.attempts = this.attempts
    half.lastError = this.lastError
    half.outcomeUnknown = this.outcomeUnknown
    return half
  }
}
