/** The committed offsets of a group. */
import { offsetCommit } from '../../../protocol/apis/offset-commit.ts'
import { offsetFetch } from '../../../protocol/apis/offset-fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Topic } from '../cluster/topics.ts'
import { partitionKey } from '../groups/consumer/assignors.ts'
import type { Group } from '../groups/group.ts'
import type { GroupOffsets } from '../groups/offsets.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { authorize, mayDo } from '../api/access.ts'
import { partitionOf, topicOf, type RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { checkGroupId } from './groups.ts'

const COMMIT_WITH_GENERATION = 1
const COMMIT_WITH_TOPIC_IDS = 10
const FETCH_WITH_REQUIRE_STABLE = 7
const FETCH_WITH_GROUPS = 8
const FETCH_WITH_MEMBER = 9
const FETCH_WITH_TOPIC_IDS = 10
const FETCH_WITH_LEADER_EPOCH = 5
const FETCH_WITH_TOP_LEVEL_ERROR = 2

/** Kafka's offset.metadata.max.bytes. */
const MAX_METADATA_LENGTH = 4096

export const offsetCommitHandler = handler(offsetCommit, {
  injectsErrors: true,
  handle: (request, context) => {
    const { version } = context
    const outcome = outcomeOf(() => groupToCommit(request, context))
    return {
      topics: request.topics.map(({ name, topicId, partitions }) => {
        const id = version >= COMMIT_WITH_TOPIC_IDS ? topicId : undefined
        return {
          ...(id === undefined ? { name } : { topicId: id }),
          partitions: partitions.map((wanted) => {
            const { partitionIndex, committedMetadata } = wanted
            const { refused } = outcomeOf(() => {
              // Without access to the group, the response contains no information about the topics.
              if (outcome.refused?.error === 'GROUP_AUTHORIZATION_FAILED') throw outcome.refused
              const topic = topicOf(context, { name, id }, 'read')
              partitionOf(context, topic, partitionIndex)
              if (outcome.refused !== undefined) throw outcome.refused
              checkMetadata(committedMetadata)
              outcome.value.checkCommitOf?.(
                request.memberId,
                request.generationIdOrMemberEpoch,
                partitionKey(topic.id, partitionIndex),
              )
              outcome.value.offsets.commit(topic.name, partitionIndex, {
                offset: wanted.committedOffset,
                leaderEpoch: wanted.committedLeaderEpoch,
                metadata: committedMetadata ?? '',
              })
            })
            return { partitionIndex, errorCode: refused?.errorCode ?? 0 }
          }),
        }
      }),
    }
  },
  refuse: (errorCode, { topics }, { version }) => ({
    topics: topics.map(({ name, topicId, partitions }) => ({
      ...(version >= COMMIT_WITH_TOPIC_IDS ? { topicId } : { name }),
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
})

/** Throws OFFSET_METADATA_TOO_LARGE. */
export function checkMetadata(metadata: string | null): void {
  if ((metadata?.length ?? 0) > MAX_METADATA_LENGTH) throw new Refused('OFFSET_METADATA_TOO_LARGE')
}

/** The group whose offsets are committed; a group without members is created. Throws Refused. */
function groupToCommit(
  request: {
    readonly groupId: string
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly generationIdOrMemberEpoch: number
  },
  context: RequestContext,
): Group {
  const { groups, broker, version } = context
  const { groupId, memberId, groupInstanceId } = request
  // v0 has no generations: it committed to ZooKeeper, which had none.
  const generation = version >= COMMIT_WITH_GENERATION ? request.generationIdOrMemberEpoch : -1
  authorize(context, 'read', 'group', groupId)
  checkGroupId(groupId)
  groups.checkCoordinator(groupId, broker.id)
  const known = groups.find(groupId)
  if (known === undefined && generation >= 0) throw new Refused('ILLEGAL_GENERATION')
  const group = known ?? groups.findOrCreateClassic(groupId)
  if (version >= COMMIT_WITH_GENERATION) {
    group.checkCommit(memberId, groupInstanceId, generation, version)
  }
  return group
}

interface WantedTopic {
  readonly name: string
  readonly topicId?: string
  readonly partitionIndexes: readonly number[]
}

export const offsetFetchHandler = handler(offsetFetch, {
  handle: (request, context) => {
    if (context.version >= FETCH_WITH_GROUPS) {
      const { requireStable } = request
      return { groups: request.groups.map((one) => fetchGroup(one, requireStable, context)) }
    }
    const isStable = context.version >= FETCH_WITH_REQUIRE_STABLE && request.requireStable
    const { errorCode, topics } = fetchGroup(request, isStable, context)
    if (errorCode !== 0 && context.version < FETCH_WITH_TOP_LEVEL_ERROR) {
      return { topics: failed(request.topics ?? [], errorCode) }
    }
    return { errorCode, topics }
  },
  refuse: (errorCode, request, { version }) => {
    if (version >= FETCH_WITH_GROUPS) {
      return { groups: request.groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })) }
    }
    return version < FETCH_WITH_TOP_LEVEL_ERROR
      ? { topics: failed(request.topics ?? [], errorCode) }
      : { errorCode, topics: [] }
  },
})

const NO_OFFSET = { committedOffset: -1n, metadata: '' } as const

function failed(topics: readonly WantedTopic[], errorCode: number) {
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      ...NO_OFFSET,
      errorCode,
    })),
  }))
}

function fetchGroup(
  wanted: {
    readonly groupId: string
    readonly topics: readonly WantedTopic[] | null
    readonly memberId?: string | null
    readonly memberEpoch?: number
  },
  requireStable: boolean,
  context: RequestContext,
) {
  const { groupId } = wanted
  const { groups, broker, cluster, version } = context
  const { refused } = outcomeOf(() => {
    authorize(context, 'describe', 'group', groupId)
    checkGroupId(groupId)
    groups.checkCoordinator(groupId, broker.id)
    if (version >= FETCH_WITH_MEMBER) {
      groups.find(groupId)?.checkFetch?.(wanted.memberId ?? null, wanted.memberEpoch ?? -1)
    }
  })
  if (refused !== undefined) return { groupId, topics: [], errorCode: refused.errorCode }
  const offsets = groups.find(groupId)?.offsets
  const usesIds = version >= FETCH_WITH_TOPIC_IDS
  // Null means all partitions with a committed offset; topics by id always come with partitions.
  const topics: readonly WantedTopic[] =
    wanted.topics ??
    (offsets?.topics ?? [])
      .filter(({ topic }) => mayDo(context, 'describe', 'topic', topic))
      .map(({ topic, partitions }) => ({
        name: topic,
        topicId: cluster.topics.byName(topic)?.id ?? '',
        partitionIndexes: partitions,
      }))
  return {
    groupId,
    errorCode: 0,
    topics: topics.map(({ name, topicId, partitionIndexes }) => {
      const id = usesIds ? topicId : undefined
      const topic = outcomeOf(() => topicOf(context, { name, id }, 'describe'))
      return {
        ...(id === undefined ? { name } : { topicId: id }),
        partitions: partitionIndexes.map((index) =>
          topic.refused !== undefined && isReported(topic.refused, id)
            ? { partitionIndex: index, ...NO_OFFSET, errorCode: topic.refused.errorCode }
            : requireStable && offsets?.isPending(topicName(name, topic), index) === true
              ? {
                  partitionIndex: index,
                  ...NO_OFFSET,
                  errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT,
                }
              : committed(offsets, topicName(name, topic), index, context),
        ),
      }
    }),
  }
}

/**
 * Whether the error replaces the offsets. Offsets of a deleted topic still exist under its name;
 * those of a topic that the client may not see must not be returned.
 */
function isReported({ error }: Refused, id: string | undefined): boolean {
  return id !== undefined || error !== 'UNKNOWN_TOPIC_OR_PARTITION'
}

function topicName(
  name: string,
  topic: { readonly refused: undefined; readonly value: Topic } | { readonly refused: Refused },
): string {
  return topic.refused === undefined ? topic.value.name : name
}

function committed(
  offsets: GroupOffsets | undefined,
  topic: string,
  partitionIndex: number,
  { version, cluster }: RequestContext,
) {
  const found = offsets?.get(topic, partitionIndex)
  if (found === undefined) {
    // v0 read from ZooKeeper, which has no node for a partition that does not exist or has no
    // committed offset.
    const isUnknown = version === 0 && cluster.topics.partition(topic, partitionIndex) === undefined
    const error = isUnknown ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : 0
    return { partitionIndex, ...NO_OFFSET, errorCode: error }
  }
  return {
    partitionIndex,
    committedOffset: found.offset,
    ...(version >= FETCH_WITH_LEADER_EPOCH ? { committedLeaderEpoch: found.leaderEpoch } : {}),
    metadata: found.metadata,
    errorCode: 0,
  }
}
