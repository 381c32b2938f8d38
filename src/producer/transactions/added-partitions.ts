import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'

/**
 * The partitions of the open transaction. Generation 1 adds them before anything is produced to them. Partitions that
 * are requested while a request is running go into the next one, and each is in only one request: a failed request
 * does not affect the partitions that were added before.
 */
export class AddedPartitions {
  readonly #add: (queues: readonly PartitionQueue<Batch>[]) => Promise<boolean>
  readonly #resume: (queue: PartitionQueue<Batch>) => void
  readonly #added = new Set<PartitionQueue<Batch>>()
  /** The partitions of the running request. */
  #adding: ReadonlySet<PartitionQueue<Batch>> = new Set()
  #wanted = new Set<PartitionQueue<Batch>>()
  #isRunning = false
  /** A count of the transactions: the response for an earlier one does not count for the current one. */
  #transaction = 0

  /** `add` resolves with true if the partitions were added. */
  constructor(
    add: (queues: readonly PartitionQueue<Batch>[]) => Promise<boolean>,
    resume: (queue: PartitionQueue<Batch>) => void,
  ) {
    this.#add = add
    this.#resume = resume
  }

  /**
   * Returns true if the partition is added. Otherwise it requests the partition, and resumes its queue once it is
   * added.
   */
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
    // One request for all partitions of this turn of the event loop.
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
