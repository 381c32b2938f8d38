import { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { AssignedConsumer } from './assigned-consumer.ts'
import { nameOf, type TopicPartition } from './topic-partition.ts'

/**
 * Checks at intervals for added and removed partitions. New ones start at their first message, because it was written
 * after everything else that is read.
 */
export class PartitionWatch<Value, Key> {
  readonly #cluster: Cluster
  readonly #consumer: AssignedConsumer<Value, Key>
  readonly #find: (deadline: Deadline) => Promise<readonly TopicPartition[]>
  readonly #timer: NodeJS.Timeout

  constructor(
    cluster: Cluster,
    consumer: AssignedConsumer<Value, Key>,
    find: (deadline: Deadline) => Promise<readonly TopicPartition[]>,
  ) {
    this.#cluster = cluster
    this.#consumer = consumer
    this.#find = find
    this.#timer = setInterval(() => void this.#look(), cluster.options.metadataMaxAgeMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const { logger, operationTimeoutMs } = this.#cluster.options
    try {
      const wanted = await this.#find(new Deadline(operationTimeoutMs))
      const { assignment } = this.#consumer
      const known = new Set(assignment.map(nameOf))
      const existing = new Set(wanted.map(nameOf))
      const gone = assignment.filter((one) => !existing.has(nameOf(one)))
      const added = wanted.filter((one) => !known.has(nameOf(one)))
      if (gone.length > 0)
        logger.info(`these partitions do not exist any more: ${gone.map(nameOf).join(', ')}`)
      if (added.length > 0) logger.info(`new partitions: ${added.map(nameOf).join(', ')}`)
      this.#consumer.unassign(gone)
      await this.#consumer.assign(added.map((one) => ({ ...one, isNew: true })))
    } catch (error) {
      // The next check tries again. Partitions that are already read are not affected.
      logger.warn(`checking for new partitions failed: ${String(error)}`)
    }
  }
}
