import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createClient } from 'node-zookeeper-client'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import {
  KafkaClient,
  type BalancedConsumer,
  type BalancedConsumerOptions,
  type KafkaClientOptions,
  type MembershipProtocol,
  type ZooKeeperOptions,
} from '../../src/index.ts'
import { createPartitions } from '../../protocol/apis/create-partitions.ts'
import { TestAuthority } from '../support/certificates.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { requestOnce } from '../support/request-once.ts'
import { takeTexts } from '../support/take.ts'
import { until } from '../support/until.ts'
import { keepWarnings } from '../support/warnings.ts'

let zookeeper: EmbeddedZooKeeper
let kafka: EmbeddedCluster
let clients: KafkaClient[]

beforeEach(async () => {
  zookeeper = await EmbeddedZooKeeper.start({ minSessionTimeoutMs: 300 })
  kafka = await EmbeddedCluster.start({
    brokers: 2,
    topics: { t: { partitions: 4 }, u: { partitions: 2 } },
  })
  clients = []
})

afterEach(async () => {
  await Promise.allSettled(clients.map((client) => client.close()))
  await kafka.stop()
  await zookeeper.stop()
})

function client(options: KafkaClientOptions = {}): KafkaClient {
  const made = new KafkaClient({ ...QUICK, hosts: kafka.hosts, ...options })
  clients.push(made)
  return made
}

type Options = Partial<BalancedConsumerOptions> & ZooKeeperOptions

function consumer(options: Options = {}, topic = 't'): Promise<BalancedConsumer> {
  return client()
    .topic(topic)
    .getBalancedConsumer({
      consumerGroup: 'g',
      fetchWaitMaxMs: 20,
      rebalanceBackoffMs: 100,
      ...(options.zookeeper === undefined ? { zookeeperHosts: zookeeper.hosts } : {}),
      ...(options as object),
    })
}

type Consuming = Pick<BalancedConsumer, 'consume'>

async function produce(count: number, first = 0): Promise<void> {
  await using producer = await client().topic('t').getProducer({ lingerMs: 0 })
  for (let i = first; i < first + count; i++) void producer.produce(`${i}`, { partition: i % 4 })
  await producer.flush()
}

async function take(from: BalancedConsumer, count: number): Promise<number[]> {
  return (await takeTexts(from, count)).map(Number).sort((a, b) => a - b)
}

/** Asks for more where there is none: what was read is processed. */
async function processAll(...consumers: readonly Consuming[]): Promise<void> {
  for (const one of consumers) expect(await one.consume({ block: false })).toBeUndefined()
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

describe('a balanced consumer', () => {
  it('gets all partitions when it is alone, and reads them', async () => {
    await produce(8)
    const alone = await consumer()
    expect(alone.partitions).toEqual([0, 1, 2, 3])
    expect(await take(alone, 8)).toEqual(numbers(0, 8))
    await alone.close()
    expect(zookeeper.node('/consumers/g/owners/t')?.children).toEqual([])
    expect(zookeeper.node('/consumers/g/ids')?.children).toEqual([])
  })

  it('hands partitions to another member without losing or repeating a message when the hook commits', async () => {
    await produce(8)
    const options: Options = {
      onPartitionsRevoked: (_, consumer) => consumer.commitOffsets(),
    }
    const first = await consumer(options)
    const read = await take(first, 8)
    await processAll(first)
    const second = await consumer(options)
    await until(() => first.partitions.length === 2 && second.partitions.length === 2)
    await produce(8, 8)
    read.push(...(await take(first, 4)), ...(await take(second, 4)))
    await processAll(first)
    await first.close()
    await until(() => second.partitions.length === 4)
    await produce(8, 16)
    read.push(...(await take(second, 8)))
    expect(read.sort((a, b) => a - b)).toEqual(numbers(0, 24))
  })

  it('commits for the application with autoCommitEnable', async () => {
    await produce(8)
    const first = await consumer({ autoCommitEnable: true })
    await take(first, 8)
    await processAll(first)
    await first.close()
    const second = await consumer()
    expect(await second.consume({ timeoutMs: 100 })).toBeUndefined()
    expect(second.positions).toEqual(new Map([0, 1, 2, 3].map((partition) => [partition, 2])))
  })

  it('delivers nothing of a partition once its revoke hook has been called', async () => {
    await produce(400)
    const after: number[] = []
    const revoked = new Set<number>()
    const first = await consumer({
      onPartitionsRevoked: async (partitions) => {
        for (const { partition } of partitions) revoked.add(partition)
        await new Promise((resolve) => setTimeout(resolve, 50))
      },
    })
    const reading = (async () => {
      for await (const { partition } of first) {
        if (revoked.has(partition)) after.push(partition)
        await new Promise(setImmediate)
      }
    })().catch(() => undefined)
    const second = await consumer()
    await until(() => second.partitions.length === 2)
    expect(revoked.size).toBe(2)
    await first.close()
    await reading
    expect(after).toEqual([])
  })

  it('waits for handlers before it releases their partitions', async () => {
    await produce(4)
    const log: string[] = []
    const first = await consumer({
      onPartitionsRevoked: async (_, consumer) => {
        log.push('revoked')
        await consumer.commitOffsets()
      },
    })
    let finish = (): void => undefined
    const begun = new Promise<void>((resolve) => {
      first
        .run(
          async () => {
            resolve()
            await new Promise<void>((done) => {
              finish = done
            })
            log.push('handled')
          },
          { concurrency: 1 },
        )
        .catch(() => undefined)
    })
    await begun
    const closing = first.close()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(log).toEqual([])
    finish()
    await Promise.race([closing, until(() => log.includes('revoked'))])
    expect(log[0]).toBe('handled')
  })

  it("passes the offsets before and after to pykafka's callback, and continues at the offsets it returns", async () => {
    await produce(8)
    const seen: unknown[] = []
    const first = await consumer({
      postRebalanceCallback: (_, before, after) => {
        seen.push([before, after])
        return new Map([[0, 1]])
      },
    })
    expect(seen).toEqual([[new Map(), new Map([0, 1, 2, 3].map((one) => [one, 0]))]])
    expect(await take(first, 7)).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('applies resetOffsetOnStart only to its first partitions', async () => {
    await produce(4)
    const first = await consumer({ autoCommitEnable: true, consumerGroup: 'g' })
    await take(first, 4)
    await processAll(first)
    const second = await consumer({ resetOffsetOnStart: true, autoCommitEnable: true })
    await until(() => first.partitions.length === 2)
    expect(await take(second, 2)).toEqual(second.partitions)
    await first.close()
    await until(() => second.partitions.length === 4)
    expect(await second.consume({ timeoutMs: 100 })).toBeUndefined()
  })

  it('assigns partitions as its own function decides', async () => {
    /** All to the last one. */
    const membershipProtocol: MembershipProtocol = (partitions, members, member) =>
      member === members.at(-1) ? partitions : []
    const consumers = [
      await consumer({ membershipProtocol }),
      await consumer({ membershipProtocol }),
    ]
    const [last, first] = consumers.sort((a, b) => (a.memberId < b.memberId ? 1 : -1))
    await until(() => last!.partitions.length === 4)
    expect(first!.partitions).toEqual([])
  })

  it.each([
    [
      'throws',
      () => JSON.parse('nonsense') as number[],
      /membershipProtocol threw: .* is not valid JSON/,
    ],
    [
      'returns a partition that does not exist',
      () => [9],
      /membershipProtocol assigned t-9, which does not exist/,
    ],
    [
      'returns a partition twice',
      (partitions) => [...partitions, ...partitions],
      /membershipProtocol assigned t-0 to '.*' twice/,
    ],
    [
      'returns nothing',
      () => undefined as never,
      /membershipProtocol must return an array of partition numbers, not undefined/,
    ],
  ] satisfies [string, MembershipProtocol, RegExp][])(
    'fails permanently when its own function %s',
    async (_, membershipProtocol, message) => {
      await expect(consumer({ membershipProtocol })).rejects.toMatchObject({
        code: 'REBALANCE_FAILED',
        retriable: false,
        message: expect.stringMatching(message),
      })
    },
  )

  it('fails when its own function gives a partition to two members', async () => {
    await consumer({ membershipProtocol: () => [0, 1, 2, 3] })
    await expect(consumer({ membershipProtocol: () => [0, 1, 2, 3] })).rejects.toMatchObject({
      code: 'REBALANCE_FAILED',
      message: expect.stringMatching(/assigned t-0 to both '.*' and '.*'/),
    })
  })

  it('warns of partitions that its own function gives to no member', async () => {
    const { warnings, logger } = keepWarnings()
    const one = await client({ logger })
      .topic('t')
      .getBalancedConsumer({
        consumerGroup: 'g',
        zookeeperHosts: zookeeper.hosts,
        membershipProtocol: (partitions) => partitions.filter((partition) => partition > 1),
      })
    expect(one.partitions).toHaveLength(2)
    expect(warnings).toContainEqual(
      expect.stringMatching(/membershipProtocol left out t-0, t-1: no member reads them/),
    )
  })

  it('rejects a membershipProtocol function that returns a promise, by name', async () => {
    const decide = () => Promise.reject(new Error('too late'))
    const membershipProtocol = decide as unknown as MembershipProtocol
    await expect(consumer({ membershipProtocol })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'membershipProtocol returned a promise: it must return its result synchronously',
    })
  })

  it('reports errors that hooks throw, and continues', async () => {
    await produce(4)
    const first = await consumer({
      onPartitionsAssigned: () => {
        throw new Error('not today')
      },
    })
    await expect(first.consume()).rejects.toMatchObject({
      code: 'REBALANCE_FAILED',
      message: expect.stringContaining('not today'),
    })
    expect(await take(first, 4)).toEqual([0, 1, 2, 3])
  })

  it('reports the error that the revoke hook threw when it is closed', async () => {
    const first = await consumer({
      onPartitionsRevoked: () => Promise.reject(new Error('could not finish')),
    })
    await expect(first.close()).rejects.toThrow('could not finish')
    const second = await consumer()
    expect(second.partitions).toHaveLength(4)
  })

  it('takes partitions from a member that does not finish revoking them', async () => {
    await consumer({
      rebalanceTimeoutMs: 100,
      onPartitionsRevoked: () => new Promise<void>(() => undefined),
    })
    const second = await consumer()
    expect(second.partitions).toHaveLength(2)
  })

  it('notices new partitions and reads them', async () => {
    const options = { metadataMaxAgeMs: 100 }
    const first = await client(options)
      .topic('t')
      .getBalancedConsumer({ consumerGroup: 'g', zookeeperHosts: zookeeper.hosts })
    const second = await consumer({ autoCommitEnable: true })
    await second.close()
    await requestOnce(kafka.hosts, createPartitions, {
      topics: [{ name: 't', count: 6, assignments: null }],
      timeoutMs: 1_000,
      validateOnly: false,
    })
    await until(() => first.partitions.length === 6)
  })

  it('reads from brokers with TLS that ZooKeeper names (#588 of pykafka)', async () => {
    using authority = new TestAuthority()
    const { cert, key } = authority.issue({ commonName: 'broker', hosts: ['127.0.0.1'] })
    await using secure = await EmbeddedCluster.start({ zookeeper, tls: { cert, key } })
    const tls = { ca: authority.cert }
    await using own = new KafkaClient({ zookeeperHosts: secure.zookeeperHosts!, tls })
    await using producer = await own.topic('s').getProducer()
    await producer.produce('in secret')
    const options = { consumerGroup: 'g', zookeeperHosts: zookeeper.hosts }
    const first = await own.topic('s').getBalancedConsumer(options)
    expect(String((await first.consume({ timeoutMs: 5_000 }))?.value)).toBe('in secret')
  })

  it('does not create its topic, and reports that the topic does not exist', async () => {
    await expect(consumer({}, 'nothing')).rejects.toMatchObject({
      name: 'UnknownTopicError',
      topic: 'nothing',
    })
  })
})

describe('a balanced consumer of several topics', () => {
  it('divides the partitions of each topic among its members', async () => {
    const options = {
      topics: ['t', 'u'],
      consumerGroup: 'g',
      zookeeperHosts: zookeeper.hosts,
    }
    const first = await client().getBalancedConsumer(options)
    const second = await client().getBalancedConsumer(options)
    await until(() => first.assignment.length === 3 && second.assignment.length === 3)
    const topics = (consumer: typeof first) => consumer.assignment.map(({ topic }) => topic).sort()
    expect([topics(first), topics(second)]).toEqual([
      ['t', 't', 'u'],
      ['t', 't', 'u'],
    ])
  })

  it.each(['ZooKeeper', 'Kafka'] as const)(
    'is rebalanced soon after one topic was deleted, although its offsets cannot be committed (%s)',
    async (coordinator) => {
      const by =
        coordinator === 'Kafka'
          ? ({ managed: true, heartbeatIntervalMs: 50 } as const)
          : { zookeeperHosts: zookeeper.hosts }
      const options = { topics: ['t', 'u'], consumerGroup: 'g', autoCommitEnable: true, ...by }
      const first = await client().getBalancedConsumer(options)
      await using producer = await client().getProducer()
      await producer.produce('u', 'of the one that is deleted')
      await first.consume()
      await processAll(first)
      kafka.deleteTopic('u')
      // Long before the group would continue without waiting for the commit: that is a minute.
      const second = await client().getBalancedConsumer({ ...options, topics: ['t'] })
      await until(() => first.assignment.length === 2 && second.assignment.length === 2)
      // The application can do nothing about it.
      await processAll(first)
    },
  )

  it('waits for topics that match its pattern, and reads them when they are created', async () => {
    const consumer = await client({ metadataMaxAgeMs: 100 }).getBalancedConsumer({
      topics: /^new-/,
      consumerGroup: 'g',
      zookeeperHosts: zookeeper.hosts,
    })
    expect(consumer.assignment).toEqual([])
    await using producer = await client().topic('new-1').getProducer()
    await producer.produce('first')
    await until(() => consumer.assignment.length > 0)
    expect((await consumer.consume({ timeoutMs: 5_000 }))?.topic).toBe('new-1')
  })
})

describe('a session that is lost', () => {
  it('stops deliveries and commits at once, and calls the hook for lost partitions', async () => {
    await produce(40)
    const lost: number[] = []
    const { warnings, logger } = keepWarnings()
    const first = await client({ logger })
      .topic('t')
      .getBalancedConsumer({
        consumerGroup: 'g',
        zookeeperHosts: zookeeper.hosts,
        rebalanceBackoffMs: 100,
        onPartitionsLost: (partitions) => void lost.push(...partitions.map((one) => one.partition)),
      })
    await take(first, 4)
    await zookeeper.stopServer()
    await until(() => warnings.some((text) => text.includes('is lost')))
    expect(await first.consume({ timeoutMs: 50 })).toBeUndefined()
    await expect(first.commitOffsets()).rejects.toMatchObject({ code: 'PARTITION_NOT_OWNED' })
    const [session] = zookeeper.sessions
    zookeeper.expireSession(session!.id)
    await zookeeper.startServer()
    await until(() => lost.length === 4)
    // Not committed, so it begins again.
    await until(() => first.partitions.length === 4)
    expect(await take(first, 40)).toEqual(numbers(0, 40))
  })
})

describe('a ZooKeeper client that the application passes in', () => {
  it('is used, and is not closed', async () => {
    const own = createClient(zookeeper.hosts, { sessionTimeout: 4_000 })
    const connected = new Promise<void>((resolve) => own.once('connected', () => resolve()))
    own.connect()
    await connected
    const first = await consumer({ zookeeper: own })
    expect(first.partitions).toHaveLength(4)
    await first.close()
    expect(zookeeper.node('/consumers/g/owners/t')?.children).toEqual([])
    expect(zookeeper.node('/consumers/g/ids')?.children).toEqual([])
    expect(own.getState().name).toBe('SYNC_CONNECTED')
    own.close()
  })

  it('is waited for until it connects, and is reported if it never does', async () => {
    const own = createClient(zookeeper.hosts)
    await expect(
      consumer({ zookeeper: own, zookeeperConnectionTimeoutMs: 200 }),
    ).rejects.toMatchObject({
      code: 'ZOOKEEPER_UNREACHABLE',
      message: expect.stringContaining('is the client connected?'),
    })
  })

  it('ends the consumer when its session expires, and each consume() reports that', async () => {
    const own = createClient(zookeeper.hosts, { sessionTimeout: 4_000 })
    own.connect()
    const first = await consumer({ zookeeper: own, zookeeperConnectionTimeoutMs: 300 })
    zookeeper.expireSession(own.getSessionId())
    const error = {
      code: 'ZOOKEEPER_SESSION_EXPIRED',
      retriable: false,
      message: expect.stringMatching(/client of the application has ended.*: use zookeeperHosts/),
    }
    await expect(first.consume()).rejects.toMatchObject(error)
    await expect(first.consume()).rejects.toMatchObject(error)
  })
})

describe('the options of a balanced consumer', () => {
  it.each([
    [
      { zookeeperHosts: '127.0.0.1:1', zookeeperConnectionTimeoutMs: 300 },
      'no ZooKeeper server of 127.0.0.1:1 answered',
    ],
    [
      { zookeeperHosts: '127.0.0.1:1', zookeeperConnectionTimeoutMs: 300 },
      'If the cluster has no ZooKeeper, such as from Kafka 4.0 on, use another groupProtocol',
    ],
    [
      { rebalanceMaxRetries: 0 },
      "option 'rebalanceMaxRetries' must be a whole number of at least 1",
    ],
    [
      { membershipProtocol: 'sticky' },
      "option 'membershipProtocol' must be one of range, roundrobin, or a function",
    ],
    [{ zookeeperHosts: 'zk:2181,' }, 'zookeeperHosts: must be'],
    [{ zookeeperHosts: 'zk:2181:1' }, 'zookeeperHosts: must be'],
    [{ zookeeperAuth: { scheme: 'digest' } }, "option 'zookeeperAuth' must be"],
    [{ stopAtEnd: true }, "has no option 'stopAtEnd'"],
    [{ consumerGroup: 'a/b' }, "consumerGroup 'a/b' cannot be the name of a znode"],
    [{ groupInstanceId: 'me' }, "option 'groupInstanceId' is for groups that Kafka coordinates"],
    [{ managed: true }, "option 'zookeeperHosts' is for groups that ZooKeeper coordinates"],
    [{ consumerGroup: undefined }, "option 'consumerGroup' is missing"],
  ])('are rejected with an error that names the problem: %o', async (options, message) => {
    await expect(consumer(options as Options)).rejects.toThrow(message)
  })

  it('are rejected with a chroot that does not exist', async () => {
    await expect(consumer({ zookeeperHosts: `${zookeeper.hosts}/nowhere` })).rejects.toMatchObject({
      code: 'ZOOKEEPER_NO_CHROOT',
      message: expect.stringContaining('check that the chroot exists'),
    })
  })

  it('accept a chroot that exists', async () => {
    zookeeper.create('/somewhere')
    const first = await consumer({ zookeeperHosts: `${zookeeper.hosts}/somewhere` })
    expect(first.partitions).toHaveLength(4)
    expect(zookeeper.node('/somewhere/consumers/g/ids')?.children).toHaveLength(1)
  })

  it('must include zookeeperAuth for znodes that another login protects', async () => {
    const zookeeperAuth = { scheme: 'digest', auth: 'name:password' }
    const first = await consumer({ zookeeperAuth })
    expect(first.partitions).toHaveLength(4)
    await expect(consumer()).rejects.toMatchObject({
      code: 'ZOOKEEPER_NOT_ALLOWED',
      message: expect.stringContaining('zookeeperAuth'),
    })
    const second = await consumer({ zookeeperAuth })
    expect(second.partitions).toHaveLength(2)
  })
})
