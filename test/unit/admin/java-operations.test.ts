import { afterAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { KafkaClient } from '../../../src/index.ts'

/** The operations of `org.apache.kafka.clients.admin.Admin` in kafka-clients 4.4.0, as `javap` lists them. */
const JAVA = `
  abortTransaction addRaftVoter alterClientQuotas alterConsumerGroupOffsets alterPartitionReassignments
  alterReplicaLogDirs alterShareGroupOffsets alterStreamsGroupOffsets alterUserScramCredentials createAcls
  createDelegationToken createPartitions createTopics deleteAcls deleteConsumerGroupOffsets deleteConsumerGroups
  deleteRecords deleteShareGroupOffsets deleteShareGroups deleteStreamsGroupOffsets deleteStreamsGroups deleteTopics
  describeAcls describeClassicGroups describeClientQuotas describeCluster describeConfigs describeConsumerGroups
  describeDelegationToken describeFeatures describeLogDirs describeMetadataQuorum describeProducers
  describeReplicaLogDirs describeShareGroups describeStreamsGroups describeTopics describeTransactions
  describeUserScramCredentials electLeaders expireDelegationToken fenceProducers forceTerminateTransaction
  incrementalAlterConfigs listClientMetricsResources listConfigResources listConsumerGroupOffsets listConsumerGroups
  listGroups listOffsets listPartitionReassignments listShareGroupOffsets listStreamsGroupOffsets listTopics
  listTransactions removeMembersFromConsumerGroup removeRaftVoter renewDelegationToken unregisterBroker
  unregisterController updateFeatures
`
  .trim()
  .split(/\s+/)

const section = readFileSync('docs/admin.md', 'utf8').split("## Java's operations")[1] ?? ''
const rows = [...section.matchAll(/^\| `(\w+)` +\| `([\w.]+)` +\|$/gm)].map(
  ([, java, samsa]) => [java!, samsa!] as const,
)

describe("the table of Java's operations in docs/admin.md", () => {
  const client = new KafkaClient({ hosts: '127.0.0.1:9092' })
  afterAll(() => client.close())

  it('names each operation of Java once', () => {
    expect(rows.map(([java]) => java)).toEqual(JAVA)
  })

  it.each(rows)('correctly states that %s is done by %s', (_, samsa) => {
    const name = samsa.split('.').at(-1)!
    const owner = samsa === name ? client.admin : client
    expect(typeof Reflect.get(owner, name)).toBe('function')
  })
})
