import type { Deadline } from '../async/deadline.ts'
import { Lifecycle } from '../async/lifecycle.ts'
import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { GroupMetadata } from '../cluster/group-metadata.ts'
import { FRESH_METADATA_MS } from '../cluster/topic-lookup.ts'
import { InvalidArgumentError, NotStartedError } from '../errors.ts'
import { AssignedConsumer, type PositionToReset } from './assigned-consumer.ts'
import type { ConsumerAssignment } from './consumer-assignment.ts'
import type { CommittedOffset } from './offsets/offset-store.ts'
import { consumerSettings, offsetStoreOf, type ConsumerOptions } from './options.ts'
import { PartitionWatch } from './partition-watch.ts'
import { nameOf, type TopicPartition, type TopicPartitionOffset } from './topic-partition.ts'

export interface FixedAssignmentOptions<Value, Key> {
  readonly cluster: Cluster
  readonly options: ConsumerOptions<Value, Key>
  /** Returns all partitions to read, as the brokers know them now. */
  readonly find: (deadline: Deadline) => Promise<readonly TopicPartition[]>
  /** True if `find` may return other partitions later. */
  readonly isWatched: boolean
  readonly onClosed: () => unknown
}

/**
 * The partitions of a consumer that chooses them itself. They are looked up at the start and watched from then on.
 */
export class FixedAssignment<Value, Key> implements ConsumerAssignment<Value, Key> {
  readonly core: AssignedConsumer<Value, Key>
  readonly #parts: FixedAssignmentOptions<Value, Key>
  readonly #lifecycle = new Lifecycle('consumer')
  readonly #notStarted = new NotStartedError()
  /** Where partitions start that were moved by `seek` before the consumer was open. */
  readonly #sought = new Map<string, number>()
  /** The positions at the end of this session, or of the previous one. */
  readonly #left: Map<string, number>
  #watch: PartitionWatch<Value, Key> | undefined

  /**
   * After a previous session `before`, which was closed, it starts where that session ended, unless a group stores
   * the offsets. Throws InvalidArgumentError.
   */
  constructor(parts: FixedAssignmentOptions<Value, Key>, before?: FixedAssignment<Value, Key>) {
    const { cluster, options, isWatched, onClosed } = parts
    this.#parts = parts
    this.#left = new Map(before && [...before.#left, ...before.#sought])
    this.core = new AssignedConsumer(cluster, consumerSettings(cluster, options), {
      offsets: offsetStoreOf(cluster, options),
      // `find` has just looked up the topics, unless the application has named the partitions.
      ...(isWatched ? { metadataMaxAgeMs: FRESH_METADATA_MS } : {}),
      onClosed: (positions) => {
        this.#watch?.stop()
        this.#keep(positions)
        onClosed()
      },
    })
    this.core.fail(this.#notStarted)
  }

  start(call: CallOptions): Promise<void> {
    const { cluster, find, isWatched } = this.#parts
    const deadline = this.#deadline(call)
    return this.#lifecycle.start(
      async () => {
        const found = await find(deadline)
        this.#checkSought(found)
        const wanted = found.map((one) => ({ ...one, offset: this.#beginningOf(nameOf(one)) }))
        await this.core.assign(wanted, call)
      },
      () => {
        this.#sought.clear()
        this.#left.clear()
        this.core.recover(this.#notStarted)
        if (isWatched) this.#watch = new PartitionWatch(cluster, this.core, find)
      },
    )
  }

  checkStarted(): void {
    if (this.#lifecycle.state === 'new') throw new NotStartedError()
  }

  async partitions(call: CallOptions = {}): Promise<readonly TopicPartition[]> {
    this.#lifecycle.throwIfClosed()
    return this.#lifecycle.isOpen ? this.core.assignment : this.#parts.find(this.#deadline(call))
  }

  seek(one: TopicPartition, offset: number): void {
    this.#lifecycle.throwIfClosed()
    if (!this.#lifecycle.isOpen) this.#sought.set(nameOf(one), offset)
    if (this.#lifecycle.isOpen || this.core.isAssigned(one)) this.core.positions.seek(one, offset)
  }

  async fetchOffsets(call: CallOptions = {}): Promise<readonly CommittedOffset[]> {
    if (this.#lifecycle.isOpen) return this.core.commits.fetch(call)
    return this.core.commits.fetch(call, await this.partitions(call))
  }

  async resetOffsets(targets: readonly PositionToReset[], call: CallOptions = {}): Promise<void> {
    if (this.#lifecycle.isOpen) return this.core.commits.reset(targets, call)
    this.#lifecycle.throwIfClosed()
    const found = await this.core.positions.lookUp(targets, this.#deadline(call))
    for (const one of found) this.seek(one, one.offset)
    if (this.core.commits.hasGroup) await this.core.commits.commit(found, call)
  }

  groupMetadata(): GroupMetadata {
    return this.core.commits.groupMetadata()
  }

  close(call: CallOptions = {}): Promise<void> {
    this.core.closing()
    return this.#lifecycle.close(() => this.core.close(call))
  }

  #beginningOf(name: string): number | undefined {
    return this.#sought.get(name) ?? this.#left.get(name)
  }

  #keep(positions: readonly TopicPartitionOffset[]): void {
    if (this.#parts.options.consumerGroup !== undefined) return
    for (const one of positions) this.#left.set(nameOf(one), one.offset)
  }

  #checkSought(found: readonly TopicPartition[]): void {
    const names = new Set(found.map(nameOf))
    for (const name of this.#sought.keys()) {
      if (names.has(name)) continue
      throw new InvalidArgumentError(
        `seek was called for ${name}, which this consumer does not read`,
      )
    }
  }

  #deadline(call: CallOptions): Deadline {
    return deadlineOf(call, this.#parts.cluster.options.operationTimeoutMs)
  }
}
