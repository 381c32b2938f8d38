/**
 * The requests of share groups to the leaders of partitions (KIP-932), which fetch and acknowledge
 * records.
 */
import { shareAcknowledge } from '../../../protocol/apis/share-acknowledge.ts'
import { shareFetch } from '../../../protocol/apis/share-fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Decoded } from '../../../protocol/schema/fields.ts'
import { onAbort } from '../../async/on-abort.ts'
import { authorize } from '../api/access.ts'
import {
  ledPartitionOf,
  leaderHint,
  topicOf,
  uniqueEndpoints,
  type RequestContext,
} from '../api/context.ts'
import { handler } from '../api/handler.ts'
import type { Partition } from '../cluster/partition.ts'
import {
  CLOSING,
  OPENING,
  sharedPartitionKey as keyOf,
  type SharedPartition,
  type ShareSession,
  type ShareSessionFields,
} from '../fetch/share-sessions.ts'
import type { ShareGroup } from '../groups/share-group.ts'
import type { AcknowledgementBatch } from '../groups/share-acknowledgements.ts'
import type { SharePartition } from '../groups/share-partition.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { groupedBy } from './grouped-by.ts'

const EXACT = 1
const NOTHING = Buffer.alloc(0)

/** The session of the request, with its epoch incremented. Throws Refused. */
function sessionOf(
  asking: ShareSessionFields,
  context: RequestContext,
  group: ShareGroup,
  mayOpen: boolean,
): ShareSession {
  const { shareSessions } = context.broker
  if (asking.shareSessionEpoch !== OPENING) return shareSessions.continued(asking)
  if (!mayOpen) throw new Refused('INVALID_SHARE_SESSION_EPOCH')
  const stopWatching = onAbort(context.signal, () => {
    shareSessions.remove(asking)
    releaseAll(opened, group, asking.memberId)
  })
  const opened = shareSessions.open(asking, stopWatching)
  return opened
}

/** Releases the records that the member has acquired from this broker, when its session ends. */
function releaseAll(
  { partitions }: ShareSession,
  group: ShareGroup,
  memberId: string | null,
): void {
  for (const { topicId, partition } of partitions.values()) {
    group.find(topicId, partition)?.releaseAll(memberId ?? '')
  }
}

/** Throws Refused. */
function groupOf(
  { groupId, shareSessionEpoch }: ShareSessionFields,
  context: RequestContext,
): ShareGroup {
  authorize(context, 'read', 'group', groupId ?? '')
  const group = context.groups.findShare(groupId ?? '')
  if (group !== undefined) return group
  throw new Refused(
    shareSessionEpoch === OPENING ? 'GROUP_ID_NOT_FOUND' : 'SHARE_SESSION_NOT_FOUND',
  )
}

/** Throws Refused. */
function partitionOf(
  context: RequestContext,
  group: ShareGroup,
  { topicId, partition }: SharedPartition,
): SharePartition {
  const topic = topicOf(context, { name: '', id: topicId }, 'read')
  return group.partition(topicId, ledPartitionOf(context, topic, partition))
}

interface Acknowledged extends SharedPartition {
  readonly errorCode: number
  readonly detail: string | null
}

function acknowledged(
  { memberId, isRenewAck }: Pick<FetchRequest, 'memberId' | 'isRenewAck'>,
  context: RequestContext,
  group: ShareGroup,
  wanted: SharedPartition,
  batches: readonly AcknowledgementBatch[],
): Acknowledged {
  const { refused } = outcomeOf(() =>
    partitionOf(context, group, wanted).acknowledge(memberId ?? '', batches, isRenewAck),
  )
  return { ...wanted, errorCode: refused?.errorCode ?? 0, detail: refused?.detail ?? null }
}

type FetchRequest = Decoded<typeof shareFetch.request.fields>

/** An injected error of a topic is that of its partitions; others are those of the whole response. Throws Refused. */
function checkInjected({ injected }: RequestContext): void {
  if (injected !== undefined && injected.topic === undefined) throw new Refused(injected.error)
}

export const shareFetchHandler = handler(shareFetch, {
  injectsErrors: true,
  async handle(request, context) {
    const opened = outcomeOf(() => {
      checkInjected(context)
      const group = groupOf(request, context)
      const hasAcknowledgements = request.topics.some(({ partitions }) =>
        partitions.some(({ acknowledgementBatches }) => acknowledgementBatches.length > 0),
      )
      if (request.shareSessionEpoch === OPENING && hasAcknowledgements) {
        throw new Refused('INVALID_REQUEST')
      }
      checkRenewal(request)
      return { group, session: sessionOf(request, context, group, true) }
    })
    if (opened.refused !== undefined) return refusedFetch(opened.refused)
    const { group, session } = opened.value
    const { memberId } = request
    const results = new Map<string, Acknowledged>()
    for (const { topicId, partitions } of request.topics) {
      for (const { partitionIndex: partition, acknowledgementBatches } of partitions) {
        const wanted = { topicId, partition }
        session.partitions.set(keyOf(wanted), wanted)
        if (acknowledgementBatches.length === 0) continue
        const result = acknowledged(request, context, group, wanted, acknowledgementBatches)
        results.set(keyOf(wanted), result)
      }
    }
    for (const { topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) session.partitions.delete(keyOf({ topicId, partition }))
    }
    if (request.shareSessionEpoch === CLOSING) {
      releaseAll(session, group, memberId)
      session.partitions.clear()
    }
    const found = await waited(request, context, group, session)
    return fetchResponse(context, group, found, results)
  },
  refuse: (errorCode) => refusedFetch({ errorCode, detail: null }),
})

/** A fetch that renews locks must not acquire (KIP-1222). Throws Refused. */
function checkRenewal({
  isRenewAck,
  maxBytes,
  minBytes,
  maxRecords,
  maxWaitMs,
}: FetchRequest): void {
  if (isRenewAck && (maxBytes > 0 || minBytes > 0 || maxRecords > 0 || maxWaitMs > 0)) {
    throw new Refused('INVALID_REQUEST')
  }
}

function refusedFetch({ errorCode, detail }: Pick<Refused, 'errorCode' | 'detail'>) {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: detail,
    acquisitionLockTimeoutMs: 0,
    responses: [],
    nodeEndpoints: [],
  }
}

interface Read extends SharedPartition {
  readonly errorCode: number
  readonly detail: string | null
  readonly at: Partition | undefined
  readonly records: Buffer
  readonly acquired: ReturnType<SharePartition['acquire']>['acquired']
}

/** Reads the available records of each partition of the session. */
function readOnce(
  request: FetchRequest,
  context: RequestContext,
  group: ShareGroup,
  session: ShareSession,
): readonly Read[] {
  // A request that renews locks fetches nothing.
  if (request.isRenewAck) return []
  const isExact = request.shareAcquireMode === EXACT
  let left = request.maxRecords
  const all = [...session.partitions.values()]
  return all.flatMap((wanted) => {
    const topic = context.cluster.topics.byId(wanted.topicId)
    const at = topic?.partitions[wanted.partition]
    const outcome = outcomeOf(() => partitionOf(context, group, wanted))
    if (outcome.refused !== undefined) {
      const { errorCode, detail } = outcome.refused
      return { ...wanted, errorCode, detail, at, records: NOTHING, acquired: [] }
    }
    if (left <= 0) return []
    const limits = { maxBytes: request.maxBytes, maxRecords: left, isExact }
    const { records, acquired } = outcome.value.acquire(request.memberId ?? '', limits)
    if (acquired.length === 0) return []
    for (const { firstOffset, lastOffset } of acquired) left -= Number(lastOffset - firstOffset) + 1
    // The partition moves to the end of the order for the next request.
    session.partitions.delete(keyOf(wanted))
    session.partitions.set(keyOf(wanted), wanted)
    return { ...wanted, errorCode: 0, detail: null, at, records, acquired }
  })
}

/** Reads as soon as records can be acquired, or when the time has passed. */
async function waited(
  request: FetchRequest,
  context: RequestContext,
  group: ShareGroup,
  session: ShareSession,
): Promise<readonly Read[]> {
  const read = () => readOnce(request, context, group, session)
  const found = read()
  if (found.length > 0 || session.partitions.size === 0 || request.maxWaitMs <= 0) return found
  return new Promise((resolve) => {
    const stops: (() => void)[] = []
    const finish = (all: readonly Read[]) => {
      for (const stop of stops.splice(0)) stop()
      resolve(all)
    }
    const timer = context.cluster.timers.after(request.maxWaitMs, () => finish([]))
    const onAbort = () => finish([])
    context.signal.addEventListener('abort', onAbort)
    stops.push(
      () => timer.cancel(),
      () => context.signal.removeEventListener('abort', onAbort),
    )
    for (const { topicId, partition } of session.partitions.values()) {
      const log = context.cluster.topics.byId(topicId)?.partitions[partition]?.log
      if (log === undefined) continue
      const check = () => {
        if (stops.length === 0 || context.signal.aborted) return
        const now = read()
        if (now.length > 0) finish(now)
      }
      stops.push(log.onChange(check))
    }
    if (context.signal.aborted) onAbort()
  })
}

function fetchResponse(
  context: RequestContext,
  group: ShareGroup,
  found: readonly Read[],
  results: ReadonlyMap<string, Acknowledged>,
) {
  const reads = new Map(found.map((one) => [keyOf(one), one]))
  const all = new Map<string, SharedPartition>([...results, ...reads])
  const hints = found.map((one) => hintOf(context, one)?.endpoint)
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: null,
    acquisitionLockTimeoutMs: group.settings.recordLockMs,
    responses: byTopic(all.values()).map(([topicId, ofTopic]) => ({
      topicId,
      partitions: ofTopic.map((wanted) => {
        const read = reads.get(keyOf(wanted))
        const result = results.get(keyOf(wanted))
        const hint = read && hintOf(context, read)
        return {
          partitionIndex: wanted.partition,
          errorCode: read?.errorCode ?? 0,
          errorMessage: read?.detail ?? null,
          acknowledgeErrorCode: result?.errorCode ?? 0,
          acknowledgeErrorMessage: result?.detail ?? null,
          currentLeader: { leaderId: hint?.leaderId ?? 0, leaderEpoch: hint?.leaderEpoch ?? 0 },
          records: read?.records ?? NOTHING,
          acquiredRecords: [...(read?.acquired ?? [])],
        }
      }),
    })),
    nodeEndpoints: uniqueEndpoints(hints),
  }
}

function hintOf(context: RequestContext, { errorCode, at }: Read) {
  return errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER ? leaderHint(context, at) : undefined
}

const NOTHING_ACKNOWLEDGED = { throttleTimeMs: 0, responses: [], nodeEndpoints: [] }

export const shareAcknowledgeHandler = handler(shareAcknowledge, {
  injectsErrors: true,
  handle(request, context) {
    const opened = outcomeOf(() => {
      checkInjected(context)
      const group = groupOf(request, context)
      return { group, session: sessionOf(request, context, group, false) }
    })
    if (opened.refused !== undefined) {
      const { errorCode, detail } = opened.refused
      return { ...NOTHING_ACKNOWLEDGED, errorCode, errorMessage: detail }
    }
    const { group, session } = opened.value
    const results = request.topics.flatMap(({ topicId, partitions }) =>
      partitions.map(({ partitionIndex: partition, acknowledgementBatches }) =>
        acknowledged(request, context, group, { topicId, partition }, acknowledgementBatches),
      ),
    )
    if (request.shareSessionEpoch === CLOSING) releaseAll(session, group, request.memberId)
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      acquisitionLockTimeoutMs: group.settings.recordLockMs,
      responses: byTopic(results).map(([topicId, ofTopic]) => ({
        topicId,
        partitions: ofTopic.map(({ partition, errorCode, detail }) => ({
          partitionIndex: partition,
          errorCode,
          errorMessage: detail,
          currentLeader: { leaderId: 0, leaderEpoch: 0 },
        })),
      })),
      nodeEndpoints: [],
    }
  },
  refuse: (errorCode) => ({ ...NOTHING_ACKNOWLEDGED, errorCode, errorMessage: null }),
})

function byTopic<One extends SharedPartition>(all: Iterable<One>): [string, One[]][] {
  return [...groupedBy(all, ({ topicId }) => topicId)]
}
