import { KafkaClient } from '../../src/index.ts'

/** Groups without members, each with an offset in one partition number of as many topics as there are partitions. */
export async function makeGroups(
  hosts: string,
  groups: readonly string[],
  topics: readonly string[],
  partitions: number,
): Promise<void> {
  await using client = new KafkaClient({ hosts })
  for (const [index, group] of groups.entries()) {
    const offsets = Array.from({ length: partitions }, (_, partition) => ({
      topic: topics[(index + partition) % topics.length]!,
      partition,
      offset: 0,
    }))
    await client.admin.alterGroupOffsets(group, offsets)
  }
}
