import type { EachBatchPayload, EachMessagePayload, KafkaMessage, PartitionAssigner } from 'kafkajs'
import { countdown, inOrder, shape, thrownBy, type Step } from './world.ts'

/** The fields of a message that kafkajs declares. */
function shown({ key, value, timestamp, attributes, offset, headers }: KafkaMessage): unknown {
  const text = (bytes: unknown): unknown =>
    Buffer.isBuffer(bytes) ? bytes.toString() : Array.isArray(bytes) ? bytes.map(text) : bytes
  const all = Object.entries(headers ?? {}).map(([name, one]) => [name, text(one)])
  return { key: text(key), value: text(value), timestamp, attributes, offset, headers: all }
}

const byName = ([a]: [string, ...unknown[]], [b]: [string, ...unknown[]]) => (a < b ? -1 : 1)

export const CONSUMING: readonly Step[] = [
  {
    name: 'delivers each message with its fields',
    run: async (world) => {
      const topic = await world.topic()
      const producer = world.producer()
      await producer.connect()
      await producer.send({
        topic,
        messages: [
          {
            key: 'k',
            value: 'v',
            headers: { a: 'b', l: ['1', '2'] },
            timestamp: String(Date.now() - 5_000),
          },
          { value: null },
          { key: null, value: Buffer.from([0, 1, 255]) },
        ],
      })
      const consumer = world.consumer()
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      const found: unknown[] = []
      const { done, count } = countdown(3)
      await consumer.run({
        eachMessage: async (payload: EachMessagePayload) => {
          const { topic: from, partition, message } = payload
          await payload.heartbeat()
          found.push([Object.keys(payload).sort(), from, partition, shown(message)])
          count()
        },
      })
      await done
      return found
    },
  },
  {
    name: 'delivers batches with their fields and functions',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c'])
      const consumer = world.consumer()
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      const found: unknown[] = []
      const { done, count } = countdown(1)
      await consumer.run({
        eachBatch: async (payload: EachBatchPayload) => {
          const { batch } = payload
          found.push(
            Object.keys(payload).sort(),
            [batch.topic, batch.partition, batch.highWatermark, batch.messages.map(shown)],
            [batch.isEmpty(), batch.firstOffset(), batch.lastOffset()],
            [batch.offsetLag(), batch.offsetLagLow()],
            [payload.isRunning(), payload.isStale(), payload.uncommittedOffsets()],
          )
          payload.resolveOffset('1')
          found.push(payload.uncommittedOffsets())
          await payload.commitOffsetsIfNecessary()
          found.push(payload.uncommittedOffsets())
          await payload.commitOffsetsIfNecessary(payload.uncommittedOffsets())
          found.push(payload.uncommittedOffsets())
          await payload.heartbeat()
          count()
        },
      })
      await done
      return found
    },
  },
  {
    name: 'emits the events of joining a group, reading, committing and leaving',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b'])
      const consumer = world.consumer({ heartbeatInterval: 100 })
      const events: unknown[] = []
      const seen = new Set<string>()
      const ONCE = new Set(['consumer.heartbeat', 'consumer.fetch', 'consumer.fetch_start'])
      const committed = countdown(1)
      const beaten = countdown(1)
      const repeated: [string, unknown][] = []
      for (const [name, type] of Object.entries(consumer.events)) {
        if (name.startsWith('REQUEST')) continue
        consumer.on(type, (event) => {
          if (!ONCE.has(type)) events.push([event.type, event.payload])
          else if (!seen.has(type)) repeated.push([event.type, event.payload])
          seen.add(type)
          if (type === consumer.events.COMMIT_OFFSETS) committed.count()
          if (type === consumer.events.HEARTBEAT) beaten.count()
        })
      }
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      await consumer.run({ eachMessage: async () => Promise.resolve() })
      await committed.done
      await beaten.done
      await consumer.stop()
      await consumer.disconnect()
      return [consumer.events, events, repeated.sort(byName)]
    },
  },
  {
    name: 'commits handled messages, after which another member continues',
    run: async (world) => {
      const [topic, producer] = await world.filled(['a', 'b', 'c'])
      const found: unknown[] = []
      for (const values of [[], ['d', 'e']]) {
        if (values.length > 0) {
          await producer.send({ topic, messages: values.map((value) => ({ value })) })
        }
        const consumer = world.consumer()
        const committed = countdown(1)
        consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => {
          found.push(payload.topics)
          committed.count()
        })
        await consumer.connect()
        await consumer.subscribe({ topics: [topic], fromBeginning: true })
        await consumer.run({
          eachMessage: async ({ message }) => {
            found.push(message.offset)
            return Promise.resolve()
          },
        })
        await committed.done
        await consumer.disconnect()
      }
      return found
    },
  },
  {
    name: 'begins at the end of the topic, unless fromBeginning is set',
    run: async (world) => {
      const [topic, producer] = await world.filled(['old'])
      const consumer = world.consumer()
      const joined = countdown(1)
      consumer.on(consumer.events.FETCH, () => joined.count())
      await consumer.connect()
      await consumer.subscribe({ topics: [topic] })
      const found: unknown[] = []
      const { done, count } = countdown(1)
      await consumer.run({
        eachMessage: async ({ message }) => {
          found.push(message.value?.toString())
          count()
          return Promise.resolve()
        },
      })
      await joined.done
      await producer.send({ topic, messages: [{ value: 'new' }] })
      await done
      return found
    },
  },
  {
    name: 'commits the messages before one whose handler threw, and delivers that one again',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c'])
      const consumer = world.consumer()
      const found: unknown[] = []
      consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) =>
        found.push(['commit', payload.topics]),
      )
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      const { done, count } = countdown(1)
      let failures = 0
      await consumer.run({
        eachMessage: async ({ message }) => {
          found.push(message.offset)
          if (message.offset === '1' && failures++ < 2) throw new Error('not yet')
          if (message.offset === '2') count()
          return Promise.resolve()
        },
      })
      await done
      await consumer.disconnect()
      return found
    },
  },
  {
    name: 'crashes when a handler throws too often, and restarts unless the application refuses',
    run: async (world) => {
      const [topic] = await world.filled(['a'])
      const found: unknown[] = []
      const restartOnFailure = async (error: Error) => {
        found.push(['asked', shape(error)])
        return Promise.resolve(found.length < 40)
      }
      const consumer = world.consumer({
        retry: { retries: 1, initialRetryTime: 50, restartOnFailure },
      })
      for (const name of ['CRASH', 'STOP', 'DISCONNECT', 'CONNECT', 'GROUP_JOIN'] as const) {
        consumer.on(consumer.events[name], ({ type, payload }) => {
          const crash = payload as { error?: Error; groupId?: string; restart?: boolean } | null
          found.push(
            crash?.error === undefined
              ? type
              : [type, shape(crash.error), crash.groupId, crash.restart],
          )
        })
      }
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      const { done, count } = countdown(1)
      let calls = 0
      await consumer.run({
        eachMessage: async () => {
          found.push('called')
          if (++calls === 3) count()
          else throw new Error('no')
          return Promise.resolve()
        },
      })
      await done
      await consumer.disconnect()
      return found
    },
  },
  {
    name: 'does not restart after an error that is not retriable',
    run: async (world) => {
      const [topic] = await world.filled(['a'])
      const consumer = world.consumer()
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      const { KafkaJSNonRetriableError } = world.lib
      const crashed = new Promise((resolve) => {
        consumer.on(consumer.events.CRASH, ({ payload }) =>
          resolve([shape(payload.error), payload.restart]),
        )
      })
      await consumer.run({
        eachMessage: () => Promise.reject(new KafkaJSNonRetriableError('never')),
      })
      return crashed
    },
  },
  {
    name: 'pauses and resumes partitions, from outside and in a handler',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c'])
      const consumer = world.consumer()
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      const found: unknown[] = [consumer.paused()]
      const first = countdown(1)
      const third = countdown(1)
      let resume: () => void = () => undefined
      await consumer.run({
        eachMessage: async ({ message, pause }) => {
          found.push(message.offset)
          if (message.offset === '0') {
            resume = pause()
            first.count()
          }
          if (message.offset === '2') third.count()
          return Promise.resolve()
        },
      })
      await first.done
      found.push(consumer.paused())
      resume()
      found.push(consumer.paused())
      await third.done
      consumer.pause([{ topic }])
      found.push(consumer.paused())
      consumer.resume([{ topic, partitions: [0] }])
      found.push(consumer.paused())
      consumer.pause([{ topic, partitions: [0] }])
      found.push(consumer.paused())
      consumer.resume([{ topic }])
      found.push(consumer.paused())
      return found
    },
  },
  {
    name: 'continues at a sought offset, and reports that the batch is stale',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c', 'd'])
      const consumer = world.consumer()
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      const found: unknown[] = []
      const { done, count } = countdown(1)
      let isSought = false
      await consumer.run({
        eachBatch: async ({ batch, isStale, resolveOffset }) => {
          for (const { offset } of batch.messages) {
            if (isStale()) {
              found.push('stale')
              break
            }
            found.push(offset)
            resolveOffset(offset)
            if (offset === '3' && isSought) count()
            if (offset === '1' && !isSought) {
              isSought = true
              consumer.seek({ topic, partition: 0, offset: '2' })
            }
          }
          return Promise.resolve()
        },
      })
      await done
      return found
    },
  },
  {
    name: 'commits and describes the group from outside of handlers',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c'])
      const admin = world.admin()
      await admin.connect()
      const consumer = world.consumer()
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      const { done, count } = countdown(3)
      await consumer.run({
        autoCommit: false,
        eachMessage: async () => {
          count()
          return Promise.resolve()
        },
      })
      await done
      await consumer.commitOffsets([{ topic, partition: 0, offset: '2', metadata: 'mine' }])
      const groupId = world.named('group')
      const group = await consumer.describeGroup()
      const { MemberAssignment, MemberMetadata } = world.lib.AssignerProtocol
      const [member] = group.members
      return [
        await admin.fetchOffsets({ groupId, topics: [topic] }),
        [group.groupId, group.protocol, group.protocolType, group.state, group.members.length],
        MemberAssignment.decode(member!.memberAssignment)?.assignment,
        MemberMetadata.decode(member!.memberMetadata)?.topics,
        member!.clientId,
      ]
    },
  },
  {
    name: 'subscribes to topics whose names match',
    run: async (world) => {
      const [one, two] = [await world.topic('match-1'), await world.topic('match-2')]
      await world.topic('other')
      const consumer = world.consumer()
      const joined = new Promise((resolve) => {
        consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => resolve(payload.memberAssignment))
      })
      await consumer.connect()
      const pattern = new RegExp(`${world.named('match-').replace('.', '\\.')}.*`)
      await consumer.subscribe({ topics: [pattern, one] })
      await consumer.run({ eachMessage: () => Promise.resolve() })
      const found = (await joined) as object
      return [Object.keys(found).sort(), [one, two]]
    },
  },
  {
    name: 'refuses invalid arguments, and calls before run',
    run: async (world) => {
      const topic = await world.topic()
      const consumer = world.consumer()
      const at = { topic, partition: 0, offset: '0' }
      const bad = <T>(call: (value: never) => T, value: unknown) =>
        thrownBy(() => call(value as never))
      return [
        await thrownBy(() => world.consumer({ groupId: '' })),
        await thrownBy(() => world.consumer({ heartbeatInterval: 5, sessionTimeout: 5 })),
        await bad(consumer.subscribe, {}),
        await bad(consumer.subscribe, { topics: topic }),
        await bad(consumer.subscribe, { topics: [1] }),
        await thrownBy(() => consumer.seek(at)),
        await thrownBy(() => consumer.pause([{ topic }])),
        await thrownBy(() => consumer.resume([{ topic }])),
        await thrownBy(() => consumer.paused()),
        await thrownBy(() => consumer.commitOffsets([at])),
        await thrownBy(() => consumer.seek({ ...at, topic: '' })),
        await thrownBy(() => consumer.seek({ ...at, partition: Number.NaN })),
        await thrownBy(() => consumer.seek({ ...at, offset: 'no' })),
        await thrownBy(() => consumer.seek({ ...at, offset: '-7' })),
        await thrownBy(() => consumer.commitOffsets([{ ...at, offset: '-1' }])),
        await thrownBy(() => consumer.commitOffsets([{ ...at, metadata: 5 as never }])),
        await bad(consumer.pause, [{ topic, partitions: 'all' }]),
        await bad(consumer.resume, [{}]),
        await thrownBy(() => consumer.on('nonsense' as never, () => undefined)),
      ]
    },
  },
  {
    name: 'cannot be subscribed or run while it runs',
    run: async (world) => {
      const [topic] = await world.filled([])
      const consumer = world.consumer()
      await consumer.connect()
      await consumer.subscribe({ topics: [topic] })
      await consumer.run({ eachMessage: () => Promise.resolve() })
      return [
        await thrownBy(() => consumer.subscribe({ topics: [topic] })),
        await thrownBy(() => consumer.run({ eachMessage: () => Promise.resolve() })),
      ]
    },
  },
  {
    name: 'assigns partitions with an assigner of the application',
    run: async (world) => {
      const topic = await world.topic('topic', 3)
      const { AssignerProtocol } = world.lib
      const seen: unknown[] = []
      const assigner: PartitionAssigner = ({ cluster, groupId }) => ({
        name: 'Mine',
        version: 1,
        assign: async ({ members, topics }) => {
          const metadata = AssignerProtocol.MemberMetadata.decode(members[0]!.memberMetadata)
          const partitions = cluster.findTopicPartitionMetadata(topic)
          seen.push(
            groupId,
            topics,
            metadata?.topics,
            metadata?.userData.toString(),
            inOrder(partitions),
          )
          return Promise.resolve([
            {
              memberId: members[0]!.memberId,
              memberAssignment: AssignerProtocol.MemberAssignment.encode({
                version: 1,
                assignment: { [topic]: [2, 0] },
                userData: Buffer.alloc(0),
              }),
            },
          ])
        },
        protocol: ({ topics }) => ({
          name: 'Mine',
          metadata: AssignerProtocol.MemberMetadata.encode({
            version: 1,
            topics,
            userData: Buffer.from('told'),
          }),
        }),
      })
      const consumer = world.consumer({ partitionAssigners: [assigner] })
      const joined = new Promise((resolve) => {
        consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => resolve(payload))
      })
      await consumer.connect()
      await consumer.subscribe({ topics: [topic] })
      await consumer.run({ eachMessage: () => Promise.resolve() })
      const payload = (await joined) as { memberAssignment: Record<string, number[]> }
      payload.memberAssignment[topic]?.sort()
      return [payload, seen]
    },
  },
  {
    name: 'commits by threshold',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c', 'd'])
      const consumer = world.consumer()
      const found: unknown[] = []
      const committed = countdown(2)
      consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => {
        found.push(payload.topics)
        committed.count()
      })
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      await consumer.run({ autoCommitThreshold: 2, eachMessage: () => Promise.resolve() })
      await committed.done
      await consumer.disconnect()
      return found
    },
  },
]
