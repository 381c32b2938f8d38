import { ErrorCode } from '../../../protocol/errors.ts'
import { abortable } from '../../async/abortable.ts'
import type { Deadline } from '../../async/deadline.ts'
import { limited, TookTooLongError } from '../../async/limited.ts'
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

/** What a broker says to the commit of a member whose generation is, or is about to be, over. */
const OUTDATED = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']

/** The membership that commits are made in. */
export interface GroupMembership {
  readonly metadata: GroupMetadata
  /** A rebalance is at a point where commits are refused: the next generation is about to begin. */
  readonly isJoining: boolean
}

/** What commits need of the coordinator. */
export interface CommittingMember {
  readonly membership: GroupMembership
  /**
   * A number that stays the same for as long as this member has the partition; undefined when it has not. When it has
   * changed, others may have read on in between.
   */
  ownedSince(partition: TopicPartition): number | undefined
  /** Resolves when no rebalance is at the point where commits are refused. */
  untilJoined(): Promise<void>
  /** Finds out at once, rather than at the next heartbeat, whether the generation is over: a commit was refused. */
  verifyMembership(): void
}

/** Makes a store that commits as the given member. */
export type StoreFor = (member: () => MemberIdentity) => OffsetStore

/**
 * The offsets of a group that this process is a member of. A commit is made in one generation, which the broker
 * checks. One that meets a rebalance waits for the next generation, and is made there for what the member still has;
 * for other partitions it fails.
 */
export class GroupOffsets implements OffsetStore {
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
      // Also while it joins: until all have come, the broker takes commits of the generation before.
      const attempt = await this.#store().commit(held, deadline)
      for (const result of attempt) results.set(nameOf(result), result)
      left = held.filter((one) => isOutdated(results.get(nameOf(one))))
      if (left.length === 0) break
      const { isJoining, metadata } = member.membership
      const isUnnoticed = !isJoining && metadata.generationId === generationId
      // The Java client joins again at this answer. Until the next heartbeat this member would read on in vain.
      if (isUnnoticed) member.verifyMembership()
      if (isUnnoticed || deadline.isOver) break
      if (isJoining) await this.#untilJoined(deadline)
    }
    return offsets.flatMap((one) => results.get(nameOf(one)) ?? [])
  }

  /** One that goes on as the member of now, even if it needs several attempts. */
  #store(): OffsetStore {
    const { metadata } = this.#member.membership
    return this.#storeFor(() => metadata)
  }

  async #untilJoined(deadline: Deadline): Promise<void> {
    try {
      await limited(deadline.remainingMs, deadline.signal, (signal) =>
        abortable(this.#member.untilJoined(), signal),
      )
    } catch (error) {
      // Then the broker says what is wrong.
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
