import type { HeaderFields, OutgoingHeader } from '../../../protocol/records/outgoing-record.ts'
import { InvalidArgumentError } from '../../errors.ts'

/** A key, value or header: text is sent as UTF-8, null as null (a tombstone, as a value). */
export type Data = string | Uint8Array | null

type HeaderPair = readonly [key: string, value: Data]

/** Headers: an object, or pairs if order or repetition matters. Those of a consumed message can be passed unchanged. */
export type HeadersInit = Readonly<Record<string, Data>> | readonly (HeaderPair | OutgoingHeader)[]

/** Checks data: callers without TypeScript pass numbers, objects and forgotten promises. */
export function checkData(data: unknown, what: string): Data {
  if (isData(data)) return data
  throw new InvalidArgumentError(`${what} must be a string, bytes or null, not ${kindOf(data)}`)
}

function isData(data: unknown): data is Data {
  return typeof data === 'string' || data === null || data instanceof Uint8Array
}

/** Returns data that does not change when the caller's bytes change. */
export function copyOf(data: Data): Data {
  return data instanceof Uint8Array ? Uint8Array.from(data) : data
}

/** Throws InvalidArgumentError for other forms: entries of a Map, for example, would be lost silently. */
export function headersFrom(headers: HeadersInit): HeaderFields {
  const fields: Data[] = []
  if (isList(headers)) {
    for (const header of headers) {
      if (isPair(header)) addHeader(fields, header[0], header[1])
      else if (isKeyed(header)) addHeader(fields, header.key, header.value)
      else throw notHeader(header)
    }
    return fields
  }
  if (isPlain(headers)) {
    // Object.entries creates an array for each header.
    for (const key of Object.keys(headers)) addHeader(fields, key, headers[key])
    return fields
  }
  throw new InvalidArgumentError(
    `headers must be an object, or an array of [key, value] or { key, value }, not ${kindOf(headers)}`,
  )
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

function kindOf(data: unknown): string {
  if (data === undefined) return 'undefined'
  if (data instanceof Promise) return 'a promise (an await may be missing)'
  if (data === null) return 'null'
  if (typeof data === 'object') {
    // An object without a prototype has no constructor.
    const { constructor } = data as { readonly constructor?: { readonly name: string } }
    return `an object (${constructor?.name ?? 'no prototype'})`
  }
  return `a ${typeof data}`
}
