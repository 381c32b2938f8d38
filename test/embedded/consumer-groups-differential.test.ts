import { afterAll, beforeAll, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { CONSUMER_GROUP_STEPS } from './support/differential/consumer-group-steps.ts'
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
    path: /^an expression that is none: .*errorMessage$/,
    why: 'the reason is that of another library',
  },
]

describeWithBrokers('consumer groups compared with those of a real Kafka 4.4.0', ['java'], () => {
  let kafka: KafkaCluster
  let embedded: EmbeddedCluster
  let sides: Sides

  beforeAll(async () => {
    // The embedded cluster assigns at once.
    const config = { 'group.consumer.assignment.interval.ms': '0' }
    kafka = await startKafka({ version: '4.4.0', config })
    embedded = await EmbeddedCluster.start({ version: '4.4' })
    sides = [await Side.open(kafka.ports[0]!), await Side.open(embedded.ports[0]!)]
  })

  afterAll(async () => {
    for (const { client } of sides) client[Symbol.dispose]()
    await embedded.stop()
    await kafka.stop()
  })

  it('return the same responses, field by field', async () => {
    expectOnly(await differencesIn(sides, CONSUMER_GROUP_STEPS), ON_PURPOSE)
  })
})
