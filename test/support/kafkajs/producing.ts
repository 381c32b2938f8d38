import type { PartitionerArgs } from 'kafkajs'
import { byPartition, inOrder, thrownBy, type Step, type World } from './world.ts'

async function connected(world: World, config = {}) {
  const producer = world.producer(config)
  await producer.connect()
  return producer
}

const KEYS = [
  '',
  'a',
  'b',
  'abc',
  'abcd',
  'abcde',
  '1234567',
  '12345678',
  'käse',
  'long '.repeat(9),
]

export const PRODUCING: readonly Step[] = [
  {
    name: 'sends messages and returns an entry for each partition',
    run: async (world) => {
      const topic = await world.topic('topic', 3)
      const producer = await connected(world)
      const messages = [0, 1, 2, 1].map((partition) => ({ value: 'x', partition }))
      const first = await producer.send({ topic, messages })
      const second = await producer.send({ topic, messages: messages.slice(1) })
      return [byPartition(first), byPartition(second)]
    },
  },
  {
    name: 'sends to several topics, one of which is listed twice',
    run: async (world) => {
      const [one, two] = [await world.topic('one'), await world.topic('two')]
      const producer = await connected(world)
      const found = await producer.sendBatch({
        topicMessages: [
          { topic: one, messages: [{ value: '1' }] },
          { topic: two, messages: [{ value: '2' }] },
          { topic: one, messages: [{ value: '3' }, { value: '4' }] },
        ],
      })
      return found.sort((a, b) => (a.topicName < b.topicName ? -1 : 1))
    },
  },
  {
    name: 'returns nothing with acks 0, and the same with acks 1',
    run: async (world) => {
      const topic = await world.topic()
      const producer = await connected(world)
      return [
        await producer.send({ topic, acks: 1, messages: [{ value: '1' }] }),
        await producer.send({ topic, acks: 0, messages: [{ value: '2' }] }),
        await producer.send({ topic, messages: [] }),
      ]
    },
  },
  {
    name: 'puts keys into the partitions of the default, the Java compatible and the legacy partitioner',
    run: async (world) => {
      const { Partitioners } = world.lib
      const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({
        partitionErrorCode: 0,
        partitionId,
        leader: partitionId === 3 ? -1 : 1,
        replicas: [1],
        isr: [1],
      }))
      const found = Object.entries(Partitioners).map(([name, create]) => {
        const partition = create()
        const of = (key: string | Buffer) =>
          partition({ topic: 't', partitionMetadata, message: { key, value: '' } })
        const given = { key: 'a', value: '', partition: 5 }
        return [
          name,
          KEYS.map(of),
          KEYS.map((key) => of(Buffer.from(key))),
          partition({ topic: 't', partitionMetadata, message: given }),
          new Set(
            Array.from({ length: 12 }, () =>
              partition({ topic: 't', partitionMetadata, message: { value: '' } }),
            ),
          ).size,
        ]
      })
      return Promise.resolve(found)
    },
  },
  {
    name: 'passes the topic, its partitions and the message to a partitioner of the application',
    run: async (world) => {
      const topic = await world.topic('topic', 2)
      const seen: unknown[] = []
      const createPartitioner =
        () =>
        ({ topic: name, partitionMetadata, message }: PartitionerArgs) => {
          seen.push([name, inOrder(partitionMetadata), message])
          return 1
        }
      const producer = await connected(world, { createPartitioner })
      const message = { key: 'k', value: 'v', headers: { a: 'b' } }
      return [await producer.send({ topic, messages: [message, { value: null }] }), seen]
    },
  },
  {
    name: 'refuses invalid messages',
    run: async (world) => {
      const topic = world.named('unused')
      const producer = world.producer()
      const messages = [{ value: 'x' }]
      const bad = (record: object) => thrownBy(() => producer.send(record as never))
      return [
        await bad({ topic: '', messages }),
        await bad({ topic }),
        await bad({ topic, messages: [{ key: 'a' }] }),
        await bad({ topic, messages }),
        await thrownBy(() => producer.sendBatch({ topicMessages: [{ topic: '', messages }] })),
        await thrownBy(() => producer.on('nonsense' as never, () => undefined)),
        await thrownBy(() => producer.transaction()),
      ]
    },
  },
  {
    name: 'is idempotent only with all acks and retries',
    run: async (world) => {
      const topic = await world.topic()
      const producer = await connected(world, { idempotent: true })
      return [
        producer.isIdempotent(),
        world.producer().isIdempotent(),
        await producer.send({ topic, messages: [{ value: '1' }, { value: '2' }] }),
        await thrownBy(() => producer.send({ topic, acks: 1, messages: [{ value: '3' }] })),
        await thrownBy(() => world.producer({ idempotent: true, retry: { retries: 0 } })),
      ]
    },
  },
  {
    name: 'reports a topic that does not exist and is not created',
    run: async (world) => {
      const producer = await connected(world, { allowAutoTopicCreation: false })
      const topic = world.named('missing')
      return thrownBy(() => producer.send({ topic, messages: [{ value: '1' }] }))
    },
  },
  {
    name: 'creates a topic that does not exist if the brokers allow it',
    run: async (world) => {
      const producer = await connected(world)
      const topic = world.named('created')
      return producer.send({ topic, messages: [{ value: '1', partition: 0 }] })
    },
  },
  {
    name: 'reports a message that is too large, and an invalid topic name',
    run: async (world) => {
      const topic = await world.topic()
      const producer = await connected(world)
      const value = Buffer.alloc(2_000_000, 'x')
      return [
        await thrownBy(() => producer.send({ topic, messages: [{ value }] })),
        await thrownBy(() => producer.send({ topic: 'not/a topic', messages: [{ value: 'x' }] })),
      ]
    },
  },
  {
    name: 'emits the events of connecting, requests and disconnecting',
    run: async (world) => {
      const topic = await world.topic()
      const producer = world.producer()
      const events: unknown[] = []
      const stop = producer.on(producer.events.CONNECT, (event) => events.push(event))
      producer.on(producer.events.DISCONNECT, (event) => events.push(event))
      producer.on(producer.events.REQUEST, ({ type, payload }) => {
        if (payload.apiName === 'Produce') {
          const { apiKey, apiName, broker, clientId } = payload
          events.push([type, Object.keys(payload).sort(), apiKey, apiName, broker, clientId])
        }
      })
      await producer.connect()
      await producer.send({ topic, messages: [{ value: '1' }] })
      stop()
      await producer.disconnect()
      await producer.connect()
      return [producer.events, events]
    },
  },
  {
    name: 'cannot send after it was disconnected',
    run: async (world) => {
      const topic = await world.topic()
      const producer = await connected(world)
      await producer.disconnect()
      return thrownBy(() => producer.send({ topic, messages: [{ value: '1' }] }))
    },
  },
]
