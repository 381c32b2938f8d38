import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { runCommand } from '../support/run-command.ts'

const TOPICS = 200
const PARTITIONS_EACH = 100
const GROUPS = 2_000
const OFFSETS_EACH = 10
const AT_ONCE = 50
const MOST_GROWTH_BYTES = 120 * 1024 * 1024

let kafka: EmbeddedCluster
beforeAll(async () => {
  kafka = await EmbeddedCluster.start({ brokers: 3 })
  for (let i = 0; i < TOPICS; i++) kafka.createTopic(`topic-${i}`, { partitions: PARTITIONS_EACH })
  await using client = new KafkaClient({ hosts: kafka.hosts })
  for (let from = 0; from < GROUPS; from += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => commit(client, from + index)))
  }
})
afterAll(() => kafka.stop())

async function commit(client: KafkaClient, group: number): Promise<void> {
  const offsets = Array.from({ length: OFFSETS_EACH }, (_, partition) => ({
    topic: `topic-${group % TOPICS}`,
    partition: (group + partition) % PARTITIONS_EACH,
    offset: 0,
  }))
  await client.admin.alterGroupOffsets(`group-${group}`, offsets)
}

it('the admin client lists 20,000 partitions, 2,000 groups and their lag in a heap of 64 MB', async () => {
  const node = ['--import', 'tsx', '--max-old-space-size=64', 'test/support/admin/lister.ts']
  const { exitCode, stdout, stderr } = await runCommand(process.execPath, [...node, kafka.hosts])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const { grownBytes, ...counts } = JSON.parse(stdout.toString()) as Record<string, number>
  expect(counts).toEqual({
    partitions: TOPICS * PARTITIONS_EACH,
    listed: TOPICS,
    groups: GROUPS,
    lag: 0,
    unknown: 0,
  })
  expect(grownBytes).toBeLessThan(MOST_GROWTH_BYTES)
})
