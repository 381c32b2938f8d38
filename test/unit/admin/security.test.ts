import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { ItemsFailedError, KafkaClient, type Admin, type Item } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

const USERS = { admin: 'admin-secret', alice: 'alice-secret' }
let kafka: EmbeddedCluster
let admin: Admin
let alice: KafkaClient
const clients: KafkaClient[] = []

function clientOf(username: string, password: string, options: { tokenAuth?: boolean } = {}) {
  const sasl = { mechanism: 'SCRAM-SHA-256', username, password, ...options } as const
  const client = new KafkaClient({ ...QUICK, hosts: kafka.hosts, sasl })
  clients.push(client)
  return client
}

beforeAll(async () => {
  kafka = await EmbeddedCluster.start({
    topics: { orders: { partitions: 2 }, secrets: {} },
    sasl: { users: USERS },
    authorizer: { superUsers: ['User:admin'] },
    delegationTokenSecretKey: 'a key for tests',
  })
  admin = clientOf('admin', USERS.admin).admin
  alice = clientOf('alice', USERS.alice)
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await kafka.stop()
})

const READ = {
  resourceType: 'topic',
  resourceName: 'orders',
  principal: 'User:alice',
  operation: 'read',
} as const

function codesOf(results: readonly Item[]): (string | undefined)[] {
  return results.map(({ error }) => error?.code)
}

describe('ACLs', () => {
  it('are created, described in order by filters, and deleted', async () => {
    const created = await admin.createAcls([
      { ...READ, resourceName: 'z', patternType: 'prefixed', permission: 'deny' },
      { ...READ, resourceName: 'a', host: '10.0.0.1', operation: 'all' },
    ])
    expect(created[0]).toEqual({
      ...READ,
      resourceName: 'z',
      patternType: 'prefixed',
      host: '*',
      permission: 'deny',
    })
    const described = await admin.describeAcls()
    expect(described.map(({ resourceName }) => resourceName)).toEqual(['a', 'z'])
    expect(described[1]).toEqual(created[0])
    expect(await admin.describeAcls({ permission: 'deny' })).toEqual([created[0]])
    const about = { resourceName: 'zebra', resourceType: 'topic' } as const
    expect(await admin.describeAcls(about)).toEqual([])
    expect(await admin.describeAcls({ ...about, patternType: 'match' })).toEqual([created[0]])
    const [deleted] = await admin.deleteAcls([{ principal: 'User:alice' }])
    expect(deleted?.deleted).toEqual(described)
    expect(await admin.describeAcls()).toEqual([])
  })

  it('get an error each if they cannot be created, and the others are created', async () => {
    const wrong = {
      ...READ,
      resourceType: 'cluster',
      resourceName: 'mine',
      operation: 'create',
    } as const
    const failed = await failureOf(admin.createAcls([READ, wrong]))
    if (!(failed instanceof ItemsFailedError)) throw failed
    expect(codesOf(failed.results)).toEqual([undefined, 'INVALID_REQUEST'])
    expect(failed.message).toContain("allow User:alice create on cluster 'mine'")
    expect(await admin.describeAcls()).toHaveLength(1)
    await admin.deleteAcls([{ patternType: 'any' }])
  })

  it('are not deleted by a filter that matches nothing', async () => {
    expect(await failureOf(admin.deleteAcls([{}]))).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('cause an error when brokers have no authorizer', async () => {
    await using plain = await EmbeddedCluster.start()
    await using client = new KafkaClient({ ...QUICK, hosts: plain.hosts })
    expect(await failureOf(client.admin.describeAcls())).toMatchObject({
      code: 'SECURITY_DISABLED',
    })
  })
})

describe('a client without rights', () => {
  it('learns which item it may not change and what to do, and the others are changed', async () => {
    await admin.createAcls([
      { ...READ, resourceName: 'alice-', patternType: 'prefixed', operation: 'all' },
      {
        ...READ,
        resourceType: 'group',
        resourceName: 'alice-',
        patternType: 'prefixed',
        operation: 'all',
      },
    ])
    const topics = ['alice-1', 'bob-1'].map((topic) => ({ topic, partitions: 1 }))
    const failed = await failureOf(alice.admin.createTopics(topics))
    if (!(failed instanceof ItemsFailedError)) throw failed
    expect(codesOf(failed.results)).toEqual([undefined, 'TOPIC_AUTHORIZATION_FAILED'])
    expect(failed.message).toContain("creating topic 'bob-1'")
    expect(failed.message).toContain('Grant it with an ACL')
    expect(kafka.topics).toContain('alice-1')
    expect(kafka.topics).not.toContain('bob-1')

    const settle = { settle: true }
    const set = { 'retention.ms': '1000' }
    const resources = ['alice-1', 'orders'].map((name) => ({ type: 'topic', name }) as const)
    const changes = resources.map((resource) => ({ ...resource, set }))
    const denied = [undefined, 'TOPIC_AUTHORIZATION_FAILED']
    expect(codesOf(await alice.admin.incrementalAlterConfigs(changes, settle))).toEqual(denied)
    expect(codesOf(await alice.admin.describeConfigs(resources))).toEqual(denied)
    const counts = ['alice-1', 'orders'].map((topic) => ({ topic, count: 3 }))
    expect(codesOf(await alice.admin.createPartitions(counts, settle))).toEqual(denied)
    const described = await alice.admin.describeTopics(['alice-1', 'orders'])
    expect(codesOf(described)).toEqual(denied)
    const listed = await alice.admin.listTopics()
    expect(listed.map(({ topic }) => topic)).toEqual(['alice-1'])
    const partitions = ['alice-1', 'orders'].map((topic) => ({ topic, partition: 0 }))
    expect(codesOf(await alice.admin.listOffsets(partitions, 'latest'))).toEqual(denied)
    const records = partitions.map((one) => ({ ...one, beforeOffset: 0 }))
    expect(codesOf(await alice.admin.deleteRecords(records, settle))).toEqual(denied)
    const offsets = partitions.map((one) => ({ ...one, offset: 0 }))
    expect(codesOf(await alice.admin.alterGroupOffsets('alice-group', offsets, settle))).toEqual(
      denied,
    )
    const noGroup = [undefined, 'GROUP_AUTHORIZATION_FAILED']
    expect(codesOf(await alice.admin.listGroupOffsets(['alice-group', 'bob-group']))).toEqual(
      noGroup,
    )
    expect(codesOf(await alice.admin.describeGroups(['alice-group', 'bob-group']))).toEqual(noGroup)
    expect(codesOf(await alice.admin.deleteGroups(['alice-group', 'bob-group'], settle))).toEqual(
      noGroup,
    )
    expect(codesOf(await alice.admin.deleteTopics(['alice-1', 'orders'], settle))).toEqual(denied)
    expect(kafka.topics).toContain('orders')
    await admin.deleteAcls([{ patternType: 'any' }])
  })

  it('may neither see nor change ACLs, users and quotas', async () => {
    const code = 'CLUSTER_AUTHORIZATION_FAILED'
    expect(await failureOf(alice.admin.describeAcls())).toMatchObject({ code })
    expect(await failureOf(alice.admin.createAcls([READ]))).toMatchObject({ code })
    expect(await failureOf(alice.admin.describeUserScramCredentials())).toMatchObject({ code })
    expect(await failureOf(alice.admin.describeClientQuotas())).toMatchObject({ code })
    const change = { entity: { user: 'alice' }, set: { producer_byte_rate: 1 } }
    expect(await failureOf(alice.admin.alterClientQuotas([change]))).toMatchObject({ code })
  })

  it('reads and writes what ACLs allow, and a denial outweighs them', async () => {
    const code = 'TOPIC_AUTHORIZATION_FAILED'
    const group = { ...READ, resourceType: 'group', resourceName: '*' } as const
    await admin.createAcls([{ ...READ, operation: 'write' }, READ, group])
    await using producer = await alice.topic('orders').getProducer({ lingerMs: 0 })
    await producer.produce('mine')
    const options = { consumerGroup: 'g', stopAtEnd: true }
    const values: string[] = []
    await using consumer = await alice.topic('orders').getSimpleConsumer(options)
    for await (const message of consumer) values.push(String(message.value))
    expect(values).toEqual(['mine'])
    await admin.createAcls([
      { ...READ, principal: 'User:*', operation: 'write', permission: 'deny' },
    ])
    expect(await failureOf(Promise.resolve(producer.produce('no longer')))).toMatchObject({ code })
    expect(await failureOf(alice.topic('secrets').getProducer())).toMatchObject({ code })
    await admin.deleteAcls([{ patternType: 'any' }])
  })
})

describe('SCRAM users', () => {
  it('can log in as soon as they are created, and no longer once they are deleted', async () => {
    const bob = { user: 'bob', mechanism: 'SCRAM-SHA-256' } as const
    const sha512 = {
      user: 'bob',
      mechanism: 'SCRAM-SHA-512',
      password: 'x',
      iterations: 8192,
    } as const
    await admin.alterUserScramCredentials([{ ...bob, password: 'bob-secret' }, sha512])
    const [described] = await admin.describeUserScramCredentials(['bob'])
    expect(described).toEqual({
      user: 'bob',
      credentials: [
        { mechanism: 'SCRAM-SHA-256', iterations: 4096 },
        { mechanism: 'SCRAM-SHA-512', iterations: 8192 },
      ],
    })
    expect(await clientOf('bob', 'bob-secret').admin.listTopics()).toEqual([])
    const wrong = clientOf('bob', 'wrong').admin.listTopics()
    expect(await failureOf(wrong)).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
    await admin.alterUserScramCredentials([{ ...bob, delete: true }])
    const gone = clientOf('bob', 'bob-secret').admin.listTopics()
    expect(await failureOf(gone)).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
  })

  it('get an error each if they cannot be altered, without their passwords', async () => {
    const failed = await failureOf(
      admin.alterUserScramCredentials([
        { user: 'carol', mechanism: 'SCRAM-SHA-256', password: 'hush', iterations: 10 },
        { user: 'dave', mechanism: 'SCRAM-SHA-256', delete: true },
        { user: 'erin', mechanism: 'SCRAM-SHA-256', password: 'hush' },
      ]),
    )
    if (!(failed instanceof ItemsFailedError)) throw failed
    expect(codesOf(failed.results)).toEqual([
      'UNACCEPTABLE_CREDENTIAL',
      'RESOURCE_NOT_FOUND',
      undefined,
    ])
    expect(JSON.stringify(failed)).not.toContain('hush')
    const [missing] = await admin.describeUserScramCredentials(['nobody'])
    expect(missing?.error).toMatchObject({ code: 'RESOURCE_NOT_FOUND' })
  })
})

describe('client quotas', () => {
  it('are set, described by filters in order, validated without a change, and removed', async () => {
    await admin.alterClientQuotas([
      { entity: { user: 'alice', clientId: 'app' }, set: { producer_byte_rate: 2000 } },
      { entity: { user: 'alice' }, set: { producer_byte_rate: 1000, consumer_byte_rate: 3000 } },
      { entity: { user: null }, set: { consumer_byte_rate: 4000 } },
    ])
    const all = await admin.describeClientQuotas()
    expect(all.map(({ entity }) => entity)).toEqual([
      { user: null },
      { user: 'alice' },
      { user: 'alice', clientId: 'app' },
    ])
    expect(all[1]?.quotas).toEqual({ consumer_byte_rate: 3000, producer_byte_rate: 1000 })
    expect(await admin.describeClientQuotas({ user: 'alice' })).toHaveLength(2)
    expect(await admin.describeClientQuotas({ user: 'alice', strict: true })).toEqual([all[1]])
    expect(await admin.describeClientQuotas({ user: null })).toEqual([all[0]])
    expect(await admin.describeClientQuotas({ clientId: true })).toEqual([all[2]])
    const change = { entity: { user: 'alice' }, delete: ['producer_byte_rate'] }
    await admin.alterClientQuotas([change], { validateOnly: true })
    expect(await admin.describeClientQuotas()).toEqual(all)
    const wrong = { entity: { user: 'bob' }, set: { no_such_rate: 1 } }
    const results = await admin.alterClientQuotas([change, wrong], { settle: true })
    expect(codesOf(results)).toEqual([undefined, 'INVALID_REQUEST'])
    expect(await admin.describeClientQuotas({ user: 'alice', strict: true })).toEqual([
      { entity: { user: 'alice' }, quotas: { consumer_byte_rate: 3000 } },
    ])
    const ofAll = all.map(({ entity, quotas }) => ({ entity, delete: Object.keys(quotas) }))
    await admin.alterClientQuotas(ofAll)
    expect(await admin.describeClientQuotas()).toEqual([])
  })
})

describe('delegation tokens', () => {
  it('are created, log in their owner, are renewed and described, and expire', async () => {
    const token = await alice.admin.createDelegationToken({ renewers: ['User:bob'] })
    expect(token).toMatchObject({
      owner: 'User:alice',
      requester: 'User:alice',
      renewers: ['User:bob'],
    })
    const byToken = clientOf(token.tokenId, token.hmac, { tokenAuth: true })
    expect(await byToken.admin.listTopics()).toEqual([])
    expect(kafka.requests.all({ api: 'Metadata' }).at(-1)?.principal).toBe('User:alice')
    expect(await failureOf(byToken.admin.createDelegationToken())).toMatchObject({
      code: 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED',
    })
    const { expiryTimestampMs } = await alice.admin.renewDelegationToken(token.hmac, {
      renewPeriodMs: 60_000,
    })
    expect(expiryTimestampMs).toBeLessThan(token.expiryTimestampMs)
    expect(await alice.admin.describeDelegationTokens()).toEqual([{ ...token, expiryTimestampMs }])
    expect(await admin.describeDelegationTokens({ owners: ['User:nobody'] })).toEqual([])
    await alice.admin.expireDelegationToken(token.hmac)
    expect(await alice.admin.describeDelegationTokens()).toEqual([])
    const again = clientOf(token.tokenId, token.hmac, { tokenAuth: true }).admin.listTopics()
    expect(await failureOf(again)).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
  })

  it('for another owner need the right to create them', async () => {
    expect(
      await failureOf(alice.admin.createDelegationToken({ owner: 'User:admin' })),
    ).toMatchObject({
      code: 'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
    })
    const token = await admin.createDelegationToken({ owner: 'User:alice' })
    expect(token).toMatchObject({ owner: 'User:alice', requester: 'User:admin' })
  })
})
