import type { Cluster } from '../../cluster/cluster.ts'
import { InvalidArgumentError, TopicRecreatedError, type KafkaError } from '../../errors.ts'
import type { PartitionState } from '../partition-state.ts'
import { nameOf, type TopicPartition } from '../topic-partition.ts'
import type { OffsetToCommit } from './offset-store.ts'

/** An offset to be committed, or a partition: then of that what was delivered. */
export type PartitionToCommit = TopicPartition & Partial<Omit<OffsetToCommit, 'topicId'>>

/** All that was given to the application, or without what it is processing. */
export type UpTo = 'given' | 'finished'

/**
 * What to commit. Where offsets expire, those that have not changed are committed again, as in Java: the brokers count
 * from the last commit.
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
    const isNeeded = expires || offset !== state.committed
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

/** The offsets that the application gives, with the ids of the topics that it read them from. */
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

/** Why positions of a partition are not to be committed: they are of a topic that is not there any more. */
function lostTopicOf(
  cluster: Cluster,
  { lostTopic, topic, partition, topicId }: PartitionState,
): KafkaError | undefined {
  const known = cluster.known(topic)?.topicId
  if (lostTopic !== undefined || topicId === undefined || known === undefined) return lostTopic
  return known === topicId ? undefined : new TopicRecreatedError(topic, partition)
}
