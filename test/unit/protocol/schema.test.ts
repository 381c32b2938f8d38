import { describe, expect, it } from '@jest/globals'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import { EncodeError, ProtocolError } from '../../../protocol/protocol-error.ts'
import { MessageSchema, type RequestOf, type ResponseOf } from '../../../protocol/schema/api.ts'
import {
  array,
  bool,
  bytes,
  float64,
  int16,
  int32,
  int64,
  int8,
  string,
  struct,
  uint16,
  uint32,
  uuid,
  ZERO_UUID,
  type Decoded,
  type Encodable,
  type Fields,
} from '../../../protocol/schema/fields.ts'
import { parseVersions } from '../../../protocol/schema/versions.ts'
import type { metadata } from '../../../protocol/apis/index.ts'
import { layout } from '../../wire/support/layout.ts'

function encode<F extends Fields>(message: MessageSchema<F>, version: number, value: Encodable<F>) {
  const writer = new Writer()
  message.encode(writer, version, value)
  return Buffer.concat(writer.finish()).toString('hex')
}

function decode<F extends Fields>(message: MessageSchema<F>, version: number, text: string) {
  return message.decode(new Reader(layout(text)), version)
}

/** For values that the types refuse. */
function encodeAnything(
  message: MessageSchema<Fields>,
  version: number,
  value: Record<string, unknown>,
) {
  return encode(message, version, value)
}

describe('a field that a version lacks', () => {
  const message = new MessageSchema('Sample', '0-2', '2+', {
    id: int32('0+'),
    rack: string('1+', { default: null, nullable: '1+' }),
    epoch: int32('1+', { default: -1 }),
    hint: string('1+', { ignorable: true }),
    names: array('1+', 'string'),
    place: struct('1+', { host: string('1+'), port: int32('1+', { default: -1 }) }),
  })

  it('is decoded as its default', () => {
    expect(decode(message, 0, '00000007')).toEqual({
      id: 7,
      rack: null,
      epoch: -1,
      hint: '',
      names: [],
      place: { host: '', port: -1 },
    })
  })

  it('can be omitted when encoding', () => {
    expect(encode(message, 0, { id: 7 })).toBe('00000007')
  })

  it('can be passed with its default', () => {
    const place = { host: '', port: -1 }
    const value = { id: 7, rack: null, epoch: -1, names: [], place }
    expect(encode(message, 0, value)).toBe('00000007')
  })

  it('is rejected with another value, instead of being lost', () => {
    const lacking = 'Sample v0: version 0 does not have this field, in '
    expect(() => encode(message, 0, { id: 7, epoch: 3 })).toThrow(`${lacking}epoch`)
    expect(() => encode(message, 0, { id: 7, rack: '' })).toThrow(`${lacking}rack`)
    expect(() => encode(message, 0, { id: 7, names: ['a'] })).toThrow(`${lacking}names`)
    const place = { host: 'kafka' }
    expect(() => encode(message, 0, { id: 7, place })).toThrow(`${lacking}place`)
    expect(() => encode(message, 0, { id: 7, epoch: 3 })).toThrow(EncodeError)
  })

  it('is dropped with another value if it is ignorable', () => {
    expect(encode(message, 0, { id: 7, hint: 'lost' })).toBe('00000007')
  })

  it('is written with its default when it is omitted in a version that has it', () => {
    expect(encode(message, 1, { id: 7 })).toBe(
      layout(`00000007   ; id
              ffff       ; rack
              ffffffff   ; epoch
              0000       ; hint
              00000000   ; names
              0000 ffffffff   ; place`).toString('hex'),
    )
  })
})

describe('null', () => {
  const message = new MessageSchema('Sample', '0-2', '2+', {
    name: string('0+', { nullable: '1+' }),
    data: bytes('0+', { default: null, nullable: '0+' }),
    list: array('0+', 'int32', { nullable: '0+' }),
    place: struct('0+', { port: int32('0+') }, { default: null, nullable: '0+' }),
  })
  const nulls = { name: null, data: null, list: null, place: null }

  it('is a length of -1 before the flexible versions, and a byte of -1 for a struct', () => {
    expect(encode(message, 1, nulls)).toBe('ffff' + 'ffffffff' + 'ffffffff' + 'ff')
    expect(decode(message, 1, 'ffff ffffffff ffffffff ff')).toEqual(nulls)
  })

  it('is a length of zero in the compact form', () => {
    expect(encode(message, 2, nulls)).toBe('00' + '00' + '00' + 'ff' + '00')
    expect(decode(message, 2, '00 00 00 ff 00')).toEqual(nulls)
  })

  it('is rejected in both directions if the version does not allow it', () => {
    const refused = 'Sample v0: it is null, which this version does not allow, in name'
    expect(() => encode(message, 0, nulls)).toThrow(refused)
    expect(() => decode(message, 0, 'ffff ffffffff ffffffff ff')).toThrow(`${refused}, at byte 2`)
  })

  it('is distinguished from empty', () => {
    const empty = { name: '', data: Buffer.alloc(0), list: [], place: { port: 0 } }
    expect(encode(message, 2, empty)).toBe('01' + '01' + '01' + '01' + '00000000' + '00' + '00')
    expect(decode(message, 2, '01 01 01 01 00000000 00 00')).toEqual(empty)
  })
})

describe('tagged fields', () => {
  const message = new MessageSchema('Sample', '0-1', '1+', {
    id: int8('0+'),
    epoch: int32('1+', { default: -1, tag: 1 }),
    place: struct('1+', { port: int32('1+') }, { tag: 4 }),
  })

  it('are omitted at their default', () => {
    expect(encode(message, 1, { id: 7, epoch: -1, place: { port: 0 } })).toBe('07' + '00')
    expect(decode(message, 1, '07 00')).toEqual({ id: 7, epoch: -1, place: { port: 0 } })
  })

  it('are written by tag, with their length', () => {
    const text = '07 02  01 04 00000002  04 05 00002384 00'
    const value = { id: 7, epoch: 2, place: { port: 9092 } }
    expect(encode(message, 1, value)).toBe(layout(text).toString('hex'))
    expect(decode(message, 1, text)).toEqual(value)
  })

  it('that are unknown are kept, and written back in the order of the tags', () => {
    const text = "07 03  00 02 'hi'  01 04 00000002  e807 01 'x'"
    const value = decode(message, 1, text)
    expect(value.unknownTaggedFields).toEqual([
      { tag: 0, data: Buffer.from('hi') },
      { tag: 1000, data: Buffer.from('x') },
    ])
    expect(encode(message, 1, value)).toBe(layout(text).toString('hex'))
  })

  it('that are unknown are rejected when there is no place for them', () => {
    const unknownTaggedFields = [{ tag: 9, data: Buffer.from('x') }]
    expect(() => encode(message, 0, { id: 7, unknownTaggedFields })).toThrow(
      'Sample v0: version 0 has no tagged fields, in unknownTaggedFields',
    )
  })

  it('are rejected with the same tag twice', () => {
    const data = Buffer.from('x')
    const twice = { id: 7, epoch: 2, unknownTaggedFields: [{ tag: 1, data }] }
    expect(() => encode(message, 1, twice)).toThrow('tag 1 comes after tag 1')
  })

  it('must fill the length they declare', () => {
    expect(() => decode(message, 1, '07 01  01 05 00000002 00')).toThrow(
      'Sample v1: 1 bytes follow the last field, in tagged fields.epoch, at byte 8',
    )
    expect(() => decode(message, 1, '07 01  01 03 000000 02')).toThrow(
      'Sample v1: 4 bytes are expected, but only 3 are left, in tagged fields.epoch, at byte 4',
    )
  })
})

describe('a value that is checked against its type', () => {
  const message = new MessageSchema('Sample', '0', 'none', {
    flag: bool('0+', { default: false }),
    tiny: int8('0+', { default: 0 }),
    small: int16('0+', { default: 0 }),
    port: uint16('0+', { default: 0 }),
    count: int32('0+', { default: 0 }),
    unsigned: uint32('0+', { default: 0 }),
    offset: int64('0+', { default: 0n }),
    rate: float64('0+', { default: 0 }),
    id: uuid('0+', { default: ZERO_UUID }),
    name: string('0+', { default: '' }),
    data: bytes('0+', { default: new Uint8Array(0) }),
    names: array('0+', 'string', { default: null, nullable: '0+' }),
  })

  it.each([
    ['tiny', 128],
    ['tiny', -129],
    ['small', 32768],
    ['port', -1],
    ['port', 65536],
    ['count', 2 ** 31],
    ['count', 1.5],
    ['count', NaN],
    ['count', 1n],
    ['unsigned', -1],
    ['unsigned', 2 ** 32],
    ['offset', 2n ** 63n],
    ['offset', -(2n ** 63n) - 1n],
    ['offset', 1],
    ['id', 'short'],
    ['id', '00000000-0000-0000-0000-000000000000'],
    ['name', 'x'.repeat(32768)],
    ['name', 5],
    ['flag', 'no'],
    ['rate', '1'],
    ['data', 'text'],
    ['names', 'text'],
    ['names', [1]],
  ])('is rejected if it does not fit: %s', (name, value) => {
    const place = name === 'names' && Array.isArray(value) ? 'names[0]' : name
    const attempt = () => encodeAnything(message, 0, { [name]: value })
    expect(attempt).toThrow(EncodeError)
    expect(attempt).toThrow(/^Sample v0: /)
    expect(attempt).toThrow(`, in ${place}`)
  })

  it.each([
    ['tiny', [127, -128]],
    ['small', [32767, -32768]],
    ['port', [0, 65535]],
    ['count', [2 ** 31 - 1, -(2 ** 31)]],
    ['unsigned', [0, 2 ** 32 - 1]],
    ['offset', [2n ** 63n - 1n, -(2n ** 63n)]],
    ['name', ['x'.repeat(32767)]],
  ])('is accepted up to the limits: %s', (name, values) => {
    for (const value of values) {
      const hex = encodeAnything(message, 0, { [name]: value })
      expect(decode(message, 0, hex)).toMatchObject({ [name]: value })
    }
  })
})

describe('an error names the position', () => {
  const message = new MessageSchema('Sample', '0-1', '1+', {
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', { index: int32('0+'), leader: int16('0+') }),
    }),
  })

  it('in a value to encode', () => {
    const topics = [
      { name: 'a', partitions: [] },
      { name: 'b', partitions: [{ index: 0, leader: 70000 }] },
    ]
    expect(() => encode(message, 1, { topics })).toThrow(
      'Sample v1: it must be an integer from -32768 to 32767, not 70000, in topics[1].partitions[0].leader',
    )
  })

  it('in bytes to decode', () => {
    const text = "00000001 0001 'a' 00000002 00000000 0001 00000001 00"
    let error: unknown
    try {
      decode(message, 0, text)
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(ProtocolError)
    // Refused at the count: what is left cannot hold two partitions.
    expect(String(error)).toBe(
      'ProtocolError: Sample v0: its count is 2, but only 11 bytes are left, in topics[0].partitions, at byte 11',
    )
    expect(error).toMatchObject({ path: 'topics[0].partitions', position: 11 })
  })

  it('for a version that was never declared', () => {
    expect(() => encode(message, 2, { topics: [] })).toThrow('Sample has no version 2')
  })
})

describe('an invalid count or length is rejected:', () => {
  const message = new MessageSchema('Sample', '0-1', '1+', {
    offsets: array('0+', 'int64', { nullable: '0+' }),
    empty: array('0+', {}),
    name: string('0+'),
    data: bytes('0+'),
  })

  it.each([
    ['an array larger than the frame', 0, '7fffffff 00', 'its count is 2147483647, but only 1'],
    [
      'one whose elements do not fit',
      0,
      '00000002 0000000000000001 00',
      'its count is 2, but only',
    ],
    ['structs without any bytes', 0, '00000000 7fffffff 00', 'its count is 2147483647, but only 1'],
    ['a negative count', 0, 'fffffffe 00', 'its count of -2 is negative'],
    ['a compact one of 32 bits', 1, 'ffffffff0f 00', 'its count is 4294967294, but only 1'],
    ['a varint without an end', 1, 'ffffffffffff', 'a varint is longer than 32 bits'],
    ['a string larger than the frame', 0, '00000000 00000000 7fff 00', 'its length is 32767'],
    ['a negative length', 0, '00000000 00000000 fffe', 'its length of -2 is negative'],
    [
      'bytes larger than the frame',
      0,
      '00000000 00000000 0000 7fffffff',
      'its length is 2147483647',
    ],
    [
      'tagged fields past the frame',
      1,
      '01 01 01 01 ffffffff0f',
      '1 bytes are expected, but only 0 are left',
    ],
    [
      'a tagged field past the frame',
      1,
      '01 01 01 01 01 00 ffffffff0f',
      '4294967295 bytes are expected',
    ],
  ])('%s', (_what, version, text, problem) => {
    expect(() => decode(message, version, text)).toThrow(ProtocolError)
    expect(() => decode(message, version, text)).toThrow(problem)
  })
})

describe('versions in the notation of Kafka', () => {
  it('can be open, closed, single and none', () => {
    expect(parseVersions('3+')).toEqual({ min: 3, max: Infinity })
    expect(parseVersions('3-7')).toEqual({ min: 3, max: 7 })
    expect(parseVersions('4')).toEqual({ min: 4, max: 4 })
    const { min, max } = parseVersions('none')
    expect(max).toBeLessThan(min)
  })
})

describe('the types follow from the declaration', () => {
  // The type checker holds these up; at run time there is nothing to see. Functions, as `extends`
  // alone takes a subtype for the same.
  type Same<A, B> = Exactly<A>[] extends Exactly<B>[] ? true : false
  type Exactly<T> = (value: T) => T

  const fields = {
    id: int64('0+'),
    name: string('0+', { nullable: '1+' }),
    rack: string('1+', { default: null, nullable: '1+' }),
    tagged: int32('0+', { tag: 0 }),
    topics: array('0+', { names: array('0+', 'string'), epoch: int32('3+') }),
  }
  type Sample = typeof fields

  it('of decoded messages: every field is present', () => {
    const proofs: [
      Same<Decoded<Sample>['id'], bigint>,
      Same<Decoded<Sample>['name'], string | null>,
      Same<Decoded<Sample>['rack'], string | null>,
      Same<Decoded<Sample>['tagged'], number>,
      Same<Decoded<Sample>['topics'][number]['names'], readonly string[]>,
      Same<Decoded<Sample>['topics'][number]['epoch'], number>,
    ] = [true, true, true, true, true, true]
    expect(proofs).not.toContain(false)
    expect(Object.keys(fields)).toEqual(['id', 'name', 'rack', 'tagged', 'topics'])
  })

  it('of messages to encode: fields with a default or of later versions can be omitted', () => {
    type Optional<T, Name extends keyof T> =
      Partial<Pick<T, Name>> extends Pick<T, Name> ? true : false
    const proofs: [
      Same<Optional<Encodable<Sample>, 'id'>, false>,
      Same<Optional<Encodable<Sample>, 'name'>, false>,
      Same<Optional<Encodable<Sample>, 'rack'>, true>,
      Same<Optional<Encodable<Sample>, 'tagged'>, true>,
      Same<Optional<Encodable<Sample>, 'topics'>, false>,
      Same<Optional<Encodable<Sample>['topics'][number], 'epoch'>, true>,
      Same<Optional<Encodable<Sample>['topics'][number], 'names'>, false>,
    ] = [true, true, true, true, true, true, true]
    expect(proofs).not.toContain(false)
  })

  it("of an API's request and response", () => {
    type Topic = NonNullable<RequestOf<typeof metadata>['topics']>[number]
    type Broker = ResponseOf<typeof metadata>['brokers'][number]
    const proofs: [Same<Topic['name'], string | null>, Same<Broker['rack'], string | null>] = [
      true,
      true,
    ]
    expect(proofs).not.toContain(false)
  })
})
