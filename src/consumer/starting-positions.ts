import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { NoOffsetError } from '../errors.ts'
import { lookUpOffsets } from './list-offsets.ts'
import type { OffsetStore } from './offsets/offset-store.ts'
import type { ConsumerSettings } from './options.ts'
import type { PartitionState } from './partition-state.ts'
import { nameOf, numbersByTopic, type TopicPartition } from './topic-partition.ts'

/** Where a partition starts, and the offset that the group has already committed there. */
export interface StartingPosition {
  readonly offset: number
  readonly leaderEpoch: number
  readonly committed: number | undefined
}

type Settings = Pick<
  ConsumerSettings<unknown, unknown>,
  'startAt' | 'resetOffsetOnStart' | 'isReadCommitted'
>

/**
 * Uses cached metadata that is not older than `maxAgeMs`, without a request. Throws UnknownTopicError if a topic or a
 * partition does not exist.
 */
export async function checkPartitionsExist(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  deadline: Deadline,
  maxAgeMs = -1,
): Promise<void> {
  await Promise.all(
    numbersByTopic(partitions).map((one) =>
      cluster.topic(one.topic, { create: false, partitions: one.partitions, deadline, maxAgeMs }),
    ),
  )
}

/**
 * Returns where each partition starts: `startingPositions` for known partitions, the first message for new ones.
 * `checked` resolves when the metadata has all partitions; the group's offsets are fetched in the meantime.
 */
export async function findStarts(
  cluster: Cluster,
  settings: Settings,
  store: OffsetStore | undefined,
  toFind: readonly { readonly state: PartitionState; readonly isNew: boolean }[],
  deadline: Deadline,
  checked: Promise<void>,
): Promise<ReadonlyMap<PartitionState, StartingPosition>> {
  const found = await Promise.all(
    [true, false].map((isNew) => {
      const states = toFind.filter((one) => one.isNew === isNew).map(({ state }) => state)
      const ofThese = isNew ? { ...settings, startAt: 'earliest' as const } : settings
      return startingPositions(cluster, ofThese, store, states, deadline, checked)
    }),
  )
  return new Map(found.flatMap((one) => [...one]))
}

/** Returns the group's committed offsets, or the position that `startAt` names for partitions without one. */
async function startingPositions(
  cluster: Cluster,
  settings: Settings,
  store: OffsetStore | undefined,
  partitions: readonly PartitionState[],
  deadline: Deadline,
  checked: Promise<void>,
): Promise<Map<PartitionState, StartingPosition>> {
  const found = new Map<PartitionState, StartingPosition>()
  if (partitions.length === 0) return found
  if (store !== undefined && !settings.resetOffsetOnStart) {
    const committed = await store.fetch(partitions, deadline)
    const byName = new Map(committed.map((one) => [nameOf(one), one]))
    for (const state of partitions) {
      const one = byName.get(state.name)
      if (one === undefined) continue
      const { offset, leaderEpoch } = one
      found.set(state, { offset, leaderEpoch, committed: offset })
    }
  }
  await checked
  const left = partitions.filter((state) => !found.has(state))
  const { startAt, isReadCommitted } = settings
  if (startAt === 'none') {
    const [first] = left
    if (first !== undefined) throw noOffset(first)
    return found
  }
  const offsets = await lookUpOffsets(cluster, left, startAt, deadline, isReadCommitted)
  for (const state of left) {
    const offset = offsets.get(state.name) ?? 0
    found.set(state, { offset, leaderEpoch: -1, committed: undefined })
  }
  return found
}

function noOffset({ topic, partition, name }: PartitionState): NoOffsetError {
  const message = `the group has no offset for ${name}, and autoOffsetReset is 'none'`
  return new NoOffsetError(message, undefined, { topic, partition })
}
