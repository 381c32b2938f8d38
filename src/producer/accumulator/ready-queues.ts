import type { Batch } from './batch.ts'
import type { PartitionQueue } from './partition-queue.ts'

/**
 * The partitions that may have something to send. `onTurn` runs at the end of a turn of the event loop in which one was
 * added, so that all that the application produces in one turn is sent together.
 */
export class ReadyQueues {
  readonly #onTurn: () => void
  #queues: PartitionQueue<Batch>[] = []
  #turn: NodeJS.Immediate | undefined

  constructor(onTurn: () => void) {
    this.#onTurn = onTurn
  }

  /** Adds a partition, unless it is in a list already or has nothing that can be sent now. */
  add(queue: PartitionQueue<Batch>): void {
    if (!queue.enlist()) return
    this.#queues.push(queue)
    this.wake()
  }

  /** Runs `onTurn` at the end of this turn. */
  wake(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined
      this.#onTurn()
    })
  }

  /** Empties the list. The queues stay listed: the caller puts them into the list of a sink, or delists them. */
  take(): PartitionQueue<Batch>[] {
    const queues = this.#queues
    this.#queues = []
    return queues
  }

  stop(): void {
    clearImmediate(this.#turn)
  }
}
