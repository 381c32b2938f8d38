import { expect, it } from '@jest/globals'
import { KafkaClient } from '../../../src/index.ts'
import { CuttableSockets, NumberChecker, writeNumbered } from '../../support/chaos/numbered-log.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { Bed } from './support/embedded.ts'

const PARTITIONS = 6
const MESSAGES = 120_000
const DISTURBANCES = 60
/** After the last of these the consumer may have fetched everything, so that a fault of Fetch would never fire. */
const DISTURBANCES_WITH_FAULTS = 50

/** The short form of test/chaos/consumer.test.ts. */
it(`a consumer reads ${MESSAGES} messages through leader changes and cuts, in order and once`, async () => {
  await using bed = await Bed.start({
    brokers: 3,
    topics: { numbered: { partitions: PARTITIONS } },
  })
  const { kafka } = bed
  const perPartition = MESSAGES / PARTITIONS
  await writeNumbered(bed.client, 'numbered', { partitions: PARTITIONS, perPartition })

  const sockets = new CuttableSockets()
  const hosts = kafka.hosts
  await using client = new KafkaClient({ ...QUICK, hosts, socketFactory: sockets.factory })
  const consumer = await client.topic('numbered').getSimpleConsumer({
    stopAtEnd: true,
    fetchMessageMaxBytes: 10_000,
    fetchWaitMaxMs: 20,
    queuedMaxMessages: 1_000,
  })
  const checker = new NumberChecker()
  let disturbances = 0
  for await (const message of consumer) {
    checker.take(message)
    if (checker.count % (MESSAGES / DISTURBANCES) !== 0) continue
    const turn = disturbances++
    const partition = turn % PARTITIONS
    const kind = turn % 5
    if (turn >= DISTURBANCES_WITH_FAULTS && (kind === 2 || kind === 3)) continue
    switch (kind) {
      case 0:
        kafka.moveLeader('numbered', partition, 1 + (turn % 3))
        break
      case 1:
        sockets.cutAll()
        break
      case 2:
        kafka.faults.on({ api: 'Fetch', times: 2 }, { cutAfterBytes: 10 + 37 * turn })
        break
      case 3:
        kafka.dropFetchSessions()
        kafka.faults.on({ api: 'Fetch', times: 3 }, { error: 'NOT_LEADER_OR_FOLLOWER' })
        break
      case 4: {
        const id = 1 + (turn % 3)
        await kafka.stopBroker(id)
        await kafka.startBroker(id)
      }
    }
  }
  expect(checker.count).toBe(MESSAGES)
  expect(disturbances).toBe(DISTURBANCES)
})
