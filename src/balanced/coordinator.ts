/**
 * The interface between the rebalance machine and the coordination of a group: ZooKeeper, where each member works
 * its assignment out from the list of members, or Kafka's group protocol, where the leader does it for all.
 *
 * The machine (machine.ts) calls the steps of a round one after the other, never two at a time:
 *
 *     givenUpBeforeJoining → (revoke, release) → join → (revoke what is not in the target) → release → claim → (assign)
 *
 * and it alone stops, commits and starts partitions, and runs the application's hooks. A coordinator calls
 * nothing of the consumer; what it has to say between steps or during them, it says by `CoordinatorEvents`.
 */
import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { KafkaError } from '../errors.ts'

export interface Coordinator {
  /** For logs and errors: `ZooKeeper at zk1:2181`, `Kafka's group protocol`. */
  readonly name: string

  /** What this member is called in the group, as far as that is known. */
  readonly memberId: string

  /**
   * Until when, on the clock of performance.now(), this member is certain to own what it claimed, even if it
   * receives nothing more: the time its last answered request was _sent_ plus the session's timeout; 0 while the
   * session is in doubt. It is read before each delivery and each commit, so that a process which
   * was stopped for longer than its session (SIGSTOP, a long block) delivers nothing when it goes on: by then
   * others own its partitions. Must be a plain property read.
   */
  readonly ownedUntil: number

  /**
   * What of `owned` must be given up before `join`: all for Kafka's eager protocol, nothing for its cooperative one
   * and for ZooKeeper. The machine revokes it, with hook and commit, and calls `release`, then `join`.
   */
  givenUpBeforeJoining(owned: readonly TopicPartition[]): readonly TopicPartition[]

  /**
   * Becomes a member, or stays one, and finds what this member is to own: it resolves with all of it, whatever
   * is owned already. Waits as long as the group takes, until `signal` is aborted.
   *
   * Throws a retriable KafkaError where a later attempt may succeed (the machine waits and tries again), and any other
   * where none will: the consumer then fails with it. Where membership turns out to be lost on the way (UNKNOWN_MEMBER_ID,
   * session expired), it calls `events.lost` first, and then throws something retriable, or joins again itself.
   */
  join(owned: readonly TopicPartition[], signal: AbortSignal): Promise<readonly TopicPartition[]>

  /**
   * Lets others have these: the machine has stopped and committed them. For ZooKeeper the owner znodes are
   * deleted. In the cooperative protocol this is where `events.changed` asks for the round in which others get them.
   * A retriable error is tried again in the next round: until then they count as owned, but are not delivered.
   */
  release(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>

  /**
   * Takes possession of these, none of which is owned yet. What another member still owns is left out and
   * comes back in `heldByOthers`: the machine starts what was claimed, waits, and makes another round. Kafka's group protocol
   * claims everything, as its target never contains what is still owned by another.
   */
  claim(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<ClaimResult>

  /**
   * Leaves the group and frees what it has open. The machine has given up everything by then. Called once, at any
   * time, even where `join` never succeeded; must end soon, whatever is unreachable. No event comes after it.
   */
  leave(): Promise<void>
}

export interface ClaimResult {
  readonly claimed: readonly TopicPartition[]
  readonly heldByOthers: readonly HeldPartition[]
}

/** A partition that another member still owns. */
export interface HeldPartition extends TopicPartition {
  /** The member id of the owner, if it could be found. */
  readonly owner: string | undefined
}

/** What a coordinator reports to the machine, at any time and during any step. All are synchronous and never throw. */
export interface CoordinatorEvents {
  /**
   * The assignment may have to change: members came or went, partitions appeared, a heartbeat said that the
   * group rebalances. Any number of these before or during a round make one further round.
   */
  changed(reason: string): void

  /**
   * Nothing is owned any more, or only `partitions` are not: session expired, fenced, unknown member. When this returns
   * nothing of it is delivered or committed any more; the hook for lost partitions follows, then a round that joins again.
   * The outcome of a step that is under way is void for these partitions.
   */
  lost(reason: KafkaError, partitions?: readonly TopicPartition[]): void

  /** `ownedUntil` was over, or 0, and lies in the future again, with nothing lost: delivery goes on. */
  renewed(): void

  /** Membership has ended permanently (fenced instance, authorization withdrawn): the consumer fails with this error. */
  failed(reason: KafkaError): void

  /** Told to the application once, by consume() or its iterator; membership goes on (maxPollIntervalMs exceeded). */
  problem(error: KafkaError): void
}

/** Makes a coordinator. It does no I/O before the first `join`. */
export type CoordinatorFactory<Made extends Coordinator = Coordinator> = (
  events: CoordinatorEvents,
) => Made
