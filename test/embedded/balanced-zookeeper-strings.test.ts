import { describe, expect, it } from '@jest/globals'
import { Members } from '../../src/balanced/zookeeper/members.ts'
import { sessionOptions } from '../../src/balanced/zookeeper/options.ts'
import { ZooKeeperSession } from '../../src/balanced/zookeeper/session.ts'
import { GroupPaths } from '../../src/balanced/zookeeper/znodes.ts'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { failureOf } from '../support/settled.ts'

describe('a balanced consumer coordinated by ZooKeeper', () => {
  it.each([
    ['a blank between servers', (hosts: string) => `127.0.0.1:1, ${hosts}`, 'g', '/consumers/g'],
    ['a slash behind the chroot', (hosts: string) => `${hosts}/c/`, 'g', '/c/consumers/g'],
    ['blanks in its group', (hosts: string) => hosts, 'a group', '/consumers/a group'],
  ])('starts with %s', async (_what, hostsOf, consumerGroup, path) => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    await using zookeeper = await EmbeddedZooKeeper.start()
    zookeeper.create('/c')
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const consumer = await client
      .topic('t')
      .getBalancedConsumer({ consumerGroup, zookeeperHosts: hostsOf(zookeeper.hosts) })
    expect(zookeeper.node(`${path}/ids`)).toBeDefined()
    await consumer.close()
  })

  it.each(['a/b', '..', 'a\u0001'])('rejects the group %p at once', async (consumerGroup) => {
    await using client = new KafkaClient({ hosts: '127.0.0.1:1' })
    const failure = await failureOf(client.topic('t').getBalancedConsumer({ consumerGroup }))
    expect(failure).toHaveProperty('code', 'INVALID_ARGUMENT')
  })

  it('rejects a members znode with far too many children, and stays responsive meanwhile', async () => {
    await using zookeeper = await EmbeddedZooKeeper.start()
    for (let i = 0; i < 10_001; i++) zookeeper.create(`/consumers/g/ids/${i}`, 't')
    const options = sessionOptions({ zookeeperHosts: zookeeper.hosts })
    const events = { reconnected() {}, renewed() {}, expired() {} }
    const session = new ZooKeeperSession({ ...options, logger: silentLogger, events })
    await session.open(new AbortController().signal)
    const members = new Members(session, new GroupPaths('g'), silentLogger, () => undefined)
    const failure = await failureOf(members.byTopic())
    expect(failure.message).toContain('/consumers/g/ids has 10001 entries')
    expect(await session.exists('/consumers/g')).toBe(true)
    await session.close()
  })
})
