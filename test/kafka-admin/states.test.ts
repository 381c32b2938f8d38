import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  KafkaClient,
  type Admin,
  type GroupDescription,
  type PartitionReassignment,
} from '../../src/index.ts'
import { produce } from '../../protocol/apis/produce.ts'
import { streamsGroupHeartbeat } from '../../protocol/apis/streams-group-heartbeat.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { failureOf } from '../support/settled.ts'
import { until } from '../support/until.ts'
import { transactionalBatch } from '../unit/admin/support/open-transaction.ts'
import type { JavaReferee } from '../wire/support/java-referee.ts'
import { startAdminReferee } from '../kafka/support/admin-operations/referee.ts'
import { at, byKey, nameOf, only } from '../kafka/support/admin-operations/forms.ts'

const START_TIMEOUT_MS = 240_000
const TEST_TIMEOUT_MS = 180_000
const versions = versionsToTest().filter((version) => isAtLeast(version, '1.1'))

/** What both clients do is done to topics of their own. */
const OWN = ['samsa', 'java'] as const
const WITHOUT_IMPLICIT_PARTITIONS = 11
const READ_COMMITTED = { isolationLevel: 'read_committed' } as const
/** A batch a minute at most: copies do not end by themselves while a test looks at them. */
const SLOW = '100'
const BATCH_BYTES = 20_000

describeWithBrokers('the admin client, compared with that of Java', ['java'], () => {
  describe.each(versions)('on Kafka %s', (version) => {
    let kafka: KafkaCluster
    let client: KafkaClient
    let admin: Admin
    let java: JavaReferee

    beforeAll(async () => {
      kafka = await startKafka({
        version,
        brokers: 2,
        config: {
          // Brokers from 3.6 on otherwise refuse the writes that leave a transaction hanging.
          ...(isAtLeast(version, '3.6')
            ? { 'transaction.partition.verification.enable': 'false' }
            : {}),
          'replica.fetch.max.bytes': String(BATCH_BYTES),
        },
      })
      client = new KafkaClient({ hosts: kafka.hosts })
      admin = client.admin
      java = await startAdminReferee(version, kafka.hosts)
      await admin.createTopics(
        OWN.flatMap((own) => [
          { topic: own, assignments: [[1], [1], [1]] },
          { topic: `${own}-id`, assignments: [[2]] },
        ]),
      )
    }, START_TIMEOUT_MS)

    afterAll(async () => {
      await java[Symbol.asyncDispose]()
      await client.close()
      await kafka.stop()
    })

    it(
      'finds transactions that no coordinator knows, and aborts them',
      async () => {
        const longAgo = Date.now() - 3_600_000
        for (const [index, topic] of OWN.entries()) {
          const records = transactionalBatch({ producerId: BigInt(77 + index), timestamp: longAgo })
          const { responses } = await client.request(
            produce,
            {
              transactionalId: topic,
              acks: -1,
              timeoutMs: 30_000,
              topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
            },
            { to: { leader: at(topic, 0) }, maxVersion: WITHOUT_IMPLICIT_PARTITIONS },
          )
          expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
        }
        const ends = async () =>
          (
            await admin.listOffsets(
              OWN.map((topic) => at(topic, 0)),
              'latest',
              READ_COMMITTED,
            )
          ).map(({ offset }) => offset)
        expect(await ends()).toEqual([0, 0])

        const known = { producerEpoch: 0, lastTimestamp: longAgo, startOffset: 0 }
        const hanging = OWN.map((topic, index) => ({
          ...at(topic, 0),
          producerId: 77 + index,
          ...known,
        })).reverse()
        if (isAtLeast(version, '3.0')) {
          const found = await admin.findHangingTransactions()
          expect(found).toEqual({
            transactions: hanging,
            undecided: [],
            failed: [],
            incomplete: [],
          })
          for (const { topic, producerId, producerEpoch, lastTimestamp } of found.transactions) {
            const state = [producerId, producerEpoch, 0, lastTimestamp, -1, 0]
            expect(await java.ask('describeProducers', topic)).toEqual({
              ok: expect.objectContaining({ 0: [state] }),
            })
          }
        } else {
          // Without DescribeProducers (2.8) or ListTransactions (3.0) there is no answer, never an empty one.
          const refused = await failureOf(admin.findHangingTransactions())
          expect(refused).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
        }
        const [ofJava, ofSamsa] = hanging
        await admin.abortTransaction(ofSamsa!)
        expect(await java.ask('abortTransaction', 'java', ofJava!.producerId, 0, 0)).toEqual({
          ok: 'done',
        })
        // The record, and the marker behind it.
        await until(async () => (await ends()).join() === '2,2')
        if (isAtLeast(version, '3.0')) {
          expect((await admin.findHangingTransactions()).transactions).toEqual([])
        }
      },
      TEST_TIMEOUT_MS,
    )

    it(
      'moves partitions under a throttle, shows and cancels what is in progress, and completes it without the throttle',
      async () => {
        if (!isAtLeast(version, '2.4')) {
          const move = { ...at('samsa', 0), replicas: [2] }
          const refused = await failureOf(admin.alterPartitionReassignments([move]))
          expect(refused.message).toContain('2.4')
          return
        }
        for (const topic of OWN) {
          await using producer = await client.topic(topic).getProducer()
          for (let batch = 0; batch < 10; batch++) {
            await producer.produce(Buffer.alloc(BATCH_BYTES, batch), { partition: 0 })
          }
        }
        const brokers = [1, 2].map((id) => ({ type: 'broker', name: String(id) }) as const)
        const rates = ['leader', 'follower'].map((side) => `${side}.replication.throttled.rate`)
        const replicas = ['leader', 'follower'].map(
          (side) => `${side}.replication.throttled.replicas`,
        )
        const valued = (names: readonly string[], value: string) =>
          byKey(names.map((name) => [name, value]))
        await admin.incrementalAlterConfigs([
          ...brokers.map((broker) => ({ ...broker, set: valued(rates, SLOW) })),
          ...OWN.map((name) => ({ type: 'topic', name, set: valued(replicas, '*') }) as const),
        ])
        const isThrottled = async () => {
          const described = await admin.describeConfigs(brokers, { names: rates })
          return described.every(({ configs }) => configs.every(({ value }) => value === SLOW))
        }
        await until(isThrottled)

        const move = async () => {
          await admin.alterPartitionReassignments([{ ...at('samsa', 0), replicas: [2] }])
          expect(await java.ask('alterPartitionReassignments', 'java', '2')).toEqual({ ok: 'done' })
        }
        await move()
        const inProgress = byKey(OWN.map((topic) => [`${topic}-0`, [[2, 1], [2], [1]]]))
        expect(movesOf(await admin.listPartitionReassignments())).toEqual(inProgress)
        expect(await java.ask('listPartitionReassignments')).toEqual({ ok: inProgress })

        await admin.alterPartitionReassignments([{ ...at('samsa', 0), replicas: null }])
        expect(await java.ask('cancelPartitionReassignments', 'java')).toEqual({ ok: 'done' })
        await until(async () => (await admin.listPartitionReassignments()).length === 0)
        const replicasOf = async () =>
          (await admin.describeTopics(OWN)).map(({ partitions: [one] }) => one?.replicas)
        await until(async () => JSON.stringify(await replicasOf()) === '[[1],[1]]')

        await move()
        await admin.incrementalAlterConfigs([
          ...brokers.map((broker) => ({ ...broker, delete: rates })),
          ...OWN.map((name) => ({ type: 'topic', name, delete: replicas }) as const),
        ])
        await until(async () => (await admin.listPartitionReassignments()).length === 0)
        await until(async () => JSON.stringify(await replicasOf()) === '[[2],[2]]')
      },
      TEST_TIMEOUT_MS,
    )

    it(
      'deletes topics by their ids, or names the release that has ids',
      async () => {
        const names = OWN.map((own) => `${own}-id`)
        const ids = (await admin.describeTopics(names)).map(({ topicId }) => topicId)
        if (!isAtLeast(version, '2.8')) {
          expect(ids).toEqual([undefined, undefined])
          const refused = await failureOf(admin.deleteTopicsById(['AAAAAAAAAAAAAAAAAAAAAQ']))
          expect(refused.message).toContain('2.8')
          return
        }
        const [ours, theirs] = ids as [string, string]
        const deleted = await admin.deleteTopicsById([ours])
        expect(deleted).toMatchObject([{ topicId: ours }])
        expect(await java.ask('deleteTopicsById', theirs)).toEqual({ ok: 'done' })
        await admin.waitUntilGone(names)
        const again = await failureOf(admin.deleteTopicsById([ours]))
        expect(await java.ask('deleteTopicsById', theirs)).toEqual({
          error: (again as { code?: string }).code,
        })
      },
      TEST_TIMEOUT_MS,
    )

    it(
      'describes a streams group with a member and its tasks, or names the release that has such groups',
      async () => {
        if (!isAtLeast(version, '4.1')) {
          const refused = await failureOf(
            client.request(streamsGroupHeartbeat, heartbeatOf('m', 0), {
              to: { coordinator: 'group', key: 'words' },
            }),
          )
          expect(refused).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
          return
        }
        await admin.createTopics([{ topic: 'lines', partitions: 2, replicationFactor: 1 }])
        const feature = (await admin.describeFeatures()).find(
          (one) => one.feature === 'streams.version',
        )
        if ((feature?.finalizedVersion ?? 0) < 1) {
          await admin.updateFeatures([{ feature: 'streams.version', version: 1 }])
        }
        const memberId = 'q1w2e3r4t5y6u7i8o9p0aA'
        let beat = heartbeatOf(memberId, 0)
        await until(async () => {
          const answer = await client.request(streamsGroupHeartbeat, beat, {
            to: { coordinator: 'group', key: 'words' },
          })
          const activeTasks = answer.activeTasks ?? beat.activeTasks
          beat = { ...heartbeatOf(memberId, answer.memberEpoch), activeTasks }
          return activeTasks.some(({ partitions }) => partitions.length === 2)
        })
        // The brokers learn of what the member owns by its next heartbeat.
        await client.request(streamsGroupHeartbeat, beat, {
          to: { coordinator: 'group', key: 'words' },
        })
        const found = await only(admin.describeGroups(['words']))
        const ours = streamsFormOf(found)
        expect(ours.at(0)).toBe('Stable')
        expect(found.members).toHaveLength(1)
        expect(ours).toEqual(
          ((await java.ask('describeStreamsGroups', 'words')) as { ok: unknown }).ok,
        )
        expect((await admin.listGroups({ types: ['streams'] })).groups).toMatchObject([
          { group: 'words', type: 'streams' },
        ])
        const refused = await failureOf(admin.deleteGroups(['words']))
        expect(await java.ask('deleteStreamsGroups', 'words')).toEqual({
          error: (refused as { code?: string }).code,
        })
      },
      TEST_TIMEOUT_MS,
    )
  })
})

function movesOf(moves: readonly PartitionReassignment[]) {
  return byKey(
    moves.map(({ replicas, addingReplicas, removingReplicas, ...one }) => [
      nameOf(one),
      [replicas, addingReplicas, removingReplicas],
    ]),
  )
}

/** The heartbeat of a member that owns no task. */
function heartbeatOf(memberId: string, memberEpoch: number) {
  const subtopology = {
    subtopologyId: '0',
    sourceTopics: ['lines'],
    sourceTopicRegex: [],
    stateChangelogTopics: [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
  }
  const activeTasks: readonly {
    readonly subtopologyId: string
    readonly partitions: readonly number[]
  }[] = []
  return {
    groupId: 'words',
    memberId,
    memberEpoch,
    endpointInformationEpoch: 0,
    rebalanceTimeoutMs: 60_000,
    topology: memberEpoch === 0 ? { epoch: 0, subtopologies: [subtopology] } : null,
    activeTasks,
    standbyTasks: [],
    warmupTasks: [],
    processId: 'process-1',
    clientTags: [{ key: 'zone', value: 'b' }],
    shutdownApplication: false,
  }
}

/** In the form of the Java program. */
function streamsFormOf({
  state,
  groupEpoch,
  assignmentEpoch,
  topology,
  members,
}: GroupDescription) {
  const tasksOf = (
    tasks: readonly { readonly subtopology: string; readonly partitions: readonly number[] }[] = [],
  ) => byKey(tasks.map(({ subtopology, partitions }) => [subtopology, partitions]))
  return [
    state,
    groupEpoch,
    assignmentEpoch,
    topology?.epoch,
    byKey(
      (topology?.subtopologies ?? []).map((one) => [
        one.subtopology,
        [one.sourceTopics, one.stateChangelogTopics.map(({ topic }) => topic)],
      ]),
    ),
    byKey(
      members.map(({ memberId, memberEpoch, clientId, clientHost, isClassic, streams }) => [
        memberId,
        [
          ...[memberEpoch, clientId, clientHost, streams?.topologyEpoch, streams?.processId],
          ...[streams?.clientTags, isClassic],
          ...[tasksOf(streams?.tasks.active), tasksOf(streams?.targetTasks.active)],
        ],
      ]),
    ),
  ]
}
