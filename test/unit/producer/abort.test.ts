import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { produce, type ProduceRequest } from '../../../protocol/apis/produce.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { Deadline } from '../../../src/async/deadline.ts'
import { deferred, type Deferred } from '../../../src/async/deferred.ts'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import { producerSettings } from '../../../src/producer/options.ts'
import { ProducerCore } from '../../../src/producer/producer-core.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { clusterAt, layoutOf, tellLayout } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'
import { TOPIC } from './support/embedded.ts'

const ABORTED = new Error('the transaction is aborted')

let fake: FakeBroker
let cluster: Cluster
let core: ProducerCore
/** The error code that the first request is answered with, once it is resolved. */
let first: Deferred<number>

beforeEach(async () => {
  fake = await FakeBroker.start({ versions: { Produce: [3, 9] } })
  tellLayout(layoutOf([fake], { [TOPIC]: [1] }), fake)
  fake.handle(initProducerId, () => ({
    throttleTimeMs: 0,
    errorCode: 0,
    producerId: 7n,
    producerEpoch: 0,
  }))
  first = deferred<number>()
  fake.handle(produce, async (body) =>
    answer(body, fake.received(produce).length === 1 ? await first.promise : ErrorCode.NONE),
  )
  cluster = clusterAt([fake], { socketTimeoutMs: 60_000 })
  core = new ProducerCore(cluster, producerSettings({ batchBytes: 1 }))
  await core.start(TOPIC, new Deadline(10_000))
})
afterEach(async () => {
  await core.close({ timeoutMs: 0 }).catch(() => undefined)
  await cluster.close(0)
  await fake.stop()
})

const answer = ({ topicData }: ProduceRequest, errorCode: number) => ({
  throttleTimeMs: 0,
  responses: topicData.map(({ name = '', partitionData }) => ({
    name,
    partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: 0n })),
  })),
})

const send = (value: string) =>
  Promise.resolve(core.produce(core.topic(TOPIC), value, null, undefined, undefined, undefined))

describe('aborting the messages that a producer has buffered', () => {
  it('fails those that are not in flight at once, and waits for the others', async () => {
    const inFlight = send('in flight')
    const queued = [failureOf(send('1')), failureOf(send('2'))]
    await fake.until(() => fake.received(produce).length === 1)
    let isOver = false
    const aborting = core.abort(ABORTED).then(() => (isOver = true))
    expect(await Promise.all(queued)).toEqual([ABORTED, ABORTED])
    expect(isOver).toBe(false)
    first.resolve(ErrorCode.NONE)
    await aborting
    expect(await inFlight).toMatchObject({ offset: 0 })
    expect(core.queuedMessages).toBe(0)
    // The producer continues.
    expect(await send('next')).toMatchObject({ offset: 0 })
    expect(fake.received(produce)).toHaveLength(2)
  })

  it('does not retry those that return with a retriable error', async () => {
    const inFlight = failureOf(send('in flight'))
    await fake.until(() => fake.received(produce).length === 1)
    const aborting = core.abort(ABORTED)
    first.resolve(ErrorCode.NOT_ENOUGH_REPLICAS)
    await aborting
    expect((await inFlight).message).toContain(ABORTED.message)
    expect(core.queuedMessages).toBe(0)
    expect(fake.received(produce)).toHaveLength(1)
  })

  it('fails those whose topic is being looked up', async () => {
    const waiting = failureOf(
      Promise.resolve(core.produce(core.topic('new'), 'x', null, undefined, undefined, undefined)),
    )
    await core.abort(ABORTED)
    expect(await waiting).toBe(ABORTED)
    expect(core.queuedMessages).toBe(0)
  })
})
