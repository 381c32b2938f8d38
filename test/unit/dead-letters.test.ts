import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { DEAD_LETTER_HEADERS, withDeadLetters, type ConsumedMessage } from '../../src/index.ts'
import { failureOf } from '../support/settled.ts'
import { Bed } from './consumer/support/embedded.ts'

let bed: Bed

beforeEach(async () => {
  bed = await Bed.start({ topics: { orders: { partitions: 1 }, dead: { partitions: 1 } } })
  await using producer = await bed.client.topic('orders').getProducer()
  for (let i = 0; i < 5; i++) {
    await producer.produce(`order ${i}`, {
      key: `key ${i}`,
      headers: { trace: `t${i}` },
      timestamp: 1_700_000_000_000 + i,
    })
  }
})
afterEach(() => bed[Symbol.asyncDispose]())

async function read(topic: string): Promise<ConsumedMessage[]> {
  await using consumer = await bed.client.topic(topic).getSimpleConsumer({ stopAtEnd: true })
  const messages: ConsumedMessage[] = []
  for await (const message of consumer) messages.push(message)
  return messages
}

describe('a message that keeps failing', () => {
  it('is handled again, then sent to the other topic with the reason, and the next ones are handled', async () => {
    await using producer = await bed.client.topic('dead').getProducer()
    await using consumer = await bed.client
      .topic('orders')
      .getSimpleConsumer({ stopAtEnd: true, deserializer: String })
    const calls: string[] = []
    const dead: number[] = []
    const handler = withDeadLetters<string>(
      ({ value }) => {
        calls.push(value)
        if (value === 'order 1' && calls.length === 2) throw new Error('the first time only')
        if (value === 'order 3') throw new RangeError('never in range')
      },
      {
        producer,
        maxRetries: 2,
        retryBackoffMs: 1,
        onDeadLetter: ({ offset }) => void dead.push(offset),
      },
    )
    await consumer.run(handler)
    expect(calls).toEqual([0, 1, 1, 2, 3, 3, 3, 4].map((n) => `order ${n}`))
    expect(dead).toEqual([3])
    const [letter, ...others] = await read('dead')
    expect(others).toEqual([])
    expect(letter).toMatchObject({ timestamp: 1_700_000_000_003 })
    expect([String(letter!.key), String(letter!.value)]).toEqual(['key 3', 'order 3'])
    expect(letter!.headers.map(({ key, value }) => [key, String(value)])).toEqual([
      ['trace', 't3'],
      [DEAD_LETTER_HEADERS.topic, 'orders'],
      [DEAD_LETTER_HEADERS.partition, '0'],
      [DEAD_LETTER_HEADERS.offset, '3'],
      [DEAD_LETTER_HEADERS.attempts, '3'],
      [DEAD_LETTER_HEADERS.code, 'RangeError'],
      [DEAD_LETTER_HEADERS.message, 'never in range'],
    ])
  })

  it('is not handled again where that cannot help', async () => {
    await using producer = await bed.client.topic('dead').getProducer()
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    let calls = 0
    const handler = withDeadLetters(
      () => {
        calls++
        throw new TypeError('no order')
      },
      { producer, isRetriable: (error) => !(error instanceof TypeError) },
    )
    await consumer.run(handler)
    expect(calls).toBe(5)
    expect(await read('dead')).toHaveLength(5)
  })

  it('counts as not handled where it cannot be sent on', async () => {
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    const producer = { produce: () => Promise.reject(new Error('no room')) }
    const handler = withDeadLetters(
      ({ offset }) => {
        if (offset === 2) throw new Error('not this one')
      },
      { producer, maxRetries: 0 },
    )
    expect((await failureOf(consumer.run(handler))).message).toBe('no room')
    expect(consumer.position(0)).toBe(2)
  })
})
