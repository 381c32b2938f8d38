import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { KafkaClient, KafkaError, type Admin, type BalancedConsumer } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { authorizerConfig, tokenConfig } from '../support/kafka/secure.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { until } from '../support/until.ts'
import type { JavaReferee } from '../wire/support/java-referee.ts'
import {
  EmbeddedSide,
  expectLike,
  prepare,
  type Answer,
} from './support/admin-operations/embedded-side.ts'
import { OPERATIONS } from './support/admin-operations/all-operations.ts'
import { startAdminReferee } from './support/admin-operations/referee.ts'
import type { Operation, Place } from './support/admin-operations/operation.ts'

const START_TIMEOUT_MS = 240_000
const TEST_TIMEOUT_MS = 120_000
const versions = versionsToTest().filter((version) => isAtLeast(version, '1.1'))

/** What both clients do is done to topics, groups and users of their own, whose names begin so. */
const OWN = ['samsa', 'java'] as const
type Own = (typeof OWN)[number]

describeWithBrokers("each operation of Java's admin client", ['java'], () => {
  describe.each(versions)('on Kafka %s', (version) => {
    let kafka: KafkaCluster
    let client: KafkaClient
    let admin: Admin
    let java: JavaReferee
    let folder: string
    let place: Place
    /** The embedded cluster, beside the real one whose version it presents. */
    let embedded: EmbeddedSide | undefined
    /** What the last error of samsa said. */
    let refusal = ''
    const members: BalancedConsumer[] = []

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'samsa-dirs-'))
      kafka = await startKafka({
        version,
        brokers: 3,
        config: { ...authorizerConfig(version), ...tokenConfig(version) },
        brokerConfig: (id) => ({ 'log.dirs': `${folder}/${id}-a,${folder}/${id}-b` }),
      })
      client = new KafkaClient({ hosts: kafka.hosts })
      admin = client.admin
      place = { version, folder, topicIds: new Map() }
      java = await startAdminReferee(version, kafka.hosts)
      if (version === EmbeddedSide.version) embedded = await EmbeddedSide.start(OWN)
      for (const own of OWN) {
        members.push(await prepare(client, own))
      }
    }, START_TIMEOUT_MS)

    afterAll(async () => {
      await embedded?.stop()
      await Promise.all(members.map((member) => member.stop()))
      await java[Symbol.asyncDispose]()
      await client.close()
      await kafka.stop()
      await rm(folder, { recursive: true, force: true })
    })

    async function askSamsa({ samsa }: Operation, own: Own): Promise<Answer> {
      try {
        return { ok: await samsa(admin, own, place) }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        refusal = error.message
        return { error: error.code }
      }
    }

    async function askJava(operation: Operation, own: Own): Promise<Answer> {
      const words = operation.words?.(own, place) ?? [own]
      return (await java.ask(operation.java, ...words)) as Answer
    }

    it.each(OPERATIONS.map((operation) => [operation.name ?? operation.java, operation] as const))(
      '%s: returns and does the same, or names the release that has it',
      async (_, operation) => {
        const { since, older, until: settled } = operation
        await operation.before?.(admin, place)
        const ours = await askSamsa(operation, 'samsa')
        const theEmbedded = await embedded?.ask(operation)
        if (!isAtLeast(version, since)) {
          expect(ours).toEqual({ error: older ?? 'UNSUPPORTED_VERSION' })
          if (older === undefined) expect(refusal).toContain(since)
          return
        }
        const theirs = await askJava(operation, 'java')
        // A version of Java's client that lacks what brokers have, such as the list of all groups, cannot say.
        if (theirs.error === 'ABSENT') {
          expect(ours).not.toHaveProperty('error')
          return
        }
        // What both say of the same thing is the same; what each says of its own differs by names.
        if (!isDeepStrictEqual(ours, theirs)) {
          expect(common(ours, 'samsa')).toEqual(common(theirs, 'java'))
        }
        if (settled !== undefined) await until(() => settled(admin))
        if (theEmbedded !== undefined) expectLike(operation, ours, theEmbedded)
      },
      TEST_TIMEOUT_MS,
    )
  })
})

/** Without the names that each client has of its own. */
function common(answer: Answer, own: Own): unknown {
  const other = OWN.find((one) => one !== own)!
  const text = JSON.stringify(answer)
  // What is about both is the same for both.
  return text.includes(other) ? answer : (JSON.parse(text.replaceAll(own, 'own')) as unknown)
}
