import { afterEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import {
  Kafka,
  logLevel,
  type Consumer,
  type ConsumerConfig,
  type KafkaConfig,
} from '../../src/kafkajs/index.ts'
import { TestAuthority } from '../support/certificates.ts'
import { until } from '../support/until.ts'

let cluster: EmbeddedCluster
let opened: { disconnect(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(opened.map((one) => one.disconnect()))
  opened = []
  await cluster.stop()
})

function keep<T extends { disconnect(): Promise<void> }>(one: T): T {
  opened.push(one)
  return one
}

async function start(
  options: EmbeddedClusterOptions,
  config: Partial<KafkaConfig> = {},
): Promise<Kafka> {
  cluster = await EmbeddedCluster.start(options)
  return new Kafka({
    brokers: cluster.hosts.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 2, initialRetryTime: 20 },
    ...config,
  })
}

/** A member that is reading; `joins` has the topics and partitions of each generation. */
async function member(app: Kafka, config: Partial<ConsumerConfig>, seen: string[] = []) {
  const consumer: Consumer = keep(
    app.consumer({ groupId: 'g', heartbeatInterval: 20, maxWaitTimeInMs: 50, ...config }),
  )
  const joins: { memberId: string; partitions: number[] }[] = []
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const { memberId, memberAssignment } = payload
    joins.push({ memberId, partitions: memberAssignment['t'] ?? [] })
  })
  await consumer.subscribe({ topics: ['t'], fromBeginning: true })
  await consumer.run({
    eachMessage: ({ message }) => {
      seen.push(String(message.value))
      return Promise.resolve()
    },
  })
  await until(() => joins.length > 0)
  return { consumer, joins }
}

describe('samsa/kafkajs', () => {
  it('connects to TLS listeners with the options of ssl, and reports a certificate that is not trusted', async () => {
    using authority = new TestAuthority()
    const { cert, key } = authority.issue({ commonName: 'broker', hosts: ['127.0.0.1'] })
    const topics = { t: { partitions: 1 } }
    const app = await start({ topics, tls: { cert, key } }, { ssl: { ca: authority.cert } })
    const admin = keep(app.admin())
    await admin.connect()
    expect(await admin.listTopics()).toEqual(['t'])
    const distrusting = new Kafka({
      brokers: cluster.hosts.split(','),
      ssl: true,
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    })
    await expect(keep(distrusting.admin()).connect()).rejects.toMatchObject({
      name: expect.stringMatching(/^KafkaJS/) as unknown,
    })
  })

  it('logs in with the token of oauthBearerProvider', async () => {
    const asked: number[] = []
    const app = await start(
      { sasl: { validateToken: ({ value }) => (value === 'good' ? { name: 'ann' } : undefined) } },
      {
        sasl: {
          mechanism: 'oauthbearer',
          oauthBearerProvider: () => {
            asked.push(1)
            return Promise.resolve({ value: 'good' })
          },
        },
      },
    )
    const admin = keep(app.admin())
    await admin.connect()
    expect(await admin.listTopics()).toEqual([])
    expect(asked.length).toBeGreaterThan(0)
  })

  it('continues to read after all brokers were restarted', async () => {
    const app = await start({ topics: { t: { partitions: 1 } } })
    const producer = keep(app.producer({ retry: { retries: 20, initialRetryTime: 20 } }))
    await producer.connect()
    await producer.send({ topic: 't', messages: [{ value: 'before' }] })
    const seen: string[] = []
    await member(app, { retry: { retries: 20, initialRetryTime: 20 } }, seen)
    await until(() => seen.includes('before'))
    for (const id of cluster.brokerIds) await cluster.stopBroker(id)
    for (const id of cluster.brokerIds) await cluster.startBroker(id)
    await producer.send({ topic: 't', messages: [{ value: 'after' }] })
    await until(() => seen.includes('after'))
  })

  it('keeps the member and the partitions of a groupInstanceId over a restart of the consumer', async () => {
    const app = await start({ topics: { t: { partitions: 2 } } })
    const first = await member(app, { groupInstanceId: 'one' })
    const description = await first.consumer.describeGroup()
    expect(description.members).toHaveLength(1)
    await first.consumer.stop()
    // A member without an instance id would have left the group.
    expect((await first.consumer.describeGroup()).members).toHaveLength(1)
    await first.consumer.run({ eachMessage: () => Promise.resolve() })
    await until(() => first.joins.length > 1)
    expect(first.joins.map(({ partitions }) => partitions)).toEqual([
      [0, 1],
      [0, 1],
    ])
  })

  it('joins with the cooperative-sticky assignor, and shares partitions with a second member', async () => {
    const app = await start({ topics: { t: { partitions: 2 } } })
    const config = { partitionAssignment: 'cooperative-sticky' } as const
    const first = await member(app, config)
    const second = await member(app, config)
    await until(
      () =>
        first.joins.at(-1)?.partitions.length === 1 && second.joins.at(-1)?.partitions.length === 1,
    )
    const { protocol } = await first.consumer.describeGroup()
    expect(protocol).toBe('cooperative-sticky')
    const shares = [first, second].flatMap(({ joins }) => joins.at(-1)!.partitions)
    expect(shares.sort()).toEqual([0, 1])
  })

  it('reports topics that the leader has assigned to a member that has not subscribed to them', async () => {
    const app = await start({ topics: { t: { partitions: 1 }, u: { partitions: 2 } } })
    const [leader, other] = [0, 1].map(() =>
      keep(app.consumer({ groupId: 'g', heartbeatInterval: 20 })),
    )
    let isAlone = false
    leader!.on(leader!.events.GROUP_JOIN, () => {
      isAlone = true
    })
    await leader!.subscribe({ topics: ['t', 'u'] })
    await leader!.run({ eachMessage: () => Promise.resolve() })
    await until(() => isAlone)
    const reported: unknown[] = []
    other!.on(other!.events.RECEIVED_UNSUBSCRIBED_TOPICS, ({ payload }) => {
      reported.push([payload.topicsSubscribed, payload.topicsNotSubscribed])
    })
    await other!.subscribe({ topics: ['t'] })
    await other!.run({ eachMessage: () => Promise.resolve() })
    await until(() => reported.length > 0)
    expect(reported[0]).toEqual([['t'], ['u']])
  })
})
