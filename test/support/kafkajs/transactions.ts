import type { KafkaMessage } from 'kafkajs'
import { until } from '../until.ts'
import { countdown, thrownBy, type Step, type World } from './world.ts'

async function transactional(world: World) {
  const producer = world.producer({
    transactionalId: world.named('tx'),
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  return producer
}

/** The values that a consumer with read_committed gets, up to this one. */
async function readUntil(world: World, topic: string, last: string): Promise<unknown[]> {
  const consumer = world.consumer({ groupId: world.named('reader') })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const found: string[] = []
  const { done, count } = countdown(1)
  await consumer.run({
    eachMessage: async ({ message }: { message: KafkaMessage }) => {
      found.push(String(message.value))
      if (String(message.value) === last) count()
      return Promise.resolve()
    },
  })
  await done
  await consumer.disconnect()
  return found
}

const FENCED: readonly unknown[] = ['INVALID_PRODUCER_EPOCH', 'INVALID_TXN_STATE']

export const TRANSACTIONS: readonly Step[] = [
  {
    name: 'commits and aborts, one transaction at a time',
    run: async (world) => {
      const topic = await world.topic()
      const producer = await transactional(world)
      const first = await producer.transaction()
      const found: unknown[] = [
        first.isActive(),
        await first.send({ topic, messages: [{ value: 'committed' }] }),
        await thrownBy(() => producer.transaction()),
      ]
      await first.commit()
      found.push(first.isActive(), await thrownBy(() => first.commit()))
      found.push(await thrownBy(() => first.send({ topic, messages: [{ value: 'late' }] })))
      found.push(await thrownBy(() => first.abort()))
      const second = await producer.transaction()
      await second.sendBatch({ topicMessages: [{ topic, messages: [{ value: 'aborted' }] }] })
      await second.abort()
      const third = await producer.transaction()
      await third.send({ topic, messages: [{ value: 'last' }] })
      await third.commit()
      found.push(await readUntil(world, topic, 'last'))
      return found
    },
  },
  {
    name: 'commits offsets with a transaction',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c'])
      const producer = await transactional(world)
      const consumerGroupId = world.named('copied')
      const offsets = (offset: string) => ({
        consumerGroupId,
        topics: [{ topic, partitions: [{ partition: 0, offset }] }],
      })
      const aborted = await producer.transaction()
      await aborted.send({ topic, messages: [{ value: 'x' }] })
      await aborted.sendOffsets(offsets('1'))
      await aborted.abort()
      const admin = world.admin()
      await admin.connect()
      const committed = () => admin.fetchOffsets({ groupId: consumerGroupId, topics: [topic] })
      const found: unknown[] = [await committed()]
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ value: 'y' }] })
      await transaction.sendOffsets(offsets('3'))
      await transaction.commit()
      // The transaction coordinator informs the group coordinator only after it has answered.
      await until(async () => (await committed())[0]?.partitions[0]?.offset === '3')
      found.push(await committed())
      return found
    },
  },
  {
    name: 'is fenced by another producer with the same transactional id',
    run: async (world) => {
      const topic = await world.topic()
      const one = await transactional(world)
      const before = await one.transaction()
      await before.send({ topic, messages: [{ value: 'a' }] })
      const other = await transactional(world)
      const after = await other.transaction()
      await after.send({ topic, messages: [{ value: 'b' }] })
      await after.commit()
      const thrown = await thrownBy(() => before.send({ topic, messages: [{ value: 'c' }] }))
      const { type } = thrown as { type?: unknown }
      // Which of them a broker reports depends on whether the markers of the abort have arrived.
      return FENCED.includes(type)
        ? { ...(thrown as object), type: 'fenced', code: 'fenced' }
        : thrown
    },
  },
]
