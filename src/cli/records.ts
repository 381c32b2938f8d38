/**
 * Messages as JSON, one on each line, in both directions and byte for byte: text that is not UTF-8
 * is in base64, in `keyBase64`, `valueBase64` and `base64` of a header. null stays null.
 */
import { messageOf, UsageError } from './failure.ts'
import type { Printable } from './format.ts'

/** A message that a line of JSON describes. */
export interface RecordOfLine {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: { key: string; value: Buffer | null }[]
  readonly partition?: number
  readonly timestamp?: number
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function jsonLine({
  topic,
  partition,
  offset,
  timestamp,
  key,
  value,
  headers,
}: Printable): string {
  return `${JSON.stringify({
    topic,
    partition,
    offset,
    timestamp,
    ...field('key', key),
    ...field('value', value),
    ...(headers.length === 0
      ? {}
      : { headers: headers.map((one) => ({ key: one.key, ...field('value', one.value) })) }),
  })}\n`
}

function field(name: string, bytes: Uint8Array | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null }
  try {
    return { [name]: UTF_8.decode(bytes) }
  } catch {
    return { [`${name}Base64`]: Buffer.from(bytes).toString('base64') }
  }
}

/** Throws UsageError with the line and the field. */
export function recordOf(line: Buffer, number: number): RecordOfLine {
  const wrong = (what: string): UsageError => new UsageError(`line ${number} of the input ${what}`)
  let parsed: unknown
  try {
    parsed = JSON.parse(line.toString())
  } catch (error) {
    throw wrong(`is not JSON: ${messageOf(error)}`)
  }
  if (!isObject(parsed)) throw wrong('must be an object such as {"key":"a","value":"b"}')
  const { partition, timestamp, headers } = parsed
  if (partition !== undefined && !isCount(partition)) throw wrong('has an invalid partition')
  if (timestamp !== undefined && timestamp !== null && !isCount(timestamp)) {
    throw wrong('has a timestamp that is not a number of milliseconds')
  }
  return {
    key: bytesOf(parsed, 'key', wrong),
    value: bytesOf(parsed, 'value', wrong),
    ...(headers === undefined ? {} : { headers: headersOf(headers, wrong) }),
    ...(isCount(partition) ? { partition } : {}),
    ...(isCount(timestamp) ? { timestamp } : {}),
  }
}

type Wrong = (what: string) => UsageError

function headersOf(headers: unknown, wrong: Wrong): { key: string; value: Buffer | null }[] {
  if (isObject(headers)) {
    return Object.keys(headers).map((key) => ({ key, value: bytesOf(headers, key, wrong) }))
  }
  if (!Array.isArray(headers)) throw wrong('has headers that are not a list')
  return headers.map((header: unknown) => {
    if (!isObject(header) || typeof header['key'] !== 'string') {
      throw wrong('has a header without a key')
    }
    return { key: header['key'], value: bytesOf(header, 'value', wrong) }
  })
}

function bytesOf(parsed: Record<string, unknown>, name: string, wrong: Wrong): Buffer | null {
  const base64 = parsed[`${name}Base64`]
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64')
  const text = parsed[name]
  if (text === undefined || text === null) return null
  if (typeof text === 'string') return Buffer.from(text)
  // A number or an object as value, as users write it by hand.
  if (typeof text === 'bigint' || typeof text === 'function') throw wrong(`has an invalid ${name}`)
  return Buffer.from(JSON.stringify(text))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
