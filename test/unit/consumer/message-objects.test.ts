import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { ConsumedMessage } from '../../../src/index.ts'
import { writePoison } from '../../support/poison.ts'
import { Bed } from './support/embedded.ts'

const VALUE = Buffer.from([0xff, 0x00, 0x7f])
let bed: Bed

beforeEach(async () => {
  bed = await Bed.start({ topics: { a: { partitions: 1 } } })
  await using producer = await bed.client.topic('a').getProducer()
  void producer.produce('x'.repeat(500_000))
  const headers = [
    ['h', 'v'],
    ['none', null],
  ] as const
  await producer.produce(VALUE, { key: 'key', headers, timestamp: 1_700_000_000_000 })
})
afterEach(() => bed[Symbol.asyncDispose]())

async function last(deserializer?: (bytes: Buffer | null) => unknown): Promise<ConsumedMessage> {
  const options = deserializer === undefined ? {} : { deserializer }
  await using consumer = await bed.client.topic('a').getSimpleConsumer(options)
  await consumer.consume()
  return (await consumer.consume()) as ConsumedMessage
}

describe('a consumed message', () => {
  it('has a plain copy with all fields, which can be cloned and spread', async () => {
    const object = (await last()).toObject()
    const cloned = structuredClone({ ...object })
    expect(cloned).toMatchObject({ topic: 'a', partition: 0, offset: 1, timestamp: 1.7e12 })
    expect([...cloned.value!]).toEqual([...VALUE])
    expect(Buffer.from(cloned.key!).toString()).toBe('key')
    expect(cloned.headers!.map(({ key, value }) => [key, value && Buffer.from(value)])).toEqual([
      ['h', Buffer.from('v')],
      ['none', null],
    ])
  })

  it('has a copy that references no other memory and clones nothing', async () => {
    const { key, value, headers } = (await last()).toObject()
    const bytes = [key, value, headers![0]!.value].map((data) => data!.buffer.byteLength)
    expect(bytes).toEqual([3, 3, 1])
  })

  it('refuses to be cloned, and names the method that makes a copy', async () => {
    const refusal = /toObject|MethodToObject.*could not be cloned/s
    const message = await last()
    expect(() => structuredClone(message)).toThrow(refusal)
    expect(() => structuredClone({ ...message })).toThrow(refusal)
    const deserialized = await last(String)
    expect(() => structuredClone(deserialized)).toThrow(refusal)
  })

  it('serializes to JSON with key, value and headers', async () => {
    const json = JSON.parse(JSON.stringify(await last())) as Record<'key' | 'value', Buffer>
    expect(json).toMatchObject({ topic: 'a', offset: 1, timestampType: 'create-time' })
    expect(Buffer.from(json.value)).toEqual(VALUE)
    expect(Buffer.from(json.key).toString()).toBe('key')
    const deserialized = JSON.stringify(await last((bytes) => bytes?.length))
    expect(JSON.parse(deserialized)).toMatchObject({ offset: 1, value: 3 })
  })

  it.each([
    ['timestamp', { timestamp: null }],
    ['headers', { headers: null }],
  ] as const)('has a copy when its %s cannot be read', async (poison, missing) => {
    await writePoison(bed.kafka, 'a', 'poison', poison)
    await using consumer = await bed.client.topic('a').getSimpleConsumer()
    consumer.seek(0, 2)
    const message = await consumer.consume()
    expect(message?.toObject()).toMatchObject({
      offset: 2,
      value: Buffer.from('poison'),
      ...missing,
    })
    expect(JSON.stringify(message)).toContain('"offset":2')
  })
})

describe('onDeserializationError', () => {
  it('that throws or returns a promise stops at the message with an error that reports it', async () => {
    const fail = () => {
      throw new Error('no')
    }
    for (const [policy, reason] of [
      [() => Promise.reject(new Error('late')), 'onDeserializationError returned a promise'],
      [fail, 'onDeserializationError threw: no'],
    ] as const) {
      await using consumer = await bed.client.topic('a').getSimpleConsumer({
        deserializer: fail,
        // @ts-expect-error a promise is no decision
        onDeserializationError: policy,
      })
      await expect(consumer.consume()).rejects.toThrow(reason)
      expect(consumer.position(0)).toBe(0)
    }
  })

  it("'deliver' delivers the message, and reading its value throws the error", async () => {
    await using consumer = await bed.client.topic('a').getSimpleConsumer({
      deserializer: (bytes) => {
        if (bytes!.length > 3) throw new Error('too long')
        return bytes!.length
      },
      onDeserializationError: 'deliver',
    })
    const message = await consumer.consume()
    expect(message?.offset).toBe(0)
    expect(() => message?.value).toThrow('too long')
    expect((await consumer.consume())?.value).toBe(3)
  })
})
