import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'

/**
 * The partitions of the open transaction, which generation 1 adds before anything is produced to them. All that
 * are asked for while a request is under way are in the next one, and each is in one request only: a failed request
 * takes nothing away from those that were added before.
 */
export class AddedPartitions {
  readonly #add: (queues: readonly PartitionQueue<Batch>[]) => Promise<boolean>
  readonly #resume: (queue: PartitionQueue<Batch>) => void
  readonly #added = new Set<PartitionQueue<Batch>>()
  /** What the request under way adds. */
  #adding: ReadonlySet<PartitionQueue<Batch>> = new Set()
  #wanted = new Set<PartitionQueue<Batch>>()
  #isRunning = false
  /** Counts transactions: an answer of an earlier one is not for this one. */
  #transaction = 0

  /** `add` resolves with whether the partitions were added. */
  constructor(
    add: (queues: readonly PartitionQueue<Batch>[]) => Promise<boolean>,
    resume: (queue: PartitionQueue<Batch>) => void,
  ) {
    this.#add = add
    this.#resume = resume
  }

  /** Whether the partition is added; one that is not is asked for, and resumed once it is. */
  has(queue: PartitionQueue<Batch>): boolean {
    if (this.#added.has(queue)) return true
    if (!this.#adding.has(queue)) this.#wanted.add(queue)
    if (!this.#isRunning) void this.#run()
    return false
  }

  clear(): void {
    this.#transaction++
    this.#added.clear()
    this.#adding = new Set()
    this.#wanted = new Set()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // One request for the partitions of this turn of the event loop.
    await Promise.resolve()
    while (this.#wanted.size > 0) {
      const transaction = this.#transaction
      const queues = [...this.#wanted]
      this.#adding = this.#wanted
      this.#wanted = new Set()
      const isAdded = await this.#add(queues)
      if (transaction !== this.#transaction) continue
      this.#adding = new Set()
      if (!isAdded) break
      for (const queue of queues) this.#added.add(queue)
      for (const queue of queues) this.#resume(queue)
    }
    this.#isRunning = false
  }
}
