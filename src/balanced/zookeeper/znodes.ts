/**
 * The znodes of a group's state in ZooKeeper, as in pykafka 2.8:
 *
 *     /consumers/GROUP/ids/MEMBER                     ephemeral, the topic: a member
 *     /consumers/GROUP/owners/TOPIC/LEADER-PARTITION  ephemeral, the member: the owner of a partition
 *
 * On Python 3 pykafka writes `owners/b'TOPIC'`, including the quotes, on Python 2 `owners/TOPIC`. A group may have
 * members of both kinds, which do not see each other's claims, so samsa claims under both names. The leader's id in
 * the name is the leader that the claiming member knows: during an election two members may write different names for
 * one partition. So a claim of samsa has the names of all brokers that could lead the partition, and any name of a
 * partition, whatever its leader, counts as an owner.
 */
import type { PartitionMetadata } from '../../cluster/metadata.ts'

export class GroupPaths {
  readonly ids: string
  readonly #owners: string

  constructor(group: string) {
    this.ids = `/consumers/${group}/ids`
    this.#owners = `/consumers/${group}/owners`
  }

  member(id: string): string {
    return `${this.ids}/${id}`
  }

  /** Both folders with owners of a topic's partitions. */
  owners(topic: string): readonly [python2: string, python3: string] {
    return [`${this.#owners}/${topic}`, `${this.#owners}/b'${topic}'`]
  }

  /** All znodes that together claim a partition. */
  claim(topic: string, { partition, leader, replicas }: PartitionMetadata): readonly string[] {
    const leaders = new Set([leader, ...replicas])
    return this.owners(topic).flatMap((folder) =>
      [...leaders].map((id) => `${folder}/${id}-${partition}`),
    )
  }
}

/**
 * Returns the partition of an owner's znode: `1-7` is partition 7, claimed under leader 1. Java's old consumer wrote
 * only `7`. Undefined for data of other programs.
 */
export function partitionOf(ownerName: string): number | undefined {
  const match = /^(?:-?\d+-)?(\d+)$/.exec(ownerName)
  return match === null ? undefined : Number(match[1])
}

export const BROKER_TOPICS = '/brokers/topics'
