/**
 * The interface between the rebalance machine and the coordination of a group: ZooKeeper, where each member computes
 * its assignment from the list of members, or Kafka's group protocols, where the leader or the broker assigns.
 *
 * The machine (machine.ts) calls the steps of a round one after another, never two at a time:
 *
 *     givenUpBeforeJoining → (revoke, release) → join → (revoke what is not in the target) → release → claim → (assign)
 *
 * Only the machine stops, commits and starts partitions, and runs the application's hooks. A coordinator never calls
 * the consumer; it reports everything, between steps or during them, by `CoordinatorEvents`.
 */
import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { KafkaError } from '../errors.ts'

export interface Coordinator {
  /** The name for logs and errors: `ZooKeeper at zk1:2181`, `Kafka's group protocol`. */
  readonly name: string

  /** The id of this member in the group, if it is known. */
  readonly memberId: string

  /**
   * The time, by performance.now(), until which this member certainly owns what it claimed, even if it receives
   * nothing more: the time its last answered request was _sent_ plus the session's timeout; 0 while the session is in
   * doubt. It is read before each delivery and each commit, so that a process that was stopped for longer than its
   * session (SIGSTOP, a long block) delivers nothing when it continues: by then others own its partitions. Must be a
   * plain property read.
   */
  readonly ownedUntil: number

  /**
   * Returns the part of `owned` that must be given up before `join`: all for Kafka's eager protocol, nothing for its
   * cooperative one and for ZooKeeper. The machine revokes it, with hook and commit, and calls `release`, then
   * `join`.
   */
  givenUpBeforeJoining(owned: readonly TopicPartition[]): readonly TopicPartition[]

  /**
   * Becomes or stays a member, and resolves with all partitions that this member has to own, including those that it
   * already owns. Waits as long as the group takes, until `signal` is aborted.
   *
   * Throws a retriable KafkaError if a later attempt may succeed (the machine waits and retries), and any other error
   * if none will: the consumer then fails with it. If the membership turns out to be lost on the way
   * (UNKNOWN_MEMBER_ID, session expired), it first calls `events.lost`, and then throws a retriable error or joins
   * again itself.
   */
  join(owned: readonly TopicPartition[], signal: AbortSignal): Promise<readonly TopicPartition[]>

  /**
   * Makes these partitions available to other members: the machine has stopped and committed them. For ZooKeeper the
   * owner znodes are deleted. In the cooperative protocol this calls `events.changed`, which starts the round in
   * which others get them. After a retriable error the next round tries again: until then the partitions count as
   * owned, but are not delivered.
   */
  release(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>

  /**
   * Takes possession of these partitions, none of which is owned yet. Partitions that another member still owns are
   * not claimed and are returned in `heldByOthers`: the machine starts what was claimed, waits, and makes another
   * round. Kafka's group protocols claim everything, because their target never contains a partition that another
   * member still owns.
   */
  claim(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<ClaimResult>

  /**
   * Leaves the group and frees its resources. The machine has given up everything by then. It is called once, at any
   * time, even if `join` never succeeded, and must end soon, even if nothing can be reached. No event follows it.
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

/**
 * The reports of a coordinator to the machine, at any time and during any step. All are synchronous and never throw.
 */
export interface CoordinatorEvents {
  /**
   * The assignment may have to change: members joined or left, partitions appeared, a heartbeat response announced a
   * rebalance. Any number of these events before or during a round make one further round.
   */
  changed(reason: string): void

  /**
   * The member lost all its partitions, or only `partitions`: session expired, fenced, unknown member. When this
   * returns, none of them is delivered or committed any more; the hook for lost partitions follows, then a round that
   * joins again. The result of a running step is void for these partitions.
   */
  lost(reason: KafkaError, partitions?: readonly TopicPartition[]): void

  /** `ownedUntil` had passed, or was 0, and is in the future again, with nothing lost: delivery continues. */
  renewed(): void

  /** Membership has ended permanently (fenced instance, authorization withdrawn): the consumer fails with this error. */
  failed(reason: KafkaError): void

  /** consume() or its iterator throws the error once; the membership continues (maxPollIntervalMs exceeded). */
  problem(error: KafkaError): void
}

/** Creates a coordinator. It does no I/O before it is asked to prepare or to join. */
export type CoordinatorFactory<Made extends Coordinator = Coordinator> = (
  events: CoordinatorEvents,
) => Made
