import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KafkaClient, type Admin } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { failureOf } from '../support/settled.ts'
import { until } from '../support/until.ts'
import type { JavaReferee } from '../wire/support/java-referee.ts'
import { startAdminReferee } from '../kafka/support/admin-operations/referee.ts'
import { CLUSTER_OPERATIONS } from '../kafka/support/admin-operations/cluster.ts'
import { byKey } from '../kafka/support/admin-operations/forms.ts'

const START_TIMEOUT_MS = 240_000
const TEST_TIMEOUT_MS = 180_000
const ADDED = 101
/** Those whose clusters have a quorum, with voters that can be changed. Older ones refuse each call by its release. */
const versions = versionsToTest().filter((version) => isAtLeast(version, '4.0'))

describeWithBrokers('the admin client for a quorum', ['java'], () => {
  describe.each(versions)('on Kafka %s', (version) => {
    let kafka: KafkaCluster
    let client: KafkaClient
    let admin: Admin
    let java: JavaReferee
    const place = () => ({ version, folder: kafka.folder, topicIds: new Map<string, string>() })

    beforeAll(async () => {
      kafka = await startKafka({ version, brokers: 2, controllers: 2 })
      client = new KafkaClient({ hosts: kafka.hosts })
      admin = client.admin
      java = await startAdminReferee(version, kafka.hosts)
    }, START_TIMEOUT_MS)

    afterAll(async () => {
      await java[Symbol.asyncDispose]()
      await client.close()
      await kafka.stop()
    })

    async function addedVoter() {
      const file = join(kafka.folder, `controller-${ADDED}`, 'data', 'meta.properties')
      const directoryId = /^directory\.id=(.*)$/m.exec(await readFile(file, 'utf8'))![1]!
      const port = Number(kafka.controllerHosts.split(',')[1]!.split(':')[1])
      return { voter: ADDED, directoryId, port }
    }

    /** Compares what an operation of the table returns. */
    async function expectSame(name: string, ofSamsa = admin, ofJava = java): Promise<unknown> {
      const operation = CLUSTER_OPERATIONS.find((one) => one.java === name)!
      const ours = await operation.samsa(ofSamsa, 'samsa', place())
      const words = operation.words?.('java', place()) ?? []
      expect({ ok: ours }).toEqual(await ofJava.ask(name, ...words))
      return ours
    }

    it(
      'adds a controller to the voters and removes it, with the same results and errors as Java',
      async () => {
        const { voter, directoryId, port } = await addedVoter()
        const listeners = [{ name: 'CONTROLLER', host: '127.0.0.1', port }]
        const added = { voter, directoryId, listeners }
        const votersOf = async () =>
          (await admin.describeMetadataQuorum()).voters.map(({ replica }) => replica)
        const isObserver = async () =>
          (await admin.describeMetadataQuorum()).observers.some(({ replica }) => replica === ADDED)
        await until(isObserver)

        await admin.addRaftVoter(added)
        await until(async () => (await votersOf()).join() === `100,${ADDED}`)
        await expectSame('describeMetadataQuorum')
        const twice = await failureOf(admin.addRaftVoter(added))
        expect(twice).toMatchObject({ code: 'DUPLICATE_VOTER' })
        expect(await java.ask('addRaftVoter', voter, directoryId, port)).toEqual({
          error: 'DUPLICATE_VOTER',
        })

        expect(await java.ask('removeRaftVoter', voter, directoryId)).toEqual({ ok: 'done' })
        await until(async () => (await votersOf()).join() === '100')
        await until(isObserver)
        expect(await java.ask('addRaftVoter', voter, directoryId, port)).toEqual({ ok: 'done' })
        await until(async () => (await votersOf()).join() === `100,${ADDED}`)

        await admin.removeRaftVoter({ voter, directoryId })
        await until(async () => (await votersOf()).join() === '100')
        const missing = await failureOf(admin.removeRaftVoter({ voter, directoryId }))
        expect(missing).toMatchObject({ code: 'VOTER_NOT_FOUND' })
        expect(await java.ask('removeRaftVoter', voter, directoryId)).toEqual({
          error: 'VOTER_NOT_FOUND',
        })
      },
      TEST_TIMEOUT_MS,
    )

    it(
      'asks the controllers when it bootstraps from them, with the same answers as Java',
      async () => {
        const [controller] = kafka.controllerHosts.split(',')
        await using fromControllers = new KafkaClient({ bootstrapControllers: controller! })
        const theirs = await startAdminReferee(version, `bootstrap.controllers=${controller}`)
        try {
          await until(async () => {
            const { observers } = await fromControllers.admin.describeMetadataQuorum()
            return observers.length === 3
          })
          for (const name of ['describeMetadataQuorum', 'describeFeatures', 'describeCluster']) {
            await expectSame(name, fromControllers.admin, theirs)
          }
          expect(await fromControllers.admin.describeMetadataQuorum()).toMatchObject({
            leader: 100,
            voters: [{ replica: 100 }],
          })
        } finally {
          await theirs[Symbol.asyncDispose]()
        }
      },
      TEST_TIMEOUT_MS,
    )

    it(
      'removes the registrations of a broker and of a controller that have been stopped',
      async () => {
        const brokersOf = async () => {
          const { brokers } = await admin.describeCluster({ includeFencedBrokers: true })
          return byKey(brokers.map(({ broker, isFenced }) => [String(broker), isFenced]))
        }
        const isFenced = async () => (await brokersOf())['2'] === true
        await kafka.stopBroker(2)
        await until(isFenced)
        expect(await java.ask('describeFencedBrokers')).toEqual({ ok: await brokersOf() })
        await admin.unregisterBroker(2)
        await until(async () => !('2' in (await brokersOf())))
        expect(await java.ask('describeFencedBrokers')).toEqual({ ok: { 1: false } })
        const again = await failureOf(admin.unregisterBroker(2))
        expect(again).toMatchObject({ code: 'BROKER_ID_NOT_REGISTERED' })
        expect(await java.ask('unregisterBroker', 2)).toEqual({
          error: 'BROKER_ID_NOT_REGISTERED',
        })

        await kafka.startBroker(2)
        await until(async () => (await brokersOf())['2'] === false)
        await kafka.stopBroker(2)
        await until(isFenced)
        expect(await java.ask('unregisterBroker', 2)).toEqual({ ok: 'done' })
        await until(async () => !('2' in (await brokersOf())))

        if (!isAtLeast(version, '4.4')) return
        await kafka.stopBroker(ADDED)
        await admin.unregisterController(ADDED)
        const unknown = await failureOf(admin.unregisterController(ADDED))
        expect(await java.ask('unregisterController', ADDED)).toEqual({
          error: (unknown as { code?: string }).code,
        })
      },
      TEST_TIMEOUT_MS,
    )
  })
})
