import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { fetch } from '../../../protocol/apis/fetch.ts'
import { listOffsets } from '../../../protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { KafkaClient } from '../../../src/client.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellLayout, tellOffsets } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

const TOPIC = 'orders'
let fake: FakeBroker
let client: KafkaClient

beforeEach(async () => {
  fake = await FakeBroker.start()
  tellLayout(layoutOf([fake], { [TOPIC]: [1] }), fake)
  tellOffsets(fake, 0n)
  client = new KafkaClient({ ...QUICK, hosts: fake.name })
})
afterEach(async () => {
  await client.close()
  await fake.stop()
})

/** Answers fetches with errors, one each, then never again. */
function failFetches(...errorCodes: readonly number[]): void {
  let count = 0
  fake.handle(fetch, () => {
    const errorCode = errorCodes[count++]
    if (errorCode === undefined) return undefined
    const partitions = [{ partitionIndex: 0, errorCode, highWatermark: 0n, records: null }]
    return { responses: [{ topic: TOPIC, partitions }] }
  })
}

describe('a consumer', () => {
  it('throws the error that ended its last partition on each call', async () => {
    failFetches(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    const consumer = await client.topic(TOPIC).getSimpleConsumer()
    for (let time = 0; time < 3; time++) {
      expect(await failureOf(consumer.consume())).toMatchObject({
        code: 'TOPIC_AUTHORIZATION_FAILED',
        topic: TOPIC,
        partition: 0,
      })
    }
  })

  it('continues after temporary errors', async () => {
    failFetches(ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.LEADER_NOT_AVAILABLE)
    const consumer = await client.topic(TOPIC).getSimpleConsumer()
    await fake.until(() => fake.received(fetch).length === 3)
    expect(await consumer.consume({ timeoutMs: 1 })).toBeUndefined()
  })

  it('stops waiting when its signal is aborted', async () => {
    failFetches()
    const consumer = await client.topic(TOPIC).getSimpleConsumer()
    const abort = new AbortController()
    const waiting = failureOf(consumer.consume({ signal: abort.signal }))
    abort.abort(new Error('that was enough'))
    expect((await waiting).message).toBe('that was enough')
  })
})

describe('the lookup of offsets', () => {
  it('ends although a broker always leaves a partition out', async () => {
    fake.handle(listOffsets, () => ({ topics: [] }))
    expect(await failureOf(client.topic(TOPIC).latestAvailableOffsets())).toMatchObject({
      code: 'UNKNOWN_SERVER_ERROR',
      partition: 0,
    })
  })
})
