import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { createTopics } from '../../../protocol/apis/create-topics.ts'
import { describeCluster } from '../../../protocol/apis/describe-cluster.ts'
import { describeProducers } from '../../../protocol/apis/describe-producers.ts'
import { findCoordinator } from '../../../protocol/apis/find-coordinator.ts'
import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { listGroups } from '../../../protocol/apis/list-groups.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { Deadline } from '../../../src/async/deadline.ts'
import { deferred } from '../../../src/async/deferred.ts'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { clusterAt, layoutOf, metadataOf, type Layout } from '../../support/fake-cluster.ts'
import { LateDeadline } from '../../support/late-deadline.ts'
import { failureOf } from '../../support/settled.ts'

let one: FakeBroker
let two: FakeBroker
let cluster: Cluster
let layout: Layout
/** Node ids that the brokers name as the controller and as every coordinator. */
let controllerId: number
let coordinatorId: number

beforeEach(async () => {
  one = await FakeBroker.start()
  two = await FakeBroker.start()
  layout = layoutOf([one, two], { orders: [1] })
  controllerId = 1
  coordinatorId = 1
  for (const broker of [one, two]) {
    broker.handle(metadata, ({ topics }) => ({
      ...metadataOf(layout, topics?.map(({ name }) => name ?? '') ?? []),
      controllerId,
    }))
    broker.handle(findCoordinator, ({ coordinatorKeys }) => ({
      coordinators: coordinatorKeys.map((key) => ({
        key,
        nodeId: coordinatorId,
        ...(coordinatorId === 1 ? one : two).address,
      })),
    }))
  }
  cluster = clusterAt([one, two])
})
afterEach(async () => {
  await cluster.close(0)
  await one.stop()
  await two.stop()
})

const clusterRequest = { includeClusterAuthorizedOperations: false }
const clusterResponse = {
  throttleTimeMs: 0,
  errorCode: 0,
  clusterId: 'c',
  controllerId: 1,
  brokers: [],
}
const ofProducer = { throttleTimeMs: 0, errorCode: 0, producerEpoch: 0 }
const noGroups = { errorCode: 0, groups: [] }

const deadline = (timeoutMs = 10_000) => new Deadline(timeoutMs)
const oneTopic = {
  topics: [{ name: 'new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  timeoutMs: 1_000,
}
const create = () =>
  cluster.router.call(createTopics, oneTopic, {
    to: 'controller',
    what: 'creating topics',
    deadline: deadline(),
  })

/** Lets a broker answer CreateTopics with this error for each topic. */
function createsWith(broker: FakeBroker, errorCode: () => number): void {
  broker.handle(createTopics, ({ topics }) => ({
    topics: topics.map(({ name }) => ({ name, errorCode: errorCode() })),
  }))
}

describe('a request to the controller', () => {
  it('reaches the broker that Metadata names as the controller', async () => {
    controllerId = 2
    createsWith(two, () => ErrorCode.NONE)
    expect(await create()).toMatchObject({ topics: [{ name: 'new', errorCode: 0 }] })
    expect(one.received(createTopics)).toHaveLength(0)
  })

  it('is sent to the new controller when the old one answers NOT_CONTROLLER for every topic', async () => {
    createsWith(one, () => {
      controllerId = 2
      return ErrorCode.NOT_CONTROLLER
    })
    createsWith(two, () => ErrorCode.NONE)
    expect(await create()).toMatchObject({ topics: [{ errorCode: 0 }] })
    expect(one.received(createTopics)).toHaveLength(1)
    expect(two.received(createTopics)).toHaveLength(1)
  })

  it('is not sent again when only some topics failed, because the others were created', async () => {
    one.handle(createTopics, () => ({
      topics: [
        { name: 'new', errorCode: ErrorCode.NONE },
        { name: 'other', errorCode: ErrorCode.NOT_CONTROLLER },
      ],
    }))
    const { topics } = await create()
    expect(topics.map(({ errorCode }) => errorCode)).toEqual([0, ErrorCode.NOT_CONTROLLER])
    expect(one.received(createTopics)).toHaveLength(1)
  })
})

describe('a request to a coordinator', () => {
  const init = () =>
    cluster.router.call(
      initProducerId,
      { transactionalId: 'billing', transactionTimeoutMs: 60_000 },
      {
        to: { coordinator: 'transaction', key: 'billing' },
        what: 'fencing',
        deadline: deadline(),
      },
    )

  it('is sent to the new coordinator when the old one answers NOT_COORDINATOR', async () => {
    one.handle(initProducerId, () => {
      coordinatorId = 2
      return { ...ofProducer, errorCode: ErrorCode.NOT_COORDINATOR }
    })
    two.handle(initProducerId, () => ({ ...ofProducer, producerId: 7n }))
    expect(await init()).toMatchObject({ producerId: 7n })
  })

  it('throws the error of the whole response when a retry cannot help', async () => {
    one.handle(initProducerId, () => ({
      ...ofProducer,
      errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }))
    expect(await failureOf(init())).toMatchObject({
      code: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      broker: one.name,
    })
    expect(one.received(initProducerId)).toHaveLength(1)
  })
})

describe('a request to the leader of a partition', () => {
  it('is sent to the new leader when the old one answers NOT_LEADER_OR_FOLLOWER', async () => {
    const answers = (broker: FakeBroker, errorCode: () => number) =>
      broker.handle(describeProducers, () => ({
        throttleTimeMs: 0,
        topics: [
          {
            name: 'orders',
            partitions: [{ partitionIndex: 0, errorCode: errorCode(), activeProducers: [] }],
          },
        ],
      }))
    answers(one, () => {
      layout.topics['orders'] = [2]
      return ErrorCode.NOT_LEADER_OR_FOLLOWER
    })
    answers(two, () => ErrorCode.NONE)
    const { topics } = await cluster.router.call(
      describeProducers,
      { topics: [{ name: 'orders', partitionIndexes: [0] }] },
      {
        to: { leader: { topic: 'orders', partition: 0 } },
        what: 'describing producers',
        deadline: deadline(),
      },
    )
    expect(topics[0]?.partitions[0]?.errorCode).toBe(0)
    expect(two.received(describeProducers)).toHaveLength(1)
  })
})

describe('a request to a broker by id', () => {
  it('fails at once, and names the existing ids, when the cluster has no such broker', async () => {
    const error = await failureOf(
      cluster.router.call(describeCluster, clusterRequest, {
        to: { broker: 9 },
        what: 'x',
        deadline: deadline(),
      }),
    )
    expect(error).toMatchObject({ code: 'BROKER_NOT_AVAILABLE' })
    expect(error.message).toContain('its brokers are 1, 2')
  })
})

describe('a request about many items', () => {
  const groups = ['a', 'b', 'c']
  const run = (
    ask: (group: string, name: string | undefined) => number,
    timeoutMs = 10_000,
    maxItems = Infinity,
  ) =>
    cluster.fanOut.run<string, number>({
      items: groups,
      to: (group) => ({ broker: group === 'b' ? 2 : 1 }),
      what: 'asking',
      deadline: deadline(timeoutMs),
      maxItems,
      ask: async (items, recipient) => {
        await recipient.request(describeCluster, clusterRequest)
        asked.push([...items])
        return items.map((item) => ({ item, result: ask(item, recipient.name) }))
      },
    })
  let asked: string[][]
  beforeEach(() => {
    asked = []
    for (const broker of [one, two]) broker.handle(describeCluster, () => clusterResponse)
  })

  it('is split by broker, and merged in the order of the items', async () => {
    const outcomes = await run((group) => group.charCodeAt(0))
    expect(outcomes).toEqual([
      { item: 'a', result: 97 },
      { item: 'b', result: 98 },
      { item: 'c', result: 99 },
    ])
    expect(asked.sort()).toEqual([['a', 'c'], ['b']])
  })

  it('is split further if a request may name only a limited number of items', async () => {
    await run(() => 0, 10_000, 1)
    expect(asked.sort()).toEqual([['a'], ['b'], ['c']])
  })

  it('returns an error for each item of an unreachable broker, and a result for the others', async () => {
    await cluster.refreshBrokers()
    await two.stop()
    const [a, b, c] = await run(() => 1, 500)
    expect([a?.result, c?.result]).toEqual([1, 1])
    expect(b?.error).toMatchObject({ retriable: true })
  })

  it('returns an error for an item that a response leaves out', async () => {
    const outcomes = await cluster.fanOut.run<string, number>({
      items: ['a'],
      to: () => 'any',
      what: 'asking',
      deadline: deadline(),
      ask: () => Promise.resolve([]),
    })
    expect(outcomes[0]?.error?.message).toContain('does not mention it')
  })

  it('rejects with the reason of an aborted signal', async () => {
    const controller = new AbortController()
    one.handle(describeCluster, () => {
      controller.abort(new Error('stop'))
      return clusterResponse
    })
    const running = cluster.fanOut.run({
      items: ['a'],
      to: () => ({ broker: 1 }),
      what: 'asking',
      deadline: new Deadline(10_000, controller.signal),
      ask: async (_, recipient) => {
        await recipient.request(describeCluster, clusterRequest)
        return []
      },
    })
    expect(await failureOf(running)).toMatchObject({ message: 'stop' })
  })
})

describe('a request about many groups', () => {
  const groups = Array.from({ length: 50 }, (_, index) => `group-${index}`)
  const run = (at: Cluster, some: readonly string[] = groups, until = deadline()) =>
    at.fanOut.run<string, string>({
      items: some,
      to: (key) => ({ coordinator: 'group', key }),
      what: 'asking',
      deadline: until,
      ask: (items, recipient) =>
        Promise.resolve(items.map((item) => ({ item, result: recipient.name ?? '' }))),
    })
  const lookUps = () => [...one.received(findCoordinator), ...two.received(findCoordinator)]
  /** Resolves when coordinators were looked up so often: the earlier answers have been dealt with. */
  const asked = (times: number) =>
    Promise.race([one, two].map((broker) => broker.until(() => lookUps().length >= times)))

  /** Names a coordinator for each key, by the parity of its number; errors where `errorOf` has one. */
  function coordinates(broker: FakeBroker, errorOf: (key: string) => number = () => 0): void {
    broker.handle(findCoordinator, ({ coordinatorKeys }) => ({
      coordinators: coordinatorKeys.map((key) => {
        const nodeId = (Number(key.split('-')[1]) % 2) + 1
        const { address } = nodeId === 1 ? one : two
        return { key, errorCode: errorOf(key), nodeId, ...address }
      }),
    }))
  }

  it('looks up all coordinators in one request, and reaches each of them', async () => {
    for (const broker of [one, two]) coordinates(broker)
    const outcomes = await run(cluster)
    expect(outcomes.map(({ item }) => item)).toEqual(groups)
    expect(outcomes.map(({ result }) => result)).toEqual(
      groups.map((_, index) => (index % 2 === 0 ? one.name : two.name)),
    )
    expect(lookUps()).toHaveLength(1)
    await run(cluster)
    expect(lookUps()).toHaveLength(1)
  })

  it('looks up each coordinator in a separate request if brokers have no FindCoordinator v4', async () => {
    await using old = await FakeBroker.start({ versions: { FindCoordinator: [0, 3] } })
    const asked: string[] = []
    old.handle(findCoordinator, ({ key }) => {
      asked.push(key)
      return { errorCode: 0, nodeId: 1, ...old.address, coordinators: [] }
    })
    const ofOld = clusterAt([old])
    const outcomes = await run(ofOld, groups.slice(0, 5))
    expect(outcomes.map(({ result }) => result)).toEqual(Array(5).fill(old.name))
    expect(asked.sort()).toEqual(groups.slice(0, 5))
    await ofOld.close(0)
  })

  it('returns the other groups while one has no coordinator', async () => {
    const errorOf = (key: string) =>
      key === 'group-1' ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.NONE
    for (const broker of [one, two]) coordinates(broker, errorOf)
    const until = new LateDeadline()
    const running = run(cluster, ['group-0', 'group-1', 'group-2'], until)
    await asked(2)
    until.endIn(200)
    const outcomes = await running
    expect(outcomes.map(({ result }) => result)).toEqual([one.name, undefined, one.name])
    expect(outcomes[1]?.error).toMatchObject({ code: 'COORDINATOR_NOT_AVAILABLE' })
    const repeated = lookUps().slice(1)
    expect(repeated.length).toBeGreaterThan(0)
    for (const request of repeated) {
      expect(request).toMatchObject({ body: { coordinatorKeys: ['group-1'] } })
    }
  })

  it('gives the last error of the cluster as the reason when the time ends in an attempt', async () => {
    const errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE
    const answered = new Set<string>()
    const deadlines = new Map<string, LateDeadline>()
    for (const broker of [one, two]) {
      broker.handle(findCoordinator, ({ coordinatorKeys }) => {
        const [key] = coordinatorKeys
        if (key === undefined || answered.has(key)) return undefined
        answered.add(key)
        // Timers have no fractions: some of the attempts would end before their deadline, and some after it.
        deadlines.get(key)?.endIn(1_000 + answered.size / 10)
        return {
          coordinators: coordinatorKeys.map((each) => ({ key: each, errorCode, nodeId: -1 })),
        }
      })
    }
    const runs = Array.from({ length: 40 }, async (_, index) => {
      const some = index % 2 === 0 ? [`alone-${index}`] : [`first-${index}`, `second-${index}`]
      const until = new LateDeadline()
      for (const key of some) deadlines.set(key, until)
      const outcomes = await run(cluster, some, until)
      const codes = outcomes.map(({ error }) => error?.code)
      expect(codes).toEqual(some.map(() => 'COORDINATOR_NOT_AVAILABLE'))
    })
    await Promise.all(runs)
  })

  it('returns an error for a group that the response leaves out', async () => {
    for (const broker of [one, two]) {
      broker.handle(findCoordinator, ({ coordinatorKeys }) => ({
        coordinators: coordinatorKeys
          .filter((key) => key !== 'group-1')
          .map((key) => ({ key, nodeId: 1, ...one.address })),
      }))
    }
    const [found, missing] = await run(cluster, ['group-0', 'group-1'])
    expect(found?.result).toBe(one.name)
    expect(missing?.error?.message).toContain('does not mention it')
  })
})

describe('a request about many partitions', () => {
  const PARTITIONS = 500

  const run = () =>
    cluster.fanOut.run<number, number>({
      items: Array.from({ length: PARTITIONS }, (_, partition) => partition),
      to: (partition) => ({ leader: { topic: 'orders', partition } }),
      what: 'asking',
      deadline: deadline(),
      ask: (items) => Promise.resolve(items.map((item) => ({ item, result: item }))),
    })

  it('looks up the topic once if leaders are unknown, and not at all if they are known', async () => {
    layout.topics['orders'] = Array.from({ length: PARTITIONS }, (_, index) => (index % 2) + 1)
    const asked = () => [...one.received(metadata), ...two.received(metadata)].length
    expect((await run()).map(({ result }) => result)).toEqual([...Array(PARTITIONS).keys()])
    expect(asked()).toBe(1)
    const setTimers = jest.spyOn(globalThis, 'setTimeout')
    await run()
    // Some for each broker, none for each partition.
    expect(setTimers.mock.calls.length).toBeLessThan(PARTITIONS / 10)
    setTimers.mockRestore()
    expect(asked()).toBe(1)
  })

  it('looks up the topic once in each attempt, no matter how many partitions have no leader', async () => {
    layout.topics['orders'] = Array<number>(PARTITIONS).fill(-1)
    const [outcome] = await cluster.fanOut.run<number, number>({
      items: Array.from({ length: PARTITIONS }, (_, partition) => partition),
      to: (partition) => ({ leader: { topic: 'orders', partition } }),
      what: 'asking',
      deadline: deadline(),
      maxRetries: 0,
      ask: (items) => Promise.resolve(items.map((item) => ({ item, result: item }))),
    })
    expect(outcome?.error).toMatchObject({ code: 'LEADER_NOT_AVAILABLE' })
    // The attempt, and the look-up that its failure asks for.
    const asked = [...one.received(metadata), ...two.received(metadata)]
    expect(asked.length).toBeLessThanOrEqual(2)
  })
})

describe('a request to every broker', () => {
  it('lists the brokers that did not respond beside the results of the others', async () => {
    for (const broker of [one, two]) broker.handle(listGroups, () => noGroups)
    await cluster.refreshBrokers()
    await two.stop()
    // The metadata still names the broker that is down.
    const { answers, incomplete } = await cluster.fanOut.everyBroker({
      what: 'listing groups',
      deadline: deadline(500),
      ask: (recipient) => recipient.request(listGroups, {}),
    })
    expect(answers.map(({ broker }) => broker)).toEqual([1])
    expect(incomplete).toEqual([{ broker: 2, error: expect.objectContaining({ retriable: true }) }])
  })

  it('asks the brokers that it knows while it refreshes the list of brokers', async () => {
    await cluster.refreshBrokers()
    const asked = deferred()
    for (const broker of [one, two]) {
      broker.handle(metadata, async () => {
        await asked.promise
        return { ...metadataOf(layout, []), controllerId }
      })
    }
    const waiting = new Set(['one', 'two'])
    const answer = (name: string) => () => {
      waiting.delete(name)
      if (waiting.size === 0) asked.resolve()
      return noGroups
    }
    one.handle(listGroups, answer('one'))
    two.handle(listGroups, answer('two'))
    const { answers, incomplete } = await cluster.fanOut.everyBroker({
      what: 'listing groups',
      deadline: deadline(30_000),
      ask: (recipient) => recipient.request(listGroups, {}, { purpose: 'group' }),
    })
    expect(answers.map(({ broker }) => broker)).toEqual([1, 2])
    expect(incomplete).toEqual([])
    expect([one, two].map((broker) => broker.received(listGroups).length)).toEqual([1, 1])
  })

  it('ignores a broker that has left the cluster since, and asks one that has joined', async () => {
    for (const broker of [one, two]) broker.handle(listGroups, () => noGroups)
    layout = layoutOf([one], { orders: [1] })
    await cluster.refreshBrokers()
    await using three = await FakeBroker.start()
    three.handle(listGroups, () => noGroups)
    three.handle(metadata, () => ({ ...metadataOf(layout, []), controllerId }))
    layout = { ...layoutOf([one, three], { orders: [1] }) }
    const { answers, incomplete } = await cluster.fanOut.everyBroker({
      what: 'listing groups',
      deadline: deadline(30_000),
      ask: (recipient) => recipient.request(listGroups, {}),
    })
    expect({ answers: answers.length, incomplete }).toEqual({ answers: 2, incomplete: [] })
    expect(three.received(listGroups)).toHaveLength(1)
    // The list no longer has the third broker, which does not respond either.
    layout = layoutOf([one], { orders: [1] })
    three.handle(listGroups, () => new Promise(() => undefined))
    const later = await cluster.fanOut.everyBroker({
      what: 'listing groups',
      deadline: deadline(30_000),
      ask: (recipient) => recipient.request(listGroups, {}),
    })
    expect(later.answers.map(({ broker }) => broker)).toEqual([1])
    expect(later.incomplete).toEqual([])
  })
})
