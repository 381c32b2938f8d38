import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { ConsumedMessage } from '../../../src/index.ts'
import type { AssignedConsumer } from '../../../src/consumer/assigned-consumer.ts'
import { failureOf } from '../../support/settled.ts'
import { take } from '../../support/take.ts'
import { Bed } from './support/embedded.ts'

const A0 = { topic: 'a', partition: 0 }
const A1 = { topic: 'a', partition: 1 }
const B0 = { topic: 'b', partition: 0 }
let bed: Bed

beforeEach(async () => {
  bed = await Bed.start({ brokers: 2, topics: { a: { partitions: 2 }, b: { partitions: 1 } } })
})
afterEach(() => bed[Symbol.asyncDispose]())

const nothing = (consumer: AssignedConsumer) => consumer.reader.consume({ timeoutMs: 60 })
const texts = (messages: readonly ConsumedMessage[]) =>
  messages.map(({ value }) => String(value)).sort()

describe('the partitions of an AssignedConsumer', () => {
  it('are none at first, and then of any topics', async () => {
    await bed.write('a', 0, 2, 'a')
    await bed.write('b', 0, 2, 'b')
    const consumer = bed.consumer()
    expect(await nothing(consumer)).toBeUndefined()
    await consumer.assign([A0])
    expect(texts(await take(consumer.reader, 2))).toEqual(['a0', 'a1'])
    await consumer.assign([B0])
    expect(texts(await take(consumer.reader, 2))).toEqual(['b0', 'b1'])
    expect(consumer.assignment).toEqual([A0, B0])
  })

  it('are not delivered once they are removed, whatever was fetched', async () => {
    await bed.write('a', 0, 3, 'x')
    await bed.write('a', 1, 3, 'y')
    const consumer = bed.consumer()
    await consumer.assign([A0, A1])
    const [first] = await take(consumer.reader, 1)
    const gone = first!.partition
    consumer.unassign([{ topic: 'a', partition: gone }])
    const others = await take(consumer.reader, 3)
    expect(new Set(others.map(({ partition }) => partition))).toEqual(new Set([1 - gone]))
    expect(await nothing(consumer)).toBeUndefined()
    expect(consumer.assignment).toEqual([{ topic: 'a', partition: 1 - gone }])
  })

  it('are all left unassigned when one does not exist', async () => {
    const consumer = bed.consumer()
    const error = await failureOf(consumer.assign([A0, { topic: 'a', partition: 7 }]))
    expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', partition: 7 })
    expect(consumer.assignment).toEqual([])
  })

  it('start at the offset that is passed with them', async () => {
    await bed.write('a', 0, 5)
    const consumer = bed.consumer()
    await consumer.assign([{ ...A0, offset: 3 }])
    expect(texts(await take(consumer.reader, 2))).toEqual(['3', '4'])
  })

  it('can be removed while their start offset is being looked up', async () => {
    await bed.write('a', 0, 2)
    const lookUp = bed.kafka.faults.on({ api: 'ListOffsets' }, { hold: true })
    const asked = bed.kafka.requests.next({ api: 'ListOffsets' })
    const consumer = bed.consumer()
    const assigned = consumer.assign([A0])
    await asked
    consumer.unassign([A0])
    lookUp.release()
    await assigned
    expect(await nothing(consumer)).toBeUndefined()
    expect(consumer.positions.next).toEqual([])
  })
})

describe('the position', () => {
  it('moves with delivered messages, not with fetched ones', async () => {
    await bed.write('a', 0, 5)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    await take(consumer.reader, 2)
    expect(consumer.positions.next).toEqual([{ ...A0, offset: 2 }])
    expect(consumer.positions.held).toEqual([{ ...A0, offset: 1 }])
    expect(consumer.positions.lag).toEqual([{ ...A0, lag: 3 }])
  })

  it('can be moved forward and backward', async () => {
    await bed.write('a', 0, 5)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    await take(consumer.reader, 2)
    consumer.positions.seek(A0, 4)
    expect(texts(await take(consumer.reader, 1))).toEqual(['4'])
    consumer.positions.seek(A0, 0)
    expect(texts(await take(consumer.reader, 5))).toEqual(['0', '1', '2', '3', '4'])
  })

  it('can be set to an end, a time or an offset', async () => {
    await bed.write('a', 0, 3)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    await consumer.commits.reset([{ ...A0, to: 'latest' }])
    expect(consumer.positions.of(A0)).toBe(3)
    await consumer.commits.reset([{ ...A0, to: new Date(Date.now() - 60_000) }])
    expect(consumer.positions.of(A0)).toBe(0)
    await consumer.commits.reset([{ ...A0, to: 2 }])
    expect(texts(await take(consumer.reader, 1))).toEqual(['2'])
  })

  it('follows autoOffsetReset past the end of the log', async () => {
    await bed.write('a', 0, 3)
    const consumer = bed.consumer()
    await consumer.assign([{ ...A0, offset: 1_000 }])
    expect(texts(await take(consumer.reader, 3))).toEqual(['0', '1', '2'])
  })
})

describe('a paused partition', () => {
  it('keeps its messages while the others continue', async () => {
    await bed.write('a', 0, 3, 'x')
    await bed.write('a', 1, 3, 'y')
    const consumer = bed.consumer()
    await consumer.assign([A0, A1])
    const [first] = await take(consumer.reader, 1)
    const paused = { topic: 'a', partition: first!.partition }
    consumer.pause([paused])
    const fetches = () => bed.kafka.requests.all({ api: 'Fetch' }).length
    expect(
      texts(await take(consumer.reader, 3)).every((text) => text[0] !== String(first!.value)[0]),
    ).toBe(true)
    expect(await nothing(consumer)).toBeUndefined()
    expect(fetches()).toBeGreaterThan(0)
    consumer.resume([paused])
    expect(texts(await take(consumer.reader, 2)).map((text) => text.slice(1))).toEqual(['1', '2'])
  })
})

describe('offsets of a group', () => {
  it('are committed up to the delivered messages, and reading continues from there', async () => {
    await bed.write('a', 0, 5)
    const first = bed.consumer({ consumerGroup: 'g' })
    await first.assign([A0])
    await take(first.reader, 3)
    await first.commits.commit()
    await first.close()
    const second = bed.consumer({ consumerGroup: 'g' })
    await second.assign([A0])
    expect(await second.commits.fetch()).toMatchObject([{ ...A0, offset: 3 }])
    expect(texts(await take(second.reader, 2))).toEqual(['3', '4'])
  })

  it('are committed on close with autoCommitEnable, without the current message', async () => {
    await bed.write('a', 0, 5)
    const first = bed.consumer({ consumerGroup: 'g', autoCommitEnable: true })
    await first.assign([A0])
    await take(first.reader, 3)
    await first.close()
    const second = bed.consumer({ consumerGroup: 'g' })
    await second.assign([A0])
    // The application has asked for the third, so that it has processed two.
    expect(second.positions.of(A0)).toBe(2)
  })

  it('are the start of a partition of which nothing was read, so that nothing is skipped', async () => {
    await bed.write('a', 0, 3, 'before')
    const options = {
      consumerGroup: 'g',
      autoOffsetReset: 'latest',
      autoCommitEnable: true,
    } as const
    const first = bed.consumer(options)
    await first.assign([A0])
    await first.close()
    await bed.write('a', 0, 2, 'between')
    const second = bed.consumer(options)
    await second.assign([A0])
    expect(texts(await take(second.reader, 2))).toEqual(['between0', 'between1'])
  })

  it('cause an error with the reason if they were not committed', async () => {
    await bed.write('a', 0, 1)
    const consumer = bed.consumer({ consumerGroup: 'g' })
    await consumer.assign([A0])
    await take(consumer.reader, 1)
    bed.kafka.faults.on({ api: 'OffsetCommit', times: 1 }, { error: 'ILLEGAL_GENERATION' })
    expect(await failureOf(consumer.commits.commit())).toMatchObject({
      code: 'ILLEGAL_GENERATION',
      topic: 'a',
      partition: 0,
    })
    await consumer.commits.commit()
  })

  it('are committed although the coordinator moves', async () => {
    await bed.write('a', 0, 1)
    const consumer = bed.consumer({ consumerGroup: 'g' })
    await consumer.assign([A0])
    await take(consumer.reader, 1)
    const other = bed.kafka.brokerIds.find((id) => id !== bed.kafka.coordinatorOf('g'))!
    bed.kafka.moveCoordinator('g', other)
    await consumer.commits.commit()
    expect(await consumer.commits.fetch()).toMatchObject([{ ...A0, offset: 1 }])
  })
})

describe('an error from outside', () => {
  it('is thrown by consume(), also by calls that already wait', async () => {
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const waiting = failureOf(consumer.reader.consume())
    consumer.fail(new Error('fenced'))
    expect((await waiting).message).toBe('fenced')
    expect((await failureOf(consumer.reader.consume())).message).toBe('fenced')
  })

  it('is thrown by for await', async () => {
    const consumer = bed.consumer()
    const reading = failureOf(
      (async () => {
        for await (const message of consumer.reader.messages()) expect(message).toBeUndefined()
      })(),
    )
    await new Promise(setImmediate)
    consumer.fail(new Error('fenced'))
    expect((await reading).message).toBe('fenced')
  })
})

describe('run', () => {
  it('waits in settled() for handlers that have begun, and starts no other', async () => {
    await bed.write('a', 0, 3)
    const consumer = bed.consumer({ consumerGroup: 'g' })
    await consumer.assign([A0])
    const handled: string[] = []
    let finish: () => void = () => undefined
    const begun = new Promise<void>((resolve) => {
      const abort = new AbortController()
      consumer.reader
        .run(
          async ({ value }) => {
            resolve()
            await new Promise<void>((done) => {
              finish = done
            })
            handled.push(String(value))
          },
          { signal: abort.signal },
        )
        .catch(() => undefined)
    })
    await begun
    let isSettled = false
    const settling = consumer.settled([A0]).then(() => {
      isSettled = true
    })
    await new Promise(setImmediate)
    expect(isSettled).toBe(false)
    finish()
    await settling
    expect(handled).toEqual(['0'])
    await consumer.commits.commit()
    expect(await consumer.commits.fetch()).toMatchObject([{ offset: 1 }])
    consumer.unassign([A0])
    await new Promise(setImmediate)
    expect(handled).toEqual(['0'])
  })

  it('handles the failed message again in the next run', async () => {
    await bed.write('a', 0, 3)
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    const handled: string[] = []
    const failing = consumer.reader.run(({ value }) => {
      if (String(value) === '1') throw new Error('not this one')
      handled.push(String(value))
    })
    expect((await failureOf(failing)).message).toBe('not this one')
    expect(consumer.positions.of(A0)).toBe(1)
    await consumer.reader.run(({ value }) => void handled.push(String(value)))
    expect(handled).toEqual(['0', '1', '2'])
  })
})

describe('batches', () => {
  it('contain what was fetched, and commit themselves', async () => {
    await bed.write('a', 0, 4)
    const consumer = bed.consumer({ consumerGroup: 'g', stopAtEnd: true })
    await consumer.assign([A0])
    const seen: string[] = []
    for await (const batch of consumer.reader.batches()) {
      for (const { value } of batch) seen.push(String(value))
      expect(batch).toMatchObject({ topic: 'a', partition: 0, highWatermark: 4 })
      await batch.commit()
    }
    expect(seen).toEqual(['0', '1', '2', '3'])
    expect(await consumer.commits.fetch()).toMatchObject([{ offset: 4 }])
  })
})

describe('one consumer', () => {
  it('is read in one way at a time', async () => {
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const iterator = consumer.reader.messages()
    const waiting = iterator.next()
    expect(await failureOf(iterator.next())).toMatchObject({ code: 'CONSUMER_BUSY' })
    expect(await failureOf(consumer.reader.messages().next())).toMatchObject({
      code: 'CONSUMER_BUSY',
    })
    expect(await failureOf(consumer.reader.consume())).toMatchObject({ code: 'CONSUMER_BUSY' })
    await bed.write('a', 0, 1)
    expect(await waiting).toMatchObject({ done: false })
    await iterator.return!()
    expect(await nothing(consumer)).toBeUndefined()
  })

  it('cannot be used once it is closed', async () => {
    const consumer = bed.consumer()
    await consumer.close()
    expect(await failureOf(consumer.reader.consume())).toMatchObject({ code: 'CLOSED' })
    expect(await failureOf(consumer.assign([A0]))).toMatchObject({ code: 'CLOSED' })
    expect(() => consumer.positions.seek(A0, 0)).toThrow('the consumer is closed')
  })
})
