import type { OutgoingHeader } from '../../../protocol/records/outgoing-record.ts'
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
export function headersFrom(headers: HeadersInit): readonly OutgoingHeader[] {
  if (isList(headers)) return headers.map(headerFrom)
  if (isPlain(headers)) {
    // Object.entries creates an array for each header.
    return Object.keys(headers).map((key) => checkedHeader(key, headers[key]))
  }
  throw new InvalidArgumentError(
    `headers must be an object, or an array of [key, value] or { key, value }, not ${kindOf(headers)}`,
  )
}

function headerFrom(header: HeaderPair | OutgoingHeader): OutgoingHeader {
  if (isPair(header)) return checkedHeader(header[0], header[1])
  if (isKeyed(header)) return checkedHeader(header.key, header.value)
  throw new InvalidArgumentError(
    `a header must be [key, value] or { key, value }, not ${kindOf(header)}`,
  )
}

function checkedHeader(key: unknown, value: unknown): OutgoingHeader {
  if (typeof key === 'string') {
    // The description is created only for an error.
    return { key, value: isData(value) ? value : checkData(value, `header '${key}'`) }
  }
  throw new InvalidArgumentError(`a header's key must be a string, not ${kindOf(key)}`)
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
  return prototype === null || Object.getPrototypeOf(prototype) === null
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
