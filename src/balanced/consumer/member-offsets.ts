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
import { BrokerError, KafkaError } from '../../errors.ts'
import { MembershipLostError } from '../membership-errors.ts'

/** The broker knows the member with another epoch: the next heartbeat response has the right one. */
const STALE = 'STALE_MEMBER_EPOCH'
/** The broker does not know the member, or has fenced it. */
const UNKNOWN = ['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH']

/**
 * The attempts of a request whose epoch is stale. The second usually succeeds, because it has the epoch of a heartbeat
 * that was sent after the first was refused.
 */
const ATTEMPTS = 5

/** The parts of the member that commits and offset fetches need. */
export interface EpochMember {
  readonly groupMetadata: GroupMetadata
  /**
   * Returns a number that stays the same for as long as this member has the partition; undefined if it does not have
   * it. After it has changed, others may have read the partition in between.
   */
  heldSince(partition: TopicPartition): number | undefined
  /** Resolves when a heartbeat that is sent after this call is answered, or the membership has ended. */
  untilAnswered(): Promise<void>
}

/** Creates a store that commits and fetches as the given member. */
export type EpochStoreFor = (member: () => MemberIdentity) => OffsetStore

/**
 * The offsets of a consumer group of which this process is a member. The broker compares the epoch of each request
 * with the member's. After a stale epoch the store waits for the next heartbeat response and repeats the request with
 * its epoch: a commit is repeated for partitions that the member still has, without interruption; for others it
 * fails.
 */
export class MemberOffsets implements OffsetStore {
  readonly expires = true
  readonly #member: EpochMember
  readonly #storeFor: EpochStoreFor

  constructor(member: EpochMember, storeFor: EpochStoreFor) {
    this.#member = member
    this.#storeFor = storeFor
  }

  async fetch(
    partitions: readonly TopicPartition[],
    deadline: Deadline,
  ): Promise<readonly CommittedOffset[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#store().fetch(partitions, deadline)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        const isUnknown = UNKNOWN.includes(error.code)
        if (error.code !== STALE && !isUnknown) throw error
        await this.#untilAnswered(deadline)
        // The heartbeat has shown by now if the member still exists. The next round of the machine continues.
        if (isUnknown || attempt >= ATTEMPTS || deadline.isOver) {
          throw new MembershipLostError(this.#member.groupMetadata.groupId, error)
        }
      }
    }
  }

  async commit(
    offsets: readonly OffsetToCommit[],
    deadline: Deadline,
  ): Promise<readonly CommitResult[]> {
    const member = this.#member
    const since = new Map(offsets.map((one) => [nameOf(one), member.heldSince(one)]))
    const isHeld = (one: OffsetToCommit) =>
      since.get(nameOf(one)) !== undefined && member.heldSince(one) === since.get(nameOf(one))
    const results = new Map<string, CommitResult>()
    let left = offsets
    for (let attempt = 1; left.length > 0; attempt++) {
      const held: OffsetToCommit[] = []
      for (const one of left) {
        if (isHeld(one)) held.push(one)
        else results.set(nameOf(one), givenUp(one))
      }
      if (held.length === 0) break
      for (const result of await this.#store().commit(held, deadline)) {
        results.set(nameOf(result), result)
      }
      const codeOf = (one: OffsetToCommit) => results.get(nameOf(one))?.error?.code ?? ''
      left = held.filter((one) => codeOf(one) === STALE)
      const isUnknown = held.some((one) => UNKNOWN.includes(codeOf(one)))
      if (left.length === 0 && !isUnknown) break
      // Also if the member is not known: the heartbeat shows that at once, rather than at the next interval.
      await this.#untilAnswered(deadline)
      if (attempt >= ATTEMPTS || deadline.isOver) break
    }
    return offsets.flatMap((one) => results.get(nameOf(one)) ?? [])
  }

  /** A store that continues with the member's current identity, even if a request needs several attempts. */
  #store(): OffsetStore {
    const { groupMetadata } = this.#member
    return this.#storeFor(() => groupMetadata)
  }

  async #untilAnswered(deadline: Deadline): Promise<void> {
    try {
      await bounded(deadline.remainingMs, deadline.signal, () => this.#member.untilAnswered())
    } catch (error) {
      // Then the broker's last response counts.
      if (!(error instanceof TookTooLongError)) throw error
    }
  }
}

function givenUp({ topic, partition }: OffsetToCommit): CommitResult {
  const what = `committing ${nameOf({ topic, partition })}`
  const detail = 'the group has taken the partition from this member'
  const context = { topic, partition }
  const error = new BrokerError(ErrorCode.STALE_MEMBER_EPOCH, what, context, detail)
  return { topic, partition, error }
}
