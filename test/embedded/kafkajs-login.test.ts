import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { Kafka, logLevel, type KafkaConfig, type Mechanism } from '../../src/kafkajs/index.ts'

const USER = { username: 'ann', password: 'secret' }

/** A mechanism of the application, in kafkajs's form: tokens begin with their size. */
const own: Mechanism = {
  mechanism: 'plain',
  authenticationProvider: ({ saslAuthenticate }) => ({
    authenticate: async () => {
      await saslAuthenticate({ request: { encode: () => sized('\0ann\0secret') } })
    },
  }),
}

function sized(text: string): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(text.length)
  return Buffer.concat([size, Buffer.from(text)])
}

describe('a Kafka of samsa/kafkajs', () => {
  let cluster: EmbeddedCluster

  beforeAll(async () => {
    const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
    cluster = await EmbeddedCluster.start({ sasl: { mechanisms, users: { ann: 'secret' } } })
  })

  afterAll(() => cluster.stop())

  async function topicsWith(sasl: NonNullable<KafkaConfig['sasl']>): Promise<string[]> {
    const retry = { retries: 1, initialRetryTime: 50 }
    const admin = new Kafka({
      brokers: [cluster.hosts],
      sasl,
      logLevel: logLevel.NOTHING,
      retry,
    }).admin()
    try {
      await admin.connect()
      return await admin.listTopics()
    } finally {
      await admin.disconnect()
    }
  }

  it.each([
    ['plain', { mechanism: 'plain', ...USER }],
    ['scram-sha-256', { mechanism: 'scram-sha-256', ...USER }],
    ['scram-sha-512', { mechanism: 'scram-sha-512', ...USER }],
    ['a mechanism of the application', own],
  ] as const)('logs in with %s', async (_, sasl) => {
    expect(await topicsWith(sasl)).toEqual([])
  })

  it('lets a mechanism of the application see that the broker rejects it, and choose the error', async () => {
    const refused: unknown[] = []
    const rejected: Mechanism = {
      mechanism: 'plain',
      authenticationProvider: ({ saslAuthenticate }) => ({
        authenticate: async () => {
          try {
            await saslAuthenticate({ request: { encode: () => sized('\0ann\0other') } })
          } catch (error) {
            refused.push(error)
            throw new RangeError('the error of the mechanism', { cause: error })
          }
        },
      }),
    }
    await expect(topicsWith(rejected)).rejects.toThrow(
      expect.objectContaining({ name: 'RangeError', message: 'the error of the mechanism' }),
    )
    expect(refused).toEqual([
      expect.objectContaining({
        name: 'KafkaJSProtocolError',
        type: 'SASL_AUTHENTICATION_FAILED',
        retriable: false,
      }),
    ])
  })

  it.each([
    ['a wrong password', { mechanism: 'plain', username: 'ann', password: 'other' }],
    ['no password', { mechanism: 'plain', username: 'ann', password: undefined as never }],
    ['an unknown mechanism', { mechanism: 'digest-md5' as never, ...USER }],
  ] as const)('reports %s as kafkajs does', async (_, sasl) => {
    await expect(topicsWith(sasl)).rejects.toMatchObject({
      name: 'KafkaJSSASLAuthenticationError',
      retriable: false,
    })
  })
})
