import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { DEAD_LETTER_HEADERS, withDeadLetters, type ConsumedMessage } from '../../src/index.ts'
import { failureOf } from '../support/settled.ts'
import { until } from '../support/until.ts'
import { keepWarnings } from '../support/warnings.ts'
import { writePoison } from '../support/poison.ts'
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
  it('is retried, then sent to the dead-letter topic with the reason, and the next messages are handled', async () => {
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

  it('is not retried if a retry cannot help', async () => {
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

  it('counts as unhandled if it cannot be sent', async () => {
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

/** Without a prototype, as `Object.create(null)` and some libraries have them: String() of it throws. */
const BARE: unknown = Object.assign(Object.create(null), { why: 'bare' })

describe('any value that a handler throws', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['an error message of 2 MB', () => new Error('x'.repeat(2_000_000)), /^x{1000}…$/],
    [
      'an error message that is no string',
      () => Object.assign(new Error(), { message: { not: 'text' } }),
      /not: 'text'/,
    ],
    ['an object without a prototype', () => BARE, /why: 'bare'/],
    ['nothing', () => undefined, /^undefined$/],
    [
      'an object whose getters throw',
      () => ({
        get message(): string {
          throw new Error('no message')
        },
        get code(): string {
          throw new Error('no code')
        },
        get name(): string {
          throw new Error('no name')
        },
      }),
      /./,
    ],
    ['a code of 2 MB', () => ({ code: 'x'.repeat(2_000_000) }), /./],
  ])('becomes a dead letter: %s', async (_what, thrown, text) => {
    await using producer = await bed.client.topic('dead').getProducer()
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    const handler = withDeadLetters(
      ({ offset }) => {
        if (offset === 1) throw thrown()
      },
      { producer, maxRetries: 0 },
    )
    await consumer.run(handler)
    const [letter, ...others] = await read('dead')
    expect(others).toEqual([])
    const message = letter!.headers.find(({ key }) => key === DEAD_LETTER_HEADERS.message)
    expect(String(message?.value)).toMatch(text)
    expect(String(letter!.value)).toBe('order 1')
  })
})

describe('a message that exceeds the limit of the dead-letter topic', () => {
  const limit = 10_000

  async function lettersOf(value: string, headers: Record<string, string> = {}) {
    await using writer = await bed.client.topic('orders').getProducer()
    const { offset } = await writer.produce(value, { key: 'big', headers })
    await using producer = await bed.client.topic('dead').getProducer({ maxRequestSize: limit })
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    consumer.seek(0, offset)
    const fail = () => {
      throw new Error('no')
    }
    await consumer.run(withDeadLetters(fail, { producer, maxRetries: 0 }))
    const [letter] = await read('dead')
    const names = letter!.headers.map(({ key }) => key)
    return { value: letter!.value?.toString(), key: String(letter!.key), names }
  }

  it('is sent without the reason when its value is within 150 bytes of the limit', async () => {
    const value = 'x'.repeat(limit - 150)
    expect(await lettersOf(value)).toEqual({
      value,
      key: 'big',
      names: [DEAD_LETTER_HEADERS.topic, DEAD_LETTER_HEADERS.partition, DEAD_LETTER_HEADERS.offset],
    })
  })

  it('is sent unchanged when its value is within 100 bytes of the limit', async () => {
    const value = 'x'.repeat(limit - 98)
    expect(await lettersOf(value)).toEqual({ value, key: 'big', names: [] })
  })

  it('leaves a letter with its topic, partition and offset when its value is too large', async () => {
    const letter = await lettersOf('x'.repeat(limit + 1))
    expect(letter).toMatchObject({ value: undefined, key: 'big' })
    expect(letter.names).toContain(DEAD_LETTER_HEADERS.offset)
    expect(letter.names).toContain(DEAD_LETTER_HEADERS.message)
    expect(letter.names).toContain(DEAD_LETTER_HEADERS.valueBytes)
  })

  it('is sent when the value fits only compressed, by a producer with the same options', async () => {
    // Ten times what the broker takes, of which a codec leaves little.
    const value = 'x'.repeat(10_000_000)
    const options = { compression: 'gzip', maxRequestSize: 11_000_000 } as const
    await using writer = await bed.client.topic('orders').getProducer(options)
    const { offset } = await writer.produce(value)
    await using producer = await bed.client.topic('dead').getProducer(options)
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    consumer.seek(0, offset)
    const fail = () => {
      throw new Error('no')
    }
    await consumer.run(withDeadLetters(fail, { producer, maxRetries: 0 }))
    const [letter] = await read('dead')
    expect(letter!.value?.length).toBe(value.length)
    expect(letter!.headers).toHaveLength(6)
  })
})

describe('a record that cannot be read in full', () => {
  it.each(['timestamp', 'headers'] as const)('becomes a dead letter (%s)', async (poison) => {
    await writePoison(bed.kafka, 'orders', 'poison', poison)
    await using producer = await bed.client.topic('dead').getProducer()
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    const handler = withDeadLetters(
      (message) => {
        if (!Number.isSafeInteger(message.timestamp + message.headers.length)) throw new Error('no')
      },
      { producer, maxRetries: 0 },
    )
    await consumer.run(handler)
    expect((await read('dead')).map(({ value }) => String(value))).toEqual(['poison'])
  })

  it('becomes a dead letter when no deserializer can read it, without the handler', async () => {
    await using producer = await bed.client.topic('dead').getProducer()
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({
      stopAtEnd: true,
      onDeserializationError: 'deliver',
      deserializer: (bytes) => {
        if (String(bytes) === 'order 2') throw BARE
        return String(bytes)
      },
    })
    const handled: string[] = []
    await consumer.run(
      withDeadLetters<string>(({ value }) => void handled.push(value), { producer }),
    )
    expect(handled).toEqual(['order 0', 'order 1', 'order 3', 'order 4'])
    const [letter, ...others] = await read('dead')
    expect(others).toEqual([])
    expect([String(letter!.key), String(letter!.value)]).toEqual(['key 2', 'order 2'])
    const code = letter!.headers.find(({ key }) => key === DEAD_LETTER_HEADERS.code)
    expect(String(code?.value)).toBe('DESERIALIZATION_FAILED')
  })
})

describe('a dead letter', () => {
  it('has the bytes of the message although its producer has a serializer', async () => {
    await using producer = await bed.client.topic('dead').getProducer({
      serializer: (value: unknown, key: unknown) => [JSON.stringify(value), JSON.stringify(key)],
    })
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    const handler = withDeadLetters(
      ({ offset }) => {
        if (offset === 1) throw new Error('no')
      },
      { producer, maxRetries: 0 },
    )
    await consumer.run(handler)
    const [letter] = await read('dead')
    expect([String(letter!.key), String(letter!.value)]).toEqual(['key 1', 'order 1'])
  })

  const unsent = { produce: () => Promise.reject(new Error('no room')) }
  const failOn2 = ({ offset }: { readonly offset: number }) => {
    if (offset === 2) throw new Error('not this one')
  }

  it("that cannot be sent is skipped with a warning if onSendError returns 'skip'", async () => {
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    const asked: string[] = []
    const { warnings, logger } = keepWarnings()
    const options = {
      producer: unsent,
      maxRetries: 0,
      logger,
      onSendError: async (error: unknown) => {
        await Promise.resolve()
        asked.push((error as Error).message)
        return 'skip' as const
      },
    }
    await consumer.run(withDeadLetters(failOn2, options))
    expect(asked).toEqual(['no room'])
    expect(warnings).toEqual([expect.stringContaining('offset 2 is skipped')])
    expect(consumer.position(0)).toBe(5)
  })

  it('that cannot be sent is skipped even if the logger throws', async () => {
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    const warn = () => {
      throw new Error('the disk is full')
    }
    const logger = { ...keepWarnings().logger, warn }
    const options = { producer: unsent, maxRetries: 0, onSendError: 'skip', logger } as const
    await consumer.run(withDeadLetters(failOn2, options))
    expect(consumer.position(0)).toBe(5)
  })

  it('that cannot be sent stops the run if onSendError throws', async () => {
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    const { warnings, logger } = keepWarnings()
    const options = {
      producer: unsent,
      maxRetries: 0,
      logger,
      onSendError: () => Promise.reject(new Error('no idea')),
    }
    const failure = await failureOf(consumer.run(withDeadLetters(failOn2, options)))
    expect(failure.message).toBe('no room')
    expect(warnings).toEqual([expect.stringContaining('onSendError failed: no idea')])
    expect(consumer.position(0)).toBe(2)
  })
})

describe('functions given to withDeadLetters', () => {
  it('can be asynchronous, and their errors are logged as warnings', async () => {
    await using producer = await bed.client.topic('dead').getProducer()
    await using consumer = await bed.client.topic('orders').getSimpleConsumer({ stopAtEnd: true })
    const { warnings, logger } = keepWarnings()
    const calls: number[] = []
    const fail = ({ offset }: { readonly offset: number }) => {
      calls.push(offset)
      throw new Error('no')
    }
    const handler = withDeadLetters(fail, {
      producer,
      logger,
      maxRetries: 1,
      retryBackoffMs: 0,
      isRetriable: async (_error, { offset }) => {
        await Promise.resolve()
        if (offset === 3) throw new Error('isRetriable is broken')
        return false
      },
      onDeadLetter: async ({ offset }) => {
        await Promise.resolve()
        if (offset === 4) throw new Error('onDeadLetter is broken')
      },
    })
    await consumer.run(handler)
    expect(calls).toEqual([0, 1, 2, 3, 3, 4])
    expect(warnings).toEqual([
      'withDeadLetters: isRetriable failed: isRetriable is broken',
      'withDeadLetters: onDeadLetter failed: onDeadLetter is broken',
    ])
  })
})

describe('close', () => {
  it('does not wait for retries: the message is returned to its partition', async () => {
    await using producer = await bed.client.topic('dead').getProducer()
    const consumer = await bed.client
      .topic('orders')
      .getSimpleConsumer({ consumerGroup: 'g', autoCommitEnable: true })
    let attempts = 0
    const handler = withDeadLetters(
      ({ offset }, { attempt }) => {
        if (offset < 3) return
        attempts = attempt
        throw new Error('no')
      },
      // Longer than the test may take.
      { producer, maxRetries: 10, retryBackoffMs: 10_000_000 },
    )
    const running = consumer.run(handler)
    await until(() => attempts === 1)
    await consumer.close()
    await running
    expect(await read('dead')).toEqual([])
    await using next = await bed.client.topic('orders').getSimpleConsumer({ consumerGroup: 'g' })
    expect(next.position(0)).toBe(3)
  })
})
