import type { OutgoingHeader } from '../../protocol/records/outgoing-record.ts'
import { InvalidArgumentError } from '../errors.ts'

/** What a key, value or header may be: text goes out as UTF-8, null is a null (a tombstone, as a value). */
export type Data = string | Uint8Array | null

/** Headers as they are given: an object, or pairs where order or repeats matter. */
export type HeadersInit =
  Readonly<Record<string, Data>> | readonly (readonly [key: string, value: Data])[]

/** The data, checked: callers without TypeScript give numbers, objects and forgotten awaits. */
export function checkData(data: unknown, what: string): Data {
  if (typeof data === 'string' || data === null || data instanceof Uint8Array) return data
  throw new InvalidArgumentError(`${what} must be a string, bytes or null, not ${kindOf(data)}`)
}

/** Data that stays as it is when the caller's bytes change. */
export function copyOf(data: Data): Data {
  return data instanceof Uint8Array ? Uint8Array.from(data) : data
}

export function headersFrom(headers: HeadersInit): readonly OutgoingHeader[] {
  const pairs = isPairs(headers) ? headers : Object.entries(headers)
  return pairs.map(([key, value]) => {
    if (typeof key !== 'string') {
      throw new InvalidArgumentError(`a header's key must be a string, not ${kindOf(key)}`)
    }
    return { key, value: checkData(value, `header '${key}'`) }
  })
}

function isPairs(
  headers: HeadersInit,
): headers is readonly (readonly [key: string, value: Data])[] {
  return Array.isArray(headers)
}

function kindOf(data: unknown): string {
  if (data === undefined) return 'undefined'
  if (data instanceof Promise) return 'a promise (is an await missing?)'
  if (typeof data === 'object') return `an object (${data?.constructor.name ?? 'null'})`
  return `a ${typeof data}`
}
