import type { BatchMemory } from '../../../protocol/records/batch-writer.ts'
import { BatchWriter } from '../../../protocol/records/batch-writer.ts'
import { BatchResult } from '../results/delivery-promise.ts'
import type { UnhandledFailures } from '../results/unhandled-failures.ts'
import type { MessageGroup } from '../results/message-group.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProduceAttempt, QueuedBatch, Sequence } from './queued-batch.ts'
import type { ProducedMessage } from '../results/reports.ts'
import type { MessageTrace } from '../results/traces.ts'

/** The record formats: message sets v0 and v1, batches v2. */
export type RecordFormat = 0 | 1 | 2

/** Consecutive messages of one batch that were produced together, or a single message. */
export interface GroupRun {
  readonly group: MessageGroup | undefined
  readonly start: number
  readonly count: number
}

/**
 * Records for one partition that are sent together, and their result.
 *
 * The fields that every message uses come first, in batches as in queues: with 1,000 partitions in turn nothing is in
 * the processor's cache, and each cache line costs time.
 */
export class Batch implements QueuedBatch {
  readonly queue: PartitionQueue<Batch>
  readonly writer: BatchWriter
  readonly result: BatchResult
  /** The group of the last record. */
  private group: MessageGroup | undefined
  /** The index at which another group begins. */
  private starts: Omit<GroupRun, 'count'>[] | undefined
  /** When the first record was appended, on performance.now()'s clock. */
  readonly createdAt: number
  /** Its position among all batches of a producer. Parts of a divided batch have fractions, and keep its position. */
  readonly serial: number
  /** The distance to the next whole serial, for parts. */
  readonly span: number
  /** Whether it may be sent although it has room: false while it lingers. Written by Linger. */
  isDue = true
  /** How often it was sent. */
  attempts = 0
  lastError: Error | undefined
  /** Whether it may be in the log: an attempt was written and not answered, whatever the result of later ones. */
  outcomeUnknown = false
  sequence: Sequence | undefined
  /** The records in the format of its broker, without the header of a batch v2. */
  sealed: Sealed | undefined
  /** The bytes that are sent. Undefined if they must be created, or created again. */
  wire: Buffer | undefined
  /** The request that contains it. */
  request: ProduceAttempt | undefined
  /** The messages as the application passed them, if there are delivery reports. */
  messages: ProducedMessage[] | undefined
  /** The traces of its messages, if anything traces. */
  traces: MessageTrace[] | undefined
  /** Neighbours in the list of incomplete batches, oldest first. */
  previous: Batch | undefined
  next: Batch | undefined

  constructor(
    queue: PartitionQueue<Batch>,
    createdAt: number,
    { serial, span }: Pick<Batch, 'serial' | 'span'>,
    capacityBytes: number,
    memory: BatchMemory,
    failures: UnhandledFailures,
  ) {
    this.queue = queue
    this.createdAt = createdAt
    this.serial = serial
    this.span = span
    this.writer = new BatchWriter(capacityBytes, memory)
    this.result = new BatchResult(failures)
  }

  get count(): number {
    return this.writer.count
  }

  get sizeBytes(): number {
    return this.writer.sizeBytes
  }

  get isSettled(): boolean {
    return this.result.isSettled
  }

  /** The number of messages for which `produce` returned a promise: those that are in no group. */
  get deliveries(): number {
    let deliveries = 0
    for (const { group, count } of this.runs()) if (group === undefined) deliveries += count
    return deliveries
  }

  get hasGroups(): boolean {
    return this.starts !== undefined
  }

  /** Its messages by the groups that they belong to. */
  runs(): readonly GroupRun[] {
    const starts = this.starts ?? []
    const runs = starts.map(({ group, start }, index) => ({
      group,
      start,
      count: (starts[index + 1]?.start ?? this.count) - start,
    }))
    const count = starts[0]?.start ?? this.count
    return count === 0 ? runs : [{ group: undefined, start: 0, count }, ...runs]
  }

  /** Keeps the message of the record that was appended last, for its delivery report. */
  keep(message: ProducedMessage): void {
    ;(this.messages ??= []).push(message)
  }

  /** Assigns the record that was appended last to a group, or to none. */
  join(group: MessageGroup | undefined): void {
    if (group === this.group) return
    this.group = group
    const starts = (this.starts ??= [])
    starts.push({ group, start: this.count - 1 })
  }
}

/** Records that are ready to be sent, compressed if that is configured. */
export type Sealed =
  | { readonly format: 2; readonly compressed: Buffer | undefined }
  | { readonly format: 0 | 1; readonly messageSet: Buffer }
