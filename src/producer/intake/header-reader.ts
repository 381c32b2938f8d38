import type { HeaderFields, OutgoingHeader } from '../../../protocol/records/outgoing-record.ts'
import { InvalidArgumentError } from '../../errors.ts'
import {
  checkData,
  isData,
  kindOf,
  type Data,
  type HeaderPair,
  type HeadersInit,
} from './serialize.ts'

/** After this many messages with other headers than the message before, most are not compared. */
const DIFFERENT_MESSAGES = 4
/** This many messages are then read without a comparison, which takes up to a tenth of the time of a message. */
const UNCOMPARED_MESSAGES = 100

/**
 * Reads the headers of messages from what the application passes.
 *
 * Consecutive messages often have the same headers. These get the same list: BatchWriter then copies the bytes of the
 * record before, which takes a third less CPU time for three headers (Node.js 24, 100 bytes) than to write the texts
 * again. A list with bytes is never used again, because the application may have changed them. Each property of the
 * application's object is read once, because a getter could return another value the second time.
 */
export class HeaderReader {
  /** The headers that were compared last. */
  private last: readonly Data[] = []
  /** The number of messages in turn whose headers differed. */
  private different = 0
  /** The number of messages that are not compared. */
  private uncompared = 0

  /** Throws InvalidArgumentError for other forms: entries of a Map, for example, would be lost silently. */
  read(headers: HeadersInit): HeaderFields {
    if (isList(headers)) return fieldsOfList(headers)
    if (!isPlain(headers)) {
      throw new InvalidArgumentError(
        `headers must be an object, or an array of [key, value] or { key, value }, not ${kindOf(headers)}`,
      )
    }
    if (this.uncompared > 0) {
      this.uncompared--
      return fieldsFrom([], headers, Object.keys(headers), 0)
    }
    return this.compared(headers)
  }

  private compared(headers: Readonly<Record<string, Data>>): HeaderFields {
    const { last } = this
    const keys = Object.keys(headers)
    let same = 0
    for (const key of keys) {
      const value = headers[key]
      if (key !== last[same] || value !== last[same + 1] || !isFixed(value)) {
        const fields = last.slice(0, same)
        addHeader(fields, key, value)
        return this.differing(fieldsFrom(fields, headers, keys, (same >>> 1) + 1))
      }
      same += 2
    }
    if (same < last.length) return this.differing(last.slice(0, same))
    this.different = 0
    return last
  }

  private differing(fields: readonly Data[]): readonly Data[] {
    this.last = fields
    if (++this.different >= DIFFERENT_MESSAGES) {
      this.uncompared = UNCOMPARED_MESSAGES
      // The first comparison after that is with headers of long ago, the next one shows whether they differ.
      this.different = DIFFERENT_MESSAGES - 2
    }
    return fields
  }
}

/** Adds the headers with these keys, from an index on. */
function fieldsFrom(
  fields: Data[],
  headers: Readonly<Record<string, Data>>,
  keys: readonly string[],
  from: number,
): Data[] {
  // Object.entries creates an array for each header.
  for (let index = from; index < keys.length; index++) {
    const key = keys[index]!
    addHeader(fields, key, headers[key])
  }
  return fields
}

function fieldsOfList(headers: readonly (HeaderPair | OutgoingHeader)[]): Data[] {
  const fields: Data[] = []
  for (const header of headers) {
    if (isPair(header)) addHeader(fields, header[0], header[1])
    else if (isKeyed(header)) addHeader(fields, header.key, header.value)
    else throw notHeader(header)
  }
  return fields
}

/** Whether the application cannot change it. */
function isFixed(value: unknown): boolean {
  return typeof value === 'string' || value === null
}

function addHeader(fields: Data[], key: unknown, value: unknown): void {
  if (typeof key !== 'string') {
    throw new InvalidArgumentError(`a header's key must be a string, not ${kindOf(key)}`)
  }
  // The description is created only for an error.
  fields.push(key, isData(value) ? value : checkData(value, `header '${key}'`))
}

function notHeader(header: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    `a header must be [key, value] or { key, value }, not ${kindOf(header)}`,
  )
}

function isList(headers: HeadersInit): headers is readonly (HeaderPair | OutgoingHeader)[] {
  return Array.isArray(headers)
}

function isKeyed(header: unknown): header is OutgoingHeader {
  return typeof header === 'object' && header !== null && 'key' in header && 'value' in header
}

function isPair(header: HeaderPair | OutgoingHeader): header is HeaderPair {
  return Array.isArray(header) && header.length === 2
}

/**
 * Whether it is an object literal, or an object without a prototype, of any realm; not a Map or an instance of another
 * class.
 */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // The first comparisons save a call for nearly all objects.
  return (
    prototype === Object.prototype ||
    prototype === null ||
    Object.getPrototypeOf(prototype) === null
  )
}
