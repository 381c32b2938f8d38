import type { Cluster } from '../../cluster/cluster.ts'
import { InvalidArgumentError, TopicRecreatedError, type KafkaError } from '../../errors.ts'
import type { PartitionState } from '../partition-state.ts'
import { nameOf, type TopicPartition } from '../topic-partition.ts'
import type { OffsetToCommit } from './offset-store.ts'

/** An offset to commit, or a partition, of which the delivered offset is committed. */
export type PartitionToCommit = TopicPartition & Partial<Omit<OffsetToCommit, 'topicId'>>

/** `given`: everything that the application received. `finished`: without what it is still processing. */
export type UpTo = 'given' | 'finished'

/**
 * Returns the offsets to commit. If offsets expire, unchanged ones are committed again, as in Java, because brokers
 * count from the last commit.
 */
export function offsetsToCommit(
  cluster: Cluster,
  states: readonly PartitionState[],
  upTo: UpTo,
  expires: boolean,
): OffsetToCommit[] {
  return states.flatMap((state) => {
    if (state.fetch.phase === 'starting' || lostTopicOf(cluster, state) !== undefined) return []
    const { topic, partition, topicId, buffer } = state
    const { positionEpoch: leaderEpoch } = buffer
    const isHandled = upTo === 'finished' || state.handling !== undefined
    const offset = isHandled ? state.finished : state.position
    // While fetches fail the topic may be deleted and created again, and brokers before 4.1 would store the offset for
    // the new one. An offset expires much later.
    const isRenewed = expires && state.fetch.failures === 0
    const isNeeded = isRenewed || offset !== state.committed
    return isNeeded ? [{ topic, partition, topicId, offset, leaderEpoch }] : []
  })
}

/** Throws InvalidArgumentError. */
export function checkOffsets(what: readonly PartitionToCommit[]): void {
  for (const { topic, partition, offset } of what) {
    if (offset === undefined || (Number.isSafeInteger(offset) && offset >= 0)) continue
    throw new InvalidArgumentError(`${offset} is not an offset to commit`, { topic, partition })
  }
}

/** Returns the offsets that the application gave, with the ids of the topics that it read. */
export function givenOffsets(
  cluster: Cluster,
  what: readonly PartitionToCommit[],
  states: ReadonlyMap<string, PartitionState>,
  refuse: (reason: KafkaError) => void,
): OffsetToCommit[] {
  return what.flatMap(({ offset, ...one }) => {
    if (offset === undefined) return []
    const state = states.get(nameOf(one))
    const lostTopic = state && lostTopicOf(cluster, state)
    if (lostTopic === undefined) return [{ ...one, offset, topicId: state?.topicId }]
    refuse(lostTopic)
    return []
  })
}

/** Returns the error that keeps a partition's positions from being committed: its topic no longer exists. */
function lostTopicOf(
  cluster: Cluster,
  { lostTopic, topic, partition, topicId }: PartitionState,
): KafkaError | undefined {
  const known = cluster.known(topic)?.topicId
  if (lostTopic !== undefined || topicId === undefined || known === undefined) return lostTopic
  return known === topicId ? undefined : new TopicRecreatedError(topic, partition)
}
