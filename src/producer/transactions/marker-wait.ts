import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'

/**
 * Holds back what a transaction sends until the markers of the previous one are written. The application produces
 * messages meanwhile.
 */
export class MarkerWait {
  readonly #resume: (queue: PartitionQueue<Batch>) => void
  /** The partitions that have something to send. */
  readonly #held = new Set<PartitionQueue<Batch>>()
  #running: Promise<void> | undefined

  constructor(resume: (queue: PartitionQueue<Batch>) => void) {
    this.#resume = resume
  }

  /** Resolves when nothing is held back. Undefined if nothing is. */
  get over(): Promise<void> | undefined {
    return this.#running
  }

  /** `written` resolves when the markers are written. It never rejects. */
  begin(written: Promise<void>): void {
    const running = written.then(() => {
      if (this.#running === running) this.#end()
    })
    this.#running = running
  }

  /** Whether nothing may be sent to the partition yet. Its queue is resumed afterwards. */
  holds(queue: PartitionQueue<Batch>): boolean {
    if (this.#running === undefined) return false
    this.#held.add(queue)
    return true
  }

  #end(): void {
    this.#running = undefined
    const held = [...this.#held]
    this.#held.clear()
    for (const queue of held) this.#resume(queue)
  }
}
