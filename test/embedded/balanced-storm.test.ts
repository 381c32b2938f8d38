import { expect, it } from '@jest/globals'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { randomFrom } from '../support/balanced/storm/random.ts'
import { storm } from '../support/balanced/storm/storm.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'

const PARTITIONS = 12
const SEED = Number(process.env['SAMSA_SEED'] ?? Date.now() % 1_000_000)

it(`five processes that are killed, stopped and started divide the partitions among them (SAMSA_SEED=${SEED})`, async () => {
  using folder = new TemporaryFolder()
  await using zookeeper = await EmbeddedZooKeeper.start({ minSessionTimeoutMs: 1_000 })
  await using kafka = await EmbeddedCluster.start({ topics: { t: { partitions: PARTITIONS } } })
  const sessionTimeoutMs = 3_000
  const result = await storm({
    hosts: kafka.hosts,
    topic: 't',
    partitions: PARTITIONS,
    processes: 5,
    durationMs: 20_000,
    everyMs: 2_000,
    changesInARow: 4,
    messagesPerSecond: 200,
    sessionTimeoutMs,
    consumer: {
      consumerGroup: 'g',
      zookeeperHosts: zookeeper.hosts,
      zookeeperConnectionTimeoutMs: sessionTimeoutMs,
    },
    folder: folder.path,
    random: randomFrom(SEED),
  })
  expect(result.problems).toEqual([])
  expect(result.delivered).toBe(result.produced)
  expect(result.delivered).toBeGreaterThan(PARTITIONS)
})
