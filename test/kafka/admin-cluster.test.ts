import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { KafkaClient, type Admin, type KafkaError } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { failureOf } from '../support/settled.ts'
import { until } from '../support/until.ts'
import { clientJars } from '../wire/support/jars.ts'
import { runJava } from '../wire/support/run-java.ts'

/** The first with DescribeLogDirs is 1.0. */
const versions = versionsToTest().filter((version) => isAtLeast(version, '1.1'))

/** What Java has for a directory without an id. */
const NO_UUID = 'A'.repeat(22)

const at = (topic: string, partition: number) => ({ topic, partition })
const nameOf = ({ topic, partition }: { topic: string; partition: number }) =>
  `${topic}-${partition}`

/** What a call says; `unsupported` where the brokers are too old for it. */
async function or<T>(question: () => Promise<T>): Promise<T | 'unsupported'> {
  try {
    return await question()
  } catch (error) {
    if ((error as KafkaError).code === 'UNSUPPORTED_VERSION') return 'unsupported'
    throw error
  }
}

describeWithBrokers('the admin client for clusters', ['java'], () => {
  describe.each(versions)('on Kafka %s', (version) => {
    let kafka: KafkaCluster
    let client: KafkaClient
    let admin: Admin

    beforeAll(async () => {
      kafka = await startKafka({ version, brokers: 3 })
      client = new KafkaClient({ hosts: kafka.hosts })
      admin = client.admin
      await admin.createTopics([
        {
          topic: 'orders',
          assignments: [
            [1, 2],
            [2, 3],
            [3, 1],
          ],
        },
      ])
      await using producer = await client.topic('orders').getProducer({ idempotent: true })
      for (let i = 0; i < 9; i++) void producer.produce(`${i}`, { partition: i % 3 })
      await producer.flush()
    })
    afterAll(async () => {
      await client.close()
      await kafka.stop()
    })

    it('returns the same log directories, features, quorum, producers and transactions as Java', async () => {
      await admin.fenceProducers(['billing-1', 'billing-2'])
      const jars = await clientJars(isAtLeast(version, '2.1') ? '4.4.0' : '3.9.1')
      const input = Buffer.from(`${kafka.hosts}\n`)
      const java: unknown = JSON.parse(
        (await runJava('test/kafka/java/AdminClusterReferee.java', jars, input)).toString(),
      )
      expect({
        reassignments: await or(() => reassignments(admin)),
        logDirs: await or(() => logDirs(admin)),
        features: await or(() => features(admin)),
        quorum: await or(() => quorum(admin)),
        producers: await or(() => producers(admin)),
        transactions: await or(() => transactions(admin)),
      }).toEqual(java)
    })

    it('moves partitions to other brokers by a plan, and elects the preferred leaders', async () => {
      if (!isAtLeast(version, '2.4')) {
        const move = { ...at('orders', 0), replicas: [3, 2] }
        const refused = await failureOf(admin.alterPartitionReassignments([move]))
        expect(refused).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
        expect(refused.message).toContain('2.4')
        return
      }
      const plan = await admin.planReassignment({ topics: ['orders'], brokers: [2, 3] })
      expect(plan.moves.map(({ partition }) => partition)).toEqual([0, 2])
      await admin.apply(plan)
      await until(async () => (await admin.listPartitionReassignments()).length === 0)
      await until(async () => {
        const [described] = await admin.describeTopics(['orders'])
        const sets = described!.partitions.map(({ isr }) => [...isr].sort().join())
        return sets.every((isr) => isr === '2,3')
      })
      const cancelled = { ...at('orders', 0), replicas: null }
      expect(await admin.alterPartitionReassignments([cancelled])).toEqual([at('orders', 0)])
      const unknown = { ...at('orders', 0), replicas: [99] }
      expect(await failureOf(admin.alterPartitionReassignments([unknown]))).toMatchObject({
        code: 'INVALID_REPLICA_ASSIGNMENT',
      })

      const leaders = async () =>
        (await admin.describeTopics(['orders']))[0]!.partitions.map(({ leader }) => leader)
      const preferred = (await admin.describeTopics(['orders']))[0]!.partitions.map(
        ({ replicas }) => replicas[0],
      )
      const stopped = preferred[1]!
      await kafka.stopBroker(stopped)
      await until(async () => !(await leaders()).includes(stopped))
      const down = await admin.electLeaders('preferred', [at('orders', 1)], { settle: true })
      expect(down[0]?.error).toMatchObject({ code: 'PREFERRED_LEADER_NOT_AVAILABLE' })
      await kafka.startBroker(stopped)
      await until(async () => {
        const [described] = await admin.describeTopics(['orders'])
        return described!.partitions.every(({ isr }) => isr.length === 2)
      })
      await admin.electLeaders('preferred', null)
      await until(async () => (await leaders()).join() === preferred.join())
      expect(await admin.electLeaders('preferred', [at('orders', 1)])).toEqual([
        { ...at('orders', 1), isElected: false },
      ])
    })

    it('sets and deletes the start offsets of share groups, or names the release that has them', async () => {
      const offsets = [{ ...at('orders', 1), startOffset: 2 }]
      if (!isAtLeast(version, '4.1')) {
        const refused = await failureOf(admin.alterShareGroupOffsets('jobs', offsets))
        expect(refused.message).toContain('4.1')
        return
      }
      await admin.alterShareGroupOffsets('jobs', offsets)
      const [listed] = await admin.listShareGroupOffsets(['jobs'])
      expect(listed?.offsets).toMatchObject([{ ...at('orders', 1), startOffset: 2, lag: 1 }])
      expect(await admin.describeGroups(['jobs'])).toMatchObject([
        { type: 'share', state: 'Empty' },
      ])
      await admin.deleteShareGroupOffsets('jobs', ['orders'])
      expect(await admin.listShareGroupOffsets(['jobs'])).toEqual([{ group: 'jobs', offsets: [] }])
      await admin.deleteGroups(['jobs'])
    })

    it('dry-runs feature levels, or names the release that has them', async () => {
      const update = { feature: 'no.such.version', version: 1 }
      const refused = await failureOf(admin.updateFeatures([update], { validateOnly: true }))
      // With ZooKeeper 3.9 knows the request and no such feature; 2.8 has no dry run.
      const older = isAtLeast(version, '3.9') ? 'INVALID_REQUEST' : 'UNSUPPORTED_VERSION'
      const code = isAtLeast(version, '4.0') ? 'INVALID_UPDATE_VERSION' : older
      expect(refused).toMatchObject({ code })
    })
  })
})

async function reassignments(admin: Admin) {
  const found = await admin.listPartitionReassignments()
  return Object.fromEntries(
    found.map(({ topic, partition, ...one }) => [nameOf({ topic, partition }), one]),
  )
}

async function logDirs(admin: Admin) {
  const brokers = await admin.describeLogDirs()
  return Object.fromEntries(
    brokers.map(({ broker, logDirs: dirs }) => [
      String(broker),
      Object.fromEntries(
        dirs.map(({ logDir, totalBytes, replicas }) => [
          logDir,
          {
            ...(totalBytes === undefined ? {} : { totalBytes }),
            replicas: Object.fromEntries(
              replicas
                .filter(({ topic }) => !topic.startsWith('__'))
                .map((one) => [nameOf(one), [one.sizeBytes, one.offsetLag, one.isFuture]]),
            ),
          },
        ]),
      ),
    ]),
  )
}

async function features(admin: Admin) {
  const found = await admin.describeFeatures()
  return Object.fromEntries(found.map(({ feature, ...one }) => [feature, one]))
}

async function quorum(admin: Admin) {
  const { leader, leaderEpoch, voters, observers } = await admin.describeMetadataQuorum()
  return {
    leader,
    leaderEpoch,
    voters: Object.fromEntries(
      voters.map(({ replica, directoryId = NO_UUID }) => [String(replica), directoryId]),
    ),
    observers: observers.map(({ replica }) => replica),
  }
}

async function producers(admin: Admin) {
  const topics = await admin.listTopics()
  const all = topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition }) => at(topic, partition)),
  )
  const described = await admin.describeProducers(all)
  const unsupported = described.find(({ error }) => error?.code === 'UNSUPPORTED_VERSION')
  if (unsupported?.error !== undefined) throw unsupported.error
  return Object.fromEntries(
    described.map((one) => [
      nameOf(one),
      one.producers?.map(({ lastSequence = -1, ...state }) => ({ ...state, lastSequence })),
    ]),
  )
}

async function transactions(admin: Admin) {
  const { transactions: listed } = await admin.listTransactions()
  const described = await admin.describeTransactions(listed.map((one) => one.transactionalId))
  return Object.fromEntries(
    described.map(({ transactionalId, startTimestamp, partitions, ...one }, index) => {
      expect(startTimestamp).toBeUndefined()
      const listedState = listed[index]!.state
      return [transactionalId, { ...one, listedState, partitions: partitions.map(nameOf) }]
    }),
  )
}
