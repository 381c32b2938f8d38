/** `groupProtocol: 'auto'`: the consumer protocol if the brokers support it, otherwise the classic one. */
import type { Deadline } from '../async/deadline.ts'
import type { GroupMetadata } from '../cluster/group-metadata.ts'
import type {
  CommitResult,
  CommittedOffset,
  OffsetStore,
  OffsetToCommit,
} from '../consumer/offsets/offset-store.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { UnsupportedVersionError } from '../errors.ts'
import type { Logger } from '../observe/logger.ts'
import { classicProtocol } from './classic/protocol.ts'
import { NoConsumerProtocolError } from './consumer/member-requests.ts'
import { consumerProtocol } from './consumer/protocol.ts'
import type { ClaimResult } from './coordinator.ts'
import type { GroupProtocol, MemberCoordinator } from './group-protocol.ts'

export const autoProtocol: GroupProtocol = {
  options: { ...classicProtocol.options, ...consumerProtocol.options },
  groups: 'groups that Kafka coordinates',

  coordinate(context) {
    const consumer = consumerProtocol.coordinate(context)
    const classic = classicProtocol.coordinate(context)
    const { logger } = context.cluster.options
    const { serverPattern } = context.subscription
    return (events) =>
      new AutoCoordinator(
        consumer(events),
        () => {
          if (serverPattern === undefined) return classic(events)
          throw new UnsupportedVersionError(
            `the pattern '${serverPattern}' is for the consumer protocol, which the brokers do not have: use a RegExp, or Kafka 4.0 or newer`,
          )
        },
        logger,
      )
  },
}

/** A member of the consumer protocol until the first join shows that the brokers do not support it. */
class AutoCoordinator implements MemberCoordinator {
  readonly offsets: OffsetStore
  #chosen: MemberCoordinator
  #makeClassic: (() => MemberCoordinator) | undefined
  readonly #logger: Logger

  constructor(consumer: MemberCoordinator, makeClassic: () => MemberCoordinator, logger: Logger) {
    this.#chosen = consumer
    this.#makeClassic = makeClassic
    this.#logger = logger
    this.offsets = new ChosenOffsets(() => this.#chosen.offsets)
  }

  get name(): string {
    return this.#chosen.name
  }

  get memberId(): string {
    return this.#chosen.memberId
  }

  get ownedUntil(): number {
    return this.#chosen.ownedUntil
  }

  get groupMetadata(): GroupMetadata {
    return this.#chosen.groupMetadata
  }

  get longestRebalanceMs(): number {
    return this.#chosen.longestRebalanceMs
  }

  prepare(): void {
    this.#chosen.prepare?.()
  }

  givenUpBeforeJoining(owned: readonly TopicPartition[]): readonly TopicPartition[] {
    return this.#chosen.givenUpBeforeJoining(owned)
  }

  async join(
    owned: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<readonly TopicPartition[]> {
    try {
      const target = await this.#chosen.join(owned, signal)
      this.#makeClassic = undefined
      return target
    } catch (error) {
      const makeClassic = this.#makeClassic
      if (!(error instanceof NoConsumerProtocolError) || makeClassic === undefined) throw error
      this.#makeClassic = undefined
      this.#logger.info(`${this.name}: uses the classic protocol: ${error.message}`)
      const consumer = this.#chosen
      this.#chosen = makeClassic()
      await consumer.leave()
      return this.#chosen.join(owned, signal)
    }
  }

  release(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    return this.#chosen.release(partitions, signal)
  }

  claim(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<ClaimResult> {
    return this.#chosen.claim(partitions, signal)
  }

  leave(): Promise<void> {
    return this.#chosen.leave()
  }
}

/** The offsets of the coordinator that was chosen. */
class ChosenOffsets implements OffsetStore {
  readonly #chosen: () => OffsetStore

  constructor(chosen: () => OffsetStore) {
    this.#chosen = chosen
  }

  get expires(): boolean {
    return this.#chosen().expires
  }

  fetch(
    partitions: readonly TopicPartition[],
    deadline: Deadline,
  ): Promise<readonly CommittedOffset[]> {
    return this.#chosen().fetch(partitions, deadline)
  }

  commit(offsets: readonly OffsetToCommit[], deadline: Deadline): Promise<readonly CommitResult[]> {
    return this.#chosen().commit(offsets, deadline)
  }
}
