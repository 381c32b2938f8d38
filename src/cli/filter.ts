import { compileFunction } from 'node:vm'
import { viewOf } from './encodings.ts'
import { messageOf, UsageError } from './failure.ts'
import type { Printable } from './format.ts'
import { matcherOf } from './names.ts'
import { keyAndValue } from './session.ts'

export interface FilterOptions {
  readonly grep?: string
  readonly filterKey?: string
  readonly filterValue?: string
  readonly filterHeader?: readonly string[]
  /** A JavaScript expression, such as `value.status >= 500`. */
  readonly filter?: string
}

/** Selects the messages that satisfy all of the options. */
export function filterOf(options: FilterOptions): (message: Printable) => boolean {
  const tests: ((message: Printable) => boolean)[] = []
  const { grep, filterKey, filterValue, filterHeader = [], filter } = options
  if (grep !== undefined) {
    const wanted = Buffer.from(grep)
    tests.push(({ key, value }) => has(key, wanted) || has(value, wanted))
  }
  if (filterKey !== undefined) {
    const matches = matcherOf([filterKey])
    tests.push(({ key }) => key !== null && matches(textOf(key)))
  }
  if (filterValue !== undefined) {
    const matches = matcherOf([filterValue])
    tests.push(({ value }) => value !== null && matches(textOf(value)))
  }
  for (const pair of filterHeader) {
    const [name, pattern] = keyAndValue(pair)
    const matches = matcherOf([pattern])
    tests.push(({ headers }) =>
      headers.some(({ key, value }) => key === name && value !== null && matches(textOf(value))),
    )
  }
  if (filter !== undefined) tests.push(expressionOf(filter))
  return (message) => tests.every((test) => test(message))
}

function has(bytes: Uint8Array | null, wanted: Buffer): boolean {
  return bytes !== null && viewOf(bytes).includes(wanted)
}

function textOf(bytes: Uint8Array): string {
  return viewOf(bytes).toString()
}

/**
 * An expression about a message: `value` and `key` as parsed JSON if possible, otherwise as text;
 * `headers` by name. A message for which it throws, such as one without the field, does not satisfy
 * it.
 */
function expressionOf(source: string): (message: Printable) => boolean {
  let test: (...args: unknown[]) => unknown
  try {
    // The type of compileFunction has neither arguments nor a result.
    test = compileFunction(`return (${source}\n)`, [...NAMES]) as typeof test
  } catch (error) {
    const reason = messageOf(error)
    throw new UsageError(`--filter '${source}' is not a JavaScript expression: ${reason}`)
  }
  return ({ key, value, headers, topic, partition, offset, timestamp }) => {
    const byName = Object.fromEntries(
      headers.map((header) => [header.key, header.value === null ? null : textOf(header.value)]),
    )
    try {
      return Boolean(test(parsed(key), parsed(value), byName, topic, partition, offset, timestamp))
    } catch {
      return false
    }
  }
}

const NAMES = ['key', 'value', 'headers', 'topic', 'partition', 'offset', 'timestamp'] as const

function parsed(bytes: Uint8Array | null): unknown {
  if (bytes === null) return null
  const text = textOf(bytes)
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
