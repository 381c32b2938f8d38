import { afterAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { TestAuthority } from '../support/certificates.ts'
import { startKafka } from '../support/kafka/cluster.ts'
import { kafkaVersion } from '../support/kafka/versions.ts'
import { describeWithBrokers, versionsToTest } from '../support/real-brokers.ts'
import { failureOf } from '../support/settled.ts'
import { ZooKeeperTestSession } from '../support/zookeeper/session.ts'
import { treeOf } from '../support/zookeeper/tree.ts'

function jsonAt(zookeeper: EmbeddedZooKeeper, path: string): unknown {
  const node = zookeeper.node(path)
  return node === undefined ? undefined : JSON.parse(node.data.toString())
}

const STATE = '/brokers/topics/t/partitions/0/state'

describe('an embedded cluster with an embedded ZooKeeper', () => {
  it.each(['', '/kafka', '/clusters/one'])(
    "is found through ZooKeeper, with chroot '%s'",
    async (chroot) => {
      await using zookeeper = await EmbeddedZooKeeper.start()
      await using kafka = await EmbeddedCluster.start({
        brokers: 2,
        zookeeper,
        ...(chroot === '' ? {} : { zookeeperChroot: chroot }),
        topics: { t: {} },
      })
      expect(kafka.zookeeperHosts).toBe(zookeeper.hosts + chroot)
      await using client = new KafkaClient({ zookeeperHosts: kafka.zookeeperHosts! })
      const producer = await client.topic('t').getProducer()
      const { offset } = await producer.produce('hello')
      expect(offset).toBe(0)
      expect(jsonAt(zookeeper, `${chroot}/brokers/ids/2`)).toMatchObject({ port: kafka.ports[1] })
    },
  )

  it('shows which brokers run, and which of them is the controller', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    await using kafka = await EmbeddedCluster.start({ brokers: 2, zookeeper })
    using session = await ZooKeeperTestSession.open(zookeeper.hosts)
    expect(await session.getChildren('/brokers/ids', true)).toEqual(['1', '2'])
    expect(jsonAt(zookeeper, '/controller')).toMatchObject({ brokerid: 1 })
    await kafka.stopBroker(1)
    expect(await session.untilEvents(1)).toEqual(['NODE_CHILDREN_CHANGED /brokers/ids'])
    expect(await session.getChildren('/brokers/ids')).toEqual(['2'])
    expect(jsonAt(zookeeper, '/controller')).toMatchObject({ brokerid: 2 })
    expect(jsonAt(zookeeper, '/controller_epoch')).toBe(2)
    await kafka.startBroker(1)
    expect(await session.getChildren('/brokers/ids')).toEqual(['1', '2'])
  })

  it('shows topics, their configs, and the leaders of their partitions', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    await using kafka = await EmbeddedCluster.start({ brokers: 2, zookeeper, version: '1.1' })
    kafka.createTopic('t', { partitions: 2, config: { 'cleanup.policy': 'compact' } })
    expect(jsonAt(zookeeper, '/brokers/topics/t')).toEqual({
      version: 1,
      partitions: { 0: [1, 2], 1: [2, 1] },
    })
    expect(jsonAt(zookeeper, '/config/topics/t')).toEqual({
      version: 1,
      config: { 'cleanup.policy': 'compact' },
    })
    const state = { controller_epoch: 1, version: 1, isr: [1, 2] }
    expect(jsonAt(zookeeper, STATE)).toEqual({ ...state, leader: 1, leader_epoch: 0 })
    kafka.moveLeader('t', 0, 2)
    expect(jsonAt(zookeeper, STATE)).toEqual({ ...state, leader: 2, leader_epoch: 1 })
    await kafka.stopBroker(2)
    expect(jsonAt(zookeeper, STATE)).toMatchObject({ leader: 1, leader_epoch: 2, isr: [1] })
    kafka.deleteTopic('t')
    expect(zookeeper.node('/brokers/topics')?.children).toEqual([])
    expect(zookeeper.node('/config/topics')?.children).toEqual([])
  })

  it('leaves its topics, not its brokers, when it stops', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    const kafka = await EmbeddedCluster.start({ zookeeper, topics: { t: {} } })
    await kafka.stop()
    expect(zookeeper.node('/brokers/ids')?.children).toEqual([])
    expect(zookeeper.node('/controller')).toBeUndefined()
    expect(zookeeper.node('/brokers/topics')?.children).toEqual(['t'])
  })

  it('rejects invalid options', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    await using kafka = await EmbeddedCluster.start({ zookeeper })
    expect(kafka.brokerIds).toEqual([1])
    const refusals = [
      { zookeeper, version: '4.4' as const },
      { zookeeperChroot: '/kafka' },
      { zookeeper, zookeeperChroot: 'kafka' },
      { zookeeper },
    ].map(async (options) => (await failureOf(EmbeddedCluster.start(options))).message)
    expect(await Promise.all(refusals)).toEqual([
      'Kafka 4.4 does not support ZooKeeper; the last version that does is 3.9',
      "EmbeddedCluster: option 'zookeeperChroot' has no effect without zookeeper",
      "EmbeddedCluster: option 'zookeeperChroot' must be a path, such as '/kafka', not 'kafka'",
      `another cluster is registered at ${zookeeper.hosts}: set zookeeperChroot for one of them`,
    ])
  })
})

describe('an embedded cluster with TLS or login, in an embedded ZooKeeper', () => {
  const authority = new TestAuthority()
  afterAll(() => authority[Symbol.dispose]())
  const { cert, key } = authority.issue({ commonName: 'broker', hosts: ['127.0.0.1'] })
  const user = { username: 'alice', password: 'alice-secret' }
  const secured = {
    SSL: { brokers: { tls: { cert, key } }, client: { tls: { ca: authority.cert } } },
    SASL_PLAINTEXT: {
      brokers: { sasl: { users: { [user.username]: user.password } } },
      client: { sasl: { mechanism: 'PLAIN', ...user } },
    },
    SASL_SSL: {
      brokers: { tls: { cert, key }, sasl: { users: { [user.username]: user.password } } },
      client: { tls: { ca: authority.cert }, sasl: { mechanism: 'PLAIN', ...user } },
    },
  } as const
  const protocols = ['SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const

  it.each(protocols)('is found by clients that speak %s, and by no others', async (protocol) => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    const { brokers, client } = secured[protocol]
    await using kafka = await EmbeddedCluster.start({ ...brokers, zookeeper, topics: { t: {} } })
    const zookeeperHosts = kafka.zookeeperHosts!
    await using speaking = new KafkaClient({ ...client, zookeeperHosts })
    const producer = await speaking.topic('t').getProducer()
    expect(await producer.produce('hello')).toMatchObject({ offset: 0 })
    await using other = new KafkaClient({ zookeeperHosts })
    await expect(other.topic('t').partitions()).rejects.toMatchObject({
      code: 'NO_BROKERS_AVAILABLE',
      message: expect.stringContaining('none with a PLAINTEXT listener'),
    })
  })

  it.each([
    { version: '0.9', ofVersion: { version: 2 } },
    { version: '1.1', ofVersion: { version: 4, listener_security_protocol_map: { SSL: 'SSL' } } },
    { version: '3.9', ofVersion: { version: 5, listener_security_protocol_map: { SSL: 'SSL' } } },
  ] as const)(
    'has no address for clients that know only PLAINTEXT, as Kafka $version',
    async ({ version, ofVersion }) => {
      await using zookeeper = await EmbeddedZooKeeper.start()
      const { brokers } = secured.SSL
      await using kafka = await EmbeddedCluster.start({ ...brokers, version, zookeeper })
      const endpoints = [`SSL://127.0.0.1:${kafka.ports[0]}`]
      expect(jsonAt(zookeeper, '/brokers/ids/1')).toEqual({
        jmx_port: -1,
        timestamp: expect.any(String),
        endpoints,
        host: null,
        port: -1,
        ...(version === '3.9' ? { features: {} } : {}),
        ...ofVersion,
      })
    },
  )
})

/** The versions that an embedded cluster presents, and the real ones. */
const PRESENTED = {
  '0.8.2.2': '0.8.2',
  '0.9.0.1': '0.9',
  '0.10.2.2': '0.10',
  '0.11.0.3': '0.11',
  '1.1.1': '1.1',
  '2.8.2': '2.8',
  '3.9.1': '3.9',
} as const

describeWithBrokers('the nodes of an embedded cluster in ZooKeeper', ['java'], () => {
  const versions = versionsToTest().filter(
    (version): version is keyof typeof PRESENTED =>
      kafkaVersion(version).coordination === 'zookeeper' && version in PRESENTED,
  )

  it.each(versions)('match those of a real Kafka %s', async (version) => {
    await using real = await startKafka({ version })
    await real.createTopic('t', { partitions: 2 })
    await using zookeeper = await EmbeddedZooKeeper.start()
    await using kafka = await EmbeddedCluster.start({ zookeeper, version: PRESENTED[version] })
    kafka.createTopic('t', { partitions: 2 })
    const theirs = await treeOf(real.zookeeperHosts!)
    const ours = await treeOf(kafka.zookeeperHosts!)
    expect(ours).toEqual(theirs)
  })
})
