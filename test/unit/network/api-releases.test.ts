import { describe, expect, it } from '@jest/globals'
import { apis } from '../../../protocol/apis/index.ts'
import { apiTable, type KafkaVersion } from '../../../src/embedded/versions/api-tables.ts'
import { releaseWith } from '../../../src/network/api-releases.ts'

/** The tables that real brokers have answered, with the releases that they were taken from. */
const TABLES: Readonly<Record<KafkaVersion, string>> = {
  '0.8.2': '0.8.2',
  '0.9': '0.9',
  '0.10': '0.10.2',
  '0.11': '0.11',
  '1.1': '1.1',
  '2.8': '2.8',
  '3.9': '3.9',
  '4.4': '4.4',
}

/** Only brokers without ZooKeeper have these; the tables before 4.4 are of brokers with it. */
const ONLY_WITH_KRAFT = new Set([
  'UpdateFeatures',
  'DescribeQuorum',
  'UnregisterBroker',
  'DescribeTopicPartitions',
  'AddRaftVoter',
  'RemoveRaftVoter',
  'ListConfigResources',
])
/** Only brokers with a plugin that receives the clients' metrics have these. */
const ONLY_WITH_TELEMETRY = new Set(['GetTelemetrySubscriptions', 'PushTelemetry'])

function isAfter(release: string, other: string): boolean {
  const [a, b] = [release, other].map((text) => text.split('.').map(Number))
  for (let i = 0; i < 3; i++) if ((a![i] ?? 0) !== (b![i] ?? 0)) return (a![i] ?? 0) > (b![i] ?? 0)
  return false
}

describe('the first releases of APIs', () => {
  it('are known for every API', () => {
    expect(
      apis.filter((api) => releaseWith(api.key) === undefined).map(({ name }) => name),
    ).toEqual([])
  })

  it.each(Object.entries(TABLES))(
    'agree with the APIs that brokers of Kafka %s have',
    (version, release) => {
      const table = apiTable(version as KafkaVersion)
      const wrong = apis.filter((api) => {
        const first = releaseWith(api.key)!
        if (table.has(api.key)) return isAfter(first, release)
        const isOptional = ONLY_WITH_KRAFT.has(api.name) || ONLY_WITH_TELEMETRY.has(api.name)
        return !isAfter(first, release) && !isOptional
      })
      expect(wrong.map((api) => `${api.name}: ${releaseWith(api.key)}`)).toEqual([])
    },
  )
})
