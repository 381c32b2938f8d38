import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { JAVA_ASSIGNOR_NAMES, type JavaAssignorName } from '../support/balanced/java-assignors.ts'
import { ProcessGroup } from '../support/balanced/process-members.ts'
import { writeNumbered } from '../support/balanced/write-numbered.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'

const PARTITIONS = 6

/** Java's client of today speaks to brokers from 2.1 on. */
const versions = versionsToTest().filter((version) => isAtLeast(version, '2.1'))
const isThorough = process.env['SAMSA_BROKERS'] !== undefined
/** All assignors take a while: in npm test the one that asks most of both sides. */
const assignors: readonly JavaAssignorName[] = isThorough
  ? JAVA_ASSIGNOR_NAMES
  : ['cooperative-sticky']
/** Versions, and the number of brokers: three only of the newest version. */
const clusters = [
  ...versions.map((version) => [version, 1] as const),
  ...(isThorough ? versions.slice(-1).map((version) => [version, 3] as const) : []),
]

describeWithBrokers('a group of Java members and samsa members', ['java'], () => {
  describe.each(clusters)('on Kafka %s, brokers: %d', (version, brokers) => {
    let kafka: KafkaCluster

    beforeAll(async () => {
      kafka = await startKafka({ version, brokers })
    })
    afterAll(() => kafka.stop())

    it.each(assignors)(
      'shares partitions by %s while members come and go, each message read once',
      async (assignor) => {
        const topic = `shared-${assignor}`
        await kafka.createTopic(topic, { partitions: PARTITIONS, replicationFactor: brokers })
        await using group = new ProcessGroup({ hosts: kafka.hosts, topic, group: topic })
        const written = await writeNumbered(kafka.hosts, topic, PARTITIONS, 600)
        const options = {
          assignors: [assignor],
          sessionTimeoutMs: 10_000,
          heartbeatIntervalMs: 500,
        }

        // Java leads first, then ours: the member that has been in the group for longest leads.
        const java = await group.java('java 1', assignor)
        await group.shared([java], PARTITIONS)
        const ours = group.ours('ours 1', options)
        await group.shared([java, ours], PARTITIONS)
        written.push(...(await writeNumbered(kafka.hosts, topic, PARTITIONS, 600)))
        const other = await group.java('java 2', assignor)
        await group.shared([java, ours, other], PARTITIONS)
        await java.stop()
        await group.shared([ours, other], PARTITIONS)
        written.push(...(await writeNumbered(kafka.hosts, topic, PARTITIONS, 600)))
        const second = group.ours('ours 2', options)
        await group.shared([ours, other, second], PARTITIONS)
        await ours.stop()
        await group.shared([other, second], PARTITIONS)
        written.push(...(await writeNumbered(kafka.hosts, topic, PARTITIONS, 600)))
        await group.until('all read', () => group.read.length >= written.length)

        expect([...group.read].sort()).toEqual([...written].sort())
        const lost = group.members.flatMap(({ events }) => events)
        expect(lost.filter(({ name }) => name === 'partitions_lost' || name === 'error')).toEqual(
          [],
        )
      },
    )
  })
})
