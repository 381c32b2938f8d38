import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { KafkaClient } from '../../src/index.ts'
import { ProcessGroup, type ProcessMember } from '../support/balanced/process-members.ts'
import { writeNumbered } from '../support/balanced/write-numbered.ts'
import { coordinatorOf } from '../support/kafka/coordinator-of.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'

const PARTITIONS = 4
/** What waits for sessions to run out is left to `npm run test:brokers`; test/embedded has it in short. */
const isThorough = process.env['SAMSA_BROKERS'] !== undefined

/** From 2.1 on managed-java.test.ts has our members beside Java's: in npm test that is enough. */
const versions = versionsToTest().filter((version) => isThorough || !isAtLeast(version, '2.1'))

/** The shortest that brokers allow. */
const SESSION = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 300 }

const said = (members: readonly ProcessMember[], ...names: string[]) =>
  members.flatMap(({ events }) => events).filter(({ name }) => names.includes(name))

describeWithBrokers('managed balanced consumers in separate processes', ['java'], () => {
  if (isThorough) {
    it('prefer replicas in their rack (KIP-881), on Kafka 4.4.0', async () => {
      const brokerConfig = (id: number) => ({ 'broker.rack': `rack-${id}` })
      await using kafka = await startKafka({ version: '4.4.0', brokers: 2, brokerConfig })
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const [first, second] = kafka.brokerIds as [number, number]
      // As many for each rack: a member gets no more than its share.
      const assignments = [[first], [second], [second], [first]]
      await client.admin.createTopics([{ topic: 'racks', assignments }])
      const leaders = (await client.topic('racks').partitions()).map(({ leader }) => leader)
      const ledBy = (id: number) => [...leaders.keys()].filter((one) => leaders[one] === id)
      await using group = new ProcessGroup({ hosts: kafka.hosts, topic: 'racks', group: 'racks' })
      // The one that comes first by its place in line is far from the first partitions.
      const options = (id: number) => ({ ...SESSION, clientRack: `rack-${id}` })
      const one = group.ours('one', options(second))
      const two = group.ours('two', options(first))
      await group.shared([one, two], PARTITIONS)
      expect(group.owners).toEqual({ one: ledBy(second), two: ledBy(first) })
    })

    it.each(['2.8.2', '4.4.0'])(
      'continue at their positions when the broker that coordinates them is killed, on Kafka %s',
      async (version) => {
        await using kafka = await startKafka({ version, brokers: 3 })
        await kafka.createTopic('moved', { partitions: PARTITIONS, replicationFactor: 3 })
        await using group = new ProcessGroup({ hosts: kafka.hosts, topic: 'moved', group: 'moved' })
        // Longer than it can take until another coordinates the group.
        const options = { ...SESSION, sessionTimeoutMs: 60_000 }
        const [one, two] = [group.ours('one', options), group.ours('two', options)]
        await group.shared([one, two], PARTITIONS)
        const written = await writeNumbered(kafka.hosts, 'moved', PARTITIONS, 400)
        await group.until('all read', () => group.read.length >= written.length)
        const owners = group.owners
        await kafka.stopBroker(await coordinatorOf(kafka.hosts, 'moved'), 'SIGKILL')
        written.push(...(await writeNumbered(kafka.hosts, 'moved', PARTITIONS, 400)))
        await group.until('all read', () => group.read.length >= written.length)
        expect(group.owners).toEqual(owners)
        // The group as the new coordinator has it: it lets others take over, from what was committed.
        await one.stop()
        await group.shared([two], PARTITIONS)
        written.push(...(await writeNumbered(kafka.hosts, 'moved', PARTITIONS, 400)))
        await group.until('all read', () => group.read.length >= written.length)
        expect([...group.read].sort()).toEqual([...written].sort())
        expect(said(group.members, 'error', 'partitions_lost')).toEqual([])
      },
    )
  }

  describe.each(versions)('on Kafka %s', (version) => {
    let kafka: KafkaCluster

    beforeAll(async () => {
      kafka = await startKafka({ version })
    })
    afterAll(() => kafka.stop())

    if (!isAtLeast(version, '0.9')) {
      it('are refused, because this Kafka has no group coordination', async () => {
        await kafka.createTopic('t')
        await using client = new KafkaClient({ hosts: kafka.hosts })
        const starting = client
          .topic('t')
          .getBalancedConsumer({ managed: true, consumerGroup: 'g' })
        await expect(starting).rejects.toThrow(
          /is a Kafka 0\.8, which does not coordinate groups: .*zookeeperHosts/,
        )
      })
      return
    }

    it('share a topic as they come and go, and read each message once', async () => {
      await kafka.createTopic('orderly', { partitions: PARTITIONS })
      await using group = new ProcessGroup({
        hosts: kafka.hosts,
        topic: 'orderly',
        group: 'orderly',
      })
      const options = { ...SESSION, assignors: ['cooperative-sticky'] }
      const one = group.ours('one', options)
      await group.shared([one], PARTITIONS)
      const written = await writeNumbered(kafka.hosts, 'orderly', PARTITIONS, 400)
      const two = group.ours('two', options)
      await group.shared([one, two], PARTITIONS)
      written.push(...(await writeNumbered(kafka.hosts, 'orderly', PARTITIONS, 400)))
      await one.stop()
      await group.shared([two], PARTITIONS)
      written.push(...(await writeNumbered(kafka.hosts, 'orderly', PARTITIONS, 400)))
      await group.until('all read', () => group.read.length >= written.length)
      expect([...group.read].sort()).toEqual([...written].sort())
      expect(said(group.members, 'error', 'partitions_lost')).toEqual([])
    })

    if (!isThorough) return

    it('take over from a consumer that is killed or suspended past its session and then delivers nothing', async () => {
      await kafka.createTopic('broken', { partitions: PARTITIONS })
      await using group = new ProcessGroup({
        hosts: kafka.hosts,
        topic: 'broken',
        group: 'broken',
      })
      const [killed, stopped, other] = ['killed', 'stopped', 'other'].map((name) =>
        group.ours(name, SESSION),
      ) as [ProcessMember, ProcessMember, ProcessMember]
      await group.shared([killed, stopped, other], PARTITIONS)
      await killed.stop('SIGKILL')
      await group.shared([stopped, other], PARTITIONS)
      stopped.signal('SIGSTOP')
      const had = [...stopped.owned]
      await group.until('taken over', () => had.every((partition) => other.owned.has(partition)))
      const written = await writeNumbered(kafka.hosts, 'broken', PARTITIONS, 400)
      await group.until('all read', () => other.read.length >= written.length)
      stopped.signal('SIGCONT')
      await group.shared([stopped, other], PARTITIONS)
      expect(stopped.read).toEqual([])
      expect([...other.read].sort()).toEqual([...written].sort())
      expect(said([stopped], 'partitions_lost')).toHaveLength(1)
    })

    if (!isAtLeast(version, '2.3')) {
      it('are refused with an instance id, because this Kafka has no static members', async () => {
        await kafka.createTopic('static')
        await using client = new KafkaClient({ hosts: kafka.hosts })
        const options = { managed: true, consumerGroup: 'static', groupInstanceId: 'a' } as const
        const starting = client.topic('static').getBalancedConsumer(options)
        await expect(starting).rejects.toThrow(/static membership .* requires Kafka 2\.3/)
      })
      return
    }

    it('keep their assignment across a restart with an instance id; of two with the same id the later one keeps it', async () => {
      await kafka.createTopic('static', { partitions: PARTITIONS })
      await using group = new ProcessGroup({
        hosts: kafka.hosts,
        topic: 'static',
        group: 'static',
      })
      const options = (groupInstanceId: string) => ({ ...SESSION, groupInstanceId })
      const one = group.ours('one', options('a'))
      const two = group.ours('two', options('b'))
      await group.shared([one, two], PARTITIONS)
      const had = [...one.owned]
      const rebalances = said([two], 'partitions_assigned').length
      await one.stop()
      const again = group.ours('again', options('a'))
      await group.shared([again, two], PARTITIONS)
      expect([...again.owned]).toEqual(had)
      expect(said([two], 'partitions_assigned')).toHaveLength(rebalances)
      expect(said([two], 'partitions_revoked')).toEqual([])
      const rival = group.ours('rival', options('a'))
      await group.until('fenced', () => said([again], 'error').length > 0)
      expect(said([again], 'error')[0]?.message).toMatch(/another member took over .* 'a'/)
      await group.shared([rival, two], PARTITIONS)
    })
  })
})
