/** Groups by the protocol of KIP-848, with Java's members and ours. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { KafkaClient } from '../../src/index.ts'
import { ProcessGroup } from '../support/balanced/process-members.ts'
import { writeNumbered } from '../support/balanced/write-numbered.ts'
import { coordinatorOf } from '../support/kafka/coordinator-of.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { until } from '../support/until.ts'

const PARTITIONS = 6
/** What takes long, and three brokers, are left to `npm run test:brokers`. */
const isThorough = process.env['SAMSA_BROKERS'] !== undefined
const CLUSTERS = [
  ['one broker', 1],
  ...(isThorough ? [['three brokers', 3] as const] : []),
] as const

/** Brokers allow 5 s and more by default; members learn of changes at this interval. */
const QUICK = {
  'group.consumer.min.heartbeat.interval.ms': '200',
  'group.consumer.heartbeat.interval.ms': '500',
}

describe.each(CLUSTERS)('on %s', (_, brokers) => {
  describeWithBrokers('a consumer group of Kafka 4.4.0', ['java'], () => {
    let kafka: KafkaCluster

    beforeAll(async () => {
      kafka = await startKafka({ version: '4.4.0', brokers, config: QUICK })
    })
    afterAll(() => kafka.stop())

    const scene = async (topic: string) => {
      await kafka.createTopic(topic, { partitions: PARTITIONS, replicationFactor: brokers })
      const group = new ProcessGroup({ hosts: kafka.hosts, topic, group: topic })
      const written: string[] = []
      return {
        group,
        written,
        write: async () => {
          written.push(...(await writeNumbered(kafka.hosts, topic, PARTITIONS, 600)))
        },
        allRead: () => group.until('all read', () => new Set(group.read).size >= written.length),
        problems: () =>
          group.members
            .flatMap(({ events }) => events)
            .filter(({ name }) => name === 'partitions_lost' || name === 'error'),
        [Symbol.asyncDispose]: () => group[Symbol.asyncDispose](),
      }
    }
    const CONSUMER = { groupProtocol: 'consumer' } as const

    it('shares partitions among Java members and samsa members as they come and go, each message read once', async () => {
      await using shared = await scene('shared')
      const { group, written, write, allRead, problems } = shared
      await write()
      const one = group.ours('ours 1', CONSUMER)
      await group.shared([one], PARTITIONS)
      const java = await group.javaOfConsumerProtocol('java 1')
      await group.shared([one, java], PARTITIONS)
      await write()
      const two = group.ours('ours 2', CONSUMER)
      await group.shared([one, java, two], PARTITIONS)
      await write()
      await java.stop()
      await group.shared([one, two], PARTITIONS)
      await one.stop()
      await group.shared([two], PARTITIONS)
      await write()
      await allRead()
      expect([...group.read].sort()).toEqual([...written].sort())
      expect(problems()).toEqual([])

      await two.stop()
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const [left] = await client.admin.lag(['shared'])
      expect(left).toMatchObject({ type: 'consumer', state: 'Empty' })
      expect(left!.partitions.map(({ lag }) => lag)).toEqual([0, 0, 0, 0, 0, 0])
    })

    if (!isThorough) return

    it('matches a pattern at the broker while topics appear and disappear', async () => {
      await using client = new KafkaClient({ hosts: kafka.hosts })
      await using consumer = await client.getBalancedConsumer({
        ...CONSUMER,
        consumerGroup: 'patterns',
        autoOffsetReset: 'earliest',
        topics: { pattern: 'pattern-[ab]' },
      })
      expect(consumer.assignment).toEqual([])
      for (const topic of ['pattern-a', 'pattern-abc', 'other-pattern-a']) {
        await kafka.createTopic(topic, { partitions: 2 })
      }
      const topics = () => new Set(consumer.assignment.map(({ topic }) => topic))
      await until(() => consumer.assignment.length === 2)
      expect(topics()).toEqual(new Set(['pattern-a']))
      await kafka.createTopic('pattern-b', { partitions: 3 })
      await until(() => consumer.assignment.length === 5)
      const written = await writeNumbered(kafka.hosts, 'pattern-b', 3, 30)
      const read = new Set<string>()
      while (read.size < written.length) {
        const message = await consumer.consume()
        read.add(`${message!.partition}:${message!.offset}`)
      }
      expect([...read].sort()).toEqual([...written].sort())
      // The next call ends the processing of the last message, without which no partition would be given up.
      const next = consumer.consume()
      await client.admin.deleteTopics(['pattern-a'])
      await until(() => consumer.assignment.length === 3)
      expect(topics()).toEqual(new Set(['pattern-b']))
      await client.admin.deleteTopics(['pattern-b'])
      await until(() => consumer.assignment.length === 0)
      await kafka.createTopic('pattern-b', { partitions: 4 })
      await until(() => consumer.assignment.length === 4)
      await writeNumbered(kafka.hosts, 'pattern-b', 4, 4)
      expect((await next)!.topic).toBe('pattern-b')
    })

    it('divides 2,000 partitions among 20 members, each partition read by one of them', async () => {
      await kafka.createTopic('many', { partitions: 2_000 })
      const clients = Array.from({ length: 20 }, () => new KafkaClient({ hosts: kafka.hosts }))
      const options = { ...CONSUMER, consumerGroup: 'many', autoOffsetReset: 'earliest' } as const
      const members = await Promise.all(
        clients.map((client) => client.topic('many').getBalancedConsumer(options)),
      )
      await until(() => members.every(({ partitions }) => partitions.length === 100))
      const all = members.flatMap(({ partitions }) => partitions)
      expect(new Set(all).size).toBe(2_000)
      const [first, ...others] = members
      await first!.close()
      const ownedByOthers = () => others.flatMap(({ partitions }) => partitions)
      await until(() => ownedByOthers().length === 2_000)
      expect(new Set(ownedByOthers()).size).toBe(2_000)
      await Promise.all(clients.map((client) => client.close()))
    })

    it('changes the protocol with its members, Java ones and ours, both ways: no message is lost, and only a classic member that changes back repeats any', async () => {
      await using moved = await scene('moved')
      const { group, written, write, allRead, problems } = moved
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const typeOf = async () => {
        const { groups } = await client.admin.listGroups()
        return groups.find((one) => one.group === 'moved')?.type
      }
      const classic = { assignors: ['cooperative-sticky'], heartbeatIntervalMs: 500 } as const
      await write()
      const java = await group.java('java, classic', 'cooperative-sticky')
      const ours = group.ours('ours, classic', classic)
      await group.shared([java, ours], PARTITIONS)
      expect(await typeOf()).toBe('classic')

      const newer = group.ours('ours, consumer', CONSUMER)
      await group.shared([java, ours, newer], PARTITIONS)
      expect(await typeOf()).toBe('consumer')
      await write()
      await ours.stop()
      const newerJava = await group.javaOfConsumerProtocol('java, consumer')
      await group.shared([java, newer, newerJava], PARTITIONS)
      await java.stop()
      await group.shared([newer, newerJava], PARTITIONS)
      await write()

      const back = group.ours('ours, classic again', classic)
      await group.shared([newer, newerJava, back], PARTITIONS)
      await newer.stop()
      await newerJava.stop()
      await group.shared([back], PARTITIONS)
      await until(async () => (await typeOf()) === 'classic')
      await write()
      await allRead()
      // With the last member of the consumer protocol the generation of the classic group becomes the group's epoch, so
      // that a classic member loses its partitions (ILLEGAL_GENERATION), and reads what was not committed again.
      const others = group.members.filter((member) => member !== back).flatMap(({ read }) => read)
      expect([...others, ...new Set(back.read)].sort()).toEqual([...written].sort())
      expect(problems().filter((event) => !back.events.includes(event))).toEqual([])
      expect(back.events.filter(({ name }) => name === 'error')).toEqual([])
    })
  })
})

if (isThorough) {
  describeWithBrokers('a consumer group of three brokers of Kafka 4.4.0', ['java'], () => {
    it('continues at its positions when the broker that coordinates it is killed', async () => {
      await using kafka = await startKafka({ version: '4.4.0', brokers: 3, config: QUICK })
      const place = { hosts: kafka.hosts, topic: 'killed', group: 'killed' }
      await kafka.createTopic('killed', { partitions: PARTITIONS, replicationFactor: 3 })
      await using group = new ProcessGroup(place)
      const one = group.ours('ours 1', { groupProtocol: 'consumer' })
      const two = group.ours('ours 2', { groupProtocol: 'consumer' })
      const java = await group.javaOfConsumerProtocol('java')
      await group.shared([one, two, java], PARTITIONS)
      const written = await writeNumbered(kafka.hosts, 'killed', PARTITIONS, 600)
      const allRead = () =>
        group.until('all read', () => new Set(group.read).size >= written.length, 120_000)
      await allRead()
      const owners = group.owners
      await kafka.stopBroker(await coordinatorOf(kafka.hosts, 'killed'), 'SIGKILL')
      written.push(...(await writeNumbered(kafka.hosts, 'killed', PARTITIONS, 600)))
      await allRead()
      expect(group.owners).toEqual(owners)
      // The group as the new coordinator has it: others take over, from what was committed.
      await one.stop()
      await java.stop()
      await group.shared([two], PARTITIONS)
      written.push(...(await writeNumbered(kafka.hosts, 'killed', PARTITIONS, 600)))
      await allRead()
      expect([...new Set(group.read)].sort()).toEqual([...written].sort())
      const ours = [...one.events, ...two.events]
      expect(ours.filter(({ name }) => ['partitions_lost', 'error'].includes(name))).toEqual([])
    })
  })
}
