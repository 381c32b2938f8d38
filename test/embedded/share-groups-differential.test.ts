import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { differences, type Difference } from './support/compare.ts'
import { SHARE_GROUP, SHARE_GROUP_STEPS } from './support/differential/share-group-steps.ts'
import { Side } from './support/differential/step.ts'
import { RawClient } from './support/raw-client.ts'

/** What differs, and why it may. */
const ON_PURPOSE: readonly { readonly path: RegExp; readonly why: string }[] = [
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
  let sides: readonly [Side, Side]

  beforeAll(async () => {
    const config = { 'group.share.assignment.interval.ms': '0' }
    kafka = await startKafka({ version: '4.4.0', config })
    embedded = await EmbeddedCluster.start({ version: '4.4', shareAutoOffsetReset: 'earliest' })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const set = { 'share.auto.offset.reset': 'earliest' }
    await client.admin.incrementalAlterConfigs([{ type: 'group', name: SHARE_GROUP, set }])
    const sideOf = async (port: number) => new Side(await RawClient.open(port), port)
    sides = [await sideOf(kafka.ports[0]!), await sideOf(embedded.ports[0]!)]
  })

  afterAll(async () => {
    for (const { client } of sides) client[Symbol.dispose]()
    await embedded.stop()
    await kafka.stop()
  })

  it('return the same responses, field by field', async () => {
    const [real, ours] = sides
    const found: Difference[] = []
    for (const asked of SHARE_GROUP_STEPS) {
      const theirAnswer = await asked.ask(real)
      const ourAnswer = await asked.ask(ours)
      found.push(...differences(asked.name, theirAnswer, ourAnswer, real.names, ours.names))
    }
    const isOf = ({ path: known }: (typeof ON_PURPOSE)[number], { request, path }: Difference) =>
      known.test(`${request} ${path}`)
    const unexpected = found.filter((one) => !ON_PURPOSE.some((known) => isOf(known, one)))
    const lines = unexpected.map(
      ({ request, path, real: theirs, embedded: own }) =>
        `${request}: ${path}: ${theirs} became ${own}`,
    )
    expect(lines).toEqual([])
    const unneeded = ON_PURPOSE.filter((known) => !found.some((one) => isOf(known, one)))
    expect(unneeded).toEqual([])
  })
})
