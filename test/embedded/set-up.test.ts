import { describe, expect, it } from '@jest/globals'
import {
  createTopics,
  describeCluster,
  describeConfigs,
  findCoordinator,
  metadata,
} from '../../protocol/apis/index.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import { KafkaClient, type SaslOptions } from '../../src/index.ts'
import { TestAuthority } from '../support/certificates.ts'
import { RawClient } from './support/raw-client.ts'
import { rawClientOf } from './support/requests.ts'

async function produceAt(hosts: string, options: { sasl?: SaslOptions; tls?: { ca: string } }) {
  await using client = new KafkaClient({ hosts, ...options })
  const producer = await client.topic('t').getProducer()
  return await producer.produce('hello')
}

const alice = (mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512', password: string) =>
  ({ mechanism, username: 'alice', password }) as const

describe('the set-up of an embedded cluster', () => {
  it('assigns the requested ids to the brokers', async () => {
    await using kafka = await EmbeddedCluster.start({ brokerIds: [0, 7], topics: { t: {} } })
    expect(kafka.brokerIds).toEqual([0, 7])
    using raw = await RawClient.open(kafka.ports[1]!)
    const { brokers, topics } = await raw.request(metadata, 12, { topics: [{ name: 't' }] })
    expect(brokers.map(({ nodeId, port }) => [nodeId, port])).toEqual([
      [0, kafka.ports[0]],
      [7, kafka.ports[1]],
    ])
    expect([...topics[0]!.partitions[0]!.replicaNodes].sort()).toEqual([0, 7])
    await kafka.stopBroker(7)
    expect(kafka.leaderOf('t', 0)).toBe(0)
  })

  it('has topics with the default number of replicas', async () => {
    await using kafka = await EmbeddedCluster.start({ brokers: 3, defaultReplicationFactor: 1 })
    using raw = await rawClientOf(kafka)
    const wanted = {
      name: 't',
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [],
      configs: [],
    }
    const { topics } = await raw.request(createTopics, 7, { topics: [wanted], timeoutMs: 1_000 })
    expect(topics[0]).toMatchObject({ errorCode: 0, replicationFactor: 1 })
  })

  it("has several listeners with different security, and returns the addresses of the client's own listener", async () => {
    using authority = new TestAuthority()
    const server = authority.issue({ commonName: 'broker', hosts: ['127.0.0.1'] })
    const tls = { cert: server.cert, key: server.key }
    const trust = { ca: authority.cert }
    await using kafka = await EmbeddedCluster.start({
      brokers: 2,
      topics: { t: { partitions: 2 } },
      listeners: {
        ENCRYPTED: { tls },
        LOGIN: { sasl: { users: { alice: 'alice-secret' } } },
        BOTH: { tls, sasl: { users: { alice: 'other-secret' } } },
      },
    })
    await expect(produceAt(kafka.hosts, {})).resolves.toMatchObject({ offset: 0 })
    await produceAt(kafka.hostsOf('ENCRYPTED'), { tls: trust })
    await produceAt(kafka.hostsOf('LOGIN'), { sasl: alice('PLAIN', 'alice-secret') })
    await produceAt(kafka.hostsOf('BOTH'), { tls: trust, sasl: alice('PLAIN', 'other-secret') })
    expect(
      new Set(kafka.requests.all({ api: 'Produce' }).map(({ principal }) => principal)),
    ).toEqual(new Set(['User:ANONYMOUS', 'User:alice']))
    // What a client of one listener learns of the brokers are their addresses at that listener.
    using raw = await rawClientOf(kafka)
    const { brokers } = await raw.request(describeCluster, 1, {
      includeClusterAuthorizedOperations: false,
    })
    const at = (hosts: readonly { host: string; port: number }[]) =>
      hosts.map(({ host, port }) => `${host}:${port}`).join(',')
    expect(at(brokers)).toBe(kafka.hosts)
    expect(() => kafka.hostsOf('NOPE')).toThrow("the cluster has no listener 'NOPE'")
    const ports = kafka.hostsOf('LOGIN')
    await kafka.stopBroker(2)
    await kafka.startBroker(2)
    expect(kafka.hostsOf('LOGIN')).toBe(ports)
  })

  it('has a password for each mechanism', async () => {
    await using kafka = await EmbeddedCluster.start({
      topics: { t: {} },
      sasl: { users: { alice: { PLAIN: 'one', 'SCRAM-SHA-256': 'two' } } },
    })
    await produceAt(kafka.hosts, { sasl: alice('PLAIN', 'one') })
    await produceAt(kafka.hosts, { sasl: alice('SCRAM-SHA-256', 'two') })
    for (const wrong of [alice('PLAIN', 'two'), alice('SCRAM-SHA-512', 'two')]) {
      await expect(produceAt(kafka.hosts, { sasl: wrong })).rejects.toMatchObject({
        code: 'SASL_AUTHENTICATION_FAILED',
      })
    }
  })

  it.each<[string, EmbeddedClusterOptions]>([
    ["option 'brokerIds' must have a different id for each broker", { brokerIds: [1, 1] }],
    [
      "option 'brokerIds' must have a different id for each broker",
      { brokers: 3, brokerIds: [1, 2] },
    ],
    ['2 brokers require 2 racks, not 1', { brokers: 2, racks: ['a'] }],
    ["'login' is not a valid listener name", { listeners: { login: {} } }],
    [
      "listener 'LOGIN': 1 brokers require 1 ports, not 2",
      { listeners: { LOGIN: { ports: [0, 0] } } },
    ],
    ["sasl: user 'alice' must have a name and a password", { sasl: { users: { alice: {} } } }],
  ])('is rejected if it is invalid: %s', async (words, options) => {
    await expect(EmbeddedCluster.start(options)).rejects.toThrow(words)
  })

  it('has a rack for each broker, in all responses that name brokers', async () => {
    await using kafka = await EmbeddedCluster.start({
      brokerIds: [5, 6],
      racks: ['a', null],
      topics: { t: {} },
    })
    const racks = (brokers: readonly { rack: string | null }[]) => brokers.map(({ rack }) => rack)
    using raw = await rawClientOf(kafka)
    expect(racks((await raw.request(metadata, 12, { topics: [] })).brokers)).toEqual(['a', null])
    const asked = { includeClusterAuthorizedOperations: false }
    expect(racks((await raw.request(describeCluster, 1, asked)).brokers)).toEqual(['a', null])
    const resource = { resourceType: 4, resourceName: '5', configurationKeys: ['broker.rack'] }
    const { results } = await raw.request(describeConfigs, 4, { resources: [resource] })
    expect(results[0]!.configs[0]!.value).toBe('a')
  })

  it('is visible in the configs of its brokers', async () => {
    await using kafka = await EmbeddedCluster.start({
      brokerIds: [5],
      defaultPartitions: 4,
      autoCreateTopics: false,
      listeners: { LOGIN: { sasl: { users: { alice: 'secret' } } } },
    })
    using raw = await rawClientOf(kafka)
    const names = ['node.id', 'num.partitions', 'auto.create.topics.enable', 'listeners']
    const { results } = await raw.request(describeConfigs, 4, {
      resources: [{ resourceType: 4, resourceName: '5', configurationKeys: names }],
    })
    const values = results[0]!.configs.map(({ name, value }) => [name, value])
    expect(Object.fromEntries(values)).toEqual({
      'node.id': '5',
      'num.partitions': '4',
      'auto.create.topics.enable': 'false',
      listeners: `PLAINTEXT://${kafka.hosts},LOGIN://${kafka.hostsOf('LOGIN')}`,
    })
  })
})

describe('an embedded broker', () => {
  it.each([
    ['3.9', 'LEADER_NOT_AVAILABLE'],
    ['2.8', 'LEADER_NOT_AVAILABLE'],
    ['0.11', 'LEADER_NOT_AVAILABLE'],
    ['4.4', 'UNKNOWN_TOPIC_OR_PARTITION'],
  ] as const)(
    'of Kafka %s answers %s for a topic whose creation it starts',
    async (version, error) => {
      await using kafka = await EmbeddedCluster.start({ version })
      using raw = await rawClientOf(kafka)
      const request = { topics: [{ name: 't' }], allowAutoTopicCreation: true }
      const first = await raw.request(metadata, 4, request)
      expect(first.topics[0]).toMatchObject({ errorCode: ErrorCode[error], partitions: [] })
      const second = await raw.request(metadata, 4, request)
      expect(second.topics[0]).toMatchObject({ errorCode: 0 })
    },
  )

  it('names the coordinator of a transaction', async () => {
    await using kafka = await EmbeddedCluster.start()
    using raw = await rawClientOf(kafka)
    const found = await raw.request(findCoordinator, 4, { keyType: 1, coordinatorKeys: ['tx'] })
    expect(found.coordinators[0]).toMatchObject({ errorCode: 0, nodeId: 1, port: kafka.ports[0] })
  })
})
