import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { TestAuthority } from '../support/certificates.ts'
import { CommandLine } from '../support/cli-cluster.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { authorizerConfig, secureSettings, tokenConfig } from '../support/kafka/secure.ts'
import { KafkaToolRunner, toolsOf } from '../support/kafka/tools.ts'
import { describeWithBrokers, isAtLeast } from '../support/real-brokers.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { COMPARISONS } from './support/tool-comparisons/all-comparisons.ts'
import type { Place } from './support/tool-comparisons/tool-comparison.ts'

const TEST_TIMEOUT_MS = 240_000
// Those that the command is accepted on; npm test has the newest only.
const versions = process.env['SAMSA_BROKERS'] === 'all' ? ['1.1.1', '4.4.0'] : ['4.4.0']

/** The commands beside Kafka's own tools: what one has done or prints, the other sees the same. */
describeWithBrokers("the command compared with Kafka's own tools", ['java'], () => {
  describe.each(versions)('on Kafka %s', (version) => {
    const authority = new TestAuthority()
    const folder = new TemporaryFolder()
    let kafka: KafkaCluster
    let runner: KafkaToolRunner
    let place: Place

    beforeAll(async () => {
      const listeners = ['SASL_SSL'] as const
      const mechanisms = ['SCRAM-SHA-256'] as const
      const settings = secureSettings({ version, listeners, authority, mechanisms })
      const config = { ...settings.config, ...authorizerConfig(version), ...tokenConfig(version) }
      ;[kafka, runner] = await Promise.all([
        startKafka({ version, brokers: 2, ...settings, config }),
        KafkaToolRunner.start(version),
      ])
      place = {
        kafka,
        tools: toolsOf(runner, kafka),
        samsa: new CommandLine(kafka.hosts, folder.path),
        authority,
        folder,
        isNew: isAtLeast(version, '4.0'),
      }
    }, TEST_TIMEOUT_MS)
    afterAll(async () => {
      await runner[Symbol.asyncDispose]()
      await kafka.stop()
      authority[Symbol.dispose]()
      folder[Symbol.dispose]()
    })

    // One cluster for all: to start one takes longer than most comparisons.
    for (const { name, since = version, run } of COMPARISONS) {
      if (isAtLeast(version, since)) it(name, () => run(place), TEST_TIMEOUT_MS)
    }
  })
})
