import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { ProducerQueueFullError, type ProducerOptions } from '../../../src/index.ts'
import type { Fault } from '../../../src/embedded/index.ts'
import { failureOf } from '../../support/settled.ts'
import { mayNotFire } from '../../support/fault-watch.ts'
import { numbers, ProducerBench } from './support/embedded.ts'

let bench: ProducerBench
let held: Fault
beforeEach(async () => {
  bench = await ProducerBench.start()
  // Nothing leaves the queue before it is let go.
  held = bench.kafka.faults.on({ api: 'Produce' }, { hold: true })
})
afterEach(async () => {
  held.release()
  await bench[Symbol.asyncDispose]()
})

const open = (options: ProducerOptions) => bench.topic.getProducer(options)

describe('a full queue', () => {
  it.each([
    ['messages', { maxQueuedMessages: 10 }],
    ['bytes', { maxQueuedBytes: 1_000 }],
  ])('with the limit of %s makes ready() wait', async (_, options) => {
    const producer = await open(options)
    await producer.ready()
    const sent = numbers(10).map((value) => producer.produce(value.padEnd(100)))
    expect(producer.hasRoom).toBe(false)
    let isReady = false
    const ready = producer.ready().then(() => (isReady = true))
    await bench.kafka.requests.next({ api: 'Produce' })
    expect(isReady).toBe(false)
    held.release()
    await ready
    await Promise.all(sent)
    expect(producer.queuedMessages).toBe(0)
    expect(producer.queuedBytes).toBe(0)
  })

  it('rejects messages at twice its limits when the caller does not wait, and keeps the others', async () => {
    const producer = await open({ maxQueuedMessages: 10 })
    const asked = bench.kafka.requests.next({ api: 'Produce' })
    const sent = numbers(20).map((value) => producer.produce(value))
    const refused = await failureOf(producer.produce('one too many'))
    expect(refused).toBeInstanceOf(ProducerQueueFullError)
    expect(refused.message).toContain('20 messages')
    expect(refused.message).toContain('await ready()')
    await asked
    held.release()
    await Promise.all(sent)
    expect(await bench.values()).toEqual(numbers(20))
  })

  it('rejects messages at its limits without blockOnQueueFull', async () => {
    const producer = await open({ maxQueuedMessages: 10, blockOnQueueFull: false })
    const asked = bench.kafka.requests.next({ api: 'Produce' })
    const sent = numbers(10).map((value) => producer.produce(value))
    expect(await failureOf(producer.produce('x'))).toBeInstanceOf(ProducerQueueFullError)
    await asked
    held.release()
    await Promise.all(sent)
    expect((await producer.produce('x')).offset).toBe(10)
  })

  it('is waited for up to a timeout', async () => {
    const producer = await open({ maxQueuedMessages: 1 })
    const asked = bench.kafka.requests.next({ api: 'Produce' })
    void producer.produce('x')
    await asked
    expect(await failureOf(producer.ready({ timeoutMs: 10 }))).toMatchObject({
      code: 'REQUEST_TIMED_OUT',
    })
    const reason = new Error('enough')
    const controller = new AbortController()
    const waiting = failureOf(producer.ready({ signal: controller.signal }))
    controller.abort(reason)
    expect(await waiting).toBe(reason)
  })

  it('makes produceMany wait', async () => {
    const producer = await open({ maxQueuedMessages: 10 })
    const values = numbers(100)
    let taken = 0
    const source = function* () {
      for (const value of values) {
        taken++
        yield value
      }
    }
    const sent = producer.produceMany(source())
    await bench.kafka.requests.next({ api: 'Produce' })
    expect(taken).toBeLessThan(20)
    held.release()
    expect(await sent).toMatchObject({ messages: 100 })
    expect(await bench.values()).toEqual(values)
  })
})

describe('ready()', () => {
  it('yields to the event loop, whatever space is free', async () => {
    mayNotFire(held).release()
    const producer = await open({})
    let rounds = 0
    const over = new AbortController()
    const count = () => {
      rounds++
      if (!over.signal.aborted) setImmediate(count)
    }
    setImmediate(count)
    for (let i = 0; i < 20_000; i++) {
      await producer.ready()
      void producer.produce('x'.repeat(500))
    }
    over.abort()
    expect(rounds).toBeGreaterThan(5)
    await producer.flush()
  })

  it('waits for the next turn after fewer messages if their results are used', async () => {
    mayNotFire(held).release()
    const producer = await open({})
    const value = 'x'.repeat(100)
    const produceTurn = async (produce: () => void) => {
      let messages = 0
      for (; producer.hasRoom; messages++) produce()
      await producer.flush()
      return messages
    }
    const unused = () => void producer.produce(value)
    let delivered = 0
    const used = () => void producer.produce(value).then(() => delivered++)
    const unusedMessages = await produceTurn(unused)
    const usedMessages = await produceTurn(used)
    expect(usedMessages).toBeLessThan(unusedMessages / 2)
    expect(delivered).toBe(usedMessages)
    expect(await produceTurn(unused)).toBe(unusedMessages)
  })
})
