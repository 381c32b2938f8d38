import type { OutgoingHeader } from '../../../protocol/records/outgoing-record.ts'
import { InvalidArgumentError } from '../../errors.ts'

/** A key, value or header: text is sent as UTF-8, null as null (a tombstone, as a value). */
export type Data = string | Uint8Array | null

/** A header as key and value. */
export type HeaderPair = readonly [key: string, value: Data]

/** Headers: an object, or pairs if order or repetition matters. Those of a consumed message can be passed unchanged. */
export type HeadersInit = Readonly<Record<string, Data>> | readonly (HeaderPair | OutgoingHeader)[]

/** Checks data: callers without TypeScript pass numbers, objects and forgotten promises. */
export function checkData(data: unknown, what: string): Data {
  if (isData(data)) return data
  throw new InvalidArgumentError(`${what} must be a string, bytes or null, not ${kindOf(data)}`)
}

/** Whether it is text, bytes or null. */
export function isData(data: unknown): data is Data {
  return typeof data === 'string' || data === null || data instanceof Uint8Array
}

/** Returns data that does not change when the caller's bytes change. */
export function copyOf(data: Data): Data {
  return data instanceof Uint8Array ? Uint8Array.from(data) : data
}

/** Names what was passed instead of data. */
export function kindOf(data: unknown): string {
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
