import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as apis from '../../../protocol/apis/index.ts'
import { EmbeddedCluster, type KafkaVersion } from '../../../src/embedded/index.ts'
import { isAtLeast } from '../../../src/embedded/versions/profiles.ts'
import { startKafka, type KafkaCluster } from '../../support/kafka/cluster.ts'
import { describeWithBrokers, versionsToTest } from '../../support/real-brokers.ts'
import { JAVA_CLIENTS } from './scripts/java-clients.ts'
import { JAVA_TOOLS } from './scripts/java-tools.ts'
import { KCAT } from './scripts/kcat.ts'
import { CONFLUENT_KAFKA, KAFKA_PYTHON } from './scripts/python.ts'
import { VERIFIABLE_CLIENTS } from './scripts/verifiable-clients.ts'
import { toldVersions, triedVersions } from './support/served-versions.ts'
import { judge } from './support/judge.ts'
import { presentedVersion, type Place } from './support/referee.ts'

/** Clients that know nothing of embedded clusters. */
const REFEREES = [KCAT, JAVA_TOOLS, VERIFIABLE_CLIENTS, JAVA_CLIENTS, KAFKA_PYTHON, CONFLUENT_KAFKA]

/** What npm test has the time for; with SAMSA_BROKERS, those. */
const VERSIONS = process.env['SAMSA_BROKERS'] ? versionsToTest() : ['4.4.0']

/** Where old brokers answer what they don't mean to: the range that they mean, empty for none. */
const NOT_SERVED: Partial<Record<KafkaVersion, readonly (readonly [number, string])[]>> = {
  // A first draft of Heartbeat, which always answers UNKNOWN_SERVER_ERROR.
  '0.8.2': [[apis.heartbeat.key, '']],
  // Produce v2 and Fetch v2 are taken for v1, and look the same.
  '0.9': [
    [apis.produce.key, '0-1'],
    [apis.fetch.key, '0-1'],
  ],
}

function sortedEntries(
  versions: ReadonlyMap<number, string>,
): readonly (readonly [number, string])[] {
  return [...versions].sort(([a], [b]) => a - b)
}

describe.each(VERSIONS)('an embedded cluster compared with a Kafka %s', (real) => {
  const version = presentedVersion(real)
  let kafka: KafkaCluster
  let embedded: EmbeddedCluster

  describeWithBrokers('for unmodified clients', ['java'], () => {
    beforeAll(async () => {
      kafka = await startKafka({ version: real })
      embedded = await EmbeddedCluster.start({ version })
    })

    afterAll(async () => {
      await embedded.stop()
      await kafka.stop()
    })

    it('serves the same versions of requests', async () => {
      const isTold = isAtLeast(version, '0.10')
      const topic = 'versions'
      await kafka.createTopic(topic)
      embedded.createTopic(topic)
      const versionsOf = isTold ? toldVersions : triedVersions
      const [theirs, ours] = await Promise.all([
        versionsOf(kafka.ports[0]!),
        versionsOf(embedded.ports[0]!),
      ])
      const lacking = new Map(NOT_SERVED[version] ?? [])
      const expected = new Map([...theirs].filter(([key]) => ours.has(key) || !isTold))
      for (const [key, range] of lacking) expected.set(key, range)
      expect(sortedEntries(ours)).toEqual(
        sortedEntries(expected).filter(([, range]) => range !== ''),
      )
    })

    for (const referee of REFEREES.filter(({ since }) => isAtLeast(version, since))) {
      describeWithBrokers(referee.name, referee.needs, () => {
        it('gives the same results', async () => {
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
