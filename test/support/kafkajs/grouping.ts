/** Groups with several members, and what happens at the same time. They are compared by `npm run test:kafkajs` only. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Consumer } from 'kafkajs'
import { countdown, shape, type Step } from './world.ts'

/** Resolves when the member has an assignment with this number of partitions of the topic. */
function assigned(consumer: Consumer, topic: string, partitions: number): Promise<void> {
  return new Promise((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (payload.memberAssignment[topic]?.length === partitions) resolve()
    })
  })
}

export const GROUPING: readonly Step[] = [
  {
    name: 'shares the partitions among the members of a group, and reports the rebalance',
    run: async (world) => {
      const topic = await world.topic('topic', 2)
      const [first, second] = [0, 1].map(() => world.consumer({ heartbeatInterval: 100 }))
      const rebalancing = countdown(1)
      const found: unknown[] = []
      first!.on(first!.events.REBALANCING, ({ type, payload }) => {
        found.push(type, payload)
        rebalancing.count()
      })
      const all = assigned(first!, topic, 2)
      for (const consumer of [first!, second!]) {
        await consumer.connect()
        await consumer.subscribe({ topics: [topic] })
      }
      await first!.run({ eachMessage: () => Promise.resolve() })
      await all
      const halves = [assigned(first!, topic, 1), assigned(second!, topic, 1)]
      await second!.run({ eachMessage: () => Promise.resolve() })
      await Promise.all([rebalancing.done, ...halves])
      const allAgain = assigned(first!, topic, 2)
      await second!.disconnect()
      await allAgain
      return found.slice(0, 2)
    },
  },
  {
    name: 'throws from heartbeat() while the group rebalances, and delivers the rest again',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b'])
      const [first, second] = [0, 1].map(() => world.consumer({ heartbeatInterval: 100 }))
      for (const consumer of [first!, second!]) {
        await consumer.connect()
        await consumer.subscribe({ topics: [topic], fromBeginning: true })
      }
      const began = countdown(1)
      const done = countdown(1)
      const found: unknown[] = []
      const offsets = new Set<string>()
      const handled = (offset: string) => {
        offsets.add(offset)
        if (offsets.size === 2) done.count()
      }
      let isFirst = true
      await first!.run({
        eachBatch: async ({ batch, heartbeat, resolveOffset }) => {
          for (const { offset } of batch.messages) {
            if (isFirst && offset === '1') {
              began.count()
              isFirst = false
              try {
                for (;;) {
                  await heartbeat()
                  await delay(20)
                }
              } catch (error) {
                found.push(shape(error))
                throw error
              }
            }
            handled(offset)
            resolveOffset(offset)
          }
        },
      })
      await began.done
      await second!.run({
        eachMessage: ({ message }) => {
          handled(message.offset)
          return Promise.resolve()
        },
      })
      await done.done
      return found
    },
  },
  {
    name: 'handles messages of several partitions at the same time',
    run: async (world) => {
      const [topic, producer] = await world.filled([], 2)
      const messages = [0, 1].map((partition) => ({ partition, value: String(partition) }))
      await producer.send({ topic, messages })
      const consumer = world.consumer()
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      const both = countdown(2)
      const ended = countdown(2)
      const found: number[] = []
      await consumer.run({
        partitionsConsumedConcurrently: 2,
        eachMessage: async ({ partition }) => {
          both.count()
          await both.done
          found.push(partition)
          ended.count()
        },
      })
      await ended.done
      return found.sort()
    },
  },
  {
    name: 'commits by interval',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c'])
      const consumer = world.consumer()
      const committed = countdown(3)
      const found: unknown[] = []
      consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => {
        found.push(payload.topics)
        committed.count()
      })
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      await consumer.run({ autoCommitInterval: 50, eachMessage: () => delay(100) })
      await committed.done
      return found
    },
  },
  {
    name: 'seeks directly after run() was called, without waiting for it',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c'])
      const consumer = world.consumer()
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      const found: string[] = []
      const { done, count } = countdown(1)
      const running = consumer.run({
        eachMessage: ({ message }) => {
          found.push(message.offset)
          count()
          return Promise.resolve()
        },
      })
      consumer.seek({ topic, partition: 0, offset: '2' })
      await running
      await done
      return found
    },
  },
  {
    name: 'reports topics that the leader has assigned, and to which the member has not subscribed',
    run: async (world) => {
      const one = await world.topic('one', 1)
      const two = await world.topic('two', 2)
      const [leader, other] = [0, 1].map(() => world.consumer({ heartbeatInterval: 100 }))
      await leader!.connect()
      await leader!.subscribe({ topics: [one, two] })
      const joined = assigned(leader!, two, 2)
      await leader!.run({ eachMessage: () => Promise.resolve() })
      await joined
      const reported = new Promise((resolve) => {
        other!.on(other!.events.RECEIVED_UNSUBSCRIBED_TOPICS, ({ payload }) => {
          resolve([payload.groupId, payload.topicsSubscribed, payload.topicsNotSubscribed])
        })
      })
      await other!.connect()
      await other!.subscribe({ topics: [one] })
      await other!.run({ eachMessage: () => Promise.resolve() })
      return reported
    },
  },
]
