/** Producers, consumers and members of groups have one lifecycle: new, starting, open, closing, closed. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { codeOf, failureOf } from '../support/settled.ts'

interface Startable {
  start(call?: { readonly timeoutMs: number }): Promise<unknown>
  close(): Promise<void>
}

const KINDS = [
  'producer',
  'consumer of a topic',
  'consumer of several topics',
  'member of a group in ZooKeeper',
  'member of a group that Kafka coordinates',
] as const
type Kind = (typeof KINDS)[number]

describe.each(KINDS)('a %s', (kind) => {
  let kafka: EmbeddedCluster
  let zookeeper: EmbeddedZooKeeper
  let client: KafkaClient
  beforeEach(async () => {
    kafka = await EmbeddedCluster.start({ autoCreateTopics: false })
    zookeeper = await EmbeddedZooKeeper.start()
    client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
  })
  afterEach(async () => {
    await client.close()
    await kafka.stop()
    await zookeeper.stop()
  })

  /** One that is not started. */
  function make(): Promise<Startable> {
    const topic = client.topic('t')
    const group = { consumerGroup: 'g', autoStart: false }
    const makers: Record<Kind, () => Promise<Startable>> = {
      producer: () => topic.getProducer({ autoStart: false }),
      'consumer of a topic': () => topic.getSimpleConsumer({ autoStart: false }),
      'consumer of several topics': () => client.getConsumer({ topics: ['t'], autoStart: false }),
      'member of a group in ZooKeeper': () =>
        topic.getBalancedConsumer({ ...group, zookeeperHosts: zookeeper.hosts }),
      'member of a group that Kafka coordinates': () =>
        topic.getBalancedConsumer({ ...group, managed: true }),
    }
    return makers[kind]()
  }

  it('that is closed during its start rejects the start at once, and stays closed', async () => {
    kafka.createTopic('t')
    const one = await make()
    const held = kafka.faults.on({ api: 'Metadata' }, { hold: true })
    const asked = kafka.requests.next({ api: 'Metadata' })
    const starting = failureOf(one.start())
    await asked
    const closing = one.close()
    expect(await starting).toMatchObject({ code: 'CLOSED' })
    held.release()
    await closing
    expect(await failureOf(one.start())).toMatchObject({ code: 'CLOSED' })
  })

  it('whose start failed can be started again', async () => {
    const one = await make()
    const failure = await codeOf(one.start({ timeoutMs: 500 }))
    // The latter on a busy machine.
    expect(['UNKNOWN_TOPIC_OR_PARTITION', 'REQUEST_TIMED_OUT']).toContain(failure)
    kafka.createTopic('t')
    await one.start({ timeoutMs: PATIENCE_MS })
    await one.close()
  })
})
