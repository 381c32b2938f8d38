import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  ItemsFailedError,
  KafkaClient,
  type Admin,
  type Item,
  type KafkaClientOptions,
} from '../../src/index.ts'
import { TestAuthority } from '../support/certificates.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { authorizerConfig, secureSettings, tokenConfig, USER } from '../support/kafka/secure.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { failureOf } from '../support/settled.ts'
import { clientJars } from '../wire/support/jars.ts'
import { runJava } from '../wire/support/run-java.ts'

const versions = versionsToTest().filter((version) => isAtLeast(version, '1.1'))

describeWithBrokers('the admin client and security', ['java'], () => {
  describe.each(versions)('on Kafka %s', (version) => {
    const hasUsers = isAtLeast(version, '2.7')
    const hasPatterns = isAtLeast(version, '2.0')
    const authority = new TestAuthority()
    const clients: KafkaClient[] = []
    let kafka: KafkaCluster
    let admin: Admin
    let alice: Admin

    function open(options: Omit<KafkaClientOptions, 'hosts'> & { hosts: string }): KafkaClient {
      const client = new KafkaClient(options)
      clients.push(client)
      return client
    }

    beforeAll(async () => {
      const mechanisms = ['PLAIN', 'SCRAM-SHA-256'] as const
      const listeners = ['SASL_PLAINTEXT'] as const
      const settings = secureSettings({ version, listeners, authority, mechanisms })
      const config = { ...settings.config, ...authorizerConfig(version), ...tokenConfig(version) }
      kafka = await startKafka({ version, ...settings, config })
      admin = open({ hosts: kafka.hosts }).admin
      alice = open({
        hosts: kafka.secureHosts('SASL_PLAINTEXT'),
        sasl: { mechanism: 'PLAIN', ...USER },
      }).admin
    })
    afterAll(async () => {
      await Promise.all(clients.map((client) => client.close()))
      await kafka.stop()
      authority[Symbol.dispose]()
    })

    /** A broker learns of a change a moment after the controller has made it. */
    async function answerWhen<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
      for (;;) {
        const answer = await ask()
        if (isSo(answer)) return answer
      }
    }

    it('returns the same ACLs, users, quotas and tokens as the admin client of Java', async () => {
      const acl = { principal: 'User:alice', operation: 'read' } as const
      const acls = [
        { ...acl, resourceType: 'topic', resourceName: 'orders' },
        {
          ...acl,
          resourceType: 'topic',
          resourceName: '*',
          operation: 'all',
          permission: 'deny',
        },
        { ...acl, resourceType: 'group', resourceName: 'g', host: '10.0.0.1' },
        { ...acl, resourceType: 'transactionalId', resourceName: 'tx', operation: 'write' },
        {
          ...acl,
          resourceType: 'cluster',
          resourceName: 'kafka-cluster',
          operation: 'describeConfigs',
        },
      ] as const
      await admin.createAcls(acls)
      const prefixed = { ...acl, resourceType: 'topic', resourceName: 'p' } as const
      if (hasPatterns) await admin.createAcls([{ ...prefixed, patternType: 'prefixed' }])
      const count = acls.length + (hasPatterns ? 1 : 0)
      const described = await answerWhen(
        () => admin.describeAcls(),
        (found) => found.length === count,
      )

      if (hasUsers) {
        await admin.alterUserScramCredentials([
          { user: 'bob', mechanism: 'SCRAM-SHA-256', password: 'bob-secret' },
          { user: 'bob', mechanism: 'SCRAM-SHA-512', password: 'bob-secret', iterations: 8192 },
          { user: 'carol', mechanism: 'SCRAM-SHA-256', password: 'carol-secret' },
        ])
        await admin.alterClientQuotas([
          { entity: { user: 'bob', clientId: 'app' }, set: { producer_byte_rate: 1000 } },
          { entity: { user: null }, set: { consumer_byte_rate: 2000, request_percentage: 12.5 } },
          { entity: { clientId: 'app' }, set: { controller_mutation_rate: 0.5 } },
        ])
      }
      const users = hasUsers
        ? await answerWhen(
            () => admin.describeUserScramCredentials(),
            (found) => found.length === 2 && found[0]?.credentials.length === 2,
          )
        : undefined
      const quotas = hasUsers
        ? await answerWhen(
            () => admin.describeClientQuotas(),
            (found) => found.length === 3,
          )
        : undefined
      const created = await alice.createDelegationToken({
        renewers: ['User:bob'],
        maxLifetimeMs: 3_600_000,
      })
      const tokens = await answerWhen(
        () => alice.describeDelegationTokens(),
        (found) => found.length === 1,
      )
      expect(tokens).toEqual([created])

      // Java's admin client of 4.x speaks to brokers from 2.1 on.
      const jars = await clientJars(isAtLeast(version, '2.1') ? '4.4.0' : '3.9.1')
      const lines = [
        kafka.hosts,
        kafka.secureHosts('SASL_PLAINTEXT'),
        USER.username,
        USER.password,
        hasUsers ? 'all' : 'some',
      ]
      const input = Buffer.from(`${lines.join('\n')}\n`)
      const output = await runJava('test/kafka/java/SecurityReferee.java', jars, input)
      const java = JSON.parse(output.toString()) as Record<string, readonly object[]>
      const sorted = (list: readonly object[] | undefined) =>
        list?.map((one) => JSON.stringify(one, Object.keys(one).sort())).sort()
      expect(sorted(described)).toEqual(sorted(java['acls']))
      expect(users).toEqual(java['users'])
      expect(new Set(quotas)).toEqual(new Set(java['quotas']))
      expect(tokens.map(({ requester: _, ...token }) => token)).toEqual(java['tokens'])

      await admin.deleteAcls([{ patternType: 'any' }])
      await answerWhen(
        () => admin.describeAcls(),
        (found) => found.length === 0,
      )
    })

    it('logs in with a delegation token, renews it, and is refused once the token has expired', async () => {
      const [token] = await alice.describeDelegationTokens()
      if (token === undefined) throw new Error('there is no token')
      const sasl = {
        mechanism: 'SCRAM-SHA-256',
        username: token.tokenId,
        password: token.hmac,
        tokenAuth: true,
      } as const
      const hosts = kafka.secureHosts('SASL_PLAINTEXT')
      expect(await open({ hosts, sasl }).admin.listTopics()).toEqual([])
      const { expiryTimestampMs } = await alice.renewDelegationToken(token.hmac, {
        renewPeriodMs: 60_000,
      })
      expect(expiryTimestampMs).toBeLessThan(token.expiryTimestampMs)
      await alice.expireDelegationToken(token.hmac)
      await answerWhen(
        () => alice.describeDelegationTokens(),
        (found) => found.length === 0,
      )
      const failed = await failureOf(open({ hosts, sasl }).admin.listTopics())
      expect(failed).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
    })

    if (hasUsers) {
      it('logs in a user that it has created', async () => {
        const hosts = kafka.secureHosts('SASL_PLAINTEXT')
        const password = 'carol-secret'
        const sasl = { mechanism: 'SCRAM-SHA-256', username: 'carol', password } as const
        expect(await open({ hosts, sasl }).admin.listTopics()).toEqual([])
      })
    }

    it('reports which item a client is not authorized for, and completes the others', async () => {
      const mine = { resourceName: 'mine', principal: 'User:alice', operation: 'all' } as const
      await admin.createAcls([
        { ...mine, resourceType: 'topic' },
        { ...mine, resourceType: 'group' },
      ])
      await answerWhen(
        () => admin.describeAcls({ resourceName: 'mine' }),
        (found) => found.length === 2,
      )
      await admin.createTopics([{ topic: 'other', partitions: 1, replicationFactor: 1 }])
      const codesOf = (results: readonly Item[]) => results.map(({ error }) => error?.code)
      if (isAtLeast(version, '2.0')) {
        const topics = ['mine', 'yours'].map((topic) => ({ topic, partitions: 1 }))
        const wanted = topics.map((topic) => ({ ...topic, replicationFactor: 1 }))
        const failed = await failureOf(alice.createTopics(wanted))
        if (!(failed instanceof ItemsFailedError)) throw failed
        expect(codesOf(failed.results)).toEqual([undefined, 'TOPIC_AUTHORIZATION_FAILED'])
        expect(failed.message).toContain('Grant it with an ACL')
      } else {
        // Before Kafka 2.0 only a right to the cluster lets a client create topics.
        await admin.createTopics([{ topic: 'mine', partitions: 1, replicationFactor: 1 }])
      }
      const denied = [undefined, 'TOPIC_AUTHORIZATION_FAILED']
      const resources = ['mine', 'other'].map((name) => ({ type: 'topic', name }) as const)
      expect(codesOf(await alice.describeConfigs(resources))).toEqual(denied)
      const partitions = ['mine', 'other'].map((topic) => ({ topic, partition: 0 }))
      expect(codesOf(await alice.listOffsets(partitions, 'latest'))).toEqual(denied)
      const groups = await alice.listGroupOffsets(['mine', 'other'])
      expect(codesOf(groups)).toEqual([undefined, 'GROUP_AUTHORIZATION_FAILED'])
      const deleted = await alice.deleteTopics(['mine', 'other'], { settle: true })
      expect(codesOf(deleted)).toEqual(denied)
      expect(await failureOf(alice.describeAcls())).toMatchObject({
        code: 'CLUSTER_AUTHORIZATION_FAILED',
      })
    })
  })
})
