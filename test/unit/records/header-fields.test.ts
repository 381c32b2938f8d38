import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BatchWriter } from '../../../protocol/records/batch-writer.ts'
import {
  asciiHeadersBytes,
  headerFields,
  headersBytes,
  headersOf,
  type HeaderFields,
  type OutgoingHeader,
} from '../../../protocol/records/outgoing-record.ts'
import { NOW } from './records.ts'

/** Short and long texts, most of them ASCII, and bytes and nulls. */
const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 30 }) },
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: fc.constantFrom('a', 'é', '値', '😀', '\ud800'), maxLength: 80 }),
)
const value = fc.oneof(
  { weight: 4, arbitrary: text },
  fc.uint8Array({ maxLength: 80 }),
  fc.constant(null),
)
const records = fc.array(fc.array(fc.record({ key: text, value }), { maxLength: 5 }), {
  minLength: 1,
  maxLength: 8,
})

const HEADER_BYTES = 61
const NO_LIMIT = Infinity

function append(writer: BatchWriter, fields: HeaderFields, bytes: number, maxBytes = NO_LIMIT) {
  return writer.append(null, -1, 'v', 1, NOW, fields, bytes, maxBytes)
}

// The plain twin: KIP-98's record, byte by byte.

function varint(number: number): number[] {
  const zigzag = number < 0 ? -2 * number - 1 : 2 * number
  const bytes: number[] = []
  for (let rest = zigzag; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) + 128)
  }
}

function sized(data: Uint8Array | string | null): number[] {
  if (data === null) return varint(-1)
  const bytes = Buffer.from(data)
  return [...varint(bytes.length), ...bytes]
}

function plainRecord(headers: readonly OutgoingHeader[], index: number): number[] {
  const body = [0, 0, ...varint(index), ...sized(null), ...sized('v'), ...varint(headers.length)]
  for (const header of headers) body.push(...sized(header.key), ...sized(header.value))
  return [...varint(body.length), ...body]
}

describe('headers of a record', () => {
  it.each([
    ['exactly', headersBytes],
    ['as ASCII', asciiHeadersBytes],
  ])('are written as the plain twin writes them, if they are counted %s', (_, count) => {
    const property = fc.property(records, (list) => {
      // So little that the writer has to take more memory.
      const writer = new BatchWriter(HEADER_BYTES)
      for (const headers of list) {
        const fields = headerFields(headers)
        expect(append(writer, fields, count(fields))).toBe(true)
      }
      expect([...writer.records()]).toEqual(list.flatMap(plainRecord))
      expect(writer.count).toBe(list.length)
    })
    fc.assert(property)
  })

  it.each([
    ['exactly', headersBytes],
    ['as ASCII', asciiHeadersBytes],
  ])('are the same where a list is written again, if they are counted %s', (_, count) => {
    const property = fc.property(records, fc.integer({ min: 2, max: 4 }), (list, times) => {
      const writer = new BatchWriter(HEADER_BYTES)
      const written: number[] = []
      for (const headers of list) {
        const fields = headerFields(headers)
        for (let time = 0; time < times; time++) {
          const next = plainRecord(headers, writer.count)
          const maxBytes = HEADER_BYTES + written.length + next.length
          // A record that does not fit leaves no trace.
          expect(append(writer, fields, count(fields), maxBytes - 1)).toBe(false)
          expect(append(writer, fields, count(fields), maxBytes)).toBe(true)
          written.push(...next)
          expect([...writer.records()]).toEqual(written)
        }
      }
    })
    fc.assert(property)
  })

  it('are not appended where they do not fit, however they are counted', () => {
    const property = fc.property(records, fc.nat(300), (list, roomBytes) => {
      for (const count of [headersBytes, asciiHeadersBytes]) {
        const writer = new BatchWriter(HEADER_BYTES)
        const written: number[] = []
        for (const headers of list) {
          const fields = headerFields(headers)
          const next = plainRecord(headers, writer.count)
          const fits = written.length + next.length <= roomBytes
          expect(append(writer, fields, count(fields), HEADER_BYTES + roomBytes)).toBe(fits)
          if (fits) written.push(...next)
          expect([...writer.records()]).toEqual(written)
        }
      }
    })
    fc.assert(property)
  })

  it('are at most three times as large as if they were ASCII, and never smaller', () => {
    const property = fc.property(records, (list) => {
      for (const headers of list) {
        const fields = headerFields(headers)
        const bytes = headersBytes(fields)
        expect(bytes).toBeGreaterThanOrEqual(asciiHeadersBytes(fields))
        expect(bytes).toBeLessThanOrEqual(3 * asciiHeadersBytes(fields))
      }
    })
    fc.assert(property)
  })

  it('are the same after they were fields', () => {
    const property = fc.property(records, (list) => {
      for (const headers of list) expect(headersOf(headerFields(headers))).toEqual(headers)
    })
    fc.assert(property)
  })
})
