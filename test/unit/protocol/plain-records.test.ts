import { describe, expect, it } from '@jest/globals'
import { decodeRecords, encodeRecords, type PlainRecord } from '../../../protocol/index.ts'

const RECORDS: readonly PlainRecord[] = [
  { key: 'k', value: 'first', timestamp: 1_000 },
  { key: null, value: Buffer.from('second'), timestamp: 1_001 },
  { value: null, timestamp: 1_002 },
]

const texts = (data: Uint8Array) =>
  decodeRecords(data).map(({ offset, key, value }) => [offset, key?.toString(), value?.toString()])

describe('records as plain objects', () => {
  it.each(
    ([0, 1, 2] as const).flatMap((format) =>
      (['none', 'gzip', 'snappy', 'lz4'] as const).map((compression) => ({ format, compression })),
    ),
  )('are unchanged by a round trip with %j', (options) => {
    const data = encodeRecords(RECORDS, options)
    expect(texts(data)).toEqual([
      [0, 'k', 'first'],
      [1, undefined, 'second'],
      [2, undefined, undefined],
    ])
    const timestamps = decodeRecords(data).map(({ timestamp }) => timestamp)
    expect(timestamps).toEqual(options.format === 0 ? [-1, -1, -1] : [1_000, 1_001, 1_002])
  })

  it('have headers in format 2 only', () => {
    const headers = [{ key: 'h', value: 'one' }]
    const [decoded] = decodeRecords(encodeRecords([{ value: 'v', headers }]))
    expect(decoded!.headers).toEqual([{ key: 'h', value: Buffer.from('one') }])
    expect(() => encodeRecords([{ value: 'v', headers }], { format: 1 })).toThrow('no headers')
  })

  it('are read from views, up to a truncated batch', () => {
    const [first, second] = ['a', 'b'].map((value) => encodeRecords([{ value }]))
    const both = Buffer.concat([Buffer.alloc(3), first!, second!])
    expect(texts(new Uint8Array(both.subarray(3)))).toHaveLength(2)
    expect(texts(both.subarray(3, both.length - 1))).toEqual([[0, undefined, 'a']])
    expect(decodeRecords(new Uint8Array())).toEqual([])
  })

  it('are rejected if something would be lost, and damaged ones when they are read', () => {
    const refusals: readonly (readonly [unknown, unknown, string])[] = [
      [[], {}, 'at least one record'],
      [[{ value: 'v', partitionKey: 'k' }], {}, "no field 'partitionKey'"],
      [[{ value: 7 }], {}, 'value of a record must be a string'],
      [[{ value: 'v', timestamp: 1.5 }], {}, 'whole number of milliseconds'],
      [[{ value: 'v' }], { format: 3 }, 'format must be 0, 1 or 2, not 3'],
      [
        [{ value: 'v' }],
        { compression: 1 },
        "compression must be one of none, gzip, snappy, lz4, zstd, not '1'",
      ],
    ]
    for (const [records, options, text] of refusals) {
      expect(() => encodeRecords(records as never, options as never)).toThrow(text)
    }
    const damaged = encodeRecords([{ value: 'v' }])
    damaged[damaged.length - 2]! ^= 1
    expect(() => decodeRecords(damaged)).toThrow('records: the CRC-32C')
  })
})
