import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { takeTexts } from '../../support/take.ts'
import { Bed } from './support/embedded.ts'

const A0 = { topic: 'a', partition: 0 }
const A1 = { topic: 'a', partition: 1 }
/** No test may take as long: a consumer that waited for a poll in flight would fail. */
const LONG_POLL_MS = 600_000
let bed: Bed

beforeEach(async () => {
  bed = await Bed.start({ topics: { a: { partitions: 2 } } })
})
afterEach(() => bed[Symbol.asyncDispose]())

describe('a long poll in flight', () => {
  it('does not delay a seek', async () => {
    await bed.write('a', 0, 5)
    const consumer = bed.consumer({ fetchWaitMaxMs: LONG_POLL_MS })
    await consumer.assign([A0])
    await takeTexts(consumer.reader, 5)
    for (const offset of [3, 1, 4]) {
      expect(await consumer.reader.consume({ timeoutMs: 50 })).toBeUndefined()
      consumer.positions.seek(A0, offset)
      const rest = Array.from({ length: 5 - offset }, (_, i) => String(offset + i))
      expect(await takeTexts(consumer.reader, rest.length)).toEqual(rest)
    }
  })

  it('does not delay a partition that is resumed', async () => {
    const consumer = bed.consumer({ fetchWaitMaxMs: LONG_POLL_MS })
    await consumer.assign([A0, A1])
    consumer.pause([A1])
    await bed.write('a', 0, 1, 'first ')
    await takeTexts(consumer.reader, 1)
    expect(await consumer.reader.consume({ timeoutMs: 50 })).toBeUndefined()
    await bed.write('a', 1, 1, 'resumed ')
    consumer.resume([A1])
    expect(await takeTexts(consumer.reader, 1)).toEqual(['resumed 0'])
  })

  it('does not delay a partition that is added', async () => {
    await bed.write('a', 1, 1, 'added ')
    const consumer = bed.consumer({ fetchWaitMaxMs: LONG_POLL_MS })
    await consumer.assign([A0])
    expect(await consumer.reader.consume({ timeoutMs: 50 })).toBeUndefined()
    await consumer.assign([A1])
    expect(await takeTexts(consumer.reader, 1)).toEqual(['added 0'])
  })
})
