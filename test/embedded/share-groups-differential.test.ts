import { afterAll, beforeAll, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { GROUP_CONFIG_STEPS } from './support/differential/group-config-steps.ts'
import { SHARE_GROUP, SHARE_GROUP_STEPS } from './support/differential/share-group-steps.ts'
import {
  differencesIn,
  expectOnly,
  type KnownDifference,
  type Sides,
} from './support/differential/sides.ts'
import { Side } from './support/differential/step.ts'

/** What differs, and why it may. */
const ON_PURPOSE: readonly KnownDifference[] = [
  {
    path: /^an epoch of the future: .*errorMessage$/,
    why: 'the embedded coordinator assigns in the response to the join, without further epochs',
  },
  {
    path: /^two accepted: .*startOffset$/,
    why: 'a real leader stores the new start offset with a later change',
  },
]

describeWithBrokers('share groups compared with those of a real Kafka 4.4.0', ['java'], () => {
  let kafka: KafkaCluster
  let embedded: EmbeddedCluster
  let sides: Sides

  beforeAll(async () => {
    const config = { 'group.share.assignment.interval.ms': '0' }
    kafka = await startKafka({ version: '4.4.0', config })
    embedded = await EmbeddedCluster.start({ version: '4.4' })
    sides = [await Side.open(kafka.ports[0]!), await Side.open(embedded.ports[0]!)]
  })

  afterAll(async () => {
    for (const { client } of sides) client[Symbol.dispose]()
    await embedded.stop()
    await kafka.stop()
  })

  it('have the same configs, with the same limits and error messages', async () => {
    expectOnly(await differencesIn(sides, GROUP_CONFIG_STEPS), [])
  })

  it('return the same responses, field by field', async () => {
    const set = { 'share.auto.offset.reset': 'earliest' }
    for (const { hosts } of [kafka, embedded]) {
      await using client = new KafkaClient({ hosts })
      await client.admin.incrementalAlterConfigs([{ type: 'group', name: SHARE_GROUP, set }])
    }
    expectOnly(await differencesIn(sides, SHARE_GROUP_STEPS), ON_PURPOSE)
  })
})
