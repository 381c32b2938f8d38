import { setTimeout as delay } from 'node:timers/promises'
import {
  byPartition,
  failure,
  next,
  text,
  values,
  type Case,
  type Outcome,
  type Scene,
} from './scene.ts'

/** What a group reads first after it has committed this offset. */
async function firstAfterCommit(scene: Scene, offset: number): Promise<Outcome> {
  await scene.fill()
  const consumer = await scene.member()
  await consumer.commitOffsets(new Map([[0, offset]]))
  await consumer.stop()
  return values(await scene.member(), 1)
}

/** Simple consumers: the port of the third part of scenario.py. */
export const CONSUMER_CASES: Readonly<Record<string, Case>> = {
  'consumer/reads everything': async (scene) => {
    await scene.fill()
    return [...(await values(await scene.consumer(), 10))].sort()
  },

  "consumer/a message's fields": async (scene) => {
    await scene.fill(3, 'k')
    const { value, key, partition, offset } = await next(await scene.one({}, 1))
    return [text(value), text(key), partition, offset]
  },

  'consumer/gives nothing after its timeout': async (scene) => {
    const consumer = await scene.consumer({ consumerTimeoutMs: 100 })
    return (await consumer.consume()) === undefined ? null : 'a message'
  },

  'consumer/gives nothing without blocking': async (scene) => {
    const consumer = await scene.consumer()
    return (await consumer.consume({ block: false })) === undefined ? null : 'a message'
  },

  'consumer/iteration ends after the timeout': async (scene) => {
    await scene.fill()
    const offsets: number[] = []
    const consumer = await scene.consumer({ consumerTimeoutMs: 1_500 })
    for await (const { offset } of consumer) offsets.push(offset)
    return offsets.length
  },

  'consumer/unblock event': (scene) =>
    failure(async () => {
      const consumer = await scene.consumer({ consumerTimeoutMs: -1 })
      await consumer.consume({ signal: AbortSignal.abort() })
      return 'a message'
    }),

  'consumer/some partitions': async (scene) => {
    await scene.fill()
    const consumer = await scene.one({}, 1)
    return [consumer.partitions, await values(consumer, 5)]
  },

  'consumer/held offsets before a message': async (scene) =>
    byPartition((await scene.consumer()).heldOffsets),

  'consumer/held offsets': async (scene) => {
    await scene.fill()
    const consumer = await scene.one()
    await values(consumer, 3)
    return byPartition(consumer.heldOffsets)
  },

  'consumer/commits and continues': async (scene) => {
    await scene.fill()
    const consumer = await scene.member()
    await values(consumer, 3)
    await consumer.commitOffsets()
    await consumer.stop()
    return values(await scene.member(), 2)
  },

  'consumer/commits a number': (scene) => firstAfterCommit(scene, 2),

  'consumer/commit without a group': (scene) =>
    failure(async () => {
      await (await scene.consumer()).commitOffsets()
      return 'taken'
    }),

  'consumer/commit of a partition that it does not read': async (scene) => {
    const consumer = await scene.member()
    return failure(async () => {
      await consumer.commitOffsets(new Map([[1, 1]]))
      return 'taken'
    })
  },

  'consumer/fetches committed offsets': async (scene) => {
    await scene.fill()
    const consumer = await scene.member()
    await consumer.commitOffsets(new Map([[0, 2]]))
    return [...(await consumer.fetchOffsets())]
  },

  'consumer/fetches committed offsets without a start': async (scene) => {
    await scene.fill()
    await (await scene.member()).commitOffsets(new Map([[0, 2]]))
    const reader = await scene.member({ autoStart: false })
    return [...(await reader.fetchOffsets())]
  },

  'consumer/fetching offsets moves it': async (scene) => {
    await scene.fill()
    const consumer = await scene.member()
    await consumer.commitOffsets(new Map([[0, 3]]))
    await consumer.fetchOffsets()
    return byPartition(consumer.heldOffsets)
  },

  'consumer/reset to a number': async (scene) => {
    await scene.fill()
    const consumer = await scene.one()
    await consumer.resetOffsets(new Map([[0, 2]]))
    return (await next(consumer)).offset
  },

  'consumer/reset to the earliest': async (scene) => {
    await scene.fill()
    const consumer = await scene.one()
    await values(consumer, 3)
    await consumer.resetOffsets('earliest')
    return values(consumer, 1)
  },

  'consumer/reset to the latest': async (scene) => {
    await scene.fill()
    const consumer = await scene.one()
    await values(consumer, 1)
    await consumer.resetOffsets('latest')
    await scene.fill(1)
    return (await next(consumer)).offset
  },

  'consumer/reset where autoOffsetReset says': async (scene) => {
    await scene.fill()
    const consumer = await scene.one()
    await values(consumer, 3)
    await consumer.resetOffsets()
    return values(consumer, 1)
  },

  'consumer/reset before the start': async (scene) => {
    await scene.fill()
    const consumer = await scene.member({ autoStart: false })
    await consumer.resetOffsets('latest')
    await consumer.start()
    await scene.fill(1)
    return (await next(consumer)).offset
  },

  'consumer/reset is committed': async (scene) => {
    await scene.fill()
    const consumer = await scene.member()
    await consumer.resetOffsets('latest')
    return [...(await consumer.fetchOffsets())]
  },

  'consumer/old messages of a response are not delivered after a reset': async (scene) => {
    await scene.fill()
    const consumer = await scene.one()
    await values(consumer, 1)
    await consumer.resetOffsets(new Map([[0, 4]]))
    const first = (await next(consumer)).offset
    const rest: number[] = []
    for (;;) {
      const message = await consumer.consume({ block: false })
      if (message === undefined) break
      rest.push(message.offset)
    }
    return [first > 2, rest.filter((offset) => offset <= first)]
  },

  'consumer/an offset out of range': (scene) => firstAfterCommit(scene, 1_000),

  'consumer/autoOffsetReset latest': async (scene) => {
    await scene.fill()
    const consumer = await scene.one({ autoOffsetReset: 'latest' })
    await scene.fill(1)
    return (await next(consumer)).offset
  },

  'consumer/resetOffsetOnStart': async (scene) => {
    await scene.fill()
    const consumer = await scene.member()
    await values(consumer, 3)
    await consumer.commitOffsets()
    await consumer.stop()
    return values(await scene.member({ resetOffsetOnStart: true }), 1)
  },

  'consumer/stop commits': async (scene) => {
    await scene.fill()
    const consumer = await scene.member({ autoCommitEnable: true, consumerTimeoutMs: 500 })
    while ((await consumer.consume()) !== undefined) continue
    await consumer.stop()
    await scene.fill(1)
    return (await next(await scene.member())).offset
  },

  'consumer/commits nothing by default': async (scene) => {
    await scene.fill()
    const consumer = await scene.member()
    await values(consumer, 3)
    await consumer.stop()
    return values(await scene.member(), 1)
  },

  'consumer/consume after stop': async (scene) => {
    const consumer = await scene.consumer()
    await consumer.stop()
    return failure(async () => {
      await consumer.consume()
      return 'a message'
    })
  },

  'consumer/stop ends a waiting consume': async (scene) => {
    const consumer = await scene.consumer({ consumerTimeoutMs: -1 })
    const waiting = failure(async () => {
      await consumer.consume()
      return 'a message'
    })
    await consumer.stop()
    return waiting
  },

  'consumer/start after stop': async (scene) => {
    await scene.fill()
    const consumer = await scene.one()
    const before = await values(consumer, 2)
    await consumer.stop()
    await consumer.start()
    return [before, await values(consumer, 1)]
  },

  'consumer/start after stop in a group': async (scene) => {
    await scene.fill()
    const consumer = await scene.member()
    await values(consumer, 2)
    await consumer.commitOffsets()
    await values(consumer, 2)
    await consumer.stop()
    await consumer.start()
    return values(consumer, 1)
  },

  'consumer/deserializer': async (scene) => {
    const topic = await scene.fill(2, 'k')
    const consumer = await topic.getSimpleConsumer({
      partitions: [0],
      deserializer: (value) => Number(value) + 1,
      keyDeserializer: (key) => String(key).toUpperCase(),
    })
    const message = await consumer.consume()
    return [message!.value, message!.key]
  },

  'consumer/deserializer at a timeout': async (scene) => {
    const consumer = await scene.consumer({ consumerTimeoutMs: 100, deserializer: (v) => v })
    return failure(async () => ((await consumer.consume()) === undefined ? null : 'a message'))
  },

  'consumer/a message larger than the fetch limit': async (scene) => {
    await using producer = await scene.sync()
    await producer.produce('v'.repeat(5_000))
    const limits = { fetchMessageMaxBytes: 1_000, consumerTimeoutMs: 8_000 }
    return (await (await scene.consumer(limits)).consume()) !== undefined
  },

  'consumer/topic and partitions': async (scene) => {
    const consumer = await scene.consumer()
    return [consumer.topic, consumer.partitions]
  },

  'consumer/OffsetType as autoOffsetReset': (scene) =>
    failure(async () => {
      await scene.consumer({ autoOffsetReset: -1 })
      return 'taken'
    }),

  'consumer/a partition that does not exist': (scene) =>
    failure(async () => {
      const consumer = await scene.consumer()
      consumer.seek(7, 0)
      await delay(0)
      return 'given'
    }),
}
