import { ErrorCode } from '../../../protocol/errors.ts'
import { bounded } from '../../async/bounded.ts'
import type { Deadline } from '../../async/deadline.ts'
import { TookTooLongError } from '../../async/limited.ts'
import type { GroupMetadata } from '../../cluster/group-metadata.ts'
import type { MemberIdentity } from '../../consumer/offsets/kafka-offsets.ts'
import type {
  CommitResult,
  CommittedOffset,
  OffsetStore,
  OffsetToCommit,
} from '../../consumer/offsets/offset-store.ts'
import { nameOf, type TopicPartition } from '../../consumer/topic-partition.ts'
import { BrokerError } from '../../errors.ts'

/** The errors of a broker for a commit of a member whose generation is over, or is about to be. */
const OUTDATED = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']

/** The membership that commits are made in. */
export interface GroupMembership {
  readonly metadata: GroupMetadata
  /** A rebalance is in the stage in which commits are refused: the next generation is about to begin. */
  readonly isJoining: boolean
}

/** The parts of the coordinator that commits need. */
export interface CommittingMember {
  readonly membership: GroupMembership
  /**
   * Returns a number that stays the same for as long as this member has the partition; undefined if it does not have
   * it. After it has changed, others may have read the partition in between.
   */
  ownedSince(partition: TopicPartition): number | undefined
  /** Resolves when no rebalance is in the stage in which commits are refused. */
  untilJoined(): Promise<void>
  /** A commit was refused: checks at once, rather than at the next heartbeat, if the generation is over. */
  verifyMembership(): void
}

/** Creates a store that commits as the given member. */
export type StoreFor = (member: () => MemberIdentity) => OffsetStore

/**
 * The offsets of a group of which this process is a member. A commit is made in one generation, which the broker
 * checks. A commit that meets a rebalance waits for the next generation, and is repeated there for the partitions
 * that the member still has; for others it fails.
 */
export class ClassicGroupOffsets implements OffsetStore {
  readonly expires = true
  readonly #member: CommittingMember
  readonly #storeFor: StoreFor

  constructor(member: CommittingMember, storeFor: StoreFor) {
    this.#member = member
    this.#storeFor = storeFor
  }

  fetch(
    partitions: readonly TopicPartition[],
    deadline: Deadline,
  ): Promise<readonly CommittedOffset[]> {
    return this.#store().fetch(partitions, deadline)
  }

  async commit(
    offsets: readonly OffsetToCommit[],
    deadline: Deadline,
  ): Promise<readonly CommitResult[]> {
    const member = this.#member
    const since = new Map(offsets.map((one) => [nameOf(one), member.ownedSince(one)]))
    const isHeld = (one: OffsetToCommit) =>
      since.get(nameOf(one)) !== undefined && member.ownedSince(one) === since.get(nameOf(one))
    const results = new Map<string, CommitResult>()
    let left = offsets
    while (left.length > 0) {
      const held: OffsetToCommit[] = []
      for (const one of left) {
        if (isHeld(one)) held.push(one)
        else results.set(nameOf(one), givenUp(one))
      }
      if (held.length === 0) break
      const { generationId } = member.membership.metadata
      // Also while the member joins: until all have joined, the broker accepts commits of the generation before.
      const attempt = await this.#store().commit(held, deadline)
      for (const result of attempt) results.set(nameOf(result), result)
      left = held.filter((one) => isOutdated(results.get(nameOf(one))))
      if (left.length === 0) break
      const { isJoining, metadata } = member.membership
      const isUnnoticed = !isJoining && metadata.generationId === generationId
      // The Java client joins again after this response. Without a check this member would continue to read until the
      // next heartbeat, without a chance to commit.
      if (isUnnoticed) member.verifyMembership()
      if (isUnnoticed || deadline.isOver) break
      if (isJoining) await this.#untilJoined(deadline)
    }
    return offsets.flatMap((one) => results.get(nameOf(one)) ?? [])
  }

  /** A store that continues with the member's current identity, even if a commit needs several attempts. */
  #store(): OffsetStore {
    const { metadata } = this.#member.membership
    return this.#storeFor(() => metadata)
  }

  async #untilJoined(deadline: Deadline): Promise<void> {
    try {
      await bounded(deadline.remainingMs, deadline.signal, () => this.#member.untilJoined())
    } catch (error) {
      // Then the broker's response says what is wrong.
      if (!(error instanceof TookTooLongError)) throw error
    }
  }
}

function isOutdated(result: CommitResult | undefined): boolean {
  return result?.error !== undefined && OUTDATED.includes(result.error.code)
}

function givenUp({ topic, partition }: OffsetToCommit): CommitResult {
  const what = `committing ${nameOf({ topic, partition })}`
  const detail = 'the group has taken the partition from this member'
  const error = new BrokerError(ErrorCode.ILLEGAL_GENERATION, what, { topic, partition }, detail)
  return { topic, partition, error }
}
