import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { alterUserScramCredentials } from '../../protocol/apis/alter-user-scram-credentials.ts'
import { parseHosts } from '../../src/network/address.ts'
import { KafkaClient, type KafkaClientOptions } from '../../src/index.ts'
import { retryChannel } from '../../src/observe/channels.ts'
import { TestAuthority, type Identity } from '../support/certificates.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { RawZooKeeper } from '../support/kafka/raw-zookeeper.ts'
import {
  scramUser,
  secureSettings,
  unsecuredToken,
  USER,
  zookeeperCredential,
  type TestMechanism,
} from '../support/kafka/secure.ts'
import { requestOnce } from '../support/request-once.ts'
import { describeWithBrokers, isAtLeast } from '../support/real-brokers.ts'

const SCRAM_MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
const REAUTH_MS = 3_000

for (const version of ['1.1.1', '4.4.0']) {
  describeWithBrokers(`a Kafka ${version} with TLS and SASL`, ['java'], () => {
    const hasOAuth = isAtLeast(version, '2.0')
    const mechanisms: TestMechanism[] = [
      'PLAIN',
      ...SCRAM_MECHANISMS,
      ...(hasOAuth ? (['OAUTHBEARER'] as const) : []),
    ]
    let authority: TestAuthority
    let cluster: KafkaCluster
    let person: Identity
    let topic = 0

    beforeAll(async () => {
      authority = new TestAuthority()
      person = authority.issue({ commonName: 'person', passphrase: 'open sesame' })
      cluster = await startKafka({
        version,
        ...secureSettings({
          version,
          listeners: ['SSL', 'SASL_PLAINTEXT', 'SASL_SSL'],
          authority,
          mechanisms,
          clientAuth: 'required',
          ...(isAtLeast(version, '2.2') ? { maxReauthMs: REAUTH_MS } : {}),
        }),
      })
      await addScramUsers(cluster, version)
      await cluster.createTopic('t')
    })

    afterAll(async () => {
      await cluster.stop()
      authority[Symbol.dispose]()
    })

    /** Sends a message and reads it back. */
    async function roundTrip(options: KafkaClientOptions): Promise<string | undefined> {
      await using client = new KafkaClient(options)
      const value = `message ${topic++}`
      const producer = await client.topic('t').getProducer()
      const { offset } = await producer.produce(value)
      const consumer = await client
        .topic('t')
        .getSimpleConsumer({ autoOffsetReset: 'earliest', stopAtEnd: true })
      for await (const message of consumer) {
        if (message.offset === offset) return message.value?.toString() === value ? 'same' : 'other'
      }
      return undefined
    }

    /** The error that a client with these options gets, and how often it tried again. */
    async function refusal(options: KafkaClientOptions) {
      let retries = 0
      const count = () => {
        retries++
      }
      subscribe(retryChannel.name, count)
      const error: unknown = await roundTrip(options).catch((problem: unknown) => problem)
      unsubscribe(retryChannel.name, count)
      return { error, retries }
    }

    it('accepts TLS connections with a client certificate whose key is encrypted', async () => {
      const tls = {
        ca: authority.cert,
        cert: person.certFile,
        key: person.key,
        passphrase: 'open sesame',
      }
      expect(await roundTrip({ hosts: cluster.secureHosts('SSL'), tls })).toBe('same')
    })

    it('reports that a client certificate is missing', async () => {
      const tls = { ca: authority.cert }
      const { error } = await refusal({ hosts: cluster.secureHosts('SSL'), tls })
      expect(error).toMatchObject({ name: 'TlsError', retriable: false })
      expect(String(error)).toMatch(/tls\.cert and tls\.key/)
    })

    it('is not trusted without its certificate authority, and the connection fails without a retry', async () => {
      const { error, retries } = await refusal({
        hosts: cluster.secureHosts('SASL_SSL'),
        tls: true,
        sasl: { mechanism: 'PLAIN', ...USER },
      })
      expect(error).toMatchObject({ name: 'TlsError', reason: 'UNTRUSTED_CERTIFICATE' })
      expect(retries).toBe(0)
    })

    it('fails the host name check under another name, unless the check is turned off explicitly', async () => {
      const options = {
        hosts: cluster.secureHosts('SASL_SSL'),
        sasl: { mechanism: 'PLAIN', ...USER },
      } as const
      const tls = { ca: authority.cert, servername: 'other.example' }
      expect((await refusal({ ...options, tls })).error).toMatchObject({
        name: 'TlsError',
        reason: 'HOSTNAME_MISMATCH',
      })
      const unchecked = { ...tls, dangerouslySkipHostnameCheck: true }
      expect(await roundTrip({ ...options, tls: unchecked })).toBe('same')
    })

    it('gets an error that names the cause when only one side uses TLS', async () => {
      const sasl = { mechanism: 'PLAIN', ...USER } as const
      const plain = await refusal({ hosts: cluster.secureHosts('SASL_SSL'), sasl })
      expect(String(plain.error)).toMatch(/TLS/)
      const secured = await refusal({ hosts: cluster.hosts, tls: { ca: authority.cert } })
      expect(String(secured.error)).toMatch(/its listener is without TLS/)
    })

    const logins: Record<TestMechanism, { right: object; wrong: object | undefined }> = {
      PLAIN: { right: USER, wrong: { ...USER, password: 'wrong' } },
      'SCRAM-SHA-256': { right: USER, wrong: { ...USER, password: 'wrong' } },
      'SCRAM-SHA-512': { right: USER, wrong: { ...USER, username: 'nobody' } },
      OAUTHBEARER: {
        right: { token: () => Promise.resolve({ value: unsecuredToken('alice') }) },
        wrong: { token: () => Promise.resolve({ value: unsecuredToken('alice', -60_000) }) },
      },
    }
    for (const mechanism of mechanisms) {
      const { right, wrong } = logins[mechanism]
      const saslOf = (login: object) =>
        ({ mechanism, ...login }) as KafkaClientOptions['sasl'] & object

      it(`accepts a login with ${mechanism}`, async () => {
        const hosts = cluster.secureHosts('SASL_PLAINTEXT')
        expect(await roundTrip({ hosts, sasl: saslOf(right) })).toBe('same')
        const tls = { ca: authority.cert }
        const secured = { hosts: cluster.secureHosts('SASL_SSL'), tls, sasl: saslOf(right) }
        expect(await roundTrip(secured)).toBe('same')
      })

      it(`rejects wrong credentials of ${mechanism} without a retry, and without a secret in the error`, async () => {
        const { error, retries } = await refusal({
          hosts: cluster.secureHosts('SASL_PLAINTEXT'),
          sasl: saslOf(wrong ?? {}),
        })
        expect(error).toMatchObject({
          name: 'AuthenticationError',
          code: 'SASL_AUTHENTICATION_FAILED',
          mechanism,
          retriable: false,
        })
        expect(JSON.stringify(error) + String(error)).not.toMatch(/wrong/)
        expect(retries).toBe(0)
      })
    }

    it('returns its mechanisms to a client that requests one that it lacks', async () => {
      const { error } = await refusal({
        hosts: cluster.secureHosts('SASL_PLAINTEXT'),
        sasl: { name: 'X-UNHEARD-OF', start: () => ({ next: (it) => it, isComplete: true }) },
      })
      expect(error).toMatchObject({ code: 'UNSUPPORTED_SASL_MECHANISM' })
      expect(String(error)).toContain('SCRAM-SHA-512')
    })

    if (isAtLeast(version, '2.2')) {
      it('keeps a connection past the end of its session, because the client reauthenticates before it', async () => {
        const closes: unknown[] = []
        const logins: unknown[] = []
        const onClose = (event: unknown) => closes.push(event)
        const onRequest = (event: unknown) => {
          if ((event as { api: string }).api === 'SaslAuthenticate') logins.push(event)
        }
        await using client = new KafkaClient({
          hosts: cluster.secureHosts('SASL_PLAINTEXT'),
          sasl: { mechanism: 'SCRAM-SHA-256', ...USER },
        })
        const producer = await client.topic('t').getProducer()
        await producer.produce('first')
        subscribe('samsa:close', onClose)
        subscribe('samsa:request', onRequest)
        const end = performance.now() + 3 * REAUTH_MS
        let sent = 0
        while (performance.now() < end) {
          const batch = Array.from({ length: 10 }, (_, i) => producer.produce(`${sent + i}`))
          await Promise.all(batch)
          sent += batch.length
        }
        unsubscribe('samsa:close', onClose)
        unsubscribe('samsa:request', onRequest)
        expect(closes).toEqual([])
        // Two connections, two steps of SCRAM each, at least twice in three lifetimes.
        expect(logins.length).toBeGreaterThanOrEqual(8)
      })
    }
  })
}

/** Newer brokers take credentials in a request; older ones read them from ZooKeeper when they change. */
async function addScramUsers(cluster: KafkaCluster, version: string): Promise<void> {
  const users = SCRAM_MECHANISMS.map((mechanism) => ({ mechanism, user: scramUser(mechanism) }))
  if (isAtLeast(version, '2.7')) {
    for (const { user } of users) {
      const body = { deletions: [], upsertions: [user] }
      const response = await requestOnce(cluster.hosts, alterUserScramCredentials, body)
      expect(response.results.map(({ errorCode }) => errorCode)).toEqual([0])
    }
    return
  }
  const config = Object.fromEntries(
    users.map(({ mechanism, user }) => [mechanism, zookeeperCredential(user)]),
  )
  const { host, port } = parseHosts(cluster.zookeeperHosts ?? '')[0]!
  expect(host).toBe('127.0.0.1')
  await using zookeeper = await RawZooKeeper.open(port)
  const chroot = /\/.*$/.exec(cluster.zookeeperHosts ?? '')?.[0] ?? ''
  await zookeeper.create(
    `${chroot}/config/users/${USER.username}`,
    JSON.stringify({ version: 1, config }),
  )
  await zookeeper.create(
    `${chroot}/config/changes/config_change_0000000000`,
    JSON.stringify({ version: 2, entity_path: `users/${USER.username}` }),
  )
}
