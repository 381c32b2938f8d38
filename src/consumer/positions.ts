import type { Lifecycle } from '../async/lifecycle.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { AssignedPartitions } from './assigned-partitions.ts'
import type { TopicPartitionLag } from './assigned-consumer-options.ts'
import type { Fetcher } from './fetch/fetcher.ts'
import { visibleEnd } from './fetch/responses.ts'
import type { ConsumerSettings } from './options.ts'
import type { PartitionState } from './partition-state.ts'
import { offsetsOfPlaces, type PositionToReset } from './places.ts'
import type { TopicPartition, TopicPartitionOffset } from './topic-partition.ts'

export interface PositionsDependencies {
  readonly cluster: Cluster
  readonly settings: Pick<ConsumerSettings<unknown, unknown>, 'isReadCommitted' | 'startAt'>
  readonly lifecycle: Lifecycle
  readonly partitions: AssignedPartitions
  readonly fetcher: Pick<Fetcher, 'pump'>
  readonly inbox: {
    readonly suspend: (state: PartitionState) => void
    readonly moved: () => void
  }
}

/**
 * Where the partitions of a consumer are read, and the moves of the application. A position moves when messages are
 * delivered: a message that was only fetched does not count as read.
 */
export class Positions {
  readonly #parts: PositionsDependencies
  readonly #partitions: AssignedPartitions

  constructor(parts: PositionsDependencies) {
    this.#parts = parts
    this.#partitions = parts.partitions
  }

  /** The offset of the next message of each partition that will be delivered. */
  get next(): readonly TopicPartitionOffset[] {
    return this.#partitions
      .started()
      .map(({ topic, partition, position }) => ({ topic, partition, offset: position }))
  }

  /** Undefined if the partition is not assigned, or if its starting position is not known yet. */
  of(one: TopicPartition): number | undefined {
    const state = this.#partitions.get(one)
    return state === undefined || state.fetch.phase === 'starting' ? undefined : state.position
  }

  /** The offset of the last delivered message of each partition, without partitions that have delivered none. */
  get held(): readonly TopicPartitionOffset[] {
    return this.#partitions
      .all()
      .flatMap(({ topic, partition, buffer: { held } }) =>
        held === undefined ? [] : [{ topic, partition, offset: held }],
      )
  }

  /**
   * The number of offsets between the position and the end that consumers can see, as of the last fetch. Partitions
   * without a fetch response yet are left out.
   */
  get lag(): readonly TopicPartitionLag[] {
    return this.#partitions.started().flatMap((state) => {
      const { topic, partition, position } = state
      const end = this.endOf(state)
      return end < 0 ? [] : [{ topic, partition, lag: Math.max(0, end - position) }]
    })
  }

  /** The position that `autoOffsetReset` names. Throws InvalidArgumentError for 'none'. */
  get beginning(): PositionToReset['to'] {
    const { startAt } = this.#parts.settings
    if (typeof startAt === 'number') return new Date(startAt)
    if (startAt !== 'none') return startAt
    throw new InvalidArgumentError("autoOffsetReset is 'none': pass the new position")
  }

  /** Continues at this offset, even if an error has ended the partition. Throws InvalidArgumentError, ClosedError. */
  seek(one: TopicPartition, offset: number): void {
    this.#parts.lifecycle.throwIfClosed()
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new InvalidArgumentError(`${offset} is not an offset to seek`, one)
    }
    this.move([{ state: this.#partitions.assigned(one), offset }])
  }

  /** Moves partitions, and fetches from there. */
  move(
    moves: readonly {
      readonly state: PartitionState
      readonly offset: number
      readonly leaderEpoch?: number
    }[],
  ): void {
    const { inbox, fetcher } = this.#parts
    for (const { state, offset, leaderEpoch } of moves) {
      inbox.suspend(state)
      // The offset applies to the topic that has the name now.
      state.topicId = undefined
      state.moveTo(offset, leaderEpoch)
      inbox.moved()
    }
    fetcher.pump()
  }

  /** Returns the offsets that the places stand for. The partitions need not be assigned. */
  lookUp(
    targets: readonly PositionToReset[],
    deadline: Deadline,
  ): Promise<readonly TopicPartitionOffset[]> {
    const { cluster, settings } = this.#parts
    return offsetsOfPlaces(cluster, targets, settings.isReadCommitted, deadline)
  }

  /** Returns the end of a partition that the consumer can see; negative before the first fetch response. */
  endOf(state: PartitionState): number {
    return visibleEnd(state, this.#parts.settings.isReadCommitted)
  }
}
