import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import {
  ClosedError,
  ProduceFailureError,
  RequestTimeoutError,
  type Producer,
  type ProducerOptions,
} from '../../../src/index.ts'
import { failureOf, settled } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import { numbers, ProducerBench, TOPIC } from './support/embedded.ts'

const PRODUCE = { api: 'Produce' } as const
const REFUSED = { error: 'INVALID_RECORD' } as const

let bench: ProducerBench
beforeEach(async () => {
  bench = await ProducerBench.start({ topics: { [TOPIC]: { partitions: 2 } } })
})
afterEach(() => bench[Symbol.asyncDispose]())

const open = (options: ProducerOptions = {}): Promise<Producer> => bench.topic.getProducer(options)

describe('a failure', () => {
  it('that is not handled is thrown by the next flush, once, and counted', async () => {
    const producer = await open()
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, REFUSED)
    void producer.produce('bad')
    await expect(producer.flush()).rejects.toMatchObject({ code: 'INVALID_RECORD' })
    expect(producer.failedMessages).toBe(1)
    await producer.flush()
    await producer.close()
  })

  it('that is not handled is thrown by close', async () => {
    const producer = await open()
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, REFUSED)
    void producer.produce('bad')
    await expect(producer.close()).rejects.toMatchObject({ code: 'INVALID_RECORD' })
  })

  it('does not end the process', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', note)
    const producer = await open()
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, REFUSED)
    void producer.produce('bad')
    await settled(producer.flush())
    await delay(10)
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })

  it.each([
    ['awaited', (sent: Promise<unknown>) => failureOf(sent)],
    ['given a catch', (sent: Promise<unknown>) => sent.catch(() => undefined)],
    ['given a then', (sent: Promise<unknown>) => sent.then(undefined, () => undefined)],
    ['given a finally', (sent: Promise<unknown>) => sent.finally(() => undefined).catch(() => 0)],
    ['in Promise.all', (sent: Promise<unknown>) => Promise.all([sent]).catch(() => undefined)],
  ])('that is %s is not thrown again', async (_, look) => {
    const producer = await open()
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, REFUSED)
    const looking = look(producer.produce('bad'))
    await producer.flush()
    await looking
    expect(producer.failedMessages).toBe(1)
    await producer.close()
  })

  it('that is handled late, before the flush, is not thrown again', async () => {
    const producer = await open()
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, REFUSED)
    const sent = producer.produce('bad')
    await until(() => producer.failedMessages === 1)
    await failureOf(sent)
    await producer.flush()
  })

  it('of a batch is thrown if one of its messages was not handled', async () => {
    const producer = await open({ lingerMs: 5 })
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, REFUSED)
    const looked = producer.produce('a', { partition: 0 })
    const other = producer.produce('b', { partition: 0 })
    await failureOf(looked)
    await expect(producer.flush()).rejects.toMatchObject({ code: 'INVALID_RECORD' })
    await failureOf(other)
  })

  it('of one partition does not affect the others', async () => {
    const producer = await open()
    bench.kafka.faults.on({ ...PRODUCE, topic: TOPIC, partition: 1 }, REFUSED)
    const good = producer.produce('good', { partition: 0 })
    const bad = producer.produce('bad', { partition: 1 })
    expect(await failureOf(bad)).toMatchObject({ topic: TOPIC, partition: 1 })
    expect(await good).toMatchObject({ topic: TOPIC, partition: 0, offset: 0 })
  })

  it('of a message rejects all its promises, also later ones', async () => {
    const producer = await open()
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, REFUSED)
    const sent = producer.produce('bad')
    const [one, two] = await Promise.all([failureOf(sent), failureOf(sent)])
    expect(one).toBe(two)
    expect(await failureOf(sent)).toBe(one)
  })

  it('is reported after maxRetries attempts', async () => {
    const producer = await open({ maxRetries: 2 })
    const fault = bench.kafka.faults.on(PRODUCE, { error: 'NOT_LEADER_OR_FOLLOWER' })
    const error = await failureOf(producer.produce('x'))
    expect(error).toBeInstanceOf(ProduceFailureError)
    expect(error.message).toContain('after 3 attempts (maxRetries 2)')
    expect(error).toMatchObject({ outcomeUnknown: false })
    expect(fault.hits).toBe(3)
  })
})

describe('flush', () => {
  it('waits for messages that were queued when it was called, whatever is produced meanwhile', async () => {
    const producer = await open()
    const over = new AbortController()
    const producing = (async () => {
      while (!over.signal.aborted) {
        void producer.produce('more')
        await producer.ready()
        await delay(0)
      }
    })()
    for (let round = 0; round < 5; round++) {
      const before = numbers(10).map((value) => producer.produce(value))
      let acknowledged = 0
      for (const sent of before) void sent.then(() => acknowledged++)
      await producer.flush()
      await Promise.resolve()
      expect(acknowledged).toBe(10)
    }
    over.abort()
    await producing
    await producer.close()
  })

  it('sends lingering batches', async () => {
    const producer = await open({ lingerMs: 60_000 })
    const sent = producer.produce('x')
    await producer.flush()
    expect((await sent).offset).toBe(0)
  })

  it('ends at its timeout, and when its signal is aborted; the messages continue', async () => {
    const producer = await open()
    const held = bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { hold: true })
    const sent = producer.produce('x')
    const late = await failureOf(producer.flush({ timeoutMs: 20 }))
    expect(late).toBeInstanceOf(RequestTimeoutError)
    expect(late.message).toContain('1 messages are not acknowledged')
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    expect(await failureOf(producer.flush({ signal }))).toBe(reason)
    held.release()
    expect((await sent).offset).toBe(0)
  })
})

describe('close', () => {
  it('sends queued messages', async () => {
    const producer = await open({ lingerMs: 60_000 })
    const sent = numbers(100).map((value) => producer.produce(value, { partition: 0 }))
    await producer.close()
    await Promise.all(sent)
    expect(await bench.values()).toEqual(numbers(100))
  })

  it('ends at its timeout, and reports that the outcome is unknown', async () => {
    const producer = await open()
    const held = bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { hold: true })
    const seen = bench.kafka.requests.next(PRODUCE)
    const sent = producer.produce('x')
    void producer.produce('y')
    await seen
    const error = await failureOf(producer.close({ timeoutMs: 50 }))
    expect(error).toBeInstanceOf(ProduceFailureError)
    expect(error.message).toContain('before close() ended')
    expect(await failureOf(sent)).toMatchObject({ outcomeUnknown: true })
    expect(producer.queuedMessages).toBe(0)
    held.release()
  })

  it('uses pendingTimeoutMs if no timeout is given', async () => {
    const producer = await open({ pendingTimeoutMs: 50 })
    const held = bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { hold: true })
    const seen = bench.kafka.requests.next(PRODUCE)
    const sent = producer.produce('x')
    await seen
    await producer.close().catch(() => undefined)
    expect(await failureOf(sent)).toBeInstanceOf(ProduceFailureError)
    held.release()
  })

  it('makes produce, produceMany, ready and start reject, while flush and another close resolve', async () => {
    const producer = await open()
    await producer.close()
    await producer.close()
    expect(await failureOf(producer.produce('x'))).toBeInstanceOf(ClosedError)
    expect(await failureOf(producer.ready())).toBeInstanceOf(ClosedError)
    expect(await failureOf(producer.produceMany(['x']))).toMatchObject({ code: 'CLOSED' })
    expect(await failureOf(producer.start())).toBeInstanceOf(ClosedError)
    await producer.flush()
  })

  it('is part of closing the client, and of leaving a block', async () => {
    const values = numbers(10)
    {
      await using producer = await open({ lingerMs: 60_000 })
      for (const value of values) void producer.produce(value, { partition: 0 })
    }
    expect(await bench.values()).toEqual(values)
    const other = await open({ lingerMs: 60_000 })
    const sent = other.produce('last', { partition: 0 })
    await bench.client.close()
    expect((await sent).offset).toBe(10)
  })
})
