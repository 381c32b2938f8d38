import type { Printable } from './format.ts'
import { matcherOf } from './names.ts'
import { keyAndValue } from './session.ts'

export interface FilterOptions {
  readonly grep?: string
  readonly filterKey?: string
  readonly filterValue?: string
  readonly filterHeader?: readonly string[]
}

/** Which messages the options mean: those that satisfy all of them. */
export function filterOf(options: FilterOptions): (message: Printable) => boolean {
  const tests: ((message: Printable) => boolean)[] = []
  const { grep, filterKey, filterValue, filterHeader = [] } = options
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
  return (message) => tests.every((test) => test(message))
}

function has(bytes: Uint8Array | null, wanted: Buffer): boolean {
  return (
    bytes !== null && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(wanted)
  )
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
}
