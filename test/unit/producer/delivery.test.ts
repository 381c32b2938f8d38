import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { produce } from '../../../protocol/apis/produce.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { deferred, type Deferred } from '../../../src/async/deferred.ts'
import { KafkaClient } from '../../../src/client.ts'
import { FakeBroker, type ReceivedRequest } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellLayout } from '../../support/fake-cluster.ts'
import { failureOf, settled } from '../../support/settled.ts'

const TOPIC = 'orders'
let fake: FakeBroker
let client: KafkaClient

beforeEach(async () => {
  // Topics by name: the fake cluster gives no ids.
  fake = await FakeBroker.start({ versions: { Produce: [3, 9] } })
  tellLayout(layoutOf([fake], { [TOPIC]: [1] }), fake)
  client = new KafkaClient({ ...QUICK, hosts: fake.name })
})
afterEach(async () => {
  await fake.stop()
  // What failed was looked at by the tests.
  await client.close().catch(() => undefined)
})

function answer(
  errorCode: number = ErrorCode.NONE,
  baseOffset = errorCode === ErrorCode.NONE ? 0n : -1n,
) {
  const partitionResponses = [{ index: 0, errorCode, baseOffset }]
  return { responses: [{ name: TOPIC, partitionResponses }] }
}

/** Does the first thing with the first request, and so on; the last with all that follow. */
function inTurn(
  ...answers: ((request: ReceivedRequest) => ReturnType<typeof answer> | undefined)[]
) {
  let count = 0
  fake.handle(produce, (_, request) => answers[Math.min(count++, answers.length - 1)]!(request))
}

const cut = ({ socket }: ReceivedRequest): undefined => {
  socket.destroy()
  return undefined
}

describe('a message', () => {
  it('fails at its deadline, also while a response is awaited', async () => {
    inTurn(() => undefined)
    const producer = await client.topic(TOPIC).getProducer({ deliveryTimeoutMs: 1_000 })
    const error = await failureOf(producer.produce('late'))
    expect(error).toMatchObject({
      name: 'ProduceFailureError',
      code: 'PRODUCE_FAILED',
      outcomeUnknown: true,
    })
    expect(error.message).toContain('within 1000 ms (deliveryTimeoutMs) and 1 attempt')
    expect(error.message).toContain('the last without a response')
    expect(producer.queuedMessages).toBe(0)
  })

  it('waits after an unanswered one and fails at its own deadline', async () => {
    inTurn(() => undefined)
    const producer = await client.topic(TOPIC).getProducer({ deliveryTimeoutMs: 200 })
    const first = settled(producer.produce('first'))
    await fake.until(() => fake.received(produce).length === 1)
    const error = await failureOf(producer.produce('second'))
    expect(error).toMatchObject({ code: 'PRODUCE_FAILED', outcomeUnknown: false })
    expect(error.message).toContain('within 200 ms (deliveryTimeoutMs)')
    await first
    expect(fake.received(produce)).toHaveLength(1)
  })

  it('is sent when the previous one has failed and its response arrives late', async () => {
    const late: Deferred<ReturnType<typeof answer>> = deferred()
    let count = 0
    fake.handle(produce, () => (count++ === 0 ? late.promise : answer(0, 1n)))
    const producer = await client.topic(TOPIC).getProducer({ deliveryTimeoutMs: 1_000 })
    await failureOf(producer.produce('first'))
    const second = producer.produce('second')
    late.resolve(answer())
    expect((await second).offset).toBe(1)
    expect(producer.queuedMessages).toBe(0)
    expect(producer.failedMessages).toBe(1)
  })

  it('may be in the log when any attempt was unanswered, not only the last', async () => {
    inTurn(cut, () => answer(ErrorCode.NOT_LEADER_OR_FOLLOWER))
    const producer = await client.topic(TOPIC).getProducer({ deliveryTimeoutMs: 1_000 })
    expect(await failureOf(producer.produce('perhaps'))).toMatchObject({ outcomeUnknown: true })
  })

  it('may be in the log when it was appended before its leader changed', async () => {
    inTurn(() => answer(ErrorCode.NOT_LEADER_OR_FOLLOWER, 7n))
    const options = { deliveryTimeoutMs: 1_000, retryBackoffMs: 10_000 }
    const producer = await client.topic(TOPIC).getProducer(options)
    expect(await failureOf(producer.produce('perhaps'))).toMatchObject({ outcomeUnknown: true })
  })

  it('may be in the log when an attempt was unanswered and the next was refused permanently', async () => {
    inTurn(cut, () => answer(ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    const producer = await client.topic(TOPIC).getProducer()
    expect(await failureOf(producer.produce('perhaps'))).toMatchObject({
      name: 'ProduceFailureError',
      outcomeUnknown: true,
      cause: { code: 'TOPIC_AUTHORIZATION_FAILED' },
    })
  })

  it('may be in the log when the broker leaves it out of its response', async () => {
    inTurn(() => ({ responses: [] }))
    const options = { deliveryTimeoutMs: 1_000, maxRetries: 0 }
    const producer = await client.topic(TOPIC).getProducer(options)
    expect(await failureOf(producer.produce('perhaps'))).toMatchObject({ outcomeUnknown: true })
  })

  it('is not in the log when each attempt was refused', async () => {
    inTurn(() => answer(ErrorCode.NOT_LEADER_OR_FOLLOWER))
    // Its time is over while it waits, not while an answer does.
    const options = { deliveryTimeoutMs: 1_000, retryBackoffMs: 10_000 }
    const producer = await client.topic(TOPIC).getProducer(options)
    expect(await failureOf(producer.produce('no'))).toMatchObject({ outcomeUnknown: false })
  })

  it('is retried when its broker leaves the cluster', async () => {
    await using next = await FakeBroker.start({ versions: { Produce: [3, 9] } })
    const layout = layoutOf([fake], { [TOPIC]: [1] })
    tellLayout(layout, fake, next)
    inTurn(() => undefined)
    next.handle(produce, () => answer(0, 42n))
    const producer = await client.topic(TOPIC).getProducer()
    const sent = producer.produce('to an unknown leader')
    await fake.until(() => fake.received(produce).length === 1)
    layout.brokers = [{ nodeId: 2, ...next.address }]
    layout.topics = { [TOPIC]: [2] }
    await client.topic(TOPIC).partitions()
    expect((await sent).offset).toBe(42)
  })
})

describe('idempotent: true', () => {
  it('fails messages to a broker that does not support sequences', async () => {
    await using old = await FakeBroker.start({
      versions: { Produce: [0, 2], InitProducerId: [0, 0] },
    })
    old.handle(initProducerId, () => ({
      errorCode: 0,
      throttleTimeMs: 0,
      producerId: 7n,
      producerEpoch: 0,
    }))
    tellLayout(layoutOf([old], { [TOPIC]: [1] }), old)
    let requests = 0
    old.handle(produce, () => {
      requests++
      return answer()
    })
    await using its = new KafkaClient({ ...QUICK, hosts: old.name })
    const producer = await its.topic(TOPIC).getProducer({ idempotent: true })
    const error = await failureOf(producer.produce('x'))
    expect(error).toMatchObject({ code: 'UNSUPPORTED_VERSION', topic: TOPIC })
    expect(error.message).toContain('an idempotent producer requires Kafka 0.11')
    expect(requests).toBe(0)
  })
})
