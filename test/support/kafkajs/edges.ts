/** Rarely used calls, and clusters that check ACLs. They are compared by `npm run test:kafkajs` only. */
import type { AclEntry } from 'kafkajs'
import { until } from '../until.ts'
import { countdown, thrownBy, type Step, type World } from './world.ts'

/** The values that a new consumer of the group gets, up to this one. */
async function readOn(
  world: World,
  topic: string,
  fromBeginning: boolean,
  last: string,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<string[]> {
  const consumer = world.consumer()
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning })
  const found: string[] = []
  const { done, count } = countdown(1)
  const joined = countdown(1)
  consumer.on(consumer.events.GROUP_JOIN, joined.count)
  const fetched = countdown(1)
  consumer.on(consumer.events.FETCH, () => fetched.count())
  await consumer.run({
    eachMessage: ({ message }) => {
      found.push(String(message.value))
      if (String(message.value) === last) count()
      return Promise.resolve()
    },
  })
  await joined.done
  await fetched.done
  await meanwhile()
  await done
  await consumer.disconnect()
  return found
}

export const EDGES: readonly Step[] = [
  {
    name: 'continues at the beginning after setOffsets to −2 and resetOffsets to the earliest',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c'])
      const admin = world.admin()
      await admin.connect()
      const groupId = world.named('group')
      const at = (offset: string) =>
        admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset }] })
      const found: unknown[] = []
      await at('2')
      found.push(await readOn(world, topic, true, 'c'))
      await at('-2')
      found.push(await readOn(world, topic, true, 'c'))
      await at('1')
      await admin.resetOffsets({ groupId, topic, earliest: true })
      found.push(await readOn(world, topic, true, 'c'))
      return found
    },
  },
  {
    name: 'continues at the end after setOffsets to −1 and resetOffsets to the latest',
    run: async (world) => {
      const [topic, producer] = await world.filled(['a', 'b', 'c'])
      const admin = world.admin()
      await admin.connect()
      const groupId = world.named('group')
      const send = (value: string) => () => producer.send({ topic, messages: [{ value }] })
      const partitions = [{ partition: 0, offset: '-1' }]
      await admin.setOffsets({ groupId, topic, partitions })
      const found: unknown[] = [await readOn(world, topic, false, 'd', send('d'))]
      await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '0' }] })
      await admin.resetOffsets({ groupId, topic, earliest: false })
      found.push(await readOn(world, topic, false, 'e', send('e')))
      return found
    },
  },
  {
    name: 'commits the offsets of its own consumer with a transaction',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b'])
      const output = await world.topic('output')
      const kafka = world.kafka()
      const producer = world.producer(
        { transactionalId: world.named('tx'), idempotent: true, maxInFlightRequests: 1 },
        kafka,
      )
      await producer.connect()
      const consumer = world.consumer({}, kafka)
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      const { done, count } = countdown(2)
      const consumerGroupId = world.named('group')
      await consumer.run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          const transaction = await producer.transaction()
          await transaction.send({ topic: output, messages: [{ value: message.value }] })
          const offset = String(Number(message.offset) + 1)
          const topics = [{ topic, partitions: [{ partition, offset }] }]
          await transaction.sendOffsets({ consumerGroupId, topics })
          await transaction.commit()
          count()
        },
      })
      await done
      const admin = world.admin()
      await admin.connect()
      const committed = () => admin.fetchOffsets({ groupId: consumerGroupId, topics: [topic] })
      await until(async () => (await committed())[0]?.partitions[0]?.offset === '2')
      await consumer.disconnect()
      return [await committed(), await admin.fetchTopicOffsets(output)]
    },
  },
  {
    name: 'creates, describes, filters and deletes ACLs of brokers with an authorizer',
    run: async (world) => {
      const { lib } = world
      const admin = world.admin()
      await admin.connect()
      const topic = await world.topic()
      const of = (principal: string, operation: number, permissionType: number): AclEntry => ({
        resourceType: lib.AclResourceTypes.TOPIC,
        resourceName: topic,
        resourcePatternType: lib.ResourcePatternTypes.LITERAL,
        principal,
        host: '*',
        operation,
        permissionType,
      })
      const { AclOperationTypes: to, AclPermissionTypes: may } = lib
      const filter = {
        resourceType: lib.AclResourceTypes.TOPIC,
        resourceName: topic,
        resourcePatternType: lib.ResourcePatternTypes.ANY,
        operation: to.ANY,
        permissionType: may.ANY,
      }
      const listed = async () => {
        const { resources } = await admin.describeAcls(filter)
        return resources.map((resource) => ({
          ...resource,
          acls: [...resource.acls].sort((a, b) => a.operation - b.operation),
        }))
      }
      const untilThereAre = (count: number) =>
        until(async () => (await listed()).flatMap(({ acls }) => acls).length === count)
      const found: unknown[] = [
        await listed(),
        await admin.createAcls({
          acl: [of('User:bob', to.READ, may.ALLOW), of('User:bob', to.DESCRIBE, may.DENY)],
        }),
      ]
      await untilThereAre(2)
      found.push(await listed())
      found.push(await thrownBy(() => admin.createAcls({ acl: [of('bob', to.READ, may.ALLOW)] })))
      const reading = { ...filter, operation: to.READ }
      found.push(await admin.deleteAcls({ filters: [reading, { ...filter, operation: to.ALTER }] }))
      await untilThereAre(1)
      found.push(await listed())
      return found
    },
  },
]
