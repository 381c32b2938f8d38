/** A loop with `autoCommitEnable` whose commits are refused for a while: the next one makes up for them. */
import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { KafkaClient, type BalancedConsumer } from '../../src/index.ts'
import { ProcessGroup, type ProcessMember } from '../support/balanced/process-members.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { until } from '../support/until.ts'
import { keepWarnings } from '../support/warnings.ts'

const PARTITIONS = 2
/** Each takes the loop 20 ms, so that it is running for longer than a commit interval, and when it is frozen. */
const MESSAGES = 150
const REFUSED = /an automatic commit failed and is repeated at the next interval/

const kafkaOptions = { topics: { t: { partitions: PARTITIONS } }, groupMinSessionTimeoutMs: 100 }

async function write(client: KafkaClient, count: number): Promise<void> {
  await using producer = await client.topic('t').getProducer()
  for (let i = 0; i < count; i++) void producer.produce(`${i}`, { partition: i % PARTITIONS })
  await producer.flush()
}

const said = ({ events }: ProcessMember, name: string) =>
  events.filter((event) => event.name === name)

const refusals = (member: ProcessMember) =>
  said(member, 'warning').filter(({ message = '' }) => REFUSED.test(message))

describe('a for await loop with autoCommitEnable', () => {
  it.each(['managed', 'by ZooKeeper'] as const)(
    'keeps reading without an error after each freeze that is longer than its session (%s)',
    async (group) => {
      await using kafka = await EmbeddedCluster.start(kafkaOptions)
      await using zookeeper = await EmbeddedZooKeeper.start({ minSessionTimeoutMs: 100 })
      const options =
        group === 'managed'
          ? { managed: true as const, sessionTimeoutMs: 1_500, heartbeatIntervalMs: 200 }
          : { zookeeperHosts: zookeeper.hosts, zookeeperConnectionTimeoutMs: 1_500 }
      await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
      await using members = new ProcessGroup({ hosts: kafka.hosts, topic: 't', group: 'g' })
      const loop = members.loop('loop', { ...options, autoCommitIntervalMs: 1_000 })
      await members.shared([loop], PARTITIONS)
      for (let freeze = 1; freeze <= 2; freeze++) {
        await write(client, MESSAGES)
        await kafka.requests.next({ api: 'OffsetCommit', clientId: 'loop' })
        const from = loop.read.length
        // Then no commit is under way, and the next one is due when the freeze ends.
        await members.until('at work', () => loop.read.length >= from + 5)
        const refused = refusals(loop).length
        loop.signal('SIGSTOP')
        const other = await client
          .topic('t')
          .getBalancedConsumer({ ...options, consumerGroup: 'g', autoOffsetReset: 'earliest' })
        await until(() => other.partitions.length === PARTITIONS)
        await other.close()
        loop.signal('SIGCONT')
        const isDone = () => said(loop, 'shutdown_complete').length > 0
        const last = `:${(freeze * MESSAGES) / PARTITIONS - 1}`
        const hasAll = () => ['0', '1'].every((one) => loop.read.includes(`${one}${last}`))
        await members.until('all read', () => isDone() || hasAll())
        expect(said(loop, 'error')).toEqual([])
        expect(hasAll()).toBe(true)
        expect(refusals(loop).length).toBeGreaterThan(refused)
      }
      expect(said(loop, 'partitions_lost').length).toBeGreaterThanOrEqual(2)
    },
  )

  it('keeps reading without an error when ZooKeeper responds late, but within its session', async () => {
    await using kafka = await EmbeddedCluster.start(kafkaOptions)
    await using zookeeper = await EmbeddedZooKeeper.start({ minSessionTimeoutMs: 100 })
    const { warnings, logger } = keepWarnings()
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts, logger })
    const lost: unknown[] = []
    const consumer: BalancedConsumer = await client.topic('t').getBalancedConsumer({
      consumerGroup: 'g',
      zookeeperHosts: zookeeper.hosts,
      zookeeperConnectionTimeoutMs: 3_000,
      autoCommitEnable: true,
      autoCommitIntervalMs: 50,
      fetchWaitMaxMs: 20,
      onPartitionsLost: (partitions) => void lost.push(partitions),
    })
    const [session] = zookeeper.sessions.map(({ id }) => id)
    const read: string[] = []
    let failure: unknown
    const reading = (async () => {
      for await (const { partition, offset } of consumer) read.push(`${partition}:${offset}`)
    })().catch((error: unknown) => {
      failure = error
    })
    for (let round = 1; round <= 2; round++) {
      await write(client, 10)
      await until(() => read.length === round * 10 || failure !== undefined)
      const refused = warnings.length
      zookeeper.holdReplies()
      const isRefused = () => warnings.slice(refused).some((text) => REFUSED.test(text))
      await until(() => isRefused() || failure !== undefined)
      zookeeper.releaseReplies()
    }
    await write(client, 10)
    await until(() => read.length === 30 || failure !== undefined)
    expect(failure).toBeUndefined()
    expect(new Set(read).size).toBe(30)
    expect(lost).toEqual([])
    expect(zookeeper.sessions.map(({ id }) => id)).toEqual([session])
    await consumer.close()
    await reading
  })
})
