import { offsetCommit } from '../../../protocol/apis/offset-commit.ts'
import { offsetFetch } from '../../../protocol/apis/offset-fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { BackoffOptions } from '../../async/backoff.ts'
import type { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { Recipient } from '../../cluster/recipient.ts'
import type { Target } from '../../cluster/target.ts'
import { BrokerError } from '../../errors.ts'
import { byTopic, type TopicPartition } from '../topic-partition.ts'
import { commitOffsets } from './commit-offsets.ts'
import { committedOffsets, commitResults, topicsToFetch } from './offset-messages.ts'
import { TopicIds } from './topic-ids.ts'
import type { CommitResult, CommittedOffset, OffsetStore, OffsetToCommit } from './offset-store.ts'

/** Identifies a member of a group in a commit, so that the coordinator refuses commits of a removed member. */
export interface MemberIdentity {
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId?: string | null | undefined
}

export interface KafkaOffsetsOptions {
  readonly maxRetries: number
  readonly backoff: BackoffOptions
  /** Called for each commit. Returns undefined for a consumer that is not a member. */
  readonly membership?: () => MemberIdentity | undefined
  /**
   * Whether fetches of offsets also identify the member, so that the coordinator refuses those with an old epoch
   * (KIP-848). Default: false.
   */
  readonly fetchesAsMember?: boolean
}

const WITH_INSTANCE_ID = 7
/**
 * The first version that waits for transactions that are about to commit offsets of the group (KIP-447); Java always
 * does.
 */
const WITH_REQUIRE_STABLE = 7
const MANY_GROUPS = 8
const FETCH_WITH_MEMBER = 9

/** A group's offsets in Kafka, in `__consumer_offsets`: since Kafka 0.8.2. */
export class KafkaOffsets implements OffsetStore {
  readonly expires = true
  readonly group: string
  readonly #cluster: Cluster
  readonly #options: KafkaOffsetsOptions

  constructor(cluster: Cluster, group: string, options: KafkaOffsetsOptions) {
    this.#cluster = cluster
    this.group = group
    this.#options = options
  }

  async fetch(
    partitions: readonly TopicPartition[],
    deadline: Deadline,
  ): Promise<readonly CommittedOffset[]> {
    if (partitions.length === 0) return []
    const what = `fetching the offsets of group '${this.group}'`
    const to = this.#coordinator
    const { backoff } = this.#options
    return this.#cluster.router.ask({ to, what, deadline, backoff }, (recipient) =>
      this.#fetch(recipient, partitions, what),
    )
  }

  commit(offsets: readonly OffsetToCommit[], deadline: Deadline): Promise<readonly CommitResult[]> {
    const what = `committing offsets of group '${this.group}'`
    const { backoff, maxRetries } = this.#options
    return commitOffsets(this.#cluster, {
      items: offsets,
      to: this.#coordinator,
      what,
      deadline,
      backoff,
      maxRetries,
      ask: (left, recipient) => this.#commit(recipient, left, what),
    })
  }

  get #coordinator(): Target {
    return { coordinator: 'group', key: this.group }
  }

  async #fetch(
    recipient: Recipient,
    partitions: readonly TopicPartition[],
    what: string,
  ): Promise<CommittedOffset[]> {
    // The ids that the topics have now, whatever was read before.
    const ids = new TopicIds(
      this.#cluster,
      partitions.map(({ topic, partition }) => ({ topic, partition })),
    )
    let version = 0
    const response = await recipient.request(
      offsetFetch,
      (negotiated) => {
        version = negotiated
        const topics = topicsToFetch(partitions)
        const byIds = topics.map(({ name, partitionIndexes }) => ({
          ...ids.named(version, name),
          partitionIndexes,
        }))
        return {
          ...(version >= MANY_GROUPS
            ? { groups: [{ groupId: this.group, ...this.#fetcher(version), topics: byIds }] }
            : { groupId: this.group, topics }),
          ...(version >= WITH_REQUIRE_STABLE ? { requireStable: true } : {}),
        }
      },
      {
        purpose: 'group',
        ...(ids.maxVersion === undefined ? {} : { maxVersion: ids.maxVersion }),
      },
    )
    const [ofGroup] = response.groups
    const errorCode = ofGroup?.errorCode ?? response.errorCode
    if (errorCode !== ErrorCode.NONE) {
      throw new BrokerError(errorCode, what, { broker: recipient.name })
    }
    const found = ofGroup === undefined ? response.topics : ids.withNames(version, ofGroup.topics)
    try {
      const { logger } = this.#cluster.options
      return committedOffsets(partitions, found, what, logger, recipient.name)
    } catch (error) {
      ids.refreshIfUnknown(error)
      throw error
    }
  }

  #fetcher(version: number): { readonly memberId?: string; readonly memberEpoch?: number } {
    const { fetchesAsMember = false, membership } = this.#options
    const member = membership?.()
    if (!fetchesAsMember || member === undefined || version < FETCH_WITH_MEMBER) return {}
    return { memberId: member.memberId, memberEpoch: member.generationId }
  }

  async #commit(
    recipient: Recipient,
    offsets: readonly OffsetToCommit[],
    what: string,
  ): Promise<readonly CommitResult[]> {
    const { generationId = -1, memberId = '', groupInstanceId } = this.#options.membership?.() ?? {}
    const ids = new TopicIds(this.#cluster, offsets)
    let version = 0
    const response = await recipient.request(
      offsetCommit,
      (negotiated) => ({
        groupId: this.group,
        generationIdOrMemberEpoch: generationId,
        memberId,
        ...((version = negotiated) >= WITH_INSTANCE_ID
          ? { groupInstanceId: groupInstanceId ?? null }
          : {}),
        topics: [...byTopic(offsets)].map(([name, ofTopic]) => ({
          ...ids.named(negotiated, name),
          partitions: ofTopic.map(({ partition, offset, leaderEpoch, metadata }) => ({
            partitionIndex: partition,
            committedOffset: BigInt(offset),
            committedLeaderEpoch: leaderEpoch ?? -1,
            committedMetadata: metadata ?? '',
          })),
        })),
      }),
      {
        purpose: 'group',
        ...(ids.maxVersion === undefined ? {} : { maxVersion: ids.maxVersion }),
      },
    )
    const topics = ids.withNames(version, response.topics)
    const results = commitResults({ topics }, what, recipient.name)
    for (const { error } of results) ids.refreshIfUnknown(error)
    return results
  }
}
