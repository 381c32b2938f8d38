import { expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type NewAcl } from '../../src/index.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { failureOf } from '../support/settled.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'

const ALICE = { mechanism: 'SCRAM-SHA-256', username: 'alice', password: 'alice-secret' } as const
const OPTIONS = {
  topics: { orders: {}, 'orders-eu': {}, bills: {} },
  authorizer: { superUsers: ['User:ANONYMOUS'] },
  delegationTokenSecretKey: 'a key for tests',
  listeners: { LOGIN: { sasl: { users: { alice: ALICE.password } } } },
}

/** The topics that alice sees under these ACLs. */
async function seenWith(acls: readonly NewAcl[], options: object = {}): Promise<string[]> {
  await using kafka = await EmbeddedCluster.start({ ...OPTIONS, ...options })
  await using admin = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
  await admin.admin.createAcls(acls)
  await using alice = new KafkaClient({ ...QUICK, hosts: kafka.hostsOf('LOGIN'), sasl: ALICE })
  return (await alice.admin.listTopics()).map(({ topic }) => topic)
}

const READ = { resourceType: 'topic', principal: 'User:alice', operation: 'read' } as const
const ORDERS = { ...READ, resourceName: 'orders' } as const

it('the authorizer matches literal names, prefixes and the wildcard, for a principal and for everyone', async () => {
  expect(await seenWith([ORDERS])).toEqual(['orders'])
  expect(await seenWith([{ ...ORDERS, patternType: 'prefixed' }])).toEqual(['orders', 'orders-eu'])
  expect(await seenWith([{ ...READ, resourceName: '*' }])).toHaveLength(3)
  expect(await seenWith([{ ...ORDERS, principal: 'User:*' }])).toEqual(['orders'])
  expect(await seenWith([{ ...ORDERS, principal: 'User:bob' }])).toEqual([])
})

it('the authorizer matches the host that a client connects from', async () => {
  expect(await seenWith([{ ...ORDERS, host: '127.0.0.1' }])).toEqual(['orders'])
  expect(await seenWith([{ ...ORDERS, host: '10.0.0.1' }])).toEqual([])
})

it('one denial outweighs all permissions, and implies no other denial', async () => {
  const all = { ...READ, resourceName: '*', operation: 'all' } as const
  const denied = { ...ORDERS, patternType: 'prefixed', permission: 'deny' } as const
  expect(await seenWith([all, { ...denied, operation: 'describe' }])).toEqual(['bills'])
  expect(await seenWith([all, { ...denied, operation: 'read' }])).toHaveLength(3)
})

it('the authorizer allows access to resources without ACLs if it is configured to', async () => {
  const authorizer = { ...OPTIONS.authorizer, allowEveryoneIfNoAclFound: true }
  expect(await seenWith([{ ...ORDERS, principal: 'User:bob' }], { authorizer })).toEqual([
    'bills',
    'orders-eu',
  ])
})

it.each(['2.8', '3.9'] as const)(
  'a client without the right may not describe log directories, on Kafka %s',
  async (version) => {
    await using kafka = await EmbeddedCluster.start({ ...OPTIONS, version })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    await using alice = new KafkaClient({ ...QUICK, hosts: kafka.hostsOf('LOGIN'), sasl: ALICE })
    const refused = { broker: 1, error: { code: 'CLUSTER_AUTHORIZATION_FAILED' } }
    const replica = { topic: 'orders', partition: 0, broker: 1 }
    const orders = { partitions: [replica] }
    expect(await alice.admin.describeLogDirs()).toMatchObject([{ ...refused, logDirs: [] }])
    expect(await alice.admin.describeLogDirs([1], orders)).toMatchObject([refused])
    expect(await alice.admin.describeReplicaLogDirs([replica])).toMatchObject([refused])
    const elsewhere = { partitions: [{ topic: 'none', partition: 0 }] }
    const [allowed] = await client.admin.describeLogDirs([1], elsewhere)
    expect(allowed).toMatchObject({ broker: 1, logDirs: [{ replicas: [] }] })
    expect(allowed).not.toHaveProperty('error')
  },
)

it('a cluster keeps ACLs, users, quotas and tokens in its data folder', async () => {
  using folder = new TemporaryFolder()
  const options = { ...OPTIONS, dataDir: folder.path }
  const bob = { user: 'bob', mechanism: 'SCRAM-SHA-256' } as const
  const ask = async (kafka: EmbeddedCluster) => {
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    await using alice = new KafkaClient({ ...QUICK, hosts: kafka.hostsOf('LOGIN'), sasl: ALICE })
    return {
      acls: await client.admin.describeAcls(),
      users: await client.admin.describeUserScramCredentials(),
      quotas: await client.admin.describeClientQuotas(),
      tokens: await alice.admin.describeDelegationTokens(),
    }
  }
  let before: Awaited<ReturnType<typeof ask>>
  {
    await using kafka = await EmbeddedCluster.start(options)
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const { admin } = client
    await admin.createAcls([ORDERS, { ...ORDERS, host: '10.0.0.1' }])
    await admin.deleteAcls([{ host: '10.0.0.1' }])
    await admin.alterUserScramCredentials([
      { ...bob, password: 'bob-secret' },
      { ...bob, user: 'carol', password: 'carol-secret' },
    ])
    await admin.alterUserScramCredentials([{ ...bob, user: 'carol', delete: true }])
    const set = { producer_byte_rate: 5_000 }
    await admin.alterClientQuotas([
      { entity: { user: null }, set },
      { entity: { user: 'bob' }, set },
    ])
    await admin.alterClientQuotas([{ entity: { user: 'bob' }, delete: ['producer_byte_rate'] }])
    await using alice = new KafkaClient({ ...QUICK, hosts: kafka.hostsOf('LOGIN'), sasl: ALICE })
    const gone = await alice.admin.createDelegationToken()
    await alice.admin.createDelegationToken()
    await alice.admin.expireDelegationToken(gone.hmac)
    before = await ask(kafka)
  }
  await using kafka = await EmbeddedCluster.start(options)
  expect(await ask(kafka)).toEqual(before)
  expect(before.acls).toHaveLength(1)
  expect(before.quotas).toHaveLength(1)
  expect(before.tokens).toHaveLength(1)
  const hosts = kafka.hostsOf('LOGIN')
  const sasl = { ...ALICE, username: 'bob', password: 'bob-secret' }
  await using client = new KafkaClient({ ...QUICK, hosts, sasl })
  expect(await client.admin.listTopics()).toEqual([])
  const carol = { ...sasl, username: 'carol', password: 'carol-secret' }
  await using refused = new KafkaClient({ ...QUICK, hosts, sasl: carol })
  expect(await failureOf(refused.admin.listTopics())).toMatchObject({
    code: 'SASL_AUTHENTICATION_FAILED',
  })
})
