import { afterAll, beforeAll, expect, it } from '@jest/globals'
import {
  apiVersions,
  metadata,
  saslAuthenticate,
  saslHandshake,
} from '../../protocol/apis/index.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { TestAuthority } from '../support/certificates.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { secureSettings, USER } from '../support/kafka/secure.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { RawClient } from './support/raw-client.ts'

const GOOD = `\0${USER.username}\0${USER.password}`

/** What a client does, and what comes of it: as text, so that both sides can be compared. */
const STEPS: Readonly<Record<string, (raw: RawClient) => Promise<unknown>>> = {
  'the right password': (raw) => login(raw, 'PLAIN', GOOD),
  'a wrong password': (raw) => login(raw, 'PLAIN', `\0${USER.username}\0x`),
  'an unknown user': (raw) => login(raw, 'PLAIN', '\0nobody\0x'),
  'no user': (raw) => login(raw, 'PLAIN', '\0\0x'),
  'no password': (raw) => login(raw, 'PLAIN', `\0${USER.username}\0`),
  'too few parts': (raw) => login(raw, 'PLAIN', 'nonsense'),
  'too many parts': (raw) => login(raw, 'PLAIN', '\0a\0b\0c\0d'),
  'acting for another': (raw) => login(raw, 'PLAIN', `bob${GOOD}`),
  'an unknown user of SCRAM': (raw) => login(raw, 'SCRAM-SHA-256', 'n,,n=nobody,r=abc'),
  'garbage for SCRAM': (raw) => login(raw, 'SCRAM-SHA-256', 'garbage'),
  'garbage for OAUTHBEARER': (raw) => login(raw, 'OAUTHBEARER', 'garbage'),
  'a bad token': (raw) => login(raw, 'OAUTHBEARER', 'n,,\x01auth=Bearer bad\x01\x01', '\x01'),
  'a mechanism that does not exist': (raw) => login(raw, 'GSSAPI'),
  'another request first': (raw) => raw.request(metadata, 12, { topics: [] }),
  'another request in the middle': async (raw) => {
    await login(raw, 'PLAIN')
    const { topics } = await raw.request(metadata, 12, { topics: [{ name: 't' }] })
    return topics.map(({ errorCode }) => errorCode)
  },
  'versions twice': async (raw) => {
    await raw.request(apiVersions, 0, {})
    return raw.request(apiVersions, 0, {})
  },
  'a second login at once': async (raw) => {
    await login(raw, 'PLAIN', GOOD)
    return login(raw, 'PLAIN', GOOD)
  },
}

async function login(raw: RawClient, mechanism: string, ...tokens: readonly string[]) {
  const { errorCode, mechanisms } = await raw.request(saslHandshake, 1, { mechanism })
  const answers: unknown[] = [{ errorCode, mechanisms: [...mechanisms].sort() }]
  for (const token of tokens) {
    const { authBytes, sessionLifetimeMs, ...answer } = await raw.request(saslAuthenticate, 2, {
      authBytes: Buffer.from(token),
    })
    answers.push({
      ...answer,
      authBytes: Buffer.from(authBytes).toString(),
      sessionLifetimeMs: String(sessionLifetimeMs),
    })
  }
  return answers
}

async function outcomeAt(port: number, step: (raw: RawClient) => Promise<unknown>) {
  using raw = await RawClient.open(port)
  return await step(raw).catch(String)
}

describeWithBrokers(
  'logging in to the embedded cluster and to a real Kafka 4.4.0',
  ['java'],
  () => {
    const authority = new TestAuthority()
    let kafka: KafkaCluster
    let embedded: EmbeddedCluster

    beforeAll(async () => {
      const listeners = ['SASL_PLAINTEXT'] as const
      const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER'] as const
      const version = '4.4.0'
      const settings = secureSettings({ version, listeners, authority, mechanisms })
      kafka = await startKafka({ version, ...settings })
      embedded = await EmbeddedCluster.start({
        sasl: {
          mechanisms,
          users: { [USER.username]: USER.password },
          validateToken: () => undefined,
        },
      })
    })

    afterAll(async () => {
      await Promise.all([kafka[Symbol.asyncDispose](), embedded.stop()])
      authority[Symbol.dispose]()
    })

    it.each(Object.keys(STEPS))('gets the same response: %s', async (name) => {
      const realPort = Number(kafka.secureHosts('SASL_PLAINTEXT').split(':')[1])
      const real = await outcomeAt(realPort, STEPS[name]!)
      expect(await outcomeAt(embedded.ports[0]!, STEPS[name]!)).toEqual(real)
    })
  },
)
