import type { BatchMemory } from '../../../protocol/records/batch-writer.ts'
import { BatchWriter } from '../../../protocol/records/batch-writer.ts'
import { BatchResult } from '../results/delivery-promise.ts'
import type { UnhandledFailures } from '../results/unhandled-failures.ts'
import type { MessageGroup } from '../results/message-group.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProduceAttempt, QueuedBatch, Sequence } from './queued-batch.ts'
import type { ProducedMessage } from '../results/reports.ts'

/** The formats that records are sent in: message sets v0 and v1, batches v2. */
export type RecordFormat = 0 | 1 | 2

/** Messages of one batch, one behind the other, that were produced together; or each by itself. */
export interface Run {
  readonly group: MessageGroup | undefined
  readonly start: number
  readonly count: number
}

/**
 * Records on their way to one partition together, and what becomes of them.
 *
 * What every message touches stands first, in batches as in queues: of 1,000 partitions that messages go to in
 * turn the processor has nothing available, and each line of memory takes a while.
 */
export class Batch implements QueuedBatch {
  readonly queue: PartitionQueue<Batch>
  readonly writer: BatchWriter
  readonly result: BatchResult
  /** The group of the last record. */
  private group: MessageGroup | undefined
  /** Where another group begins. */
  private starts: Omit<Run, 'count'>[] | undefined
  /** When the first record came, on performance.now()'s clock. */
  readonly createdAt: number
  /** Its place among all batches of a producer. Parts of a batch have fractions: they stay in its place. */
  readonly serial: number
  /** How much room there is before the next whole serial, for parts. */
  readonly span: number
  /** Whether it may be sent although it has room: false while it lingers. Written by Linger. */
  isDue = true
  /** How often it was tried. */
  attempts = 0
  lastError: Error | undefined
  /** Whether it may be in the log: an attempt was written and not answered, whatever came of later ones. */
  outcomeUnknown = false
  sequence: Sequence | undefined
  /** In the format of the broker it goes to, but for the header of a batch v2. */
  sealed: Sealed | undefined
  /** Its bytes as they go out. Undefined where they have to be made, or made again. */
  wire: Buffer | undefined
  /** The request that it is in. */
  request: ProduceAttempt | undefined
  /** The messages as they were given, where delivery reports are wanted. */
  messages: ProducedMessage[] | undefined
  /** Neighbours in the list of those that are not settled, oldest first. */
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

  /** Messages that `produce` gave a delivery for: those that are in no group. */
  get deliveries(): number {
    let deliveries = 0
    for (const { group, count } of this.runs()) if (group === undefined) deliveries += count
    return deliveries
  }

  get hasGroups(): boolean {
    return this.starts !== undefined
  }

  /** Its messages by the groups that they belong to. */
  runs(): readonly Run[] {
    const starts = this.starts ?? []
    const runs = starts.map(({ group, start }, index) => ({
      group,
      start,
      count: (starts[index + 1]?.start ?? this.count) - start,
    }))
    const count = starts[0]?.start ?? this.count
    return count === 0 ? runs : [{ group: undefined, start: 0, count }, ...runs]
  }

  /** The record that was appended last belongs to a group, or to none. */
  join(group: MessageGroup | undefined): void {
    if (group === this.group) return
    this.group = group
    const starts = (this.starts ??= [])
    starts.push({ group, start: this.count - 1 })
  }
}

/** Records that are ready to go, compressed where that is wanted. */
export type Sealed =
  | { readonly format: 2; readonly compressed: Buffer | undefined }
  | { readonly format: 0 | 1; readonly messageSet: Buffer }
