/** kafkajs from npm beside samsa/kafkajs, where a real broker cannot take part: logins by AWS, and silent brokers. */
import { describe, expect, it } from '@jest/globals'
import {
  createTopics,
  ErrorCode,
  metadata,
  produce,
  saslAuthenticate,
  saslHandshake,
} from '../../protocol/index.ts'
import { FakeBroker } from '../support/fake-broker.ts'
import { compareInTurn } from '../support/kafkajs/compare.ts'
import { thrownBy, type World } from '../support/kafkajs/world.ts'

function speakMetadata(broker: FakeBroker): void {
  broker.handle(metadata, () => ({
    brokers: [{ nodeId: 0, ...broker.address }],
    clusterId: 'fake',
    controllerId: 0,
    topics: [],
  }))
}

describe('the mechanism aws of samsa/kafkajs', () => {
  const CREDENTIALS = {
    authorizationIdentity: 'AIDA',
    accessKeyId: 'AKIA',
    secretAccessKey: 'secret',
  }

  it.each([
    ['a login', CREDENTIALS],
    ['a login with a session token', { ...CREDENTIALS, sessionToken: 'session' }],
    ['a login that the broker rejects', { ...CREDENTIALS, secretAccessKey: 'other' }],
    ['a login without an identity', { ...CREDENTIALS, authorizationIdentity: '' }],
    ['a login without an access key', { ...CREDENTIALS, accessKeyId: '' }],
    ['a login without a secret', { ...CREDENTIALS, secretAccessKey: undefined as never }],
  ])('sends the bytes and throws the errors of kafkajs for %s', async (_, credentials) => {
    await using broker = await FakeBroker.start()
    const sent: string[] = []
    broker.handle(saslHandshake, ({ mechanism }) => {
      sent.push(mechanism)
      return { errorCode: ErrorCode.NONE, mechanisms: ['AWS'] }
    })
    broker.handle(saslAuthenticate, ({ authBytes }) => {
      const bytes = Buffer.from(authBytes).toString()
      sent.push(bytes)
      const isRejected = bytes.includes('other')
      return {
        errorCode: isRejected ? ErrorCode.SASL_AUTHENTICATION_FAILED : ErrorCode.NONE,
        errorMessage: isRejected ? 'Access denied' : null,
        authBytes: Buffer.alloc(0),
        sessionLifetimeMs: 0n,
      }
    })
    speakMetadata(broker)
    const run = async (world: World) => {
      const sasl = { mechanism: 'aws' as const, ...credentials }
      const thrown = await thrownBy(() => world.admin(world.kafka({ sasl })).connect())
      // Each connection logs in, and the libraries open different numbers of them.
      return [thrown, [...new Set(sent.splice(0))]]
    }
    const { kafkajs, samsa } = await compareInTurn({ name: 'logs in', run }, [broker.name])
    expect(samsa).toEqual(kafkajs)
  })
})

describe('a request of samsa/kafkajs that gets no response', () => {
  it('times out with the errors and events of kafkajs in a call of the admin client', async () => {
    await using broker = await FakeBroker.start()
    speakMetadata(broker)
    broker.handle(createTopics, () => undefined)
    const run = async (world: World) => {
      const retry = { retries: 1, initialRetryTime: 3_000, maxRetryTime: 3_000 }
      const admin = world.admin(world.kafka({ requestTimeout: 300, retry }))
      const timedOut: object[] = []
      admin.on(admin.events.REQUEST_TIMEOUT, ({ type, payload }) => {
        const { apiName, apiKey, broker, clientId } = payload
        const fields = Object.keys(payload).sort()
        timedOut.push({ type, fields, apiName, apiKey, broker, clientId })
      })
      await admin.connect()
      const thrown = await thrownBy(() => admin.createTopics({ topics: [{ topic: 't' }] }))
      return [thrown, timedOut[0]]
    }
    const { kafkajs, samsa } = await compareInTurn({ name: 'creates a topic', run }, [broker.name])
    expect(samsa).toEqual(kafkajs)
  })

  it('times out with the errors of kafkajs in send', async () => {
    await using broker = await FakeBroker.start()
    const partition = { partitionIndex: 0, leaderId: 0, replicaNodes: [0], isrNodes: [0] }
    broker.handle(metadata, () => ({
      brokers: [{ nodeId: 0, ...broker.address }],
      clusterId: 'fake',
      controllerId: 0,
      topics: [
        {
          errorCode: ErrorCode.NONE,
          name: 'orders',
          partitions: [{ errorCode: ErrorCode.NONE, ...partition }],
        },
      ],
    }))
    broker.handle(produce, () => undefined)
    const run = async (world: World) => {
      const retry = { retries: 1, initialRetryTime: 10, maxRetryTime: 10 }
      const producer = world.producer({}, world.kafka({ requestTimeout: 1_000, retry }))
      await producer.connect()
      const messages = [{ value: 'a' }]
      return thrownBy(() => producer.send({ topic: 'orders', timeout: 500, messages }))
    }
    const { kafkajs, samsa } = await compareInTurn({ name: 'sends', run }, [broker.name])
    expect(samsa).toEqual(kafkajs)
  })
})
