import { atOnce } from '../../async/at-once.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { TopicMetadata } from '../../cluster/metadata.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { textOfThrown } from '../../observe/thrown.ts'
import { shown } from '../../options.ts'
import type { Accumulator } from '../accumulator/accumulator.ts'
import type { ProducerSettings } from '../options.ts'
import { murmur2Partition, type Partitioner } from './partitioners.ts'
import { preferredPartitions } from './preferred-partitions.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'
import type { Data } from './serialize.ts'
import { StickyPartition } from './sticky-partition.ts'

/** Partition numbers are an int32 in Kafka's protocol. */
const MAX_PARTITION = 0x7fffffff

/** The state of a topic in a producer. */
export class TopicState {
  readonly name: string
  /** 0 until the topic was looked up. */
  partitionCount = 0
  /**
   * Whether messages wait for a lookup: the count stays 0 until they are queued, so that later messages do not overtake
   * them.
   */
  isLookedUp = false
  /** The turn of the event loop in which the count was read last. */
  #readIn = -1
  /** What was known of the topic then: each response and each new leader makes another object. */
  #metadata: TopicMetadata | undefined
  readonly #cluster: Cluster
  readonly #accumulator: Accumulator
  readonly #settings: ProducerSettings
  readonly #sticky: StickyPartition
  readonly #queues: (PartitionQueue<Batch> | undefined)[] = []

  constructor(
    name: string,
    cluster: Cluster,
    accumulator: Accumulator,
    settings: ProducerSettings,
  ) {
    this.name = name
    this.#cluster = cluster
    this.#accumulator = accumulator
    this.#settings = settings
    this.#sticky = new StickyPartition(
      settings.stickyBytes,
      (partition) => this.queue(partition).batches.length,
    )
  }

  /** Checks for new partitions and leaders, once in each turn of the event loop. */
  refresh(turn: number): void {
    if (this.#readIn === turn || this.isLookedUp) return
    this.#readIn = turn
    const metadata = this.#cluster.known(this.name)
    // A deleted topic keeps its partitions: the brokers' responses report the deletion.
    if (metadata === undefined || metadata === this.#metadata) return
    this.#metadata = metadata
    this.partitionCount = metadata.partitions.length
    const { brokers } = this.#cluster
    const rackOf = (nodeId: number) => brokers.get(nodeId)?.rack
    this.#sticky.prefer(preferredPartitions(metadata, rackOf, this.#settings.preferredRack))
  }

  /**
   * Returns the queue of the given or chosen partition. A given partition may be newer than the metadata: its messages
   * then wait for a leader. Throws InvalidArgumentError for an invalid partition number, and if the partitioner fails.
   */
  choose(key: Data, messageBytes: number, given: number | undefined): PartitionQueue<Batch> {
    if (given !== undefined) return this.#given(given)
    if (this.#settings.partitioner !== undefined)
      return this.#chosenBy(this.#settings.partitioner, key)
    const count = this.partitionCount
    return this.queue(
      key === null ? this.#sticky.choose(count, messageBytes) : murmur2Partition(key, count),
    )
  }

  /** Called when a transaction begins: its messages may go to another partition than those of the last one. */
  beginTransaction(): void {
    this.#sticky.switchPartition()
  }

  queue(partition: number): PartitionQueue<Batch> {
    return (this.#queues[partition] ??= this.#accumulator.queue(this.name, partition))
  }

  #chosenBy(partitioner: Partitioner, key: Data): PartitionQueue<Batch> {
    const count = this.partitionCount
    const partition = this.#ask(partitioner, key, count)
    if (Number.isInteger(partition) && partition >= 0 && partition < count) {
      return this.queue(partition)
    }
    const existing = `topic '${this.name}' has the partitions 0 to ${count - 1}`
    const reason = `${existing}; the partitioner returned ${String(partition)}`
    throw new InvalidArgumentError(reason, { topic: this.name })
  }

  #ask(partitioner: Partitioner, key: Data, count: number): number {
    try {
      return atOnce(partitioner(key, count, this.name), 'the partitioner')
    } catch (error) {
      const reason = `the partitioner failed: ${textOfThrown(error)}`
      throw new InvalidArgumentError(reason, { topic: this.name, cause: error })
    }
  }

  #given(partition: number): PartitionQueue<Batch> {
    if (Number.isInteger(partition) && partition >= 0 && partition <= MAX_PARTITION) {
      return this.queue(partition)
    }
    const reason = `a partition must be a whole number from 0, not ${shown(partition)}`
    throw new InvalidArgumentError(reason, { topic: this.name })
  }
}
