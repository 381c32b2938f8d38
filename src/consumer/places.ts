import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { lookUpOffsets } from './list-offsets.ts'
import { nameOf, type TopicPartition, type TopicPartitionOffset } from './topic-partition.ts'

/** Where a partition continues. */
export interface PositionToReset extends TopicPartition {
  /** An offset; a Date for the first message at or after it; or an end of the log. */
  readonly to: number | Date | 'earliest' | 'latest'
}

/** Returns the offsets that the places stand for, in the same order. */
export function offsetsOfPlaces(
  cluster: Cluster,
  targets: readonly PositionToReset[],
  isReadCommitted: boolean,
  deadline: Deadline,
): Promise<TopicPartitionOffset[]> {
  return Promise.all(
    targets.map(async ({ topic, partition, to }) => {
      if (typeof to === 'number') return { topic, partition, offset: to }
      const one = { topic, partition }
      const spec = to instanceof Date ? to.getTime() : to
      const found = await lookUpOffsets(cluster, [one], spec, deadline, isReadCommitted)
      return { ...one, offset: found.get(nameOf(one)) ?? 0 }
    }),
  )
}
