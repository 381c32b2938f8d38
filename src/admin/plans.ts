/**
 * Changes that Kafka cannot validate without making them. A plan describes the changes as plain
 * JSON that can be shown, stored and reviewed; `apply` makes them, and rejects those for which the
 * cluster has changed since.
 */
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { InvalidArgumentError, KafkaError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import { anArrayOf, anInteger, anObject, aString, shown, type Check } from '../options.ts'
import { CHANGE_OPTIONS, begin, type AdminContext, type ChangeOptions } from './context.ts'
import { alterOffsets } from './group-offsets.ts'
import { offsetsOfGroups } from './list-group-offsets.ts'
import { checkDistinct, settled, type Item } from './items.ts'
import { describeTopicsByName } from './describe-topics.ts'
import { minimalMoves } from './minimal-moves.ts'
import { TOPIC_PARTITION, checkPartitions, inOrder, type PartitionResult } from './partitions.ts'
import { reassign } from './reassignments.ts'
import { offsetsAt } from './records.ts'

/**
 * The new position of a group: an end of the log, a time, a number of messages forward or back, or
 * given offsets.
 */
export type OffsetResetTarget =
  | 'earliest'
  | 'latest'
  | Date
  | { readonly by: number }
  | { readonly offsets: readonly (TopicPartition & { readonly offset: number })[] }

/** The input of `planOffsetReset`. */
export interface OffsetResetRequest {
  /** The name of the group. It must have no members when the plan is applied. */
  readonly group: string
  /**
   * Only partitions of these topics, all of them. Not with `{ offsets }`. Default: all partitions in which the group
   * has committed.
   */
  readonly topics?: readonly string[]
  /** The position at which the group continues: `earliest`, `latest`, a Date, `{ by }` or `{ offsets }`. */
  readonly to: OffsetResetTarget
}

const aResetTarget: Check<OffsetResetTarget> = (to) =>
  isResetTarget(to)
    ? undefined
    : "must be 'earliest', 'latest', a Date, { by: number } or { offsets }"

/** The checks and defaults of `OffsetResetRequest`. */
export const OFFSET_RESET_REQUEST = {
  group: { check: aString, required: true },
  topics: {
    check: anArrayOf(aString),
    defaultText: 'all partitions in which the group has committed',
    noEffect: ({ to }) => (hasOffsets(to) ? 'with { offsets }' : undefined),
  },
  to: { check: aResetTarget, required: true },
} as const satisfies OptionTable<OffsetResetRequest>

/** The change of an offset reset in one partition. */
export interface PlannedOffset extends TopicPartition, Item {
  /** The committed offset of the group; absent if there is none. */
  readonly from?: number
  /**
   * Within the log: an offset outside it is replaced by the nearer end. Absent if there is an
   * error.
   */
  readonly to?: number
}

/** The result of `planOffsetReset`. `apply` makes its changes, also from JSON. */
export interface OffsetResetPlan {
  /** Identifies the kind of plan for `apply`. */
  readonly kind: 'offsetReset'
  /** The name of the group. */
  readonly group: string
  /** Sorted by topic and partition. */
  readonly offsets: readonly PlannedOffset[]
}

/** The input of `planReassignment`. */
export interface ReassignmentRequest {
  /** The topics whose partitions may move. */
  readonly topics: readonly string[]
  /** The brokers that may have replicas, by node id. Default: all running brokers. */
  readonly brokers?: readonly number[]
  /** How many replicas each partition gets. Default: as many as it has. */
  readonly replicationFactor?: number
}

/** The checks and defaults of `ReassignmentRequest`. */
export const REASSIGNMENT_REQUEST = {
  topics: { check: anArrayOf(aString), required: true },
  brokers: { check: anArrayOf(anInteger(0)), defaultText: 'all running brokers' },
  replicationFactor: { check: anInteger(1, 32_767), defaultText: 'as many as it has' },
} as const satisfies OptionTable<ReassignmentRequest>

/** The change of a reassignment in one partition. */
export interface PlannedMove extends TopicPartition {
  /** The node ids of the replicas when the plan was made, the preferred leader first. */
  readonly from: readonly number[]
  /** The preferred leader first. */
  readonly to: readonly number[]
}

/** The result of `planReassignment`. `apply` makes its changes, also from JSON. */
export interface ReassignmentPlan {
  /** Identifies the kind of plan for `apply`. */
  readonly kind: 'reassignment'
  /** Sorted by topic and partition; partitions that do not change are left out. */
  readonly moves: readonly PlannedMove[]
}

/** A plan whose changes `apply` makes. */
export type AdminPlan = OffsetResetPlan | ReassignmentPlan

export function planOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Plans a reset of a group's offsets, and changes nothing. A partition whose offset cannot be
     * determined has an `error`. Throws the error of the group or of a topic.
     */
    async planOffsetReset(
      request: OffsetResetRequest,
      options: CallOptions = {},
    ): Promise<OffsetResetPlan> {
      const operation = 'planOffsetReset'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      checkResetRequest(operation, request)
      return planReset(cluster, request, deadline)
    },

    /**
     * Plans replicas for the partitions of topics on these brokers, with as few moves as possible,
     * and changes nothing. Replicas stay where they are allowed; the others go to the brokers with
     * the fewest replicas, if possible in racks that have no replica of the partition; leaders are
     * spread. Throws for a topic that does not exist.
     */
    async planReassignment(
      request: ReassignmentRequest,
      options: CallOptions = {},
    ): Promise<ReassignmentPlan> {
      const operation = 'planReassignment'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      checkTable(`the request of ${operation}`, request, REASSIGNMENT_REQUEST)
      checkDistinct(operation, 'topic', request.topics)
      return planMoves(cluster, request, deadline)
    },

    /**
     * Makes the changes of a plan. An item that has changed since the plan was made fails with
     * PLAN_OUTDATED, and is not changed. Throws ItemsFailedError.
     */
    async apply(plan: AdminPlan, options: ChangeOptions = {}): Promise<readonly PartitionResult[]> {
      const { deadline, settle } = begin(context, 'apply', options, CHANGE_OPTIONS)
      // A plan may come from JSON.
      const kind: unknown = (plan as Partial<AdminPlan> | null)?.kind
      if (kind !== 'offsetReset' && kind !== 'reassignment') {
        throw new InvalidArgumentError(`apply: the argument must be a plan, not ${shown(plan)}`)
      }
      const results =
        plan.kind === 'offsetReset'
          ? await applyReset(cluster, plan, deadline)
          : await applyMoves(cluster, plan, deadline)
      return settled('apply', results, settle)
    },
  }
}

async function planReset(
  cluster: Cluster,
  { group, topics, to }: OffsetResetRequest,
  deadline: Deadline,
): Promise<OffsetResetPlan> {
  const committed = await committedOf(cluster, group, deadline)
  const given = hasOffsets(to) ? to.offsets : undefined
  const partitions =
    given?.map(({ topic, partition }) => ({ topic, partition })) ??
    (topics === undefined
      ? [...committed.values()].map(({ topic, partition }) => ({ topic, partition }))
      : await partitionsOfTopics(cluster, topics, deadline))
  const [starts, ends] = await Promise.all([
    offsetsAt(cluster, partitions, 'earliest', deadline, false),
    offsetsAt(cluster, partitions, 'latest', deadline, false),
  ])
  const atTime = to instanceof Date ? await offsetsAt(cluster, partitions, to, deadline, false) : []
  const timeOf = new Map(atTime.map((one) => [nameOf(one), one]))
  const endOf = new Map(ends.map((one) => [nameOf(one), one]))
  const givenOf = new Map(given?.map((one) => [nameOf(one), one.offset]))
  const offsets = starts.map(({ topic, partition, offset: start, ...first }): PlannedOffset => {
    const name = nameOf({ topic, partition })
    const { offset: end, error: endError } = endOf.get(name)!
    const { offset: from, error: fromError } = committed.get(name) ?? {}
    const timed = timeOf.get(name)
    const needsFrom = typeof to === 'object' && 'by' in to
    const error = first.error ?? endError ?? timed?.error ?? (needsFrom ? fromError : undefined)
    const planned = { topic, partition, ...(from === undefined ? {} : { from }) }
    if (error !== undefined || start === undefined || end === undefined) {
      return { ...planned, ...(error === undefined ? {} : { error }) }
    }
    const wanted = wantedOffset(to, {
      start,
      end,
      from,
      timed: timed?.offset,
      given: givenOf.get(name),
    })
    return { ...planned, to: Math.min(end, Math.max(start, wanted)) }
  })
  return { kind: 'offsetReset', group, offsets: inOrder(offsets) }
}

function wantedOffset(
  to: OffsetResetTarget,
  known: {
    readonly start: number
    readonly end: number
    readonly from: number | undefined
    readonly timed: number | undefined
    readonly given: number | undefined
  },
): number {
  const { start, end, from = start, timed = end, given = start } = known
  if (to === 'earliest') return start
  if (to === 'latest') return end
  if (to instanceof Date) return timed
  return 'by' in to ? from + to.by : given
}

async function committedOf(cluster: Cluster, group: string, deadline: Deadline) {
  const [found] = await offsetsOfGroups(cluster, [group], deadline)
  if (found!.error !== undefined) throw found!.error
  return new Map(found!.offsets.map((one) => [nameOf(one), one]))
}

async function partitionsOfTopics(
  cluster: Cluster,
  topics: readonly string[],
  deadline: Deadline,
): Promise<readonly TopicPartition[]> {
  const described = await describeTopicsByName(cluster, topics, deadline)
  return described.flatMap(({ topic, partitions, error }) => {
    if (error !== undefined) throw error
    return partitions.map(({ partition }) => ({ topic, partition }))
  })
}

async function planMoves(
  cluster: Cluster,
  { topics, brokers, replicationFactor }: ReassignmentRequest,
  deadline: Deadline,
): Promise<ReassignmentPlan> {
  await cluster.router.refreshBrokers(deadline)
  const racks = new Map([...cluster.brokers.values()].map(({ nodeId, rack }) => [nodeId, rack]))
  const usable = [...new Set(brokers ?? racks.keys())].sort((a, b) => a - b)
  const stranger = usable.find((id) => !racks.has(id))
  if (stranger !== undefined) {
    throw new InvalidArgumentError(
      `planReassignment: the cluster has no running broker ${stranger}`,
    )
  }
  const described = await describeTopicsByName(cluster, topics, deadline)
  const partitions = described.flatMap(({ topic, partitions: ofTopic, error }) => {
    if (error !== undefined) throw error
    return ofTopic.map(({ partition, replicas }) => ({ topic, partition, replicas }))
  })
  const tooMany = partitions.find(
    ({ replicas }) => (replicationFactor ?? replicas.length) > usable.length,
  )
  if (tooMany !== undefined) {
    const wanted = replicationFactor ?? tooMany.replicas.length
    throw new InvalidArgumentError(
      `planReassignment: ${nameOf(tooMany)} cannot have ${wanted} replicas on ${usable.length} brokers`,
    )
  }
  const targets = minimalMoves(
    partitions.map(({ replicas }) => replicas),
    usable.map((id) => ({ id, rack: racks.get(id) ?? undefined })),
    replicationFactor,
  )
  const moves = partitions.flatMap(({ topic, partition, replicas: from }, index) => {
    const to = targets[index]!
    const isSame = from.length === to.length && from.every((id, at) => id === to[at])
    return isSame ? [] : [{ topic, partition, from, to }]
  })
  return { kind: 'reassignment', moves: inOrder(moves) }
}

async function applyReset(
  cluster: Cluster,
  { group, offsets }: OffsetResetPlan,
  deadline: Deadline,
): Promise<readonly PartitionResult[]> {
  checkDistinct('apply', 'group', [group])
  checkPartitions('apply', offsets, PLANNED_OFFSET)
  const committed = await committedOf(cluster, group, deadline)
  const failed: PartitionResult[] = []
  const current: (TopicPartition & { readonly offset: number })[] = []
  for (const { topic, partition, from, to, error } of offsets) {
    const one = { topic, partition }
    const now = committed.get(nameOf(one))?.offset
    if (error !== undefined || to === undefined) {
      failed.push({ ...one, error: asError(error, `${nameOf(one)} has no offset in the plan`) })
    } else if (now !== from) {
      const was = `group '${group}' has ${now === undefined ? 'no offset' : `the offset ${now}`} in ${nameOf(one)}`
      failed.push({ ...one, error: outdated(`${was}, but the plan expects ${from ?? 'none'}`) })
    } else current.push({ ...one, offset: to })
  }
  const done = current.length === 0 ? [] : await alterOffsets(cluster, group, current, deadline)
  return inOrder([...failed, ...done])
}

async function applyMoves(
  cluster: Cluster,
  { moves }: ReassignmentPlan,
  deadline: Deadline,
): Promise<readonly PartitionResult[]> {
  checkPartitions('apply', moves, PLANNED_MOVE)
  const topics = [...new Set(moves.map(({ topic }) => topic))]
  const described = await describeTopicsByName(cluster, topics, deadline)
  const replicasOf = new Map(
    described.flatMap(({ topic, partitions }) =>
      partitions.map(
        ({ partition, replicas }) => [nameOf({ topic, partition }), replicas] as const,
      ),
    ),
  )
  const failed: PartitionResult[] = []
  const current: PlannedMove[] = []
  for (const move of moves) {
    const { topic, partition, from } = move
    const now = replicasOf.get(nameOf(move))
    if (now?.join() === from.join()) current.push(move)
    else {
      const detail = `${nameOf(move)} has replicas on ${now?.join(', ') ?? 'no brokers'}, but the plan expects ${from.join(', ')}`
      failed.push({ topic, partition, error: outdated(detail) })
    }
  }
  const reassignments = current.map(({ topic, partition, to }) => ({
    topic,
    partition,
    replicas: to,
  }))
  const done = current.length === 0 ? [] : await reassign(cluster, reassignments, deadline)
  return inOrder([...failed, ...done])
}

/** A plan that was read from JSON contains the error as plain data. */
function asError(error: unknown, message: string): KafkaError {
  return error instanceof KafkaError ? error : outdated(message)
}

function outdated(detail: string): KafkaError {
  return new KafkaError('PLAN_OUTDATED', `${detail}: make a new plan`, false)
}

const anOffset = anInteger(0)
const someReplicas: Check<readonly number[]> = (value) =>
  anArrayOf(anInteger(0))(value) ??
  (Array.isArray(value) && value.length > 0 ? undefined : 'must not be empty')

/** A plan may have been stored as JSON, and changed. */
const PLANNED_OFFSET: OptionTable<PlannedOffset> = {
  ...TOPIC_PARTITION,
  from: { check: anOffset },
  to: { check: anOffset },
  error: { check: anObject },
}
const PLANNED_MOVE: OptionTable<PlannedMove> = {
  ...TOPIC_PARTITION,
  from: { check: anArrayOf(anInteger(0)), required: true },
  to: { check: someReplicas, required: true },
}

function checkResetRequest(operation: string, request: OffsetResetRequest): void {
  checkTable(`the request of ${operation}`, request, OFFSET_RESET_REQUEST)
  const { topics, to } = request
  if (topics !== undefined) checkDistinct(operation, 'topic', topics)
  if (!hasOffsets(to)) return
  checkPartitions(operation, to.offsets)
  const wrong = to.offsets.find(({ offset }) => anInteger(0)(offset) !== undefined)
  if (wrong !== undefined) {
    throw new InvalidArgumentError(
      `${operation}: the offset of ${nameOf(wrong)} must be a whole number of at least 0`,
    )
  }
}

function isResetTarget(to: unknown): boolean {
  if (to === 'earliest' || to === 'latest') return true
  if (to instanceof Date) return Number.isSafeInteger(to.getTime())
  if (typeof to !== 'object' || to === null || Object.keys(to).length !== 1) return false
  if ('by' in to) return Number.isSafeInteger(to.by)
  return 'offsets' in to && Array.isArray(to.offsets)
}

function hasOffsets(to: OffsetResetTarget): to is Extract<OffsetResetTarget, { offsets: unknown }> {
  return typeof to === 'object' && 'offsets' in to
}
