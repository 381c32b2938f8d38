import { txnOffsetCommit } from '../../../protocol/apis/txn-offset-commit.ts'
import { authorize } from '../api/access.ts'
import { partitionOf, topicOf, type RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { partitionKey } from '../groups/consumer/assignors.ts'
import type { Group } from '../groups/group.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { isAtLeast } from '../versions/profiles.ts'
import { checkGroupId } from './groups.ts'
import { checkMetadata } from './offsets.ts'

const WITH_MEMBER = 3
const ADDS_GROUP = 5
const WITH_TOPIC_IDS = 6

interface Request {
  readonly transactionalId: string
  readonly groupId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly generationIdOrMemberEpoch: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/**
 * Commits a group's offsets within a transaction. This broker coordinates the group, not the
 * transaction.
 */
export const txnOffsetCommitHandler = handler(txnOffsetCommit, {
  injectsErrors: true,
  handle: (request, context) => {
    const { version } = context
    const outcome = outcomeOf(() => groupToCommit(request, context))
    return {
      throttleTimeMs: 0,
      topics: request.topics.map(({ name, topicId, partitions }) => {
        const id = version >= WITH_TOPIC_IDS ? topicId : undefined
        return {
          ...(id === undefined ? { name } : { topicId: id }),
          partitions: partitions.map((wanted) => {
            const { partitionIndex, committedMetadata } = wanted
            const { refused } = outcomeOf(() => {
              // Without access to the transactional id and the group, the response contains no
              // information about the topics.
              if (outcome.refused?.error.endsWith('_AUTHORIZATION_FAILED') === true) {
                throw outcome.refused
              }
              const topic = topicOf(context, { name, id }, 'read')
              partitionOf(context, topic, partitionIndex)
              if (outcome.refused !== undefined) throw outcome.refused
              checkMetadata(committedMetadata)
              const { offsets } = outcome.value
              const { memberId, generationIdOrMemberEpoch: epoch } = request
              if (memberId !== '') {
                outcome.value.checkCommitOf?.(
                  memberId,
                  epoch,
                  partitionKey(topic.id, partitionIndex),
                )
              }
              offsets.commitInTransaction(request.producerId, topic.name, partitionIndex, {
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
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      ...(version >= WITH_TOPIC_IDS ? { topicId } : { name }),
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
})

/** Throws Refused. */
function groupToCommit(request: Request, context: RequestContext): Group {
  const { groups, broker, version } = context
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request
  authorize(context, 'write', 'transactionalId', request.transactionalId)
  authorize(context, 'read', 'group', groupId)
  checkGroupId(groupId)
  groups.checkCoordinator(groupId, broker.id)
  const isMember =
    version >= WITH_MEMBER && (generation >= 0 || memberId !== '' || groupInstanceId !== null)
  const known = groups.find(groupId)
  if (known === undefined && isMember && generation >= 0) throw new Refused('ILLEGAL_GENERATION')
  const group = known ?? groups.findOrCreateClassic(groupId)
  // Producers up to 2.4 do not identify the member, so it cannot be checked (KIP-447).
  if (isMember) group.checkCommit(memberId, groupInstanceId, generation)
  joinGroupToTransaction(request, context)
  return group
}

/**
 * The transaction must contain the group's offsets; since transaction.version 2 this call adds
 * them. Throws Refused.
 */
function joinGroupToTransaction(
  { transactionalId, groupId, ...producer }: Request,
  { transactions, cluster, version }: RequestContext,
): void {
  if (!isAtLeast(cluster.settings.profile.version, '3.9')) return
  const { refused } = outcomeOf(() => {
    const transaction = transactions.of(transactionalId, producer)
    if (version >= ADDS_GROUP) transactions.addGroup(transaction, groupId)
    else if (!transaction.groups.has(groupId)) throw new Refused('INVALID_TXN_STATE')
  })
  if (refused === undefined) return
  throw refused.error === 'PRODUCER_FENCED' ? new Refused('INVALID_PRODUCER_EPOCH') : refused
}
