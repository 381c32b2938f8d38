import {
  groupHashingPartitioner,
  hashingPartitioner,
  pykafkaPartitioner,
  randomPartitioner,
  type Partitioner,
} from '../../../src/index.ts'
import { failure, next, text, type Case, type Scene } from './scene.ts'

const KEYS = Array.from({ length: 12 }, (_, number) => `${number}`)
/** pykafka's `len(key)`. */
const lengthOf = (key: Uint8Array): number => key.length

async function partitionsOf(
  scene: Scene,
  partitioner: Partitioner,
  keys: readonly (string | null)[],
): Promise<readonly number[]> {
  await using producer = await scene.sync({ partitioner })
  const found: number[] = []
  for (const key of keys) found.push((await producer.produce('v', { key })).partition)
  return found
}

const timestampOf = (timestamp: Date | number) => (scene: Scene) =>
  failure(async () => {
    await using producer = await scene.sync()
    await producer.produce('v', { timestamp })
    return (await next(await scene.consumer())).timestamp
  })

/** Producers and partitioners: the port of the second part of scenario.py. */
export const PRODUCER_CASES: Readonly<Record<string, Case>> = {
  'producer/value': (scene) => scene.produced({ value: 'v' }),

  'producer/positional key': async (scene) => {
    await using producer = await scene.sync()
    await producer.produce('v', 'k')
    const { value, key } = await next(await scene.consumer())
    return [text(value), text(key)]
  },

  'producer/empty value': (scene) => scene.produced({ value: '', key: 'k' }),
  'producer/null value': (scene) => scene.produced({ value: null, key: 'k' }),
  'producer/empty key': (scene) => scene.produced({ value: 'v', key: '' }),
  'producer/text': (scene) => failure(() => scene.produced({ value: 'text' })),

  'producer/a number': async (scene) => {
    await using producer = await scene.sync()
    return await failure(async () => {
      await producer.produce(1 as unknown as string)
      return 'taken'
    })
  },

  'producer/serializer': async (scene) => {
    await using producer = await scene.client.topic(scene.name).getSyncProducer({
      serializer: (value: object, key: number | null) => [
        JSON.stringify(value).replace(':', ': '),
        String(key),
      ],
    })
    await producer.produce({ a: 1 }, { key: 7 })
    const { value, key } = await next(await scene.consumer())
    return [text(value), text(key)]
  },

  'producer/gzip': (scene) => scene.produced({ value: 'vvv' }, { compression: 'gzip' }),

  'producer/offset of what was produced': async (scene) => {
    await using producer = await scene.sync({ partitioner: () => 0 })
    const offsets: number[] = []
    for (let count = 0; count < 3; count++) offsets.push((await producer.produce('v')).offset)
    return offsets
  },

  'producer/timestamp as a date': timestampOf(new Date('2020-01-02T03:04:05Z')),
  'producer/timestamp in milliseconds': timestampOf(1_577_934_245_000),

  'producer/message too large': async (scene) => {
    await using producer = await scene.sync({ maxRequestSize: 1_000 })
    return await failure(async () => {
      await producer.produce('v'.repeat(2_000))
      return 'taken'
    })
  },

  'producer/queue is full': async (scene) => {
    const producer = await scene.client.topic(scene.name).getProducer({
      maxQueuedMessages: 2,
      blockOnQueueFull: false,
      lingerMs: 2_000,
      minQueuedMessages: 2,
    })
    return await failure(async () => {
      await Promise.all(Array.from({ length: 100 }, () => producer.produce('v')))
      return 'taken'
    })
  },

  'producer/lingers by default': async (scene) => {
    const producer = await scene.client.topic(scene.name).getProducer()
    await producer.produce('v')
    return (await scene.count()) === 0
  },

  'producer/stop sends what is queued': async (scene) => {
    const producer = await scene.client.topic(scene.name).getProducer({ lingerMs: 300 })
    for (let count = 0; count < 10; count++) void producer.produce('v')
    await producer.stop()
    return scene.count()
  },

  'producer/the end of the block sends what is queued': async (scene) => {
    {
      await using producer = await scene.client.topic(scene.name).getProducer({ lingerMs: 300 })
      for (let count = 0; count < 10; count++) void producer.produce('v')
    }
    return scene.count()
  },

  'producer/produce after stop': async (scene) => {
    const producer = await scene.sync()
    await producer.stop()
    return await failure(async () => {
      await producer.produce('v')
      return 'taken'
    })
  },

  'producer/start after stop': async (scene) => {
    const producer = await scene.sync()
    await producer.produce('v')
    await producer.stop()
    await producer.start()
    await producer.produce('w')
    await producer.stop()
    return scene.count()
  },

  'producer/autoStart is off': async (scene) => {
    const producer = await scene.sync({ autoStart: false })
    await producer.start()
    await producer.produce('v')
    await producer.stop()
    return text((await next(await scene.consumer())).value)
  },

  'producer/no acknowledgement': async (scene) => {
    await using producer = await scene.sync({ requiredAcks: 0 })
    await producer.produce('v')
    return text((await next(await scene.consumer())).value)
  },

  'producer/delivery report': async (scene) => {
    await using producer = await scene.sync({ deliveryReports: true })
    void producer.produce('v')
    for await (const { value, error } of producer.deliveryReports()) {
      return [String(value), error === undefined ? null : error.message]
    }
    return 'no report'
  },

  'producer/delivery reports are off': async (scene) => {
    await using producer = await scene.sync()
    return await failure(() => {
      producer.deliveryReports()
      return 'given'
    })
  },

  'producer/default partitioner': async (scene) => {
    await scene.fill(4, 'k')
    await using producer = await scene.sync()
    for (let count = 0; count < 4; count++) await producer.produce('v', 'k')
    const latest = await scene.client.topic(scene.name).latestAvailableOffsets()
    return [...latest.values()].filter((offset) => offset > 2).length
  },

  'partitioner/random': async (scene) => {
    const found = await partitionsOf(scene, randomPartitioner(), KEYS)
    return [0, 1].map((one) => found.filter((partition) => partition === one).length).sort()
  },

  'partitioner/hashing': (scene) => partitionsOf(scene, hashingPartitioner(), KEYS),

  'partitioner/hashing with a function': (scene) =>
    partitionsOf(scene, hashingPartitioner(lengthOf), KEYS),

  'partitioner/hashing without a key': (scene) =>
    failure(() => partitionsOf(scene, hashingPartitioner(), [null])),

  'partitioner/group hashing': (scene) =>
    partitionsOf(scene, groupHashingPartitioner(lengthOf, 1), KEYS),

  'partitioner/group size 0': () =>
    failure(() => {
      groupHashingPartitioner(() => 1, 0)
      return 'made'
    }),

  'partitioner/group larger than the topic': (scene) =>
    failure(() =>
      partitionsOf(
        scene,
        groupHashingPartitioner(() => 1, 3),
        ['k'],
      ),
    ),

  "partitioner/of the application's own": async (scene) => {
    const seen: (readonly [number, string])[] = []
    const last = pykafkaPartitioner((partitions, key) => {
      seen.push([partitions.length, String(key)])
      return partitions.at(-1)!
    })
    return [await partitionsOf(scene, last, ['k']), seen]
  },
}
