import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { isAtLeast } from '../../../src/embedded/versions/profiles.ts'
import { startKafka, type KafkaCluster } from '../../support/kafka/cluster.ts'
import { describeWithBrokers, versionsToTest } from '../../support/real-brokers.ts'
import { JAVA_CLIENTS } from './scripts/java-clients.ts'
import { JAVA_TOOLS } from './scripts/java-tools.ts'
import { KCAT } from './scripts/kcat.ts'
import { CONFLUENT_KAFKA, KAFKA_PYTHON } from './scripts/python.ts'
import { VERIFIABLE_CLIENTS } from './scripts/verifiable-clients.ts'
import { judge } from './support/judge.ts'
import { presentedVersion, type Place } from './support/referee.ts'

/** Clients that know nothing of embedded clusters. */
const REFEREES = [KCAT, JAVA_TOOLS, VERIFIABLE_CLIENTS, JAVA_CLIENTS, KAFKA_PYTHON, CONFLUENT_KAFKA]

/** What npm test has the time for; with SAMSA_BROKERS, those. */
const VERSIONS = process.env['SAMSA_BROKERS'] ? versionsToTest() : ['4.4.0']

describe.each(VERSIONS)('an embedded cluster is like a Kafka %s', (real) => {
  const version = presentedVersion(real)
  let kafka: KafkaCluster
  let embedded: EmbeddedCluster

  describeWithBrokers('to clients that know nothing of it', ['java'], () => {
    beforeAll(async () => {
      kafka = await startKafka({ version: real })
      embedded = await EmbeddedCluster.start({ version })
    }, 90_000)

    afterAll(async () => {
      await embedded.stop()
      await kafka.stop()
    }, 30_000)

    for (const referee of REFEREES.filter(({ since }) => isAtLeast(version, since))) {
      describeWithBrokers(referee.name, referee.needs, () => {
        it('answers the same', async () => {
          for (const [topic, partitions] of Object.entries(referee.topics ?? {})) {
            await kafka.createTopic(topic, { partitions })
            embedded.createTopic(topic, { partitions })
          }
          const common = { version, timeMs: Date.now() - 60_000 }
          const place = (hosts: string): Place => ({ hosts, ...common })
          const verdict = await judge(referee, place(kafka.hosts), place(embedded.hosts))
          expect(verdict.differences).toEqual([])
          // What is listed as different must be: the list would outlive its reasons.
          expect(verdict.unneeded).toEqual([])
          expect(verdict.count).toBeGreaterThan(5)
        }, 150_000)
      })
    }
  })
})
