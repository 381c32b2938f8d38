import { afterAll, beforeAll, expect, it } from '@jest/globals'
import * as apis from '../../protocol/apis/index.ts'
import { saslAuthenticate, saslHandshake } from '../../protocol/apis/index.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { TestAuthority } from '../support/certificates.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { authorizerConfig, secureSettings, tokenConfig, USER } from '../support/kafka/secure.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import type { Difference } from './support/compare.ts'
import { batch } from './support/differential/requests.ts'
import { DENIALS } from './support/differential/denied-steps.ts'
import { SECURITY_STEPS } from './support/differential/security-steps.ts'
import {
  differencesIn,
  unknownOf,
  type KnownDifference,
  type Sides,
} from './support/differential/sides.ts'
import { Side } from './support/differential/step.ts'
import { RawClient } from './support/raw-client.ts'

/** What differs, and why it may. */
const ON_PURPOSE: readonly KnownDifference[] = [
  {
    path: /(DescribeAcls v3|CreateAcls v3|DeleteAcls v3|AlterUserScramCredentials v0)\).* .*errorMessage$/,
    why: 'Kafka tells all of its object that stands for the request',
  },
  {
    path: /topics to check \(CreateTopics v7\).*topicId$/,
    why: 'Kafka makes up an id for a topic that it only checks',
  },
  {
    path: /clusterId$/,
    why: 'they are two clusters',
  },
]

/** What the restricted client has a right to, one after the other. */
const GRANTS = [
  undefined,
  { resourceType: 2, resourceName: 'a', operation: 8 },
  { resourceType: 2, resourceName: 'a', operation: 3 },
  { resourceType: 2, resourceName: 'a', operation: 4 },
  { resourceType: 2, resourceName: 'a', resourcePatternType: 4, operation: 2 },
  { resourceType: 3, resourceName: '*', operation: 3 },
  { resourceType: 4, resourceName: 'kafka-cluster', operation: 8 },
  { resourceType: 5, resourceName: 'tx', operation: 4 },
] as const

describeWithBrokers('access to the embedded cluster and to a real Kafka 4.4.0', ['java'], () => {
  const authority = new TestAuthority()
  let kafka: KafkaCluster
  let embedded: EmbeddedCluster
  let admins: Sides
  let clients: Sides

  beforeAll(async () => {
    const version = '4.4.0'
    const settings = secureSettings({ version, listeners: ['SASL_PLAINTEXT'], authority })
    const config = { ...settings.config, ...authorizerConfig(version), ...tokenConfig(version) }
    kafka = await startKafka({ version, ...settings, config })
    embedded = await EmbeddedCluster.start({
      authorizer: { superUsers: ['User:ANONYMOUS'] },
      delegationTokenSecretKey: 'a key for tests',
      listeners: {
        LOGIN: { sasl: { mechanisms: ['PLAIN'], users: { [USER.username]: USER.password } } },
      },
    })
    admins = [await Side.open(kafka.ports[0]!), await Side.open(embedded.ports[0]!)]
    const portOf = (hosts: string) => Number(hosts.split(':')[1])
    clients = [
      await Side.open(portOf(kafka.secureHosts('SASL_PLAINTEXT'))),
      await Side.open(portOf(embedded.hostsOf('LOGIN'))),
    ]
    for (const { client } of clients) await login(client)
    for (const side of admins) await prepare(side)
    for (const [index, side] of clients.entries()) {
      for (const [name, id] of admins[index]!.topicIds) {
        side.topicIds.set(name, id)
        side.names.set(id, `id of ${name}`)
      }
    }
  })

  afterAll(async () => {
    for (const { client } of [...admins, ...clients]) client[Symbol.dispose]()
    await embedded.stop()
    await kafka.stop()
    authority[Symbol.dispose]()
  })

  async function login(client: RawClient): Promise<void> {
    await client.request(saslHandshake, 1, { mechanism: 'PLAIN' })
    const authBytes = Buffer.from(`\0${USER.username}\0${USER.password}`)
    const { errorCode } = await client.request(saslAuthenticate, 2, { authBytes })
    expect(errorCode).toBe(0)
  }

  /** Topics `a` and `b`, with a record each, and a group with an offset. */
  async function prepare(side: Side): Promise<void> {
    const topics = ['a', 'b'].map((name) => ({
      name,
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    }))
    const body = { topics, timeoutMs: 10_000, validateOnly: false }
    for (const one of (await side.client.request(apis.createTopics, 7, body)).topics) {
      side.topicIds.set(one.name, one.topicId)
      side.names.set(one.topicId, `id of ${one.name}`)
    }
    for (const name of ['a', 'b']) {
      for (;;) {
        const { responses } = await side.client.request(apis.produce, 9, {
          acks: -1,
          timeoutMs: 5_000,
          topicData: [{ name, partitionData: [{ index: 0, records: batch(['x']) }] }],
        })
        if (responses[0]?.partitionResponses[0]?.errorCode === 0) break
      }
    }
    for (const [key, keyType] of [
      ['g', 0],
      ['tx', 1],
    ] as const) {
      for (;;) {
        const asked = { keyType, coordinatorKeys: [key] }
        const { coordinators } = await side.client.request(apis.findCoordinator, 6, asked)
        if (coordinators[0]?.errorCode === 0) break
      }
    }
  }

  async function untilListed(side: Side, count: number): Promise<void> {
    for (;;) {
      const filter = {
        resourceTypeFilter: 1,
        patternTypeFilter: 1,
        operation: 1,
        permissionType: 1,
      }
      const any = { ...filter, resourceNameFilter: null, principalFilter: null, hostFilter: null }
      const { resources } = await side.client.request(apis.describeAcls, 3, any)
      if (resources.flatMap(({ acls }) => acls).length === count) return
    }
  }

  it('allows a client the same operations, whatever its rights', async () => {
    const found: Difference[] = []
    for (const grant of GRANTS) {
      const acl = { principal: 'User:alice', host: '*', permissionType: 3 } as const
      for (const side of admins) {
        if (grant === undefined) continue
        const patternType = 'resourcePatternType' in grant ? grant.resourcePatternType : 3
        const creations = [{ ...acl, ...grant, resourcePatternType: patternType }]
        await side.client.request(apis.createAcls, 3, { creations })
        await untilListed(side, 1)
      }
      const right = JSON.stringify(grant ?? 'no right')
      found.push(...(await differencesIn(clients, DENIALS, ({ name }) => `${right}: ${name}`)))
      for (const side of admins) {
        const filter = { resourceTypeFilter: 1, patternTypeFilter: 1, operation: 1 } as const
        const any = { ...filter, resourceNameFilter: null, principalFilter: null, hostFilter: null }
        await side.client.request(apis.deleteAcls, 3, { filters: [{ ...any, permissionType: 1 }] })
        await untilListed(side, 0)
      }
    }
    expect(unknownOf(found, ON_PURPOSE)).toEqual([])
  })

  it('returns the same ACLs, users and quotas', async () => {
    const found = await differencesIn(
      admins,
      SECURITY_STEPS,
      ({ name }) => `as an administrator: ${name}`,
    )
    expect(unknownOf(found, ON_PURPOSE)).toEqual([])
  })
})
